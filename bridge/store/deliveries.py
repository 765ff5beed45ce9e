"""The outbox's table: storing, claiming in order, settling under a lease.

One delivery of a call is in flight at a time, the oldest first; calls do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from bridge.model import (
    AgentId,
    CallId,
    Channel,
    Delivery,
    DeliveryError,
    DeliveryState,
    Draft,
    Envelope,
    MediaType,
    MessageCode,
    Origin,
    SenderId,
)
from bridge.store.prepared import Prepared, Row
from bridge.store.schema import deliveries
from bridge.store.sql import insert_or_ignore

_d = deliveries.c
WITHOUT_GUID = ("agent_signed_out", "signing_in")  # why a delivery waits for its agent's session
_ADD = insert_or_ignore(
    deliveries,
    "message_code",
    "sender_id",
    "call_id",
    "agent_id",
    "user_id",
    "channel",
    "channel_config_id",
    "nickname",
    "avatar",
    "media_type",
    "media_file_type",
    "content_type",
    "content",
    "origin",
    "turn_key",
    "approved_by",
    "reply_key",
    "part",
    "state",
    "created_at",
    "expires_at",
    "due_at",
    "lease",
    "lease_until",
    returning="seq",
)
# Spelt out, not bound: only then do both engines see that the partial indexes apply.
_WAITING: ColumnElement[str] = literal_column("'waiting'")
_SENDING: ColumnElement[str] = literal_column("'sending'")


@dataclass(frozen=True, slots=True)
class Reservation:
    """A worker that stands ready, and the lease that it would send under."""

    lease: str
    until: float


def add(
    tx: Connection, batch: Sequence[Delivery], reserved: Reservation | None = None
) -> Delivery | None:
    """Store deliveries in this order; a message code that is stored already is left as it is.

    With a reservation, the first is claimed in the same breath if nothing of its call comes before
    it; it is returned then.
    """
    claimed: Delivery | None = None
    for index, delivery in enumerate(batch):
        taken = delivery
        if reserved is not None and index == 0 and _is_first(tx, delivery):
            taken = replace(
                delivery,
                state=DeliveryState.SENDING,
                lease=reserved.lease,
                lease_until=reserved.until,
            )
        seq = _ADD.scalar(tx, **_values(taken))
        if seq is not None and taken is not delivery:
            claimed = replace(taken, seq=seq)
    return claimed


def _is_first(tx: Connection, delivery: Delivery) -> bool:
    return not open_of_call(tx, delivery.envelope.call_id)


def claim(tx: Connection, *, lease: str, now: float, until: float, limit: int) -> list[Delivery]:
    """Take up to ``limit`` deliveries whose turn and time has come, each call's oldest."""
    rows = _CLAIM.all(tx, b_now=now, b_lease=lease, b_until=until, b_limit=limit)
    return sorted((_delivery(row) for row in rows), key=lambda delivery: delivery.seq)


def _claimable(now: ColumnElement[Any] | None) -> ColumnElement[bool]:
    """Waiting, with nothing of its call before it or in flight; due at ``now`` where given."""
    other = deliveries.alias()
    blocked = exists().where(
        and_(
            other.c.call_id == _d.call_id,
            or_(other.c.state == _WAITING, other.c.state == _SENDING),
            other.c.seq != _d.seq,
            or_(other.c.seq < _d.seq, other.c.state == _SENDING),
        )
    )
    waiting = and_(_d.state == _WAITING, ~blocked)
    return waiting if now is None else and_(_d.due_at <= now, waiting)


def _claim(dialect: str) -> Update:
    due = (
        select(_d.seq)
        .where(_claimable(bindparam("b_now")))
        .order_by(_d.seq)
        .limit(bindparam("b_limit"))
    )
    if dialect == "postgresql":
        due = due.with_for_update(skip_locked=True, of=deliveries)
    return (
        update(deliveries)
        .where(_d.seq.in_(due.scalar_subquery()), _d.state == _WAITING)
        .values(state="sending", lease=bindparam("b_lease"), lease_until=bindparam("b_until"))
        .returning(deliveries)
    )


_CLAIM = Prepared(_claim)
_OPEN = or_(_d.state == _WAITING, _d.state == _SENDING)
_ANY_OPEN = Prepared(
    select(_d.seq).where(_OPEN, _d.call_id == bindparam("b_call")).limit(literal_column("1"))
)
_NEXT_DUE = Prepared(select(func.min(_d.due_at)).where(_claimable(None)))
_NEXT_LEASE = Prepared(select(func.min(_d.lease_until)).where(_OPEN, _d.state == _SENDING))
_ABANDONED = Prepared(
    select(deliveries).where(_OPEN, _d.state == _SENDING, _d.lease_until < bindparam("b_now"))
)
_OF_TURN = Prepared(select(deliveries).where(_d.turn_key == bindparam("b_turn")).order_by(_d.seq))


def next_due(tx: Connection) -> float | None:
    """When a delivery can be claimed next, or a lease that nobody gave back is over."""
    waiting: float | None = _NEXT_DUE.scalar(tx)
    leased: float | None = _NEXT_LEASE.scalar(tx)
    times = [at for at in (waiting, leased) if at is not None]
    return min(times, default=None)


def abandoned(tx: Connection, *, now: float) -> list[Delivery]:
    """What a worker was sending whose lease is over: nobody knows whether it left."""
    return [_delivery(row) for row in _ABANDONED.all(tx, b_now=now)]


def start_afresh(tx: Connection, dead: Callable[[str], bool], *, now: float) -> None:
    """Start afresh: end the leases whose holders are ``dead``, look for GUIDs once more."""
    held = tx.execute(select(_d.lease).where(_OPEN, _d.state == _SENDING).distinct()).scalars()
    over = [lease for lease in held if lease is not None and dead(lease)]
    if over:
        tx.execute(
            update(deliveries)
            .where(_OPEN, _d.state == _SENDING, _d.lease.in_(over))
            .values(lease_until=now - 1)
        )
    tx.execute(
        update(deliveries)
        .where(_d.state == _WAITING, _d.error_code.in_(WITHOUT_GUID))
        .values(due_at=now)
    )


_SETTLE = Prepared(
    update(deliveries)
    .where(_d.seq == bindparam("b_seq"), _d.lease == bindparam("b_lease"), _d.state == _SENDING)
    .values(
        state=bindparam("b_state"),
        due_at=bindparam("b_due"),
        attempts=bindparam("b_attempts"),
        unknowns=bindparam("b_unknowns"),
        connected=bindparam("b_connected"),
        error_code=bindparam("b_code"),
        error_message=bindparam("b_message"),
        settled_at=bindparam("b_settled"),
        lease=None,
        lease_until=None,
    )
)


def settle(tx: Connection, claimed: Delivery, after: Delivery) -> bool:
    """Store what an attempt came to; False where the lease was lost meanwhile.

    What fails or expires takes the waiting rest of its reply with it.
    """
    error = after.error
    taken = _SETTLE.run(
        tx,
        b_seq=claimed.seq,
        b_lease=claimed.lease,
        b_state=after.state.value,
        b_due=after.due_at,
        b_attempts=after.attempts,
        b_unknowns=after.unknowns,
        b_connected=after.connected,
        b_code=error.code if error else None,
        b_message=error.message if error else None,
        b_settled=after.settled_at,
    )
    if taken and after.state in (DeliveryState.FAILED, DeliveryState.EXPIRED):
        _fail_rest(tx, after)
    return bool(taken)


def _fail_rest(tx: Connection, failed: Delivery) -> None:
    expired = failed.state is DeliveryState.EXPIRED
    tx.execute(
        update(deliveries)
        .where(
            _d.reply_key == failed.reply_key,
            _d.part > failed.part,
            _d.state == _WAITING,
        )
        .values(
            state=failed.state.value,
            error_code="expired" if expired else "previous_part",
            error_message="the part before it was not delivered",
            settled_at=failed.settled_at,
        )
    )


def withdraw(
    tx: Connection,
    error: DeliveryError,
    *,
    now: float,
    call_id: str | None = None,
    turn_key: str | None = None,
    sender_id: str | None = None,
    origin: Origin | None = None,
) -> list[Delivery]:
    """Fail what still waits of a call, a conversation, an action call, an origin; return it."""
    statement = update(deliveries).where(_d.state == _WAITING)
    if call_id is not None:
        statement = statement.where(_d.call_id == call_id)
    if sender_id is not None:
        statement = statement.where(_d.sender_id == sender_id)
    if turn_key is not None:
        statement = statement.where(_d.turn_key == turn_key)
    if origin is not None:
        statement = statement.where(_d.origin == origin.value)
    rows = tx.execute(
        statement.values(
            state="failed",
            error_code=error.code,
            error_message=error.message,
            settled_at=now,
        ).returning(deliveries)
    ).fetchall()
    return [_delivery(row) for row in rows]


def wake(tx: Connection, agent_id: str, *, now: float) -> None:
    """The agent has a new GUID: what waited for one is due."""
    tx.execute(_waiting_for_guid(agent_id).values(due_at=now))


def blame(tx: Connection, agent_id: str, error: DeliveryError, *, due: float | None) -> None:
    """Say why the agent has no GUID to what waits for one; ``due`` is when to look again."""
    values: dict[str, Any] = {"error_code": error.code, "error_message": error.message}
    if due is not None:
        values["due_at"] = due
    tx.execute(_waiting_for_guid(agent_id).values(values))


def _waiting_for_guid(agent_id: str) -> Update:
    return update(deliveries).where(
        _d.agent_id == agent_id, _d.state == _WAITING, _d.error_code.in_(WITHOUT_GUID)
    )


def of_turn(tx: Connection, turn_key: str) -> list[Delivery]:
    """The deliveries that one action call stored, in order."""
    return [_delivery(row) for row in _OF_TURN.all(tx, b_turn=turn_key)]


def of_reply(tx: Connection, reply_key: str) -> list[Delivery]:
    """The parts of one reply, in order."""
    return _all(tx, select(deliveries).where(_d.reply_key == reply_key).order_by(_d.part))


def get(tx: Connection, seq: int) -> Delivery | None:
    """One delivery by its id."""
    row = tx.execute(select(deliveries).where(_d.seq == seq)).first()
    return _delivery(row) if row else None


def waiting_of_call(tx: Connection, call_id: str) -> int:
    """How many deliveries of a call wait."""
    statement = select(func.count()).where(_d.call_id == call_id, _d.state == _WAITING)
    return int(tx.execute(statement).scalar_one())


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
    if call_id is not None:
        statement = statement.where(_d.call_id == call_id)
    if agent_id is not None:
        statement = statement.where(_d.agent_id == agent_id)
    wanted = [state.value for state in states]
    if wanted:
        statement = statement.where(_d.state.in_(wanted))
    return _all(tx, statement)


def by_codes(tx: Connection, codes: Sequence[str]) -> list[Delivery]:
    """The deliveries of these message codes, in the order of storing."""
    statement = select(deliveries).where(_d.message_code.in_(list(codes))).order_by(_d.seq)
    return _all(tx, statement)


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
    return bool(tx.execute(statement).rowcount)


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
    return _all(tx, statement)


def newest_of_call(tx: Connection, call_id: str, *, limit: int) -> list[Delivery]:
    """The newest deliveries of a call, in the order of storing."""
    statement = select(deliveries).where(_d.call_id == call_id).order_by(_d.seq.desc())
    return _all(tx, statement.limit(limit))[::-1]


def counts(tx: Connection) -> dict[str, int]:
    """How many deliveries are open, by state."""
    statement = (
        select(_d.state, func.count())
        .where(or_(_d.state == _WAITING, _d.state == _SENDING))
        .group_by(_d.state)
    )
    return {row[0]: int(row[1]) for row in tx.execute(statement)}


def _all(tx: Connection, statement: Any) -> list[Delivery]:
    return [_delivery(row) for row in tx.execute(statement)]


def _values(delivery: Delivery) -> dict[str, Any]:
    envelope, draft = delivery.envelope, delivery.draft
    return {
        "message_code": delivery.message_code,
        "sender_id": delivery.sender_id,
        "call_id": envelope.call_id,
        "agent_id": envelope.agent_id,
        "user_id": envelope.user_id,
        "channel": envelope.channel.value,
        "channel_config_id": envelope.channel_config_id,
        "nickname": envelope.nickname,
        "avatar": envelope.avatar,
        "media_type": draft.media_type.value,
        "media_file_type": draft.media_file_type,
        "content_type": draft.content_type,
        "content": draft.content,
        "origin": delivery.origin.value,
        "turn_key": delivery.turn_key,
        "approved_by": delivery.approved_by,
        "reply_key": delivery.reply_key,
        "part": delivery.part,
        "state": delivery.state.value,
        "created_at": delivery.created_at,
        "expires_at": delivery.expires_at,
        "due_at": delivery.due_at,
        "lease": delivery.lease,
        "lease_until": delivery.lease_until,
    }


def _delivery(row: Row) -> Delivery:
    error = DeliveryError(row.error_code, row.error_message or "") if row.error_code else None
    return Delivery(
        seq=row.seq,
        message_code=MessageCode(row.message_code),
        sender_id=SenderId(row.sender_id),
        envelope=Envelope(
            agent_id=AgentId(row.agent_id),
            call_id=CallId(row.call_id),
            user_id=row.user_id,
            channel=Channel(row.channel),
            channel_config_id=row.channel_config_id,
            nickname=row.nickname,
            avatar=row.avatar,
        ),
        draft=Draft(MediaType(row.media_type), row.content, row.media_file_type, row.content_type),
        origin=Origin(row.origin),
        reply_key=row.reply_key,
        part=row.part,
        state=DeliveryState(row.state),
        created_at=row.created_at,
        expires_at=row.expires_at,
        due_at=row.due_at,
        attempts=row.attempts,
        unknowns=row.unknowns,
        connected=bool(row.connected),
        lease=row.lease,
        lease_until=row.lease_until,
        error=error,
        settled_at=row.settled_at,
        turn_key=row.turn_key,
        approved_by=row.approved_by,
    )
