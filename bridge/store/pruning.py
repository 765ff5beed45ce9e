"""Finds and erases what is too old: its words first, the whole row in the end.

Rows are read in windows along the primary key, on a reading connection; what is found is pruned by
its keys, where it still is too old then. So no statement takes long, and no index has to be kept
for it. What is open is never touched. When to prune is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

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
from bridge.store import schema
from bridge.store.statements import Transaction

Key: TypeAlias = tuple[Any, ...]
_BEFORE: ColumnElement[float] = bindparam("b_before", type_=Float)
_QUIET: ColumnElement[float] = bindparam("b_quiet", type_=Float)
_DONE, _LATER, _DUE = range(3)  # what is found of a row


@dataclass(frozen=True, slots=True)
class Limit:
    """What is too old: seconds since the epoch.

    Attributes:
        before: what was said, or last moved, earlier than this.
        quiet: a call that nobody ended counts as over where nothing moved on it since.
    """

    before: float
    quiet: float

    @property
    def binds(self) -> dict[str, float]:
        """As the statements take it."""
        return {"b_before": self.before, "b_quiet": self.quiet}


@dataclass(frozen=True, slots=True)
class Kept:
    """One table, as far as pruning goes.

    Attributes:
        begun: when its words were said.
        over: that nothing is open about it any more.
        moved: all times at which something happened to it; the newest counts for the row.
        said: that it has words at all.
        in_order: whether its keys go with the time.
        settles: what is set beside when its words go.
    """

    table: Table
    begun: Column[Any]
    over: ColumnElement[bool]
    moved: tuple[Column[Any], ...]
    said: ColumnElement[bool] = field(default_factory=true)
    in_order: bool = True
    settles: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The table's."""
        return self.table.name

    @property
    def keys(self) -> tuple[Column[Any], ...]:
        """The primary key."""
        return tuple(self.table.primary_key.columns)

    @property
    def words(self) -> dict[str, Any]:
        """What its columns of words hold when they are erased."""
        return {
            column.name: column.info["erased"]
            for column in self.table.columns
            if column.info.get("kind") == "words"
        }


def _since(table: Table) -> ColumnElement[bool]:
    """Whether something of an assignment's call was stored in ``table`` lately."""
    same = table.c.call_id == schema.assignments.c.call_id
    return exists().where(and_(same, table.c.created_at >= _QUIET))


def _not_since(column: Column[Any], limit: ColumnElement[float]) -> ColumnElement[bool]:
    return or_(column.is_(None), column < limit)


_a = schema.assignments.c
_MOVED = (_a.given_at, _a.handed_off_at, _a.handed_back_at, _a.ended_at)
# Not every platform says when a call ends: one on which nothing moves any more counts as over.
_CALL_IS_OVER = or_(
    _a.ended_at.is_not(None),
    and_(
        *(_not_since(column, _QUIET) for column in _MOVED),
        ~_since(schema.deliveries),
        ~_since(schema.suggestions),
    ),
)
TABLES = (
    Kept(
        schema.deliveries,
        schema.deliveries.c.created_at,
        schema.deliveries.c.state.not_in(["waiting", "sending"]),
        (schema.deliveries.c.created_at,),
    ),
    Kept(
        schema.suggestions,
        schema.suggestions.c.created_at,
        schema.suggestions.c.state != "offered",
        (schema.suggestions.c.created_at,),
    ),
    Kept(
        schema.rasa_updates,
        schema.rasa_updates.c.created_at,
        schema.rasa_updates.c.state.in_(["done", "failed"]),
        (schema.rasa_updates.c.created_at,),
    ),
    Kept(
        schema.events,
        schema.events.c.received_at,
        true(),
        (schema.events.c.received_at,),
        settles={"handled_at": func.coalesce(schema.events.c.handled_at, bindparam("b_now"))},
    ),
    Kept(
        schema.assignments,
        _a.handed_off_at,
        _CALL_IS_OVER,
        _MOVED,
        said=_a.card.is_not(None),
        in_order=False,
    ),
    Kept(
        schema.turns,
        schema.turns.c.made_at,
        true(),
        (schema.turns.c.made_at,),
        in_order=False,
    ),
)

_BY_NAME = {each.name: each for each in TABLES}


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a table.

    Attributes:
        due: the keys of what is too old.
        reached: the key that the window ends with; None where the table does.
        old: whether anything in it is from before the limit, due or not.
        left: whether anything is left in it for later: too young, or open.
    """

    due: tuple[Key, ...]
    reached: Key | None
    old: bool
    left: bool


def with_words(tx: Connection, kept: Kept, limit: Limit, after: Key | None, rows: int) -> Window:
    """Look through ``rows`` rows from ``after`` on for words that are too old."""
    return _window(tx, kept, _words_due(kept), kept.table.c.erased_at.is_(None), limit, after, rows)


def whole(tx: Connection, kept: Kept, limit: Limit, after: Key | None, rows: int) -> Window:
    """Look through ``rows`` rows from ``after`` on for such as are too old to be kept at all."""
    return _window(tx, kept, _row_due(kept), true(), limit, after, rows)


def prune(tx: Transaction, rows: Prune) -> int:
    """Erase the words of these rows, or delete them, where nothing was opened again; how many."""
    kept = _BY_NAME[rows.table]
    limit = Limit(rows.before, rows.quiet)
    if rows.whole:
        gone = delete(kept.table).where(_among(kept, rows.keys), _row_due(kept))
        return int(tx.connection.execute(gone, limit.binds).rowcount)
    erased = (
        update(kept.table)
        .where(_among(kept, rows.keys), _words_due(kept))
        .values({**kept.words, **kept.settles, "erased_at": bindparam("b_now")})
    )
    return int(tx.connection.execute(erased, {**limit.binds, "b_now": rows.now}).rowcount)


def _words_due(kept: Kept) -> ColumnElement[bool]:
    unerased = kept.table.c.erased_at.is_(None)
    return and_(unerased, kept.begun < _BEFORE, kept.said, kept.over)


def _row_due(kept: Kept) -> ColumnElement[bool]:
    return and_(*(_not_since(column, _BEFORE) for column in kept.moved), kept.over)


def _window(
    tx: Connection,
    kept: Kept,
    due: ColumnElement[bool],
    counts: ColumnElement[bool],
    limit: Limit,
    after: Key | None,
    rows: int,
) -> Window:
    fate = case((due, _DUE), (counts, _LATER), else_=_DONE)
    statement = select(*kept.keys, fate, case((kept.begun < _BEFORE, 1), else_=0))
    if after is not None:
        statement = statement.where(tuple_(*kept.keys) > tuple_(*after))
    statement = statement.order_by(*kept.keys).limit(rows)
    found = tx.execute(statement, limit.binds).all()
    width = len(kept.keys)
    return Window(
        due=tuple(tuple(row[:width]) for row in found if row[width] == _DUE),
        reached=tuple(found[-1][:width]) if len(found) == rows else None,
        old=any(row[width + 1] for row in found),
        left=any(row[width] == _LATER for row in found),
    )


def _among(kept: Kept, keys: Sequence[Key]) -> ColumnElement[bool]:
    if len(kept.keys) == 1:
        return kept.keys[0].in_([key[0] for key in keys])
    return tuple_(*kept.keys).in_(list(keys))
