"""Plan agents' decisions about suggestions, and the messages that they write themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.errors import AssignmentError, NotYoursError, RefusedError
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
from bridge.planners.edits import distance
from bridge.planners.handoff import CROWDED
from bridge.planners.rules import Rules
from bridge.state.commands import (
    AcceptSuggestion,
    CopySuggestion,
    DisplaySuggestion,
    RejectSuggestion,
    SendReply,
)
from bridge.state.plan import Count, Plan, Written
from bridge.state.records import Stored
from bridge.state.snapshot import Snapshot

SYSTEM = "system"
SPOKEN = DeliveryError("withdrawn", "the agent sent a message first")
_MISSING = "there is no such suggestion"


def accept(snapshot: Snapshot, command: AcceptSuggestion, rules: Rules, now: float) -> Plan:
    """Accept a suggestion and send it. The answer is the suggestion and its deliveries.

    Raises:
        RefusedError: 404; 409 if it is settled or the call is no longer with the agent; 422
            for an empty text or too many messages; 429 if the call's queue is full.
    """
    suggestion = _find(snapshot, command.suggestion_id, command.agent_id)
    name = ("suggestion", suggestion.id)
    if suggestion.command_key == command.key:
        return _accepted(suggestion, snapshot.of_reply(rules.composer.reply_key(*name)))
    text = command.text
    if text is not None and not text.strip():
        raise RefusedError(422, "empty_text", "an empty text cannot be sent")
    changes = Changes(snapshot, rules, now)
    assignment = _assignment(snapshot, suggestion, rules, now)
    by = command.agent_id or SYSTEM
    edited = text if text is not None and text != suggestion.text else None
    decided = changes.suggestion(
        replace(
            suggestion,
            state=SuggestionState.ACCEPTED if edited is None else SuggestionState.EDITED,
            settled_at=now,
            settled_by=by,
            edited_text=edited,
            edit_distance=0.0 if edited is None else distance(suggestion.text, edited),
            command_key=command.key,
        )
    )
    changes.supersede(_rivals(snapshot, suggestion))
    drafts = suggestion.drafts
    if edited is not None:
        drafts = (*_written(changes, assignment, edited), *suggestion.kept)
    batch = rules.composer.compose(
        assignment, [drafts], Origin.SUGGESTION, name=name, now=now, approved_by=by
    )
    batch = [replace(item, suggestion_id=suggestion.id) for item in batch]
    _say(changes, assignment.call_id, batch)
    changes.effect(Count("suggestions", (decided.state.value,)))
    codes = [item.message_code for item in batch]

    def finish(written: Written) -> tuple[Suggestion, list[Delivery]]:
        return decided, [written.deliveries[code] for code in codes if code in written.deliveries]

    return consequences.plan(changes, finish=finish)


def copy(snapshot: Snapshot, command: CopySuggestion, rules: Rules, now: float) -> Plan:
    """Record that the agent took the words into another tool. The answer is the suggestion.

    It answers the customer's question, so the other candidates are superseded.

    Raises:
        RefusedError: 404; 403; 409 if it is settled or the call is no longer with the agent.
    """
    suggestion = _find(snapshot, command.suggestion_id, command.agent_id)
    if suggestion.command_key == command.key:
        return Plan(answer=suggestion)
    _require_offered(suggestion, now)
    own_call(snapshot, suggestion.call_id, suggestion.agent_id, with_agent=True)
    changes = Changes(snapshot, rules, now)
    decided = changes.suggestion(
        replace(
            suggestion,
            state=SuggestionState.COPIED,
            settled_at=now,
            settled_by=command.agent_id or SYSTEM,
            command_key=command.key,
        )
    )
    changes.supersede(_rivals(snapshot, suggestion))
    changes.withdraw(SPOKEN, changes.auto_waiting(suggestion.call_id))
    changes.effect(Count("suggestions", (decided.state.value,)))
    return consequences.plan(changes, decided)


def _rivals(snapshot: Snapshot, taken: Suggestion) -> list[Suggestion]:
    """Return the other offers for the question that a suggestion answers."""
    return [
        item
        for item in snapshot.offered(call_id=taken.call_id)
        if item.id != taken.id
        and (
            item.group == taken.group
            or (taken.message_id is not None and item.message_id == taken.message_id)
        )
    ]


def _accepted(suggestion: Suggestion, sent: Sequence[Delivery]) -> Plan:
    codes = [item.message_code for item in sent]
    return Plan(finish=lambda written: (suggestion, _stored(sent, written, codes)))


def reject(snapshot: Snapshot, command: RejectSuggestion, rules: Rules, now: float) -> Plan:
    """Reject a suggestion, or add the reason to a rejection. The answer is the suggestion.

    Raises:
        RefusedError: 404; 409 if it is settled, unless the same person rejected it and now gives
            the reason for the first time.
    """
    suggestion = _find(snapshot, command.suggestion_id, command.agent_id)
    by, reason = command.agent_id or SYSTEM, command.reason or None
    if suggestion.command_key == command.key:
        return Plan(answer=suggestion)
    changes = Changes(snapshot, rules, now)
    if _is_rejected_by(suggestion, by) and reason is not None:
        if suggestion.reason == reason:
            return Plan(answer=suggestion)
        _require_no_reason(suggestion)
        explained = replace(suggestion, reason=reason, command_key=command.key)
        return changes.plan(changes.suggestion(explained))
    _require_offered(suggestion, now)
    decided = changes.suggestion(
        replace(
            suggestion,
            state=SuggestionState.REJECTED,
            settled_at=now,
            settled_by=by,
            reason=reason,
            command_key=command.key,
        )
    )
    changes.effect(Count("suggestions", (decided.state.value,)))
    return changes.plan(decided)


def _is_rejected_by(suggestion: Suggestion, by: str) -> bool:
    return suggestion.state is SuggestionState.REJECTED and suggestion.settled_by == by


def _require_no_reason(suggestion: Suggestion) -> None:
    if suggestion.erased_at is not None:
        raise RefusedError(409, "erased", "its words were erased: they were too old")
    if suggestion.reason is not None:
        raise RefusedError(409, "settled", "this suggestion is rejected for another reason already")


def display(snapshot: Snapshot, command: DisplaySuggestion, rules: Rules, now: float) -> Plan:
    """Record that the agent has seen a suggestion. The answer is the suggestion."""
    suggestion = _find(snapshot, command.suggestion_id, command.agent_id)
    if suggestion.displayed_at is not None:
        return Plan(answer=suggestion)
    changes = Changes(snapshot, rules, now)
    return changes.plan(changes.suggestion(replace(suggestion, displayed_at=now)))


def reply(snapshot: Snapshot, command: SendReply, rules: Rules, now: float) -> Plan:
    """Send a message that the agent wrote. The answer is its deliveries, with whether they are new.

    Raises:
        RefusedError: 404; 409 if the call has ended, the bot is its owner, or the client_id
            was used for another text; 422 for an empty text or too many messages; 429 if the
            call's queue is full.
    """
    if not command.text.strip():
        raise RefusedError(422, "empty_text", "an empty text cannot be sent")
    record = own_call(snapshot, command.call_id, command.agent_id, with_agent=True)
    changes = Changes(snapshot, rules, now)
    batch = rules.composer.compose(
        record.assignment,
        [_written(changes, record.assignment, command.text)],
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
        return Plan(finish=lambda written: Stored(_stored(former, written, codes), created=False))
    _say(changes, command.call_id, batch)
    codes = [item.message_code for item in batch]
    return consequences.plan(
        changes, finish=lambda written: Stored(_stored(batch, written, codes), created=True)
    )


def _stored(known: Sequence[Delivery], written: Written, codes: Sequence[str]) -> list[Delivery]:
    by_code = {item.message_code: item for item in known}
    return [written.deliveries.get(code) or by_code[code] for code in codes]  # type: ignore[index]


def _find(snapshot: Snapshot, suggestion_id: str, agent_id: str | None) -> Suggestion:
    suggestion = snapshot.suggestions.get(suggestion_id)
    if suggestion is None:
        raise RefusedError(404, "not_found", _MISSING)
    if agent_id is not None and suggestion.agent_id != agent_id:
        raise NotYoursError(_MISSING)
    return suggestion


def _assignment(snapshot: Snapshot, suggestion: Suggestion, rules: Rules, now: float) -> Assignment:
    _require_offered(suggestion, now)
    record = own_call(snapshot, suggestion.call_id, suggestion.agent_id, with_agent=True)
    try:
        rules.composer.envelope(record.assignment)
    except AssignmentError as error:  # the configuration it needs was removed
        raise RefusedError(409, error.code, error.message) from error
    return record.assignment


def _require_offered(suggestion: Suggestion, now: float) -> None:
    state = suggestion.state
    if state is SuggestionState.OFFERED and suggestion.expires_at <= now:
        state = SuggestionState.EXPIRED
    if state is not SuggestionState.OFFERED:
        raise RefusedError(409, "settled", f"this suggestion is {state.value} already")


def _say(changes: Changes, call_id: str, batch: Sequence[Delivery]) -> None:
    """Enqueue the agent's message, and withdraw the waiting auto deliveries of the call."""
    most = changes.rules.most_waiting
    changes.withdraw(SPOKEN, changes.auto_waiting(call_id))
    require_room(changes, call_id, len(batch), most)
    changes.enqueue(batch)


def require_room(changes: Changes, call_id: str, more: int, most: int) -> None:
    """Check that ``more`` deliveries may be queued for a call.

    Raises:
        RefusedError: 422 if they exceed the limit by themselves, 429 with those already waiting.
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
    """Return whether other drafts were stored under the same name; False if they were erased."""
    if any(item.erased_at is not None for item in former):
        return False
    return [item.draft for item in former] != [item.draft for item in batch]
