"""Decide whether a retry by hand would tell the customer something twice, or something outdated.

Pure. The planner of ``RetryDelivery`` and the command-line tool use the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.model import Delivery, Origin
from bridge.state.records import AssignmentRecord, TurnRecord

# Error codes of deliveries that were stopped on purpose, not by a fault.
_ON_PURPOSE = frozenset(
    {"withdrawn", "call_ended", "reassigned", "discarded", "previous_part", "too_many_waiting"}
)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a delivery should not be retried; ``final`` if it cannot be retried at all."""

    code: str
    message: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What happened around a delivery.

    Attributes:
        record: the newest assignment of its call.
        last_delivered: the number of the call's newest delivered delivery, or 0.
        turn: the action call that it belongs to.
    """

    record: AssignmentRecord | None
    last_delivered: int
    turn: TurnRecord | None


def objection(delivery: Delivery, found: Circumstances) -> Objection | None:
    """Return why ``delivery`` should not be retried, or None."""
    return _final(delivery, found.record) or _on_purpose(delivery) or _said_since(delivery, found)


def _final(delivery: Delivery, record: AssignmentRecord | None) -> Objection | None:
    if delivery.erased_at is not None:
        return Objection("erased", "its words were erased: they were too old", final=True)
    if record is None:
        return Objection("not_found", "no such call was assigned", final=True)
    if not record.open:
        return Objection("call_ended", "this call has ended", final=True)
    if not record.with_agent:
        return Objection("not_with_agent", "the bot has this conversation", final=True)
    if record.assignment.agent_id != delivery.envelope.agent_id:
        return Objection("reassigned", "this call is another agent's now", final=True)
    return None


def _on_purpose(delivery: Delivery) -> Objection | None:
    error = delivery.error
    if error is None or error.code not in _ON_PURPOSE:
        return None
    return Objection(error.code, f"it was stopped on purpose: {error.message}")


def _said_since(delivery: Delivery, found: Circumstances) -> Objection | None:
    record, turn = found.record, found.turn
    if found.last_delivered > delivery.seq:
        message = "a later message of this call was delivered: the customer would read it too late"
        return Objection("said_since", message)
    handed_back_at = record.handed_back_at if record is not None else None
    if handed_back_at is not None and handed_back_at >= delivery.created_at:
        return Objection("handed_back", "the conversation was handed back to the bot after it")
    answer = turn.answer if turn is not None else None
    if delivery.origin is Origin.HANDOFF and answer is not None and answer.error is not None:
        message = f"the customer was told that nobody is available ({answer.error})"
        return Objection("said_since", message)
    return None
