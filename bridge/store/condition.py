"""Examines a database without changing it, even if it does not exist yet."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TypeVar

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import StoreError
from bridge.state.records import AssignmentRecord, SessionRecord
from bridge.store import lists
from bridge.store.engine import open_engine, refusal
from bridge.store.migrate import HEAD
from bridge.store.store import Reader

T = TypeVar("T")

_BUSY_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class StoreCondition:
    """The condition of a database that can be written.

    Attributes:
        version: of its tables; None if it has none yet.
        wanted: the version that this program uses.
        ahead: seconds that this machine's clock is ahead of the server's; None for a file.
        connections: the number that the server allows; None for a file.
    """

    version: str | None
    wanted: str = HEAD
    ahead: float | None = None
    connections: int | None = None


def examine(url: str) -> StoreCondition:
    """Return the condition of a database.

    Raises:
        StoreError: it cannot be reached or written; the message gives the cause.
    """
    if url.startswith("sqlite:"):
        return _of_file(Path(make_url(url).database or ""))
    return _of_server(url)


def session(url: str, agent_id: str) -> SessionRecord | None:
    """Return the stored session of an agent; None without one, or without a database.

    Raises:
        StoreError: the database cannot be read, or has other tables.
    """
    return _read(url, lambda tx: lists.session(tx, agent_id))


def assignment(url: str, sender_id: str) -> AssignmentRecord | None:
    """Return the newest assignment of a conversation; None without one, or without a database.

    Raises:
        StoreError: the database cannot be read, or has other tables.
    """
    return _read(url, lambda tx: lists.latest_assignment(tx, sender_id))


def _read(url: str, find: Callable[[Connection], T | None]) -> T | None:
    if examine(url).version != HEAD:
        return None
    with closing(Reader(url)) as reader:
        return reader.read(find)


def _of_file(path: Path) -> StoreCondition:
    if not path.exists():
        _require_writable(path.parent, f"{path} cannot be created")
        return StoreCondition(None)
    if not os.access(path, os.W_OK):
        raise StoreError(f"{path} cannot be written by this user")
    _require_writable(path.parent, f"{path} cannot be written")
    try:
        address = f"{path.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, timeout=_BUSY_SECONDS, uri=True)) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN IMMEDIATE")  # a lock for writing, and nothing written
            known = connection.execute("SELECT name FROM sqlite_master WHERE name = ?", _VERSIONS)
            version = known.fetchone() and connection.execute(_VERSION).fetchone()
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be used: {error}") from error
    return StoreCondition(str(version[0]) if version else None)


def _require_writable(folder: Path, consequence: str) -> None:
    """Raise unless files can be created in a folder; permissions alone do not tell.

    The file that is created has no name, and is gone when it is closed.
    """
    if not folder.is_dir():
        raise StoreError(f"{consequence}: there is no folder {folder}")
    try:
        TemporaryFile(dir=folder).close()
    except OSError as error:
        reason = (error.strerror or "no file can be created").lower()
        raise StoreError(f"{consequence}: no file can be created in {folder} ({reason})") from error


_VERSIONS = ("alembic_version",)
_VERSION = "SELECT version_num FROM alembic_version"


def _of_server(url: str) -> StoreCondition:
    engine = open_engine(url, connections=1, reading=True)
    try:
        with engine.connect() as connection:
            return _condition(connection)
    except SQLAlchemyError as error:
        raise StoreError(refusal(engine, error)) from error
    finally:
        engine.dispose()


def _condition(connection: Connection) -> StoreCondition:
    def value(statement: str, kind: Callable[[object], T]) -> T:
        return kind(connection.execute(text(statement)).scalar_one())

    if value("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool", bool):
        raise StoreError("the PostgreSQL server accepts no writes: it is a standby, or read-only")
    exists = inspect(connection).has_table(*_VERSIONS)
    here, there = time.time(), value("SELECT extract(epoch FROM clock_timestamp())::text", str)
    return StoreCondition(
        value(_VERSION, str) if exists else None,
        ahead=here - float(there),
        connections=int(value("SELECT current_setting('max_connections')", str)),
    )
