"""What the two engines spell differently."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


@lru_cache(maxsize=32)
def _insert_or_ignore(dialect: str, table: Table) -> Insert:
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement: Insert = insert(table).on_conflict_do_nothing()
    return statement


def insert_or_ignore(tx: Connection, table: Table) -> Insert:
    """An INSERT for which an existing row wins."""
    return _insert_or_ignore(tx.dialect.name, table)


@lru_cache(maxsize=32)
def _upsert(dialect: str, table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(table)
    changed: Insert = statement.on_conflict_do_update(
        index_elements=list(keys),
        set_={name: statement.excluded[name] for name in columns},
    )
    return changed


def upsert(tx: Connection, table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Insert:
    """An INSERT that, where the row exists by ``keys``, sets ``columns`` instead."""
    return _upsert(tx.dialect.name, table, keys, columns)
