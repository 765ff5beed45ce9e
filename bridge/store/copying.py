"""Reads all rows of one database, and writes them to an empty one, on either engine.

Both databases are opened for this process alone, so that nothing changes in them meanwhile: SQLite
by an exclusive lock on the file, PostgreSQL by locks on the tables. What to copy when, and what a
result means, is decided in ``bridge.upkeep.copying``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import StoreError
from bridge.store.engine import open_engine, refusal, require_file
from bridge.store.migrate import HEAD
from bridge.store.schema import metadata
from bridge.store.store import Store

Row: TypeAlias = dict[str, Any]

TABLES: tuple[str, ...] = tuple(sorted(metadata.tables))

_BATCH = 200  # rows; the largest row, a gateway event, has a megabyte
_BUSY_SECONDS = 1.0
_REPLACING = partial(str, encoding="utf-8", errors="replace")
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND usename = current_user"
)
_IN_USE = (
    "the database {name} is in use: stop every server and command that works on it, then copy it"
)


class CopySource:
    """An open database to copy from; see ``source``."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        return _count(self._connection, metadata.tables[table])

    @contextmanager
    def batches(self, table: str) -> Iterator[Iterator[list[Row]]]:
        """Open a table, and yield an iterator over its rows, some at a time.

        Raises:
            StoreError: the database failed.
        """
        columns = metadata.tables[table]
        statement = select(columns).order_by(*columns.primary_key)
        with _reported(f"the table {table} of {self._name} cannot be read"):
            options = {"yield_per": _BATCH}
            with self._connection.execute(statement, execution_options=options) as found:
                yield ([dict(row) for row in rows] for rows in found.mappings().partitions())

    def last_number(self, table: str) -> int | None:
        """Return the highest number that the table's sequence ever gave; None without one.

        The row may be erased since; no number may be used twice.
        """
        if not _has_sequence(table):
            return None
        if self._connection.dialect.name == "sqlite":
            statement = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
            return int(self._connection.execute(statement, {"name": table}).scalar() or 0)
        found = self._connection.execute(
            text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_seq_seq")  # noqa: S608 - a name of ours
        )
        return int(found.scalar_one())


class CopyTarget:
    """An open, empty database to copy to; see ``target``."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Insert rows with all of their values.

        Raises:
            StoreError: the database does not accept a row.
        """
        with _reported(f"the table {table} of {self._name} does not accept a row"):
            self._connection.execute(metadata.tables[table].insert(), list(rows))

    def continue_after(self, table: str, number: int) -> None:
        """Let the table's sequence give numbers above ``number``."""
        values: dict[str, Any] = {"name": table, "number": number}
        if self._connection.dialect.name == "sqlite":
            self._connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
            statement = "INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)"
        else:
            values["name"] = f"{table}_seq_seq"
            statement = "SELECT setval(:name, greatest(:number, 1), :number > 0)"
        self._connection.execute(text(statement), values)

    def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        return _count(self._connection, metadata.tables[table])


@contextmanager
def source(url: str) -> Iterator[CopySource]:
    """Open the database to copy from, for this process alone; nothing in it is changed.

    Raises:
        StoreError: it does not exist, is in use, or has another version's schema.
    """
    require_file(url)
    with _alone(url) as connection:
        name = _name(url)
        version = _version(connection)
        if version != HEAD:
            raise StoreError(
                f"the database {name} is of version {version or 'unknown'}, and this program copies"
                f" version {HEAD}: start this version's server on it once, which upgrades it"
            )
        if connection.dialect.name == "postgresql":
            _lock(connection, "SHARE")
        yield CopySource(connection, name)


@contextmanager
def target(url: str) -> Iterator[CopyTarget]:
    """Open the database to copy to, with tables but without rows; commit without an exception.

    Raises:
        StoreError: it cannot be created or written, is in use, or is not empty.
    """
    with closing(Store(url, busy_timeout=_BUSY_SECONDS)):
        pass  # makes the tables
    with _alone(url) as connection:
        if connection.dialect.name == "postgresql":
            _lock(connection, "EXCLUSIVE")
        name = _name(url)
        if full := [table for table in TABLES if _count(connection, metadata.tables[table])]:
            raise StoreError(
                f"the database {name} is not empty ({full[0]} has rows): name one that does not"
                " exist yet, or an empty one"
            )
        yield CopyTarget(connection, name)
        with _reported(f"the database {name} does not accept the rows"):
            connection.commit()


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """Open one connection, in a transaction, that no other process can disturb."""
    engine = _engine(url)
    name = _name(url)
    try:
        with engine.connect() as connection:
            _refuse_others(connection, name)
            yield connection
    except SQLAlchemyError as error:
        if "database is locked" in str(error):
            raise StoreError(_IN_USE.format(name=name)) from error
        raise StoreError(refusal(engine, error)) from error
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite:"):
        return open_engine(url, connections=1)
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _lock_file)
    event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _lock_file(connection: Any, _record: object) -> None:
    """Keep the file's lock from the first statement until the connection is closed."""
    connection.isolation_level = None  # we issue BEGIN ourselves
    connection.text_factory = _REPLACING
    for statement in (
        "locking_mode=EXCLUSIVE",
        "synchronous=FULL",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {statement}").close()


def _refuse_others(connection: Connection, name: str) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("SELECT count(*) FROM sqlite_master"))  # takes the lock
        return
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    if connection.execute(_OTHERS).scalar_one():
        raise StoreError(_IN_USE.format(name=name))


def _lock(connection: Connection, mode: str) -> None:
    connection.execute(text(f"LOCK TABLE {', '.join(TABLES)} IN {mode} MODE"))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _has_sequence(table: str) -> bool:
    return "seq" in metadata.tables[table].c


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _name(url: str) -> str:
    return make_url(url).database or ""


@contextmanager
def _reported(what: str) -> Iterator[None]:
    """Convert a driver's error, without its text: it may quote customers' words."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason = type(getattr(error, "orig", None) or error).__name__
        raise StoreError(f"{what} ({reason})") from error
