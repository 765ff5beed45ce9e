"""The store: one database, one writing connection for the core, reading ones for everybody else."""

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
    demand_file,
    is_lost,
    open_engine,
    refusal,
    translated,
)
from bridge.store.errors import LostError, UnavailableError
from bridge.store.migrate import migrate
from bridge.store.notifier import Notice, Notifier
from bridge.store.statements import Transaction

T = TypeVar("T")
Reading: TypeAlias = Connection  # what the functions of ``lists`` take first

_READERS = 8


class Reader:
    """Reading connections to a database that is there. Thread-safe; close it once.

    Args:
        url: SQLAlchemy's, ``sqlite:///FILE`` or ``postgresql+psycopg://...``.

    Raises:
        StoreError: ``url`` cannot be used.
    """

    def __init__(self, url: str) -> None:
        self._reading = open_engine(url, connections=_READERS, reading=True)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._reading.dialect.name

    def read(self, query: Callable[[Reading], T]) -> T:
        """Run ``query`` on a reading connection; each of its statements sees its own moment.

        ``query`` runs twice where the first connection turns out to be broken.
        """
        try:
            return self._read(query)
        except LostError:
            return self._read(query)

    def _read(self, query: Callable[[Reading], T]) -> T:
        with connection(self._reading) as taken:
            return query(taken)

    def close(self) -> None:
        """Close every connection."""
        self._reading.dispose()


class Store(Reader):
    """Opens at construction and is closed once.

    Args:
        url: SQLAlchemy's, ``sqlite:///FILE`` or ``postgresql+psycopg://...``.
        existing: refuse to make a SQLite file that is not there.
        patience: how long SQLite waits for another process's transaction, in seconds.

    Raises:
        StoreError: the database cannot be opened, or has another version's schema.
    """

    def __init__(self, url: str, *, existing: bool = False, patience: float = BUSY_SECONDS) -> None:
        if existing:
            demand_file(url)
        self._url = url
        self._engine = open_engine(url, connections=1, patience=patience)
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
        self._awaits_disk: bool | None = None  # None: the connection is as the pool gave it

    # -- writing: the core's thread alone ------------------------------------------------------

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        """A transaction on the writing connection: committed at the end, else rolled back.

        What is committed survives the process's death, always, and the machine's too, unless it is
        not ``durable``: then SQLite does not wait for the disk, and the next durable commit, or the
        system within half a minute, makes up for it. PostgreSQL makes no difference.

        Raises:
            DatabaseError: its class says what may be done about it. What else the caller raises
                within is left as it is.
        """
        taken = self._connected()
        try:
            self._await_disk(taken, wanted=durable)
            begun = taken.begin()
        except (SQLAlchemyError, sqlite3.Error) as error:
            self._drop()
            raise UnavailableError(error) from error
        try:
            yield Transaction(taken)
            begun.commit()
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            found = translated(taken, error)
            if isinstance(found, LostError):
                self._drop()
            else:
                self._roll_back(taken)
            raise found from error
        except BaseException:
            self._roll_back(taken)
            raise

    def _await_disk(self, taken: Connection, *, wanted: bool) -> None:
        if wanted is self._awaits_disk or self.dialect != "sqlite":
            return
        taken.connection.cursor().execute(f"PRAGMA synchronous={'FULL' if wanted else 'NORMAL'}")
        self._awaits_disk = wanted

    def _connected(self) -> Connection:
        if self._writing is None:
            try:
                self._writing = self._engine.connect()
            except SQLAlchemyError as error:
                raise UnavailableError(error) from error
        return self._writing

    def _roll_back(self, taken: Connection) -> None:
        if is_lost(taken):
            self._drop()
            return
        try:
            if (begun := taken.get_transaction()) is not None:
                begun.rollback()
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
            self._drop()

    def _drop(self) -> None:
        """Close the writing connection; the next transaction opens another one."""
        taken, self._writing = self._writing, None
        self._version = None
        self._awaits_disk = None
        if taken is not None:
            with suppress(SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
                taken.close()

    def changed_elsewhere(self) -> bool:
        """Whether another SQLite connection may have committed since this was last asked."""
        if self.dialect != "sqlite":
            return False
        try:
            taken = self._connected().connection
            version: int = taken.cursor().execute("PRAGMA data_version").fetchone()[0]
        except (SQLAlchemyError, sqlite3.Error, UnavailableError):
            self._drop()
            return False
        before, self._version = self._version, version
        return before != version  # at first, and after a connection was lost, nobody knows

    def listen(self, own: str, notified: Callable[[Notice], None]) -> None:
        """Hear of other machines' commits, on PostgreSQL, from now on."""
        if self.dialect == "postgresql" and self._notifier is None:
            engine = open_engine(self._url, connections=1, reading=True)
            self._notifier = Notifier(engine, own, notified)

    # -- maintenance ---------------------------------------------------------------------------

    def empty_log(self, *, patience: float = 10.0) -> bool:
        """Leave nothing erased in the log beside the file; False where readers prevented it."""
        return self._maintained(lambda: maintenance.empty_log(self._reading, patience=patience))

    def compact(self) -> None:
        """Leave nothing erased in the file either, and give its free space back.

        Every process's writes wait meanwhile: a second or two for each hundred megabytes.
        """
        self._maintained(lambda: maintenance.compact(self._reading))

    def size(self) -> int | None:
        """Bytes of the database's file; None where it is not a file."""
        return self._maintained(lambda: maintenance.size(self._reading))

    def _maintained(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except SQLAlchemyError as error:
            reason = type(getattr(error, "orig", None) or error).__name__
            raise StoreError(f"the database cannot be maintained ({reason})") from error

    def demand_writable(self) -> None:
        """Write something that changes nothing, so that a full disk shows at the start.

        Raises:
            StoreError: it cannot be written, and why.
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
