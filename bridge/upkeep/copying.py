"""Copies all data of one database to another, empty one: SQLite to PostgreSQL and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from bridge.errors import StoreError
from bridge.store import copying

Progress: TypeAlias = Callable[[int, int], None]  # called with rows copied, and their total


def copy(source_url: str, target_url: str, progress: Progress) -> dict[str, int]:
    """Copy every table, sessions included, in one transaction; return the rows by table.

    The target's tables are created. If anything fails, the target stays empty.

    Raises:
        StoreError: a database cannot be used, is in use, or the target is not empty.
    """
    if source_url == target_url:
        raise StoreError("the two databases are the same: name another one to copy to")
    with copying.source(source_url) as source, copying.target(target_url) as target:
        counts = {table: source.count(table) for table in copying.TABLES}
        total, done = sum(counts.values()), 0
        for table in copying.TABLES:
            with source.batches(table) as batches:
                for rows in batches:
                    target.insert(table, rows)
                    done += len(rows)
                    progress(done, total)
            if (number := source.last_number(table)) is not None:
                target.continue_after(table, number)
        _compare(counts, {table: target.count(table) for table in copying.TABLES})
    return counts


def _compare(wanted: dict[str, int], found: dict[str, int]) -> None:
    if wrong := [table for table, count in wanted.items() if found[table] != count]:
        listed = ", ".join(f"{table}: {found[table]} of {wanted[table]} rows" for table in wrong)
        raise StoreError(f"the copy is incomplete and was discarded ({listed})")
