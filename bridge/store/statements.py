"""Batch statements: one SQL text and one execution for any number of rows, on both engines.

Values are passed as one JSON array, or as lists: SQLite expands them with ``json_each``, PostgreSQL
with ``unnest`` and ``json_to_recordset``. One statement for a batch is much faster than one per
row, because other threads take the interpreter's lock between two executions. This module is
independent of what the tables mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, Table

Cursor = Any  # the driver's cursor
_REPLACEMENT = "\ufffd"
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Keys:
    """Placeholders of a statement's text, spelt for each engine.

    ``{texts}`` and ``{numbers}`` turn one argument, a list of keys, into a table with the column
    ``k.value``. ``{open}`` forces the index of open deliveries, because among indexes of equal
    cost SQLite chooses the one that it read first.
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
    """A query with lists of keys and single values as parameters, written once for both engines.

    In its text, ``{texts} CROSS JOIN t`` joins a table with a list of keys, ``{among}`` is a list
    for IN, and ``{value}`` a single value. Arguments are passed in the order of the placeholders.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._spelt: dict[str, str] = {}

    def rows(self, tx: Transaction, *arguments: Any) -> list[tuple[Any, ...]]:
        """Execute the query and return all rows."""
        cursor = tx.execute(self.spelt(tx.dialect), self._given(tx.dialect, arguments))
        fetched: list[tuple[Any, ...]] = cursor.fetchall()
        return fetched

    def first(self, tx: Transaction, *arguments: Any) -> tuple[Any, ...] | None:
        """Execute the query and return the first row, or None."""
        cursor = tx.execute(self.spelt(tx.dialect), self._given(tx.dialect, arguments))
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row

    def run(self, tx: Transaction, *arguments: Any) -> int:
        """Execute a change and return the number of rows changed."""
        cursor = tx.execute(self.spelt(tx.dialect), self._given(tx.dialect, arguments))
        count: int = cursor.rowcount
        return count

    def spelt(self, dialect: str) -> str:
        """Return the text in a dialect's spelling."""
        text = self._spelt.get(dialect)
        if text is None:
            text = self._spelt[dialect] = self._text.format_map(Keys.SPELLINGS[dialect])
        return text

    @staticmethod
    def _given(dialect: str, arguments: Sequence[Any]) -> list[Any]:
        if dialect == "sqlite":
            return [
                (json.dumps(item) if item else "[]") if isinstance(item, (list, tuple)) else item
                for item in arguments
            ]
        return [list(item) if isinstance(item, (list, tuple)) else item for item in arguments]


class Rows:
    """A batch insert, upsert or update of a table's rows; its text is built once per dialect.

    Args:
        table: the table.
        columns: the columns of a row's values, in order.
        conflict: the columns of the constraint whose violation is not an error.
        changed: the columns to set if the row exists; if empty, an existing row is kept.
        returning: the columns to return for each stored row.
        only_update: update existing rows, found by ``conflict``, instead of inserting.
        expressions: SQL for the new value of a changed column, instead of the inserted value.
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
        """Store rows and return the number of rows stored or changed."""
        cursor = self._execute(tx, rows)
        count: int = cursor.rowcount
        return count

    def stored(self, tx: Transaction, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Store rows and return the ``returning`` columns of those that were stored."""
        returned: list[tuple[Any, ...]] = self._execute(tx, rows).fetchall()
        return returned

    def _execute(self, tx: Transaction, rows: Sequence[Sequence[Any]]) -> Cursor:
        text = self._spelt.get(tx.dialect)
        if text is None:
            text = self._spelt[tx.dialect] = self._spell(tx.dialect)
        values: Iterable[Any] = rows
        if tx.dialect == "postgresql":
            values = [dict(zip(self._columns, row, strict=True)) for row in rows]
        return tx.execute(text, [_as_json(list(values))])

    def _spell(self, dialect: str) -> str:
        names = ", ".join(self._columns)
        if dialect == "sqlite":
            parts = ", ".join(
                f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(self._columns)
            )
            source = f"SELECT {parts} FROM json_each(?) WHERE true"  # noqa: S608 - as below
        else:
            kinds = ", ".join(f"{name} {_type_name(self._table.c[name])}" for name in self._columns)
            source = f"SELECT {names} FROM json_to_recordset(%s::json) AS given({kinds})"  # noqa: S608
        returning = f" RETURNING {', '.join(self._returning)}" if self._returning else ""
        table = self._table.name
        if self._only_update:
            match = " AND ".join(f"{table}.{name} = given.{name}" for name in self._conflict)
            sets = ", ".join(
                f"{name} = given.{name}" for name in self._columns if name not in self._conflict
            )
            return f"UPDATE {table} SET {sets} FROM ({source}) AS given WHERE {match}{returning}"  # noqa: S608
        text = f"INSERT INTO {table} ({names}) {source}"
        if self._conflict:
            sets = ", ".join(
                f"{name} = {self._expressions.get(name, f'excluded.{name}')}"
                for name in self._changed
            )
            action = f"DO UPDATE SET {sets}" if self._changed else "DO NOTHING"
            text += f" ON CONFLICT ({', '.join(self._conflict)}) {action}"
        return text + returning


class Transaction:
    """A driver's cursor within a transaction, and its connection."""

    __slots__ = ("connection", "cursor", "dialect")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.cursor: Cursor = connection.connection.cursor()
        self.dialect = connection.dialect.name

    def execute(self, text: str, arguments: Sequence[Any] = ()) -> Cursor:
        """Execute a statement in the driver's placeholder style and return the cursor."""
        self.cursor.execute(text, arguments)
        return self.cursor


def _type_name(column: Column[Any]) -> str:
    """Return PostgreSQL's name of a column's type."""
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


def _as_json(rows: list[Any]) -> str:
    """Encode rows as JSON that both engines can store: without NUL and lone surrogates.

    The edge replaces or refuses both, but values from elsewhere must not fail a whole batch.
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
