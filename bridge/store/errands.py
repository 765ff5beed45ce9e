"""What Rasa is still to be told: kept until it is, one at a time and in order a conversation."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import (
    BindParameter,
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

from bridge.store import bell
from bridge.store.prepared import Prepared, Row
from bridge.store.schema import errands
from bridge.store.sql import insert_or_ignore

_e = errands.c
_ADD = insert_or_ignore(
    errands,
    "id",
    "sender_id",
    "call_id",
    "kind",
    "body",
    "state",
    "made_at",
    "due_at",
    "give_up_at",
)
_WAITING: ColumnElement[str] = literal_column("'waiting'")
_DOING: ColumnElement[str] = literal_column("'doing'")
_FAILED: ColumnElement[str] = literal_column("'failed'")
# Each in the words of its partial index.
_COUNT_OPEN = Prepared(
    select(func.count()).select_from(errands).where(_e.state.in_([_WAITING, _DOING]))
)
_COUNT_FAILED = Prepared(select(func.count()).select_from(errands).where(_e.state == _FAILED))


class Kind(str, Enum):
    """What an errand is for."""

    WRITE_BACK = "write_back"  # what the agent sent, for the tracker
    RESUME = "resume"  # the bot has the conversation again
    TELL = "tell"  # the bot's words to the customer, on Rasa's own channel


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing to tell Rasa; ``events`` are Rasa's."""

    seq: int
    id: str
    sender_id: str
    call_id: str | None
    kind: Kind
    body: dict[str, Any]
    made_at: float
    due_at: float
    give_up_at: float
    attempts: int = 0
    lease: str | None = None
    state: str = "waiting"
    error: str | None = None
    done_at: float | None = None


def add(tx: Connection, errand: Errand) -> None:
    """Store an errand; one that is stored already is left as it is."""
    _ADD.run(
        tx,
        id=errand.id,
        sender_id=errand.sender_id,
        call_id=errand.call_id,
        kind=errand.kind.value,
        body=json.dumps(errand.body, ensure_ascii=False),
        state="waiting",
        made_at=errand.made_at,
        due_at=errand.due_at,
        give_up_at=errand.give_up_at,
    )
    bell.ring(tx)


def _free(*expired: ColumnElement[bool]) -> ColumnElement[bool]:
    """Nobody is at it (or its lease is over), and nothing of its conversation comes before."""
    other = errands.alias()
    before = exists().where(
        and_(
            other.c.sender_id == _e.sender_id,
            other.c.state.in_([_WAITING, _DOING]),
            other.c.seq < _e.seq,
        )
    )
    # The first condition is the partial index's, which spares a look at all that was ever done.
    open_ = _e.state.in_([_WAITING, _DOING])
    return and_(open_, or_(_e.state == _WAITING, and_(_e.state == _DOING, *expired)), ~before)


def _claim(dialect: str) -> Update:
    now: BindParameter[float] = bindparam("b_now")
    due = (
        select(_e.seq)
        .where(_free(_e.lease_until < now), _e.due_at <= now)
        .order_by(_e.due_at, _e.seq)  # by seq, SQLite would look through all that ever was
        .limit(bindparam("b_limit"))
    )
    if dialect == "postgresql":
        # Apart: it would be run anew for each row, and its limit would be none.
        due = select(due.with_for_update(skip_locked=True).cte("due").c.seq)
    return (
        update(errands)
        .where(_e.seq.in_(due.scalar_subquery()))
        .values(
            state="doing",
            lease=bindparam("b_lease"),
            lease_until=bindparam("b_until"),
            attempts=_e.attempts + 1,
        )
        .returning(errands)
    )


_CLAIM = Prepared(_claim)
_NEXT_DUE = Prepared(select(func.min(func.coalesce(_e.lease_until, _e.due_at))).where(_free()))


def claim(tx: Connection, *, lease: str, now: float, until: float, limit: int) -> list[Errand]:
    """Take up to ``limit`` errands whose time has come, each conversation's oldest."""
    rows = _CLAIM.all(tx, b_now=now, b_lease=lease, b_until=until, b_limit=limit)
    return sorted((_errand(row) for row in rows), key=lambda errand: errand.seq)


_OPEN = _e.state.in_([_WAITING, _DOING])  # in the words of the partial index
_DOING_BY = Prepared(select(_e.lease).where(_OPEN, _e.state == _DOING).distinct())
_FREE = Prepared(
    update(errands)
    .where(_OPEN, _e.state == _DOING, _e.lease == bindparam("b_lease"))
    .values(lease_until=bindparam("b_until"))
)


def start_afresh(tx: Connection, dead: Callable[[str], bool], *, now: float) -> None:
    """End the leases whose holders are ``dead``."""
    for row in _DOING_BY.all(tx):
        if row.lease is not None and dead(row.lease):
            _FREE.run(tx, b_lease=row.lease, b_until=now - 1)


def settle(
    tx: Connection, errand: Errand, *, state: str, now: float, due: float, error: str | None
) -> bool:
    """What an attempt came to: done, failed, or waiting until ``due``."""
    statement = (
        update(errands)
        .where(_e.seq == errand.seq, _e.lease == errand.lease)
        .values(
            state=state,
            due_at=due,
            error=error,
            done_at=None if state == "waiting" else now,
            lease=None,
            lease_until=None,
        )
    )
    return bool(tx.execute(statement).rowcount)


def set_right(tx: Connection, *, due: float, lease_until: float) -> None:
    """Bring nearer what a clock that was set back left too far ahead."""
    for column, latest in ((_e.due_at, due), (_e.lease_until, lease_until)):
        tx.execute(update(errands).where(_OPEN, column > latest).values({column: latest}))


def next_due(tx: Connection) -> float | None:
    """When the next errand wants looking at."""
    at: float | None = _NEXT_DUE.scalar(tx)
    return at


def of_call(tx: Connection, call_id: str) -> list[Errand]:
    """The errands of a call, in order."""
    statement = select(errands).where(_e.call_id == call_id).order_by(_e.seq)
    return [_errand(row) for row in tx.execute(statement)]


def get(tx: Connection, errand_id: str) -> Errand | None:
    """One errand."""
    row = tx.execute(select(errands).where(_e.id == errand_id)).first()
    return _errand(row) if row else None


def counts(tx: Connection) -> tuple[int, int]:
    """How many errands are open, and how many failed; however many were done."""
    return _COUNT_OPEN.scalar(tx), _COUNT_FAILED.scalar(tx)


def _errand(row: Row) -> Errand:
    return Errand(
        seq=row.seq,
        id=row.id,
        sender_id=row.sender_id,
        call_id=row.call_id,
        kind=Kind(row.kind),
        body=json.loads(row.body),
        made_at=row.made_at,
        due_at=row.due_at,
        give_up_at=row.give_up_at,
        attempts=row.attempts,
        lease=row.lease,
        state=row.state,
        error=row.error,
        done_at=row.done_at,
    )
