"""Leaves nothing of what was erased in SQLite's files; PostgreSQL sees to that by itself.

What a statement erases is overwritten in its page (``secure_delete``). Two places are left: former
versions of pages in the write-ahead log, and bytes in pages that rows were moved out of when the
page grew too full. Emptying the log sees to the first, compacting to both.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from bridge.store.engine import BUSY_SECONDS

_TRY = 0.2  # seconds for which writers may be held up while readers are waited for


def empty_log(engine: Engine, *, patience: float) -> bool:
    """Move the log into the file and cut it off; False where readers were at it all the time."""
    if engine.dialect.name != "sqlite":
        return True
    until = time.monotonic() + patience
    while True:
        if _checkpoint(engine):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(_TRY / 4)


def compact(engine: Engine) -> None:
    """Write the file anew, without what is free in it; others' writes wait meanwhile."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("VACUUM")


def size(engine: Engine) -> int | None:
    """Bytes of the file once the log is in it; None where there is none."""
    if engine.dialect.name != "sqlite":
        return None
    with engine.connect() as connection:
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        return pages * int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())


def _checkpoint(engine: Engine) -> bool:
    with engine.connect() as connection:
        _patience(connection, _TRY)
        try:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        except OperationalError:
            busy = 1
        finally:
            _patience(connection, BUSY_SECONDS)
    return not busy


def _patience(connection: Connection, seconds: float) -> None:
    connection.exec_driver_sql(f"PRAGMA busy_timeout={round(seconds * 1000)}")
