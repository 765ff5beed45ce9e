"""The store: one database, one writing thread, short reads on connections of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import StoreError
from bridge.store import postgres, tidy
from bridge.store.bell import Notices, Versions
from bridge.store.engine import (
    DatabaseError,
    LostError,
    connection,
    demand_file,
    open_engine,
    refusal,
)
from bridge.store.migrate import migrate
from bridge.store.writer import I, Told, Work, Writer

T = TypeVar("T")
Tx: TypeAlias = Connection  # what the functions of this package take first

_READERS = 8
_CHANGE_NOTHING = text("UPDATE alembic_version SET version_num = version_num")


class Store:
    """Opens at construction and is closed once.

    Args:
        url: SQLAlchemy's, ``sqlite:///FILE`` or ``postgresql+psycopg://...``.
        existing: not to make a SQLite file that is not there.

    Raises:
        StoreError: the database cannot be opened or brought to this version's schema.
    """

    def __init__(self, url: str, *, existing: bool = False) -> None:
        if existing:
            demand_file(url)
        self._engine = open_engine(url, connections=1)
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
        self._reading = open_engine(url, connections=_READERS, reading=True)
        self._writer = Writer(self._engine)
        waiting = open_engine(url, connections=1, reading=True)
        self._bell = (Notices if waiting.dialect.name == "postgresql" else Versions)(waiting)

    def write(self, unit: Callable[[Tx], T]) -> T:
        """Run ``unit`` in a transaction and return its result once that is committed.

        ``unit`` may run twice: it changes nothing but the database.
        """
        return self._writer.submit(unit).result()

    def submit(self, unit: Callable[[Tx], T]) -> Future[T]:
        """Like ``write``, without waiting."""
        return self._writer.submit(unit)

    def post(self, work: Work[I, T], item: I, told: Told, *, lazy: bool = False) -> None:
        """Have ``item`` done by ``work``, in one go with the others of its kind; see Writer.post.

        Raises:
            StoreError: the store is closed.
        """
        self._writer.post(work, item, told, lazy=lazy)

    def read(self, query: Callable[[Tx], T]) -> T:
        """Run ``query`` on a reading connection; each of its statements sees its own moment.

        ``query`` runs twice where the first connection turns out to be broken.
        """
        try:
            try:
                return self._read(query)
            except LostError:
                return self._read(query)
        except DatabaseError as error:
            raise StoreError(str(error)) from error

    def _read(self, query: Callable[[Tx], T]) -> T:
        with connection(self._reading) as taken:
            return query(taken)

    def listen(self, heard: Callable[[], None]) -> None:
        """Call ``heard``, which must be quick, whenever any process stored what may be due."""
        self._bell.listen(heard)

    def check(self) -> None:
        """Raise StoreError where the database can be neither read nor written."""
        self.write(lambda tx: tx.execute(text("SELECT 1")).scalar())

    def empty_log(self, *, patience: float = 10.0) -> bool:
        """Leave nothing erased in the log beside the file; False where readers hindered it."""
        return self._tidied(lambda: tidy.empty_log(self._reading, patience=patience))

    def compact(self) -> None:
        """Leave nothing erased in the file either, and give its free space back.

        Every process's writes wait meanwhile: a second or two for each hundred megabytes.
        """
        self._tidied(lambda: tidy.compact(self._reading))

    def size(self) -> int | None:
        """Bytes of the database's file; None where it is none."""
        return self._tidied(lambda: tidy.size(self._reading))

    def _tidied(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except SQLAlchemyError as error:
            reason = type(getattr(error, "orig", None) or error).__name__
            raise StoreError(f"the database cannot be tidied ({reason})") from error

    def demand_writable(self) -> None:
        """Write something that changes nothing, so that a full disk shows at the start.

        Raises:
            StoreError: it cannot be written, and why.
        """
        try:
            self.write(lambda tx: tx.execute(_CHANGE_NOTHING).rowcount)
        except StoreError as error:
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            database = self._engine.url.database
            raise StoreError(f"the database {database} cannot be written: {cause}") from error

    def close(self) -> None:
        """Commit what is queued and close every connection."""
        self._bell.close()
        self._writer.close()
        self._reading.dispose()
        self._engine.dispose()
