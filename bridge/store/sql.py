"""What the two engines spell differently."""

from __future__ import annotations

import zlib
from typing import Any

from sqlalchemy import ColumnElement, Insert, Table, func, literal_column
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.expression import Executable

from bridge.store.prepared import Prepared


def _insert(dialect: str, table: Table) -> Any:
    if dialect != "postgresql":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 24 ms that SQLite need not wait

    return postgresql.insert(table)


def try_lock(what: str, of: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether this transaction has PostgreSQL's lock on ``of`` by now; until it is committed."""
    seed: ColumnElement[int] = literal_column(str(zlib.crc32(what.encode())))
    return func.pg_try_advisory_xact_lock(func.hashtextextended(of, seed))


def insert_ignoring(table: Table, dialect: str) -> Insert:
    """An INSERT for which an existing row wins."""
    statement: Insert = _insert(dialect, table).on_conflict_do_nothing()
    return statement


def insert_or_ignore(table: Table, *columns: str, returning: str | None = None) -> Prepared:
    """An INSERT of ``columns`` for which an existing row wins (and returns nothing)."""

    def spell(dialect: str) -> Executable:
        statement = insert_ignoring(table, dialect)
        return statement if returning is None else statement.returning(table.c[returning])

    return Prepared(spell, columns)


def upsert(
    table: Table,
    keys: tuple[str, ...],
    columns: tuple[str, ...],
    *,
    also: tuple[str, ...] = (),
) -> Prepared:
    """An INSERT that sets ``columns`` where the row exists; ``also`` is for new rows only."""

    def spell(dialect: str) -> Insert:
        statement = _insert(dialect, table)
        changed: Insert = statement.on_conflict_do_update(
            index_elements=list(keys),
            set_={name: statement.excluded[name] for name in columns},
        )
        return changed

    return Prepared(spell, keys + columns + also)
