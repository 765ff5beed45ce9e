"""Batch statements: one text and one execution for any number of rows, on both engines.

Values travel as one JSON array: ``json_each`` takes it apart on SQLite, ``unnest`` and
``json_to_recordset`` do on PostgreSQL. Between two executions other threads take the interpreter's
lock, so one statement for a batch is much quicker than a statement for each row. Nothing here
knows what a table is for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, Table

Cursor = Any  # the driver's
_REPLACEMENT = "\ufffd"
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Keys:
    """Lists of keys as tables: ``{texts}`` and ``{numbers}`` in a statement's text.

    Each takes one argument, a list, and has one column, ``k.value``. ``{open}`` names the index of
    open deliveries: among indexes that cost the same, SQLite takes the one that it read first.
    """

    SPELLINGS: ClassVar = {
        "sqlite": {
            "texts": "json_each(?) AS k",
            "numbers": "json_each(?) AS k",
            "among": "(SELECT value FROM json_each(?))",
            "value": "?",
            "open": "INDEXED BY deliveries_open",
        },
        "postgresql": {
            "texts": "unnest(%s::text[]) AS k(value)",
            "numbers": "unnest(%s::bigint[]) AS k(value)",
            "among": "(SELECT unnest(%s::text[]))",
            "value": "%s",
            "open": "",
        },
    }


class Select:
    """A query by lists of keys and single values, written once for both engines.

    In its text, ``{texts} CROSS JOIN t`` joins a table with a list of keys, ``{among}`` is a list
    for IN, and ``{value}`` a single value; the arguments of ``rows`` are given in their order.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._spelt: dict[str, str] = {}

    def rows(self, tx: Transaction, *arguments: Any) -> list[tuple[Any, ...]]:
        """Execute; every row."""
        cursor = tx.execute(self.spelt(tx.dialect), self._given(tx.dialect, arguments))
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found

    def first(self, tx: Transaction, *arguments: Any) -> tuple[Any, ...] | None:
        """Execute; the first row, if there is one."""
        cursor = tx.execute(self.spelt(tx.dialect), self._given(tx.dialect, arguments))
        found: tuple[Any, ...] | None = cursor.fetchone()
        return found

    def run(self, tx: Transaction, *arguments: Any) -> int:
        """Execute a change; how many rows it changed."""
        cursor = tx.execute(self.spelt(tx.dialect), self._given(tx.dialect, arguments))
        count: int = cursor.rowcount
        return count

    def spelt(self, dialect: str) -> str:
        """The text as an engine takes it."""
        found = self._spelt.get(dialect)
        if found is None:
            found = self._spelt[dialect] = self._text.format_map(Keys.SPELLINGS[dialect])
        return found

    @staticmethod
    def _given(dialect: str, arguments: Sequence[Any]) -> list[Any]:
        if dialect == "sqlite":
            return [
                (json.dumps(item) if item else "[]") if isinstance(item, (list, tuple)) else item
                for item in arguments
            ]
        return [list(item) if isinstance(item, (list, tuple)) else item for item in arguments]


class Rows:
    """Rows to insert into, or to change in, a table: built once for each engine.

    Args:
        table: the table.
        columns: the names of the values that a row has, in order.
        conflict: the columns of the constraint whose violation is no error.
        changed: the columns that are set where the row exists; none: it is left as it is.
        returning: columns that come back of each row that was stored.
        only_update: the row must exist, and is found by ``conflict``; the rest is set.
    """

    def __init__(
        self,
        table: Table,
        columns: Sequence[str],
        *,
        conflict: Sequence[str] = (),
        changed: Sequence[str] = (),
        returning: Sequence[str] = (),
        only_update: bool = False,
        expressions: dict[str, str] | None = None,
    ) -> None:
        self._table = table
        self._columns = tuple(columns)
        self._conflict = tuple(conflict)
        self._changed = tuple(changed)
        self._returning = tuple(returning)
        self._only_update = only_update
        self._expressions = expressions or {}
        self._spelt: dict[str, str] = {}

    def run(self, tx: Transaction, rows: Sequence[Sequence[Any]]) -> int:
        """Store rows; how many were stored or changed."""
        cursor = self._execute(tx, rows)
        count: int = cursor.rowcount
        return count

    def stored(self, tx: Transaction, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Store rows; what comes back of those that were."""
        found: list[tuple[Any, ...]] = self._execute(tx, rows).fetchall()
        return found

    def _execute(self, tx: Transaction, rows: Sequence[Sequence[Any]]) -> Cursor:
        text = self._spelt.get(tx.dialect)
        if text is None:
            text = self._spelt[tx.dialect] = self._spell(tx.dialect)
        given: Iterable[Any] = rows
        if tx.dialect == "postgresql":
            given = [dict(zip(self._columns, row, strict=True)) for row in rows]
        return tx.execute(text, [_written(list(given))])

    def _spell(self, dialect: str) -> str:
        names = ", ".join(self._columns)
        if dialect == "sqlite":
            parts = ", ".join(
                f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(self._columns)
            )
            source = f"SELECT {parts} FROM json_each(?) WHERE true"  # noqa: S608 - as below
        else:
            kinds = ", ".join(f"{name} {_kind(self._table.c[name])}" for name in self._columns)
            source = f"SELECT {names} FROM json_to_recordset(%s::json) AS given({kinds})"  # noqa: S608
        back = f" RETURNING {', '.join(self._returning)}" if self._returning else ""
        table = self._table.name
        if self._only_update:
            found = " AND ".join(f"{table}.{name} = given.{name}" for name in self._conflict)
            sets = ", ".join(
                f"{name} = given.{name}" for name in self._columns if name not in self._conflict
            )
            return f"UPDATE {table} SET {sets} FROM ({source}) AS given WHERE {found}{back}"  # noqa: S608
        text = f"INSERT INTO {table} ({names}) {source}"
        if self._conflict:
            sets = ", ".join(
                f"{name} = {self._expressions.get(name, f'excluded.{name}')}"
                for name in self._changed
            )
            what = f"DO UPDATE SET {sets}" if self._changed else "DO NOTHING"
            text += f" ON CONFLICT ({', '.join(self._conflict)}) {what}"
        return text + back


class Transaction:
    """A driver's cursor in a transaction, and the connection that it belongs to."""

    __slots__ = ("connection", "cursor", "dialect")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.cursor: Cursor = connection.connection.cursor()
        self.dialect = connection.dialect.name

    def execute(self, text: str, arguments: Sequence[Any] = ()) -> Cursor:
        """Execute a statement in the driver's spelling."""
        self.cursor.execute(text, arguments)
        return self.cursor


def _kind(column: Column[Any]) -> str:
    """A column's type as PostgreSQL calls it."""
    kind = column.type
    if isinstance(kind, Boolean):
        return "boolean"
    if isinstance(kind, Float):
        return "double precision"
    if isinstance(kind, BigInteger):
        return "bigint"
    if isinstance(kind, Integer):
        return "integer"
    return "text"


def _written(rows: list[Any]) -> str:
    """Rows as JSON that both engines can store: without NUL and without half surrogates.

    The edge replaces or refuses both; what comes from elsewhere must not fail a whole batch.
    """
    text = _encode(rows)
    if "\\u0000" in text:
        text = _encode(_without_nul(rows))
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", _REPLACEMENT)
    if isinstance(value, dict):
        return {key: _without_nul(item) for key, item in value.items()}
    return [_without_nul(item) for item in value] if isinstance(value, (list, tuple)) else value
