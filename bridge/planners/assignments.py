"""Resolve, give and end assignments, and check access to calls."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from math import inf, nextafter
from types import MappingProxyType

from bridge.errors import AssignmentError, NotYoursError, RefusedError
from bridge.model import (
    AgentId,
    Assignment,
    Delivery,
    DeliveryError,
    Owner,
    Source,
    Suggestion,
    SuggestionState,
    derive,
)
from bridge.planners import consequences
from bridge.planners.changes import Changes
from bridge.planners.rules import Rules
from bridge.state.commands import BroughtAssignment, EndCall, HandBackCall
from bridge.state.plan import Plan
from bridge.state.records import AssignmentRecord
from bridge.state.snapshot import Pair, Snapshot

ENDED = DeliveryError("call_ended", "the call ended before it could be sent")
REASSIGNED = DeliveryError("reassigned", "the call was given to another agent")
TAKEN = (
    'another open conversation has this call: end it there first, or send "take": true to end it'
    " there and give the call to this conversation"
)
_REOFFERED_FOR = 300.0  # seconds that the former agent's unsent messages are offered to the next


# -- resolving -------------------------------------------------------------------------------------


def resolve(
    brought: BroughtAssignment | AssignmentError | None, snapshot: Snapshot, sender_id: str
) -> AssignmentRecord | BroughtAssignment:
    """Return the stored assignment, or a newer one that came with the message.

    Raises:
        AssignmentError: there is none, it has ended, or the one in the message was rejected.
    """
    stored = snapshot.latest(sender_id)
    refused = brought if isinstance(brought, AssignmentError) else None
    if isinstance(brought, BroughtAssignment):
        former = snapshot.assignments.get((sender_id, brought.assignment.call_id))
        if _over_since(brought, former):
            refused = AssignmentError("closed", "the call of its assignment has ended")
        elif _newer(brought, stored):
            holder = holder_of(snapshot, brought.assignment)
            if holder is None or (brought.take and not _outdated(brought, holder)):
                return brought
            refused = AssignmentError("invalid_assignment", TAKEN)
    if stored is None:
        raise refused or AssignmentError("no_assignment", "the conversation has no assignment")
    if not stored.open:
        raise AssignmentError("closed", "the call of its assignment has ended")
    return stored


def holder_of(
    snapshot: Snapshot,
    assignment: Assignment,
    changed: Mapping[Pair, AssignmentRecord] = MappingProxyType({}),
) -> AssignmentRecord | None:
    """Return the open assignment of the same call to another conversation, if there is one."""
    for record in {**snapshot.assignments, **changed}.values():
        other = record.assignment
        same_call = other.call_id == assignment.call_id
        if same_call and other.sender_id != assignment.sender_id and record.open:
            return record
    return None


def _outdated(brought: BroughtAssignment, holder: AssignmentRecord) -> bool:
    """Return whether the call was given to its holder after the assignment was issued.

    A token's ``iat`` has whole seconds. Plain metadata carries no such time.
    """
    return brought.source == "token" and int(brought.given_at) < int(holder.given_at)


def _over_since(brought: BroughtAssignment, former: AssignmentRecord | None) -> bool:
    """Return whether the call ended after the assignment was issued.

    Plain metadata carries no such time and never reopens a call.
    """
    if former is None or former.ended_at is None:
        return False
    return brought.source == "metadata" or former.ended_at >= brought.given_at


def _newer(brought: BroughtAssignment, stored: AssignmentRecord | None) -> bool:
    if stored is None:
        return True
    if brought.assignment.call_id == stored.assignment.call_id and stored.open:
        return brought.assignment != stored.assignment and brought.given_at > stored.given_at
    if not stored.open and brought.source == "metadata":
        return True  # another call than the one that ended
    # A token's iat has whole seconds: within the same second, the message's assignment wins.
    return int(brought.given_at) >= int(stored.given_at)


def own_call(
    snapshot: Snapshot,
    call_id: str,
    agent_id: str | None,
    *,
    with_agent: bool = False,
    missing: str = "no such call was assigned",
) -> AssignmentRecord:
    """Return the assignment of a call that ``agent_id`` may access (None: a system, any call).

    Raises:
        RefusedError: 404, saying ``missing``, for an unknown call and another agent's; with
            ``with_agent`` (for changes to the call) 409 if the call has ended or the bot is its
            owner.
    """
    record = snapshot.of_call(call_id)
    if record is None:
        raise RefusedError(404, "not_found", missing)
    if agent_id is not None and record.assignment.agent_id != agent_id:
        raise NotYoursError(missing)
    if with_agent and not record.open:
        raise RefusedError(409, "call_ended", "this call has ended")
    if with_agent and record.owner is not Owner.AGENT:
        raise RefusedError(409, "not_with_agent", "the bot has this conversation")
    return record


# -- giving and ending -----------------------------------------------------------------------------


def give(
    changes: Changes,
    assignment: Assignment,
    owner: Owner | None,
    source: str,
    *,
    given_at: float,
) -> AssignmentRecord:
    """Store an assignment as the conversation's newest and close the ones that it replaces.

    These are the conversation's assignment to another call, and another conversation's to the
    same call: call this only if it may be taken.

    Without ``owner``, the same call keeps its owner and a new call starts with the bot.
    """
    snapshot = changes.snapshot
    if (holder := holder_of(snapshot, assignment, changes.assigned)) is not None:
        _replace(changes, holder)
    same = changes.record(assignment.sender_id, assignment.call_id)
    former = changes.latest(assignment.sender_id) or same  # an event loads the call alone
    kept = Owner.BOT
    if former is not None and former.open:
        if former.assignment.call_id != assignment.call_id:
            _reoffer(changes, _replace(changes, former, assignment.agent_id), assignment)
        else:
            kept = former.owner
            if former.assignment.agent_id != assignment.agent_id:
                _reoffer(changes, close(changes, former, REASSIGNED), assignment)
    if former is not None and source in ("http", "reader"):
        # Keep it the newest even if the clock was set back.
        given_at = max(given_at, nextafter(former.given_at, inf))
    of_call = changes.of_call(assignment.call_id)
    if of_call is not None and of_call.assignment.sender_id != assignment.sender_id:
        given_at = max(given_at, nextafter(of_call.given_at, inf))  # also the call's newest
    record = AssignmentRecord(assignment, owner or kept, source, given_at)
    if same is not None:  # what the assignment does not say stays as it was
        record = replace(
            same,
            assignment=assignment,
            owner=record.owner,
            source=source,
            given_at=given_at,
            ended_at=None,
            card=None,
            command_key=None,
            moved_to=None,
        )
        if same.assignment.agent_id != assignment.agent_id:  # nothing is known of this agent yet
            record = replace(record, assist_hidden=False, typing_at=None, desktop_at=None)
    return changes.assignment(record)


def _replace(
    changes: Changes, record: AssignmentRecord, agent_id: AgentId | None = None
) -> list[Delivery]:
    """End an assignment in favour of a new one; return the withdrawn deliveries as they were.

    Args:
        changes: the changes so far.
        record: the assignment.
        agent_id: the agent who gets the conversation; None if the conversation itself ends.
    """
    moved_to = agent_id if agent_id != record.assignment.agent_id else None
    changes.assignment(
        replace(record, ended_at=changes.now, owner=Owner.BOT, card=None, moved_to=moved_to)
    )
    withdrawn = close(changes, record, REASSIGNED)
    consequences.freed(changes, record)
    return withdrawn


def close(changes: Changes, record: AssignmentRecord, error: DeliveryError) -> list[Delivery]:
    """Expire the suggestions and withdraw the waiting deliveries of an assignment that is over.

    Returns the withdrawn deliveries as they were before.
    """
    assignment = record.assignment
    changes.expire_offered(
        changes.snapshot.offered(sender_id=assignment.sender_id, call_id=assignment.call_id),
        error.code,
    )
    waiting = [
        item
        for item in changes.waiting_on(assignment.call_id)
        if item.sender_id == assignment.sender_id
    ]
    return changes.withdraw(error, waiting)


def _reoffer(changes: Changes, unsaid: list[Delivery], to: Assignment) -> None:
    """Offer the former agent's unsent deliveries to the new agent, one suggestion per reply."""
    plain = changes.rules.composer.plain
    by_reply: dict[str, list[Delivery]] = {}
    for delivery in unsaid:
        by_reply.setdefault(delivery.reply_key, []).append(delivery)
    for reply, parts in by_reply.items():
        name = derive("reoffered", reply, to.agent_id, to.call_id)
        if name in changes.snapshot.suggestions:
            continue
        changes.suggestion(
            Suggestion(
                id=name,
                group=name,
                sender_id=to.sender_id,
                agent_id=to.agent_id,
                call_id=to.call_id,
                state=SuggestionState.OFFERED,
                created_at=changes.now,
                expires_at=changes.now + _REOFFERED_FOR,
                source=Source(kind=parts[0].origin.value),
                text="\n".join(words for part in parts if (words := plain(part))),
                drafts=tuple(part.draft for part in parts),
                kept=tuple(part.draft for part in parts if plain(part) is None),
            )
        )


def end(snapshot: Snapshot, command: EndCall, rules: Rules, now: float) -> Plan:
    """End the conversation's open call. The answer is False if there is none."""
    record = snapshot.latest(command.sender_id)
    if record is None or not record.open:
        return Plan(answer=record is not None and record.command_key == command.key)
    changes = Changes(snapshot, rules, now)
    finish(changes, replace(record, command_key=command.key))
    return consequences.plan(changes, answer=True)


def finish(changes: Changes, record: AssignmentRecord) -> None:
    """End an open assignment because its call is over, and settle everything of the call."""
    changes.assignment(replace(record, ended_at=changes.now, owner=Owner.BOT, card=None))
    close(changes, record, ENDED)
    consequences.freed(changes, record)


def move_away(changes: Changes, record: AssignmentRecord) -> None:
    """End an open assignment because its call was transferred to somebody who is not known yet.

    A person has the customer: the bot is not resumed.
    """
    changes.assignment(replace(record, ended_at=changes.now, card=None))
    close(changes, record, REASSIGNED)


def hand_back(snapshot: Snapshot, command: HandBackCall, rules: Rules, now: float) -> Plan:
    """Hand a call back to the bot for an agent or a system. The answer is the record.

    Raises:
        RefusedError: 404; 409 if the call has ended, the bot is its owner, or ``rasa.url`` is
            not set.
    """
    known = snapshot.of_call(command.call_id)
    if known is not None and known.command_key == command.key:
        return Plan(answer=known)
    former = own_call(snapshot, command.call_id, command.agent_id, with_agent=True)
    if not rules.asks_rasa:
        message = (
            "Rasa cannot be told to go on: set rasa.url (and rasa.token), and start Rasa with"
            " --enable-api; or let a rule of the bot call action_handback"
        )
        raise RefusedError(409, "rasa_url_missing", message)
    changes = Changes(snapshot, rules, now)
    record = changes.hand_back(former, consequences.HANDED_BACK, command_key=command.key)
    by = "system" if command.agent_id is None else f"agent:{command.agent_id}"
    changes.log(logging.INFO, "Handed back call_id=%s by=%s", command.call_id, by)
    consequences.resume(changes, former, error=None)
    return consequences.plan(changes, record)
