"""Plan an assignment that is given through the API."""

from __future__ import annotations

from dataclasses import replace

from bridge.errors import RefusedError
from bridge.model import Card, Owner
from bridge.planners import alerts, consequences
from bridge.planners.assignments import TAKEN, give, holder_of
from bridge.planners.changes import Changes
from bridge.planners.held import owner_of_call, release_held
from bridge.planners.rules import Rules
from bridge.state.commands import AssignCall
from bridge.state.plan import Plan
from bridge.state.records import AssignmentRecord, Stored
from bridge.state.snapshot import Snapshot


def assign(snapshot: Snapshot, command: AssignCall, rules: Rules, now: float) -> Plan:
    """Store an assignment given through the API.

    The answer is the record, created unless the conversation has an open assignment to this call.

    Raises:
        RefusedError: 409 if another open conversation has the call, unless it is to be taken.
    """
    if not command.take and holder_of(snapshot, command.assignment) is not None:
        raise RefusedError(409, "call_taken", TAKEN)
    changes, assignment = Changes(snapshot, rules, now), command.assignment
    known = changes.record(assignment.sender_id, assignment.call_id)
    owner = command.owner or owner_of_call(changes, assignment.call_id, assignment.agent_id)
    former = snapshot.latest(assignment.sender_id)
    record = give(changes, assignment, owner, "http", given_at=now)
    if former is not None and (card := _card_of(snapshot, former)) is not None:
        record = changes.assignment(replace(record, card=card))
    if owner is Owner.AGENT and record.handed_off_at is None:
        due = alerts.due_at(rules, now)
        record = changes.assignment(replace(record, handed_off_at=now, untold=False, alert_at=due))
    call = changes.known_call((assignment.call_id, assignment.agent_id))
    if call is not None and call.live:
        release_held(changes, call, record)
    created = known is None or not known.open
    return consequences.plan(changes, Stored(record, created))


def _card_of(snapshot: Snapshot, former: AssignmentRecord) -> Card | None:
    """Return the card of a conversation that gets another call, so that it goes along."""
    return snapshot.cards.get((former.assignment.sender_id, former.assignment.call_id))
