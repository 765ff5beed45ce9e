"""Looking deliveries up, and a person's word on one. The outbox's side is in ``queue.py``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, literal_column, select, update

from bridge.model import Delivery, DeliveryState
from bridge.store import bell
from bridge.store.delivery_rows import OPEN, WAITING, delivery, every
from bridge.store.prepared import Prepared
from bridge.store.schema import deliveries

_d = deliveries.c
_ANY_OPEN = Prepared(
    select(_d.seq).where(OPEN, _d.call_id == bindparam("b_call")).limit(literal_column("1"))
)
_WAITING_OF_CALL = Prepared(
    select(func.count())
    .select_from(deliveries)
    .where(OPEN, _d.call_id == bindparam("b_call"), _d.state == WAITING)
)
_of_turn = select(deliveries).where(_d.turn_key == bindparam("b_turn")).order_by(_d.seq)
_OF_TURN = Prepared(_of_turn)
_OF_TURN_HELD = Prepared(_of_turn.with_for_update())  # SQLite has one writer, and no such word


def of_turn(tx: Connection, turn_key: str) -> list[Delivery]:
    """The deliveries that one action call stored, in order."""
    return [delivery(row) for row in _OF_TURN.all(tx, b_turn=turn_key)]


def hold_turn(tx: Connection, turn_key: str) -> list[Delivery]:
    """The same, and nobody moves them before ``tx`` ends: what is judged by them stays true."""
    return [delivery(row) for row in _OF_TURN_HELD.all(tx, b_turn=turn_key)]


def of_reply(tx: Connection, reply_key: str) -> list[Delivery]:
    """The parts of one reply, in order."""
    return every(tx, select(deliveries).where(_d.reply_key == reply_key).order_by(_d.part))


def get(tx: Connection, seq: int) -> Delivery | None:
    """One delivery by its id."""
    row = tx.execute(select(deliveries).where(_d.seq == seq)).first()
    return delivery(row) if row else None


def waiting_of_call(tx: Connection, call_id: str) -> int:
    """How many deliveries of a call wait.

    Two replicas that store for one call at the same moment do not see each other's.
    """
    number: int = _WAITING_OF_CALL.scalar(tx, b_call=call_id)
    return number


def listing(
    tx: Connection,
    *,
    call_id: str | None,
    states: Iterable[DeliveryState],
    agent_id: str | None,
    after: int,
    limit: int,
) -> list[Delivery]:
    """Deliveries in the order of storing; ``after`` is an id to go on from."""
    statement = select(deliveries).where(_d.seq > after).order_by(_d.seq).limit(limit)
    return every(tx, _narrowed(statement, call_id, states, agent_id))


def newest(
    tx: Connection,
    *,
    call_id: str | None,
    states: Iterable[DeliveryState],
    agent_id: str | None,
    limit: int,
) -> list[Delivery]:
    """The newest such deliveries, in the order of storing."""
    statement = _narrowed(select(deliveries), call_id, states, agent_id)
    return every(tx, statement.order_by(_d.seq.desc()).limit(limit))[::-1]


def counts(tx: Connection, *, call_id: str | None, agent_id: str | None) -> dict[str, int]:
    """How many deliveries are in which state."""
    statement = _narrowed(select(_d.state, func.count()), call_id, (), agent_id)
    return {row[0]: row[1] for row in tx.execute(statement.group_by(_d.state))}


def by_codes(tx: Connection, codes: Sequence[str]) -> list[Delivery]:
    """The deliveries of these message codes, in the order of storing."""
    statement = select(deliveries).where(_d.message_code.in_(list(codes))).order_by(_d.seq)
    return every(tx, statement)


def move(
    tx: Connection,
    seq: int,
    after: Delivery,
    *,
    among: Sequence[DeliveryState],
) -> bool:
    """A person's word on a delivery: it moves if it still is in one of these states."""
    error = after.error
    statement = (
        update(deliveries)
        .where(_d.seq == seq, _d.state.in_([state.value for state in among]))
        .values(
            state=after.state.value,
            due_at=after.due_at,
            expires_at=after.expires_at,
            unknowns=after.unknowns,
            error_code=error.code if error else None,
            error_message=error.message if error else None,
            settled_at=after.settled_at,
            approved_by=after.approved_by,
            lease=None,
            lease_until=None,
        )
    )
    moved = bool(tx.execute(statement).rowcount)
    if moved and after.state is DeliveryState.WAITING:
        bell.ring(tx)
    return moved


def open_of_call(tx: Connection, call_id: str) -> bool:
    """Whether anything of a call waits or is being sent."""
    return _ANY_OPEN.scalar(tx, b_call=call_id) is not None


def told_since(tx: Connection, call_id: str, since: float) -> list[Delivery]:
    """What the customer of a call was sent from ``since`` on, in order."""
    statement = (
        select(deliveries)
        .where(_d.call_id == call_id, _d.created_at >= since)
        .where(_d.state.in_([DeliveryState.DELIVERED.value, DeliveryState.UNCERTAIN.value]))
        .order_by(_d.seq)
    )
    return every(tx, statement)


def newest_of_call(tx: Connection, call_id: str, *, limit: int) -> list[Delivery]:
    """The newest deliveries of a call, in the order of storing."""
    statement = select(deliveries).where(_d.call_id == call_id).order_by(_d.seq.desc())
    return every(tx, statement.limit(limit))[::-1]


def _narrowed(
    statement: Select[Any],
    call_id: str | None,
    states: Iterable[DeliveryState],
    agent_id: str | None,
) -> Select[Any]:
    if call_id is not None:
        statement = statement.where(_d.call_id == call_id)
    if agent_id is not None:
        statement = statement.where(_d.agent_id == agent_id)
    wanted = [state.value for state in states]
    return statement.where(_d.state.in_(wanted)) if wanted else statement
