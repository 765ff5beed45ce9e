"""The store: one database with a writing connection for the core and a pool of reading ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import StoreError
from bridge.store import maintenance, postgres
from bridge.store.engine import (
    BUSY_SECONDS,
    connection,
    is_lost,
    open_engine,
    read_snapshot,
    refusal,
    require_file,
    translated,
)
from bridge.store.errors import LostError, UnavailableError, UndecodedError
from bridge.store.migrate import migrate
from bridge.store.notifier import Notice, Notifier
from bridge.store.statements import Transaction

T = TypeVar("T")
ReadTransaction: TypeAlias = Connection  # first parameter of the functions of ``lists``

_READERS = 8


class Reader:
    """Pool of reading connections to an existing database. Thread-safe; close it once.

    Args:
        url: SQLAlchemy URL, ``sqlite:///FILE`` or ``postgresql+psycopg://...``.

    Raises:
        StoreError: ``url`` cannot be used.
    """

    def __init__(self, url: str) -> None:
        self._reading = open_engine(url, connections=_READERS, reading=True)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._reading.dialect.name

    def read(self, query: Callable[[ReadTransaction], T], *, snapshot: bool = True) -> T:
        """Run ``query`` on a reading connection and return its result.

        ``query`` runs again if the first connection turns out to be broken, or stored text is not
        UTF-8.

        Args:
            query: the function; it gets the connection.
            snapshot: all its statements see the data of one moment. A query of a single statement
                needs no snapshot, and saves what beginning and ending one costs.
        """
        for _ in range(_READERS):  # each connection may find that out for itself
            try:
                return self._read(query, snapshot=snapshot)
            except UndecodedError:
                continue
            except LostError:
                break
        return self._read(query, snapshot=snapshot)

    def _read(self, query: Callable[[ReadTransaction], T], *, snapshot: bool) -> T:
        with connection(self._reading) as reading:
            if not snapshot:
                return query(reading)
            with read_snapshot(reading):
                return query(reading)

    def close(self) -> None:
        """Close every connection."""
        self._reading.dispose()


class Store(Reader):
    """The database, opened at construction. Close it once.

    Args:
        url: SQLAlchemy URL, ``sqlite:///FILE`` or ``postgresql+psycopg://...``.
        existing: fail instead of creating a SQLite file that does not exist.
        busy_timeout: seconds that SQLite waits for another process's transaction.

    Raises:
        StoreError: the database cannot be opened, or has another version's schema.
    """

    def __init__(
        self, url: str, *, existing: bool = False, busy_timeout: float = BUSY_SECONDS
    ) -> None:
        if existing:
            require_file(url)
        self._url = url
        self._engine = open_engine(url, connections=1, busy_timeout=busy_timeout)
        try:
            migrate(self._engine)
            if self._engine.dialect.name == "postgresql":
                postgres.warn_of_clocks(self._engine)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise StoreError(refusal(self._engine, error)) from error
        except StoreError:
            self._engine.dispose()
            raise
        super().__init__(url)
        self._writing: Connection | None = None
        self._notifier: Notifier | None = None
        self._version: int | None = None
        self._awaits_disk: bool | None = None  # None: the connection's setting is unknown

    # -- writing, on the core's thread only ----------------------------------------------------

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        """Open a transaction on the writing connection; commit it, or roll back on an exception.

        A commit always survives a crash of the process. A ``durable`` one also survives a crash of
        the machine; otherwise SQLite does not wait for the disk, and the data is synced by the next
        durable commit, or by the system within half a minute. PostgreSQL ignores the argument.

        Raises:
            DatabaseError: the database failed; the subclass determines how to react. Other
                exceptions raised inside the block are passed on unchanged.
        """
        writing = self._connected()
        try:
            self._await_disk(writing, wanted=durable)
            begun = writing.begin()
        except (SQLAlchemyError, sqlite3.Error) as error:
            self._drop()
            raise UnavailableError(error) from error
        try:
            yield Transaction(writing)
            begun.commit()
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            failure = translated(writing, error)
            if isinstance(failure, LostError):
                self._drop()
            else:
                self._roll_back(writing)
            raise failure from error
        except BaseException:
            self._roll_back(writing)
            raise

    def _await_disk(self, writing: Connection, *, wanted: bool) -> None:
        if wanted is self._awaits_disk or self.dialect != "sqlite":
            return
        writing.connection.cursor().execute(f"PRAGMA synchronous={'FULL' if wanted else 'NORMAL'}")
        self._awaits_disk = wanted

    def _connected(self) -> Connection:
        if self._writing is None:
            try:
                self._writing = self._engine.connect()
            except SQLAlchemyError as error:
                raise UnavailableError(error) from error
        return self._writing

    def _roll_back(self, writing: Connection) -> None:
        if is_lost(writing):
            self._drop()
            return
        try:
            if (transaction := writing.get_transaction()) is not None:
                transaction.rollback()
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
            self._drop()

    def _drop(self) -> None:
        """Close the writing connection; the next transaction opens another one."""
        writing, self._writing = self._writing, None
        self._version = None
        self._awaits_disk = None
        if writing is not None:
            with suppress(SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
                writing.close()

    def changed_elsewhere(self) -> bool:
        """Return whether another SQLite connection may have committed since the last call."""
        if self.dialect != "sqlite":
            return False
        try:
            writing = self._connected().connection
            version: int = writing.cursor().execute("PRAGMA data_version").fetchone()[0]
        except (SQLAlchemyError, sqlite3.Error, UnavailableError):
            self._drop()
            return False
        before, self._version = self._version, version
        return before != version  # True at first and after a lost connection: unknown

    def listen(self, own: str, notified: Callable[[Notice], None]) -> None:
        """Start passing other machines' commit notifications to ``notified``, on PostgreSQL."""
        if self.dialect == "postgresql" and self._notifier is None:
            engine = open_engine(self._url, connections=1, reading=True)
            self._notifier = Notifier(engine, own, notified)

    # -- maintenance ---------------------------------------------------------------------------

    def empty_log(self, *, timeout: float = 10.0) -> bool:
        """Remove erased data from the write-ahead log; return False if readers prevented it."""
        return self._maintained(lambda: maintenance.empty_log(self._reading, timeout=timeout))

    def compact(self) -> None:
        """Remove erased data from the database file and release its free space.

        Blocks the writes of every process for a second or two per hundred megabytes.
        """
        self._maintained(lambda: maintenance.compact(self._reading))

    def size(self) -> int | None:
        """Return the size of the database file in bytes; None if it is not a file."""
        return self._maintained(lambda: maintenance.size(self._reading))

    def _maintained(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except SQLAlchemyError as error:
            reason = type(getattr(error, "orig", None) or error).__name__
            raise StoreError(f"the database cannot be maintained ({reason})") from error

    def require_writable(self) -> None:
        """Write without changing anything, so that a full disk is detected at startup.

        Raises:
            StoreError: the database cannot be written; the message gives the cause.
        """
        try:
            with self.transaction() as tx:
                tx.execute("UPDATE alembic_version SET version_num = version_num")
        except StoreError as error:
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            database = self._engine.url.database
            raise StoreError(f"the database {database} cannot be written: {cause}") from error

    def close(self) -> None:
        """Close every connection."""
        if self._notifier is not None:
            self._notifier.close()
        self._drop()
        super().close()
        self._engine.dispose()
