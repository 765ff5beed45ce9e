"""The handoffs of many conversations at once: what is stored of them, and the storing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Connection,
    Float,
    Select,
    String,
    Subquery,
    Text,
    Update,
    and_,
    exists,
    false,
    func,
    null,
    select,
    update,
)

from bridge.model import Card, Delivery, Owner
from bridge.store import queue, turns
from bridge.store.assignments import STANDING, Standing, standing, written_card
from bridge.store.bulk import Bulk
from bridge.store.queue import Reservation
from bridge.store.schema import assignments
from bridge.store.schema import turns as records
from bridge.store.turns import TurnRecord

_a = assignments.c


@dataclass(frozen=True, slots=True)
class Found:
    """What is stored of an action call and its conversation, all of one moment."""

    record: TurnRecord | None
    standing: Standing | None
    handed_back_at: float | None


@dataclass(frozen=True, slots=True)
class Handoff:
    """A handoff that is to be stored under an assignment that is."""

    key: str  # of the action call
    seen: Standing  # as it must stand still
    card: Card
    batch: Sequence[Delivery]
    reserved: Reservation | None
    now: float


def look(tx: Connection, asked: Sequence[tuple[str, str]]) -> list[Found]:
    """What is stored of action calls, each (key, sender), in their order."""
    rows = {row.b_key: row for row in _LOOK.all(tx, asked)}
    found = []
    for key, sender in asked:
        row = rows[key]
        record = (
            None
            if row.turn_made_at is None
            else turns.record(key, sender, row.turn_call_id, row.turn_made_at, row.turn_answer)
        )
        found.append(Found(record, standing(row), row.b_handed_back_at))
    return found


def hand_off(tx: Connection, handoffs: Sequence[Handoff]) -> list[Delivery | None] | None:
    """Store handoffs and their deliveries, if all that they rest on stands: all or nothing.

    Gives what was claimed under each one's reservation; None where somebody was quicker.
    """
    if len(handoffs) == 1 and tx.dialect.name == "sqlite":
        # Nobody else writes meanwhile: what can be seen beforehand need not be undone.
        known = turns.get(tx, handoffs[0].key) is not None
        return None if known else _hand_off_all(tx, handoffs)
    with tx.begin_nested() as trial:
        claimed = _hand_off_all(tx, handoffs)
        if claimed is None:
            trial.rollback()
        return claimed


def _hand_off_all(tx: Connection, handoffs: Sequence[Handoff]) -> list[Delivery | None] | None:
    if _HAND_OFF.run(tx, [_row(one) for one in handoffs]) != len(handoffs):
        return None
    begun = [
        (one.key, one.seen.assignment.sender_id, one.seen.assignment.call_id, one.now)
        for one in handoffs
    ]
    if turns.begin_all(tx, begun) != len(handoffs):
        return None
    return queue.add_all(tx, [(one.batch, one.reserved) for one in handoffs])


def _row(one: Handoff) -> tuple[object, ...]:
    seen = one.seen
    return (
        seen.assignment.sender_id,
        seen.assignment.call_id,
        seen.assignment.agent_id,
        seen.given_at,
        seen.handed_off_at,
        seen.handed_back_at,
        one.now,
        written_card(one.card),
    )


def _look(given: Subquery) -> Select[tuple[object, ...]]:
    own, others, record = assignments.alias(), assignments.alias(), records.alias()
    newest = (
        select(own.c.call_id)
        .where(own.c.sender_id == given.c.sender_id)
        .order_by(own.c.given_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    back = (
        select(func.max(others.c.handed_back_at))
        .where(others.c.sender_id == given.c.sender_id)
        .scalar_subquery()
    )
    theirs = and_(_a.sender_id == given.c.sender_id, _a.call_id == newest)
    return select(
        given.c.key.label("b_key"),
        back.label("b_handed_back_at"),
        record.c.call_id.label("turn_call_id"),
        record.c.made_at.label("turn_made_at"),
        record.c.answer.label("turn_answer"),
        *(_a[name] for name in STANDING),
    ).select_from(
        given.outerjoin(assignments, theirs).outerjoin(record, record.c.key == given.c.key)
    )


def _hand_off(given: Subquery) -> Update:
    other = assignments.alias()
    newer = exists().where(
        other.c.sender_id == given.c.sender_id, other.c.given_at > given.c.given_at
    )
    return (
        update(assignments)
        .where(
            _a.sender_id == given.c.sender_id,
            _a.call_id == given.c.call_id,
            _a.agent_id == given.c.agent_id,
            _a.given_at == given.c.given_at,
            _a.owner == Owner.BOT.value,
            _a.ended_at.is_(None),
            _a.handed_off_at.is_not_distinct_from(given.c.handed_off_at),
            _a.handed_back_at.is_not_distinct_from(given.c.handed_back_at),
            ~newer,
        )
        .values(
            owner=Owner.AGENT.value,
            handed_off_at=given.c.now,
            untold=false(),
            card=given.c.card,
            erased_at=null(),
        )
    )


_LOOK = Bulk(
    {"key": String(36), "sender_id": String(512)}, lambda given, _dialect: _look(given.table())
)
_HAND_OFF = Bulk(
    {
        "sender_id": String(512),
        "call_id": String(64),
        "agent_id": String(6),
        "given_at": Float(),
        "handed_off_at": Float(),
        "handed_back_at": Float(),
        "now": Float(),
        "card": Text(),
    },
    lambda given, _dialect: _hand_off(given.table()),
)
