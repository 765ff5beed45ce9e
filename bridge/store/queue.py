"""The outbox's side of the deliveries: storing, claiming in order, settling under a lease.

One delivery of a call is in flight at a time, the oldest first; calls do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Text,
    Update,
    and_,
    any_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from bridge.model import Delivery, DeliveryError, DeliveryState, Origin
from bridge.store import bell
from bridge.store.bulk import Bulk
from bridge.store.delivery_rows import COLUMNS, OPEN, SENDING, WAITING, delivery, values
from bridge.store.prepared import Prepared
from bridge.store.schema import deliveries
from bridge.store.sql import insert_ignoring, try_lock

_d = deliveries.c
WITHOUT_GUID = ("agent_signed_out", "signing_in")  # why a delivery waits for its agent's session
_ADD = Bulk(
    {name: _d[name].type for name in COLUMNS},
    lambda given, dialect: (
        insert_ignoring(deliveries, dialect)
        .values(given.as_values())
        .returning(_d.seq, _d.message_code)
    ),
)


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
    it; it is returned then. Else every process is rung.
    """
    return add_all(tx, [(batch, reserved)])[0]


def add_all(
    tx: Connection, batches: Sequence[tuple[Sequence[Delivery], Reservation | None]]
) -> list[Delivery | None]:
    """Store several batches as ``add`` does one; of each, what was claimed."""
    free = _free(tx, {batch[0].envelope.call_id for batch, held in batches if batch and held})
    taken: list[Delivery | None] = []
    rows = []
    for batch, reserved in batches:
        claimed: Delivery | None = None
        for given in batch:
            row = given
            call_id = given.envelope.call_id
            if reserved is not None and row is batch[0] and call_id in free:
                row = claimed = replace(
                    given,
                    state=DeliveryState.SENDING,
                    lease=reserved.lease,
                    lease_until=reserved.until,
                )
            free.discard(call_id)
            rows.append(values(row))
        taken.append(claimed)
        if batch and claimed is None:
            bell.ring(tx)
    stored = {row.message_code: row.seq for row in _ADD.all(tx, rows)}
    return [
        replace(one, seq=stored[one.message_code]) if one and one.message_code in stored else None
        for one in taken
    ]


def _free(tx: Connection, call_ids: set[str]) -> set[str]:
    """The calls of which nothing waits or is being sent."""
    if not call_ids:
        return set()
    asked = [(call_id,) for call_id in sorted(call_ids)]
    if tx.dialect.name == "postgresql":  # nor is anybody about to send for them
        asked = [(row.call_id,) for row in _LOCK_CALLS.all(tx, asked)]
    busy = {row.call_id for row in _BUSY_CALLS.all(tx, asked)}
    return {call_id for (call_id,) in asked} - busy


def claim(tx: Connection, *, lease: str, now: float, until: float, limit: int) -> list[Delivery]:
    """Take up to ``limit`` deliveries whose turn and time has come, each call's oldest."""
    taken = {"b_lease": lease, "b_until": until}
    if tx.dialect.name == "postgresql":
        locked = [row.seq for row in _LOCK_DUE.all(tx, b_now=now, b_limit=limit)]
        rows = _CLAIM_LOCKED.all(tx, b_seqs=locked, **taken) if locked else []
    else:
        rows = _CLAIM.all(tx, b_now=now, b_limit=limit, **taken)
    return sorted((delivery(row) for row in rows), key=lambda claimed: claimed.seq)


def claim_one(
    tx: Connection, seq: int, call_id: str, *, lease: str, until: float
) -> Delivery | None:
    """Take one delivery whose turn has come, whatever its time; None where it has not."""
    if tx.dialect.name == "postgresql" and not _LOCK_CALLS.all(tx, [(call_id,)]):
        return None
    row = _CLAIM_ONE.first(tx, b_seq=seq, b_lease=lease, b_until=until)
    return delivery(row) if row is not None else None


def claimable(now: ColumnElement[Any] | None) -> ColumnElement[bool]:
    """Waiting, with nothing of its call before it or in flight; due at ``now`` where given."""
    other = deliveries.alias()
    blocked = exists(other.c.seq).where(  # only what the index holds
        and_(
            other.c.call_id == _d.call_id,
            other.c.state.in_([WAITING, SENDING]),
            other.c.seq != _d.seq,
            or_(other.c.seq < _d.seq, other.c.state == SENDING),
        )
    )
    waiting = and_(_d.state == WAITING, ~blocked)
    return waiting if now is None else and_(_d.due_at <= now, waiting)


def _due() -> Select[tuple[int]]:
    # In the order of the index of what waits: SQLite would look through everything that was ever
    # sent to find it in the order of storing.
    return (
        select(_d.seq)
        .where(claimable(bindparam("b_now")))
        .order_by(_d.due_at, _d.seq)
        .limit(bindparam("b_limit"))
    )


def _take(*those: ColumnElement[bool]) -> Update:
    return (
        update(deliveries)
        .where(*those)
        .values(state="sending", lease=bindparam("b_lease"), lease_until=bindparam("b_until"))
        .returning(deliveries)
    )


# SQLite's one writer at a time sees all that was committed before it.
_CLAIM = Prepared(_take(_d.seq.in_(_due().scalar_subquery()), _d.state == WAITING))

# PostgreSQL's statements each see the moment at which they began. So first the calls are locked,
# and only then is it asked, by a statement of its own, what is in flight of them: whoever had the
# lock before has committed by then.
_locked = _due().add_columns(_d.call_id).with_for_update(skip_locked=True).cte("due")
_LOCK_DUE = Prepared(select(_locked.c.seq).where(try_lock("call", _locked.c.call_id)))
_CLAIM_LOCKED = Prepared(
    _take(_d.seq == any_(bindparam("b_seqs", type_=ARRAY(BigInteger))), claimable(None))
)
_CLAIM_ONE = Prepared(_take(_d.seq == bindparam("b_seq"), claimable(None)))
_CALL = {"call_id": Text()}
_LOCK_CALLS = Bulk(_CALL, lambda given, _dialect: _lock_calls(given.table()))
_BUSY_CALLS = Bulk(_CALL, lambda given, _dialect: _busy_calls(given.table()))


def _lock_calls(given: Subquery) -> Select[tuple[str]]:
    return select(given.c.call_id).where(try_lock("call", given.c.call_id))


def _busy_calls(given: Subquery) -> Select[tuple[str]]:
    return select(_d.call_id).distinct().where(OPEN, _d.call_id == given.c.call_id)


_NEXT_DUE = Prepared(select(func.min(_d.due_at)).where(claimable(None)))
_NEXT_LEASE = Prepared(select(func.min(_d.lease_until)).where(OPEN, _d.state == SENDING))
_ABANDONED = Prepared(
    select(deliveries).where(OPEN, _d.state == SENDING, _d.lease_until < bindparam("b_now"))
)


def next_due(tx: Connection) -> float | None:
    """When a delivery can be claimed next, or a lease that nobody gave back is over."""
    waiting: float | None = _NEXT_DUE.scalar(tx)
    leased: float | None = _NEXT_LEASE.scalar(tx)
    times = [at for at in (waiting, leased) if at is not None]
    return min(times, default=None)


def abandoned(tx: Connection, *, now: float) -> list[Delivery]:
    """What a worker was sending whose lease is over: nobody knows whether it left."""
    return [delivery(row) for row in _ABANDONED.all(tx, b_now=now)]


def start_afresh(tx: Connection, dead: Callable[[str], bool], *, now: float) -> None:
    """Start afresh: end the leases whose holders are ``dead``, look for GUIDs once more."""
    held = tx.execute(select(_d.lease).where(OPEN, _d.state == SENDING).distinct()).scalars()
    over = [lease for lease in held if lease is not None and dead(lease)]
    if over:
        tx.execute(
            update(deliveries)
            .where(OPEN, _d.state == SENDING, _d.lease.in_(over))
            .values(lease_until=now - 1)
        )
    tx.execute(
        update(deliveries)
        .where(_d.state == WAITING, _d.error_code.in_(WITHOUT_GUID))
        .values(due_at=now)
    )


def set_right(
    tx: Connection,
    *,
    latest_due: float,
    latest_lease: float,
    expires: float,
    rest_expires: float,
) -> None:
    """Bring nearer what a clock that was set back left too far ahead; the rest stays as it is.

    What waits is due by ``latest_due``, and a lease ends by ``latest_lease``; a reply's first part
    is too late by ``expires``, its later parts by ``rest_expires``.
    """
    for column, state, latest in (
        (_d.due_at, WAITING, latest_due),
        (_d.lease_until, SENDING, latest_lease),
    ):
        late = and_(OPEN, _d.state == state, column > latest)
        tx.execute(update(deliveries).where(late).values({column: latest}))
    for part, until in ((_d.part == 0, expires), (_d.part > 0, rest_expires)):
        late = and_(OPEN, part, _d.expires_at > until)
        tx.execute(update(deliveries).where(late).values(expires_at=until))


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
    statement = update(deliveries).where(_d.state == WAITING)
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
    return [delivery(row) for row in rows]


def wake(tx: Connection, agent_id: str, *, now: float) -> None:
    """The agent has a new GUID: what waited for one is due."""
    if tx.execute(_waiting_for_guid(agent_id).values(due_at=now)).rowcount:
        bell.ring(tx)


def blame(tx: Connection, agent_id: str, error: DeliveryError, *, due: float | None) -> None:
    """Say why the agent has no GUID to what waits for one; ``due`` is when to look again."""
    values: dict[str, Any] = {"error_code": error.code, "error_message": error.message}
    if due is not None:
        values["due_at"] = due
    tx.execute(_waiting_for_guid(agent_id).values(values))


def _waiting_for_guid(agent_id: str) -> Update:
    return update(deliveries).where(
        _d.agent_id == agent_id, _d.state == WAITING, _d.error_code.in_(WITHOUT_GUID)
    )
