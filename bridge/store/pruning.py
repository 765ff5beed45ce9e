"""Finds and prunes rows that are too old: erases their content first, deletes them later.

Rows are scanned in windows along the primary key, on a reading connection, and pruned by key if
they are still too old then. So no statement takes long, and no extra index is needed. Open rows
are never touched. The schedule is decided in ``bridge.upkeep``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    Table,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)

from bridge.state.plan import Prune
from bridge.state.records import RowKey
from bridge.store import schema
from bridge.store.statements import Transaction

_BEFORE: ColumnElement[float] = bindparam("b_before", type_=Float)
_QUIET: ColumnElement[float] = bindparam("b_quiet", type_=Float)
_DONE, _LATER, _DUE = range(3)  # classification of a row


@dataclass(frozen=True, slots=True)
class Limit:
    """Age limits, in seconds since the epoch.

    Attributes:
        before: content written, or rows last changed, earlier than this are too old.
        quiet: a call that was not ended counts as over if nothing on it changed since this time.
    """

    before: float
    quiet: float

    @property
    def binds(self) -> dict[str, float]:
        """The statements' bind parameters."""
        return {"b_before": self.before, "b_quiet": self.quiet}


@dataclass(frozen=True, slots=True)
class PrunedTable:
    """How one table is pruned.

    Attributes:
        begun: the time of a row's content.
        over: condition that a row is no longer open.
        moved: all times of a row's changes; the newest is the row's age.
        has_content: condition that a row has content.
        in_order: whether keys ascend with time.
        settles: further columns to set when the content is erased.
    """

    table: Table
    begun: Column[Any]
    over: ColumnElement[bool]
    moved: tuple[Column[Any], ...]
    has_content: ColumnElement[bool] = field(default_factory=true)
    in_order: bool = True
    settles: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @property
    def keys(self) -> tuple[Column[Any], ...]:
        """The columns of the primary key."""
        return tuple(self.table.primary_key.columns)

    @property
    def words(self) -> dict[str, Any]:
        """The content columns' values after the erasure."""
        return {
            column.name: column.info["erased"]
            for column in self.table.columns
            if column.info.get("kind") == "words"
        }


def _since(table: Table) -> ColumnElement[bool]:
    """Return the condition that ``table`` has a row of the assignment's call since ``quiet``."""
    same = table.c.call_id == schema.assignments.c.call_id
    return exists().where(and_(same, table.c.created_at >= _QUIET))


def _not_since(column: Column[Any], limit: ColumnElement[float]) -> ColumnElement[bool]:
    return or_(column.is_(None), column < limit)


_a = schema.assignments.c
_MOVED = (_a.given_at, _a.handed_off_at, _a.handed_back_at, _a.ended_at)
# Not every platform reports the end of a call: a call without recent changes counts as over.
_CALL_IS_OVER = or_(
    _a.ended_at.is_not(None),
    and_(
        *(_not_since(column, _QUIET) for column in _MOVED),
        ~_since(schema.deliveries),
        ~_since(schema.suggestions),
    ),
)
TABLES = (
    PrunedTable(
        schema.deliveries,
        schema.deliveries.c.created_at,
        schema.deliveries.c.state.not_in(["waiting", "sending"]),
        (schema.deliveries.c.created_at,),
    ),
    PrunedTable(
        schema.suggestions,
        schema.suggestions.c.created_at,
        schema.suggestions.c.state != "offered",
        (schema.suggestions.c.created_at,),
    ),
    PrunedTable(
        schema.messages,
        schema.messages.c.created_at,
        true(),
        (schema.messages.c.created_at,),
    ),
    PrunedTable(
        schema.rasa_updates,
        schema.rasa_updates.c.created_at,
        schema.rasa_updates.c.state.in_(["done", "failed"]),
        (schema.rasa_updates.c.created_at,),
    ),
    PrunedTable(
        schema.calls,
        schema.calls.c.begun_at,
        or_(schema.calls.c.state == "ended", schema.calls.c.begun_at < _QUIET),
        (schema.calls.c.begun_at, schema.calls.c.ended_at),
        has_content=or_(schema.calls.c.held != "[]", schema.calls.c.apology.is_not(None)),
        in_order=False,
    ),
    PrunedTable(
        schema.call_requests,
        schema.call_requests.c.created_at,
        schema.call_requests.c.state.in_(["done", "failed"]),
        (schema.call_requests.c.created_at,),
    ),
    PrunedTable(
        schema.events,
        schema.events.c.received_at,
        true(),
        (schema.events.c.received_at,),
        settles={"handled_at": func.coalesce(schema.events.c.handled_at, bindparam("b_now"))},
    ),
    PrunedTable(
        schema.assignments,
        _a.handed_off_at,
        _CALL_IS_OVER,
        _MOVED,
        has_content=_a.card.is_not(None),
        in_order=False,
    ),
    PrunedTable(
        schema.turns,
        schema.turns.c.made_at,
        true(),
        (schema.turns.c.made_at,),
        in_order=False,
    ),
)

_BY_NAME = {table.name: table for table in TABLES}


@dataclass(frozen=True, slots=True)
class PruningWindow:
    """A range of a table's rows.

    Attributes:
        due: keys of the rows to prune.
        reached: the range's last key; None at the end of the table.
        old: whether any row is from before the limit, due or not.
        left: whether any row remains to be pruned later: too recent, or open.
    """

    due: tuple[RowKey, ...]
    reached: RowKey | None
    old: bool
    left: bool


def with_words(
    tx: Connection, target: PrunedTable, limit: Limit, after: RowKey | None, rows: int
) -> PruningWindow:
    """Scan up to ``rows`` rows after the key ``after`` for content that is too old."""
    return _window(
        tx, target, _words_due(target), target.table.c.erased_at.is_(None), limit, after, rows
    )


def whole(
    tx: Connection, target: PrunedTable, limit: Limit, after: RowKey | None, rows: int
) -> PruningWindow:
    """Scan up to ``rows`` rows after the key ``after`` for rows to delete."""
    return _window(tx, target, _row_due(target), true(), limit, after, rows)


def prune(tx: Transaction, rows: Prune) -> int:
    """Erase the content of rows, or delete them, unless open again; return their number."""
    target = _BY_NAME[rows.table]
    limit = Limit(rows.before, rows.quiet)
    if rows.whole:
        deletion = delete(target.table).where(_among(target, rows.keys), _row_due(target))
        return int(tx.connection.execute(deletion, limit.binds).rowcount)
    erasure = (
        update(target.table)
        .where(_among(target, rows.keys), _words_due(target))
        .values({**target.words, **target.settles, "erased_at": bindparam("b_now")})
    )
    return int(tx.connection.execute(erasure, {**limit.binds, "b_now": rows.now}).rowcount)


def _words_due(target: PrunedTable) -> ColumnElement[bool]:
    unerased = target.table.c.erased_at.is_(None)
    return and_(unerased, target.begun < _BEFORE, target.has_content, target.over)


def _row_due(target: PrunedTable) -> ColumnElement[bool]:
    return and_(*(_not_since(column, _BEFORE) for column in target.moved), target.over)


def _window(
    tx: Connection,
    target: PrunedTable,
    due: ColumnElement[bool],
    counts: ColumnElement[bool],
    limit: Limit,
    after: RowKey | None,
    rows: int,
) -> PruningWindow:
    fate = case((due, _DUE), (counts, _LATER), else_=_DONE)
    statement = select(*target.keys, fate, case((target.begun < _BEFORE, 1), else_=0))
    if after is not None:
        statement = statement.where(tuple_(*target.keys) > tuple_(*after))
    statement = statement.order_by(*target.keys).limit(rows)
    scanned = tx.execute(statement, limit.binds).all()
    width = len(target.keys)
    return PruningWindow(
        due=tuple(tuple(row[:width]) for row in scanned if row[width] == _DUE),
        reached=tuple(scanned[-1][:width]) if len(scanned) == rows else None,
        old=any(row[width + 1] for row in scanned),
        left=any(row[width] == _LATER for row in scanned),
    )


def _among(target: PrunedTable, keys: Sequence[RowKey]) -> ColumnElement[bool]:
    if len(target.keys) == 1:
        return target.keys[0].in_([key[0] for key in keys])
    return tuple_(*target.keys).in_(list(keys))
