"""Opens the database: what SQLite and PostgreSQL each need, and nothing about what is in it."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bridge.errors import StoreError

BUSY_SECONDS = 15  # how long a writer waits for another process's transaction


def open_engine(url: str, *, connections: int, reading: bool = False) -> Engine:
    """Open an engine with at most ``connections`` connections; ``reading`` ones autocommit.

    A SQLite file is made with mode 0600 (it holds GUIDs and customers' words), in WAL mode; its
    transactions begin IMMEDIATE, so that one that reads before it writes cannot lose a race.

    Raises:
        StoreError: the URL or the file's folder is not usable.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        message = "storage.url is not a database URL"
        raise StoreError(message) from error
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed, connections, reading=reading)
    if find_spec("psycopg") is None:
        message = "PostgreSQL needs psycopg: pip install 'rasa-cc-bridge[postgres]'"
        raise StoreError(message)
    return create_engine(
        parsed,
        isolation_level="AUTOCOMMIT" if reading else "READ COMMITTED",
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5},
    )


def _open_sqlite(url: URL, connections: int, *, reading: bool) -> Engine:
    _private_file(Path(url.database or ""))
    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    if not reading:
        event.listen(engine, "begin", _begin_immediate)
    return engine


def _private_file(path: Path) -> None:
    """Make the file if it is not there, and its owner's alone.

    One that is there is not opened: closing a file drops every lock that this process has on it,
    SQLite's too, and the next program to close the database would take its log away from under us.
    """
    mode = stat.S_IRUSR | stat.S_IWUSR
    try:
        if path.exists():
            path.chmod(mode)  # SQLite gives -wal and -shm the same mode
        else:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))
    except FileExistsError:
        pass  # another process was quicker, and made it private
    except OSError as error:
        message = f"the database {path} cannot be opened: {error.strerror}"
        raise StoreError(message) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours, see below
    cursor = connection.cursor()
    _write_ahead(cursor)
    # FULL: what was committed survives the machine's death too, not only the process's.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Turn the write-ahead log on; SQLite does not wait by itself while another does so."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
