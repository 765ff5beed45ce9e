"""Statements over many rows of values at once: said to the database in one go, not row by row.

Each is compiled for 1, 2, 4 ... 64 rows and then run as it is; what comes in between is cut into
such pieces. Between two statements other threads run: with fewer of them, a batch is quicker by far
than its rows one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Float,
    Subquery,
    bindparam,
    cast,
    select,
    union_all,
)
from sqlalchemy.sql.expression import Executable
from sqlalchemy.types import TypeEngine

from bridge.store.prepared import Row, shape

_LARGEST = 64
Columns = Mapping[str, "TypeEngine[Any]"]


class Given:
    """The rows of values, as a statement refers to them."""

    def __init__(self, columns: Columns, count: int) -> None:
        self._columns = columns
        self._count = count

    def table(self) -> Subquery:
        """A table of the rows, for joining with it."""
        rows = [
            select(*(_typed(bind).label(name) for name, bind in row.items()))
            for row in self.as_values()
        ]
        return (rows[0] if len(rows) == 1 else union_all(*rows)).subquery("given")

    def as_values(self) -> list[dict[str, BindParameter[Any]]]:
        """The rows as an INSERT takes them."""
        return [
            {name: bindparam(f"{name}_{row}", type_=kind) for name, kind in self._columns.items()}
            for row in range(self._count)
        ]


def _typed(bind: BindParameter[Any]) -> ColumnElement[Any]:
    """PostgreSQL must be told that a null is a number; for texts SQLAlchemy does so."""
    return cast(bind, bind.type) if isinstance(bind.type, Float) else bind


class Bulk:
    """A statement over rows with these columns.

    Args:
        columns: the names and types of a row's values, in order.
        statement: gives the statement for the rows and the dialect's name.
    """

    def __init__(self, columns: Columns, statement: Callable[[Given, str], Executable]) -> None:
        self._columns = columns
        self._statement = statement
        self._made: dict[tuple[str, int], _Made] = {}

    def run(self, tx: Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Execute; how many rows of the table it changed."""
        return sum(cursor.rowcount for cursor, _ in self._each(tx, rows))

    def all(self, tx: Connection, rows: Sequence[Sequence[Any]]) -> list[Row]:
        """Execute; every row that it returns."""
        found: list[Row] = []
        for cursor, made in self._each(tx, rows):
            fetched = cursor.fetchall()
            if fetched:
                found += map(made.shape_of(cursor)._make, fetched)
        return found

    def _each(self, tx: Connection, rows: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, _Made]]:
        at = 0
        while (left := len(rows) - at) > 0:
            size = min(1 << (left.bit_length() - 1), _LARGEST)
            made = self._for(tx, size)
            cursor = tx.connection.cursor()
            cursor.execute(made.sql, made.arguments(rows[at : at + size]))
            yield cursor, made
            at += size

    def _for(self, tx: Connection, size: int) -> _Made:
        key = (tx.dialect.name, size)
        made = self._made.get(key)
        if made is None:
            statement = self._statement(Given(self._columns, size), tx.dialect.name)
            made = self._made[key] = _Made(tx, statement, tuple(self._columns), size)
        return made


class _Made:
    """A statement as one engine takes it, for one number of rows."""

    def __init__(self, tx: Connection, statement: Any, columns: tuple[str, ...], size: int) -> None:
        compiled = statement.compile(
            dialect=tx.dialect, compile_kwargs={"render_postcompile": True}
        )
        self.sql = str(compiled)
        constants = compiled.construct_params(_check=False)
        places = [f"{name}_{row}" for row in range(size) for name in columns]
        index = {name: at for at, name in enumerate(places)}
        self._names = None if compiled.positiontup is not None else places
        self._constants = {name: constants[name] for name in constants if name not in index}
        self._order: list[tuple[int, Any]] = []
        if compiled.positiontup is not None:
            self._order = [
                (index.get(name, -1), self._constants.get(name)) for name in compiled.positiontup
            ]
        self._straight = [at for at, _ in self._order] == list(range(len(places)))
        self._shape: Any = None

    def arguments(self, rows: Sequence[Sequence[Any]]) -> Any:
        """The values as the driver wants them: in order, or by name."""
        flat = [value for row in rows for value in row]
        if self._names is not None:
            return {**self._constants, **dict(zip(self._names, flat, strict=True))}
        if self._straight:
            return flat
        return [flat[at] if at >= 0 else constant for at, constant in self._order]

    def shape_of(self, cursor: Any) -> Any:
        """The named tuple of a returned row."""
        if self._shape is None:
            self._shape = shape(cursor)
        return self._shape
