"""Opens SQLAlchemy engines and connections, and translates the drivers' errors.

Independent of the schema. PostgreSQL's own part is in ``postgres.py``.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bridge.errors import NoDatabaseError, StoreError
from bridge.store import postgres
from bridge.store.errors import (
    ConflictError,
    CrossedError,
    DatabaseError,
    LostError,
    UnavailableError,
    UndecodedError,
    UnstorableError,
)

_REPLACING = partial(str, encoding="utf-8", errors="replace")
_NO_DATABASE = (
    "storage.url is not a database URL: write sqlite:///FILE or"
    " postgresql+psycopg://USER@HOST/DATABASE"
)
_SNAPSHOT = {
    "sqlite": "BEGIN",  # the first statement fixes what the others see
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}
BUSY_SECONDS = 15  # a writer waits this long for another process's transaction


def open_engine(
    url: str, *, connections: int, reading: bool = False, busy_timeout: float = BUSY_SECONDS
) -> Engine:
    """Open an engine with at most ``connections`` connections; ``reading`` ones autocommit.

    SQLite waits up to ``busy_timeout`` seconds for another process's transaction. A SQLite file is
    created with mode 0600 (it holds GUIDs and customers' words), in WAL mode; its transactions
    begin IMMEDIATE, so that one that reads before it writes cannot lose a race.

    Raises:
        StoreError: the URL or the file's folder is not usable.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StoreError(_NO_DATABASE) from error
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed, connections, reading=reading, busy_timeout=busy_timeout)
    if parsed.drivername != "postgresql+psycopg":
        raise StoreError(_NO_DATABASE)
    return postgres.open_engine(parsed, connections, reading=reading)


def require_file(url: str) -> None:
    """Raise NoDatabaseError if ``url`` names a SQLite file that does not exist."""
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not file.exists():
        raise NoDatabaseError(
            f"there is no database {file}: start this where the server is started, with the same"
            " configuration"
        )


def _open_sqlite(url: URL, connections: int, *, reading: bool, busy_timeout: float) -> Engine:
    path = Path(url.database or "")
    _private_file(path)
    opened = _inode(path)

    def connect(*_: object) -> None:  # before SQLite creates another file in its place
        _require_inode(path, opened)

    def begin(connection: Connection) -> None:
        _require_inode(path, opened)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        connect_args={"timeout": busy_timeout, "check_same_thread": False},
    )
    event.listen(engine, "do_connect", connect)
    event.listen(engine, "connect", _prepare_sqlite)
    if not reading:
        event.listen(engine, "begin", begin)
    return engine


def _private_file(path: Path) -> None:
    """Create the file if it does not exist, and make it accessible to its owner only.

    An existing file is not opened: closing a file drops every lock that this process has on it,
    SQLite's too, and the next program to close the database would delete the log we are using.
    """
    mode = stat.S_IRUSR | stat.S_IWUSR
    try:
        if path.exists():
            path.chmod(mode)  # SQLite gives -wal and -shm the same mode
        else:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode))
    except FileExistsError:
        pass  # another process created it first, with the same mode
    except OSError as error:
        message = f"the database {path} cannot be opened: {error.strerror}"
        raise StoreError(message) from error


class FileReplacedError(sqlite3.OperationalError):
    """The database file was removed or replaced."""


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _require_inode(path: Path, opened: tuple[int, int] | None) -> None:
    """Check that ``path`` is still the file that was opened.

    Data written to an unlinked file is lost when this process ends.

    Raises:
        FileReplacedError: it is not: fail until the file is restored or the program restarts.
    """
    if _inode(path) != opened:
        message = f"{path} is not the file that was opened"
        raise FileReplacedError(message)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we issue BEGIN ourselves, see ``_open_sqlite``
    cursor = connection.cursor()
    _write_ahead(cursor)
    # FULL: commits survive a crash of the machine, not only of the process.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA wal_autocheckpoint=8000")
    cursor.execute("PRAGMA secure_delete=ON")  # overwrite erased data, do not only free it
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Enable the write-ahead log, retrying while another process does: SQLite does not wait."""
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


def refusal(engine: Engine, error: SQLAlchemyError) -> str:
    """Return why the database of ``engine`` cannot be used, for the operator."""
    cause = getattr(error, "orig", None) or error
    if engine.dialect.name == "postgresql":
        return postgres.refusal(engine.url, cause)
    return f"the database {engine.url.database} cannot be used: {cause}"


@contextmanager
def connection(engine: Engine) -> Iterator[Connection]:
    """Check out a connection of the pool.

    Raises:
        DatabaseError: the database failed; the subclass determines how to react. Other
            exceptions raised inside the block are passed on unchanged.
    """
    try:
        pooled = engine.connect()
    except SQLAlchemyError as error:
        raise UnavailableError(error) from error
    with pooled:
        try:
            yield pooled
        except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
            raise translated(pooled, error) from error


@contextmanager
def read_snapshot(reading: Connection) -> Iterator[None]:
    """Let all statements of the block see the data of one moment, on an autocommitting connection.

    Without it, a commit between two statements would show half of what it changed.
    """
    reading.exec_driver_sql(_SNAPSHOT[reading.dialect.name])
    try:
        yield
    finally:
        if not is_lost(reading):
            reading.exec_driver_sql("ROLLBACK")  # there is nothing to commit


def translated(taken: Connection, error: BaseException) -> DatabaseError:
    """Return a driver's error as a DatabaseError; remove a broken connection from the pool."""
    if is_lost(taken):
        # SQLAlchemy does not see errors of statements that bypass it. The pool's other connections
        # are most likely broken too. (Its dispose() would lose those that are checked out.)
        if not taken.invalidated:
            taken.engine.pool._invalidate(taken.connection)  # noqa: SLF001 - no other way to
            taken.invalidate()
        return LostError(error)
    cause = getattr(error, "orig", None) or error
    if "Could not decode to UTF-8" in str(cause) and taken.dialect.name == "sqlite":
        # Python's fast conversion fails on text that is not UTF-8; this one replaces such bytes.
        connection: Any = taken.connection.driver_connection
        connection.text_factory = _REPLACING
        return UndecodedError(error)
    if isinstance(cause, sqlite3.IntegrityError) or postgres.violated(cause):
        return ConflictError(error)
    if postgres.crossed(cause):
        return CrossedError(error)
    if isinstance(cause, sqlite3.DataError) or postgres.unstorable(cause):
        return UnstorableError(error)
    return DatabaseError(error)


def is_lost(taken: Connection) -> bool:
    """Return whether the connection to the database is broken."""
    if taken.invalidated:
        return True
    return taken.dialect.name == "postgresql" and postgres.lost(taken.connection.driver_connection)
