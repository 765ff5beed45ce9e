"""An agent's decisions about suggestions, and the agent's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.errors import AssignmentError, RefusedError
from bridge.model import (
    Assignment,
    Delivery,
    DeliveryError,
    Draft,
    Origin,
    Suggestion,
    SuggestionState,
)
from bridge.planners import consequences
from bridge.planners.assignments import own_call
from bridge.planners.changes import Changes
from bridge.planners.handoff import CROWDED
from bridge.planners.rules import Rules
from bridge.state.commands import (
    AcceptSuggestion,
    DisplaySuggestion,
    RejectSuggestion,
    SendReply,
)
from bridge.state.plan import Count, Plan, Written
from bridge.state.snapshot import Snapshot

SYSTEM = "system"
SPOKEN = DeliveryError("withdrawn", "the agent has spoken before the bot")
_REASON = 500  # characters of why a suggestion was rejected


def accept(snapshot: Snapshot, command: AcceptSuggestion, rules: Rules, now: float) -> Plan:
    """Send a suggestion; answers it and its deliveries.

    Raises:
        RefusedError: 404; 403; 409 where it was decided, or the call is the agent's no more; 422
            for an empty text; 429 where too much waits.
    """
    found = _find(snapshot, command.suggestion_id, command.agent_id)
    name = ("suggestion", found.id)
    if found.command_key == command.key:
        return _accepted(found, snapshot.of_reply(rules.composer.reply_key(*name)))
    text = command.text
    if text is not None and not text.strip():
        raise RefusedError(422, "empty_text", "an empty text cannot be sent")
    changes = Changes(snapshot, rules, now)
    assignment = _assignment(snapshot, found, rules, now)
    by = command.agent_id or SYSTEM
    edited = text if text is not None and text != found.text else None
    decided = changes.suggestion(
        replace(
            found,
            state=SuggestionState.ACCEPTED if edited is None else SuggestionState.EDITED,
            settled_at=now,
            settled_by=by,
            edited_text=edited,
            command_key=command.key,
        )
    )
    others = snapshot.offered(call_id=found.call_id)
    changes.supersede(
        [item for item in others if item.group == found.group and item.id != found.id]
    )
    drafts = found.drafts
    if edited is not None:
        drafts = (*_written(changes, assignment, edited), *found.kept)
    batch = rules.composer.compose(
        assignment, [drafts], Origin.SUGGESTION, name=name, now=now, approved_by=by
    )
    batch = [replace(item, suggestion_id=found.id) for item in batch]
    _say(changes, assignment.call_id, batch)
    changes.effect(Count("suggestions", (decided.state.value,)))
    codes = [item.message_code for item in batch]

    def finish(written: Written) -> tuple[Suggestion, list[Delivery]]:
        return decided, [written.deliveries[code] for code in codes if code in written.deliveries]

    return consequences.plan(changes, finish=finish)


def _accepted(found: Suggestion, sent: Sequence[Delivery]) -> Plan:
    codes = [item.message_code for item in sent]
    return Plan(finish=lambda written: (found, _stored(sent, written, codes)))


def reject(snapshot: Snapshot, command: RejectSuggestion, rules: Rules, now: float) -> Plan:
    """The agent does not want it; answers the suggestion.

    Raises:
        RefusedError: 404; 403; 409 where it was decided.
    """
    found = _find(snapshot, command.suggestion_id, command.agent_id)
    if found.command_key == command.key:
        return Plan(answer=found)
    _demand_offered(found, now)
    changes = Changes(snapshot, rules, now)
    decided = changes.suggestion(
        replace(
            found,
            state=SuggestionState.REJECTED,
            settled_at=now,
            settled_by=command.agent_id or SYSTEM,
            reason=(command.reason or "")[:_REASON] or None,
            command_key=command.key,
        )
    )
    changes.effect(Count("suggestions", (decided.state.value,)))
    return changes.plan(decided)


def display(snapshot: Snapshot, command: DisplaySuggestion, rules: Rules, now: float) -> Plan:
    """The agent has seen it; answers the suggestion."""
    found = _find(snapshot, command.suggestion_id, command.agent_id)
    if found.displayed_at is not None:
        return Plan(answer=found)
    changes = Changes(snapshot, rules, now)
    return changes.plan(changes.suggestion(replace(found, displayed_at=now)))


def reply(snapshot: Snapshot, command: SendReply, rules: Rules, now: float) -> Plan:
    """The agent writes freely; answers the deliveries.

    Raises:
        RefusedError: 404; 403; 409 where the bot has the call, or the client_id was used for
            another text; 422 for an empty text; 429 where too much waits.
    """
    if not command.text.strip():
        raise RefusedError(422, "empty_text", "an empty text cannot be sent")
    found = own_call(snapshot, command.call_id, command.agent_id, with_agent=True)
    changes = Changes(snapshot, rules, now)
    batch = rules.composer.compose(
        found.assignment,
        [_written(changes, found.assignment, command.text)],
        Origin.AGENT,
        name=("reply", command.call_id, command.client_id),
        now=now,
        approved_by=command.agent_id or SYSTEM,
    )
    former = snapshot.of_reply(command.reply_key)
    if former:
        if _differ(former, batch):
            message = "this client_id was used for another text; take a new one"
            raise RefusedError(409, "client_id_used", message)
        codes = [item.message_code for item in former]
        return Plan(finish=lambda written: _stored(former, written, codes))
    _say(changes, command.call_id, batch)
    codes = [item.message_code for item in batch]
    return consequences.plan(changes, finish=lambda written: _stored(batch, written, codes))


def _stored(known: Sequence[Delivery], written: Written, codes: Sequence[str]) -> list[Delivery]:
    by_code = {item.message_code: item for item in known}
    return [written.deliveries.get(code) or by_code[code] for code in codes]  # type: ignore[index]


def _find(snapshot: Snapshot, suggestion_id: str, agent_id: str | None) -> Suggestion:
    found = snapshot.suggestions.get(suggestion_id)
    if found is None:
        raise RefusedError(404, "not_found", "there is no such suggestion")
    if agent_id is not None and found.agent_id != agent_id:
        raise RefusedError(403, "forbidden", "this is another agent's")
    return found


def _assignment(snapshot: Snapshot, found: Suggestion, rules: Rules, now: float) -> Assignment:
    _demand_offered(found, now)
    record = own_call(snapshot, found.call_id, found.agent_id, with_agent=True)
    try:
        rules.composer.envelope(record.assignment)
    except AssignmentError as error:  # the operator took away what it needs
        raise RefusedError(409, error.code, error.message) from error
    return record.assignment


def _demand_offered(found: Suggestion, now: float) -> None:
    state = found.state
    if state is SuggestionState.OFFERED and found.expires_at <= now:
        state = SuggestionState.EXPIRED
    if state is not SuggestionState.OFFERED:
        raise RefusedError(409, "settled", f"this suggestion is {state.value} already")


def _say(changes: Changes, call_id: str, batch: Sequence[Delivery]) -> None:
    """Store the agent's message; what the bot would have sent by itself is withdrawn."""
    most = changes.rules.most_waiting
    auto = [item for item in changes.waiting_on(call_id) if item.origin is Origin.AUTO]
    changes.withdraw(SPOKEN, auto)
    demand_room(changes, call_id, len(batch), most)
    changes.enqueue(batch)


def demand_room(changes: Changes, call_id: str, more: int, most: int) -> None:
    """See that ``more`` deliveries may wait for a call.

    Raises:
        RefusedError: 422 where they are too many by themselves, 429 where too much waits already.
    """
    if more > most:
        message = f"this makes {more} messages, and at most {most} of a call may wait"
        raise RefusedError(422, "too_long", message)
    if changes.crowded(call_id, more):
        message = f"at most {most} messages of a call may wait, and others wait already"
        raise RefusedError(429, CROWDED.code, message)


def _written(changes: Changes, assignment: Assignment, text: str) -> tuple[Draft, ...]:
    try:
        translation = changes.rules.composer.written(assignment, text)
    except AssignmentError as error:
        raise RefusedError(409, error.code, error.message) from error
    if not translation.drafts:
        raise RefusedError(422, "empty_text", "nothing of this text can be sent")
    return changes.drafts(translation, assignment.call_id)


def _differ(former: Sequence[Delivery], batch: Sequence[Delivery]) -> bool:
    """Whether other words were stored under the same name, as far as they are still known."""
    if any(item.erased_at is not None for item in former):
        return False
    return [item.draft for item in former] != [item.draft for item in batch]
