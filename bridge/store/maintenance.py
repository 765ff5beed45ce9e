"""Removes the remains of erased data from SQLite's files; PostgreSQL does this by itself.

Erased data is overwritten in its page (``secure_delete``), but copies remain in two places: old
versions of pages in the write-ahead log, and bytes in pages from which rows were moved when the
page was full. Emptying the log removes the former, compacting both.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from bridge.store.engine import BUSY_SECONDS

_TRY = 0.2  # seconds that writers may be blocked while a checkpoint waits for readers


def empty_log(engine: Engine, *, timeout: float) -> bool:
    """Checkpoint and truncate the log; return False if readers prevented it for ``timeout`` s."""
    if engine.dialect.name != "sqlite":
        return True
    until = time.monotonic() + timeout
    while True:
        if _checkpoint(engine):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(_TRY / 4)


def compact(engine: Engine) -> None:
    """Rewrite the file without its free space; blocks all writes meanwhile."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("VACUUM")


def size(engine: Engine) -> int | None:
    """Return the file's size in bytes including the log's pages; None on PostgreSQL."""
    if engine.dialect.name != "sqlite":
        return None
    with engine.connect() as connection:
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        return pages * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())


def _checkpoint(engine: Engine) -> bool:
    with engine.connect() as connection:
        _set_busy_timeout(connection, _TRY)
        try:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        except OperationalError:
            busy = 1
        finally:
            _set_busy_timeout(connection, BUSY_SECONDS)
    return not busy


def _set_busy_timeout(connection: Connection, seconds: float) -> None:
    connection.exec_driver_sql(f"PRAGMA busy_timeout={round(seconds * 1000)}")
