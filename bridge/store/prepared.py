"""Statements that are compiled once for each engine and then run as they are.

SQLAlchemy writes the SQL; on the paths that every message takes, its machinery around each
execution costs more than the database does. Only statements whose SQL is the same every time can be
prepared: no lists of varying length.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql.expression import Executable

Row = Any  # a named tuple with the statement's columns


def shape(cursor: Any) -> Any:
    """The class of the named tuples that a cursor's rows become."""
    return namedtuple("Row", [column[0] for column in cursor.description])  # noqa: PYI024 - named by the SQL


class Prepared:
    """A statement with named ``bindparam``s.

    Args:
        statement: the statement, or a function of the dialect's name that gives it.
        columns: for an INSERT, the names of the columns that are given.
    """

    def __init__(
        self,
        statement: Executable | Callable[[str], Executable],
        columns: tuple[str, ...] | None = None,
    ) -> None:
        self._statement = statement
        self._columns = columns
        self._made: dict[str, _Made] = {}

    def run(self, tx: Connection, **values: Any) -> int:
        """Execute; how many rows it changed."""
        count: int = self._cursor(tx, values).rowcount
        return count

    def many(self, tx: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
        """Execute once for each of ``rows``; how many rows that changed in all."""
        made = self._for(tx)
        cursor = tx.connection.cursor()
        count = 0
        for row in rows:
            cursor.execute(made.sql, made.arguments(row))
            count += cursor.rowcount
        return count

    def first(self, tx: Connection, **values: Any) -> Row | None:
        """Execute; the first row, if there is one."""
        cursor = self._cursor(tx, values)
        row = cursor.fetchone()
        return None if row is None else self._shape(tx, cursor)._make(row)

    def scalar(self, tx: Connection, **values: Any) -> Any:
        """Execute; the first column of the first row, or None."""
        row = self._cursor(tx, values).fetchone()
        return None if row is None else row[0]

    def all(self, tx: Connection, **values: Any) -> list[Row]:
        """Execute; every row."""
        cursor = self._cursor(tx, values)
        rows = cursor.fetchall()
        if not rows:
            return []
        make = self._shape(tx, cursor)._make
        return [make(row) for row in rows]

    def _cursor(self, tx: Connection, values: Mapping[str, Any]) -> Any:
        made = self._for(tx)
        cursor = tx.connection.cursor()
        cursor.execute(made.sql, made.arguments(values))
        return cursor

    def _shape(self, tx: Connection, cursor: Any) -> Any:
        made = self._for(tx)
        if made.shape is None:
            made.shape = shape(cursor)
        return made.shape

    def _for(self, tx: Connection) -> _Made:
        name = tx.dialect.name
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = _Made(tx, self._spelt(name), self._columns)
        return made

    def _spelt(self, dialect: str) -> Any:
        if isinstance(self._statement, Executable):
            return self._statement
        return self._statement(dialect)


class _Made:
    """A statement as one engine takes it."""

    __slots__ = ("_defaults", "_order", "shape", "sql")

    def __init__(self, tx: Connection, statement: Any, columns: tuple[str, ...] | None) -> None:
        compiled = statement.compile(
            dialect=tx.dialect,
            column_keys=list(columns) if columns is not None else None,
            compile_kwargs={"render_postcompile": True},
        )
        self.sql = str(compiled)
        self._defaults = compiled.construct_params(_check=False)
        self._order = compiled.positiontup
        self.shape: Any = None

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """The values as the driver wants them: in order, or by name."""
        given = {**self._defaults, **values}
        return given if self._order is None else tuple([given[name] for name in self._order])
