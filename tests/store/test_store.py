"""The database itself: its file, its schema, its transactions."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from bridge.core.core import Core
from bridge.errors import StoreError
from bridge.model import Guid
from bridge.state.commands import (
    CheckStore,
    Command,
    DropRevocations,
    EraseRows,
    PushGuid,
    RetryDelivery,
    RevokeTokens,
)
from bridge.state.records import EventRecord
from bridge.store import Store, indexes, lists
from bridge.store.engine import open_engine
from bridge.store.errors import DatabaseError
from bridge.store.migrate import HEAD, _upgrade
from bridge.store.schema import metadata
from bridge.store.statements import Transaction
from tests.store.machine import SECONDS, keep, keep_in, rules, working

assert indexes  # completes the metadata


def event(name: str) -> EventRecord:
    return EventRecord("291", name, None, 1.0)


def test_the_file_is_readable_by_its_owner_alone(sqlite_url: str, tmp_path: Path) -> None:
    store = Store(sqlite_url)
    keep(store, events=[event("x")])
    found = sorted(tmp_path.glob("bridge.db*"))
    assert len(found) == 3
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    store.close()


def by_the_migrations(url: str) -> None:
    engine = open_engine(url, connections=1)
    with engine.begin() as connection:
        _upgrade(connection, None)
    engine.dispose()


@pytest.mark.parametrize("way", ["made at once", "by the migrations"])
def test_both_ways_make_what_the_schema_says(empty_store_url: str, way: str) -> None:
    if way == "made at once":
        Store(empty_store_url).close()
    else:
        by_the_migrations(empty_store_url)
    engine = open_engine(empty_store_url, connections=1)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, metadata) == []
        found = {index["name"]: index for index in inspect(connection).get_indexes("deliveries")}
        assert {"deliveries_open", "deliveries_due", "deliveries_sending"} <= set(found)
        assert found["deliveries_sending"]["unique"]
    engine.dispose()


def test_both_ways_make_the_same_to_the_word(
    empty_store_url: str, engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Of partial indexes and defaults, which Alembic does not compare."""
    by_the_migrations(empty_store_url)
    if engine == "sqlite":
        other = f"sqlite:///{tmp_path / 'other.db'}"
    else:
        other = request.getfixturevalue("postgres_url")
    Store(other).close()
    assert definitions(empty_store_url) == definitions(other)


def definitions(url: str) -> dict[str, list[Any]]:
    """Every column and index, as the database describes them."""
    engine = open_engine(url, connections=1, reading=True)
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            found = {**_indexes_of_sqlite(connection), **_columns_of_sqlite(connection)}
        else:
            found = _all_of_postgresql(connection)
    engine.dispose()
    return found


def _indexes_of_sqlite(connection: Connection) -> dict[str, list[Any]]:
    wanted = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    return {row.name: [" ".join(row.sql.split())] for row in connection.execute(text(wanted))}


def _columns_of_sqlite(connection: Connection) -> dict[str, list[Any]]:
    tables = [*metadata.tables, "alembic_version"]
    found: dict[str, list[Any]] = {}
    for table in tables:
        columns = connection.exec_driver_sql(f"PRAGMA table_info({table})").all()
        found[table] = [tuple(column)[1:] for column in columns]
        made = "SELECT sql LIKE '%AUTOINCREMENT%' FROM sqlite_master WHERE name = :name"
        found[table].append(connection.execute(text(made), {"name": table}).scalar())
        unique = connection.exec_driver_sql(f"PRAGMA index_list({table})").all()
        found[table].append(sorted((row[2], row[3], row[4]) for row in unique))
    return found


def _all_of_postgresql(connection: Connection) -> dict[str, list[Any]]:
    columns = (
        "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable,"
        " column_default FROM information_schema.columns WHERE table_schema = 'public'"
        " ORDER BY table_name, ordinal_position"
    )
    made = (
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND tablename <> 'alembic_version' ORDER BY indexname"  # whose key has Alembic's name
    )
    return {
        "columns": [tuple(row) for row in connection.execute(text(columns))],
        "indexes": [tuple(row) for row in connection.execute(text(made))],
    }


def test_head_is_the_newest_version() -> None:
    folder = Path(__file__).parents[2] / "bridge" / "store" / "migrations"
    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


def as_if_of_version(url: str, version: str) -> None:
    Store(url).close()
    engine = open_engine(url, connections=1)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE alembic_version SET version_num = :version"), {"version": version}
        )
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(store_url: str) -> None:
    as_if_of_version(store_url, "9999")
    with pytest.raises(StoreError, match="used by a newer one"):
        Store(store_url)


@pytest.mark.parametrize("version", ["0001", "0002", "0003", "0004", "0101"])
def test_a_database_of_before_the_first_release_is_refused_with_what_to_do(
    store_url: str, version: str
) -> None:
    as_if_of_version(store_url, version)
    with pytest.raises(StoreError, match=f"{version}.*to start with an empty one.*storage.url"):
        Store(store_url)
    engine = open_engine(store_url, connections=1)
    with engine.connect() as connection:  # nothing of it was changed
        kept = connection.execute(text("SELECT version_num FROM alembic_version"))
        assert kept.scalars().all() == [version]
    engine.dispose()


def test_two_that_open_an_empty_database_at_once_both_get_it(empty_store_url: str) -> None:
    stores: list[Store] = []
    threads = [
        threading.Thread(target=lambda: stores.append(Store(empty_store_url)), daemon=True)
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(stores) == 4
    for opened in stores:
        opened.close()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(f"sqlite:///{tmp_path / 'missing' / 'bridge.db'}")


def test_another_program_that_closes_the_database_takes_nothing_with_it(sqlite_url: str) -> None:
    """It would, if this process had lost its locks on the file: it would think it is alone."""
    store = Store(sqlite_url)
    code = (
        "import sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1])\n"
        "print([row[0] for row in database.execute('SELECT event_type FROM events')])\n"
        "database.close()\n"
    )
    command = [sys.executable, "-c", code, sqlite_url.removeprefix("sqlite:///")]
    for kept in (["one"], ["one", "two"], ["one", "two", "three"]):
        keep(store, events=[event(kept[-1])])
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        assert found.stdout == f"{kept}\n"
    store.close()


# -- commands that come together -------------------------------------------------------------------


class Told:
    """What commands that were put together were answered, in order."""

    def __init__(self, count: int) -> None:
        self.answers: list[Any] = []
        self._count = count
        self._all = threading.Event()

    def __call__(self, value: Any, error: BaseException | None) -> None:
        self.answers.append(value if error is None else error)
        if len(self.answers) == self._count:
            self._all.set()

    def wait(self) -> list[Any]:
        assert self._all.wait(SECONDS)
        return self.answers


class Counting(Store):
    """Counts its transactions, and how many of them were committed."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.begun = self.committed = 0

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        self.begun += 1
        with super().transaction(durable=durable) as tx:
            yield tx
        self.committed += 1


def revoked(store: Store, *subjects: str) -> list[str]:
    return sorted(store.read(lambda tx: lists.revocations(tx, subjects)))


def revoke(subject: str) -> Command:
    return RevokeTokens(subject=subject, until=9e9)


def test_what_comes_together_shares_a_transaction(store_url: str) -> None:
    told = Told(3)
    with closing(Counting(store_url)) as store, closing(Core(store, rules())) as core:
        for subject in ("a", "b", "c"):
            core.submit(revoke(subject), told)
        core.start()
        assert told.wait() == [True, True, True]
        assert revoked(store, "a", "b", "c") == ["a", "b", "c"]
        assert store.committed == 1


def test_a_command_that_fails_takes_no_neighbour_with_it(
    store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told(3)
    with closing(Counting(store_url)) as store, closing(Core(store, rules())) as core:
        core.submit(revoke("good"), told)
        core.submit(EraseRows(table="nowhere", keys=[(1,)]), told)
        core.submit(revoke("after"), told)
        core.start()
        good, wrong, after = told.wait()
        assert (good, after) == (True, True)
        assert isinstance(wrong, StoreError)
        assert revoked(store, "good", "after") == ["after", "good"]
        assert store.committed == 2  # each by itself
        core.call(CheckStore())
    assert "A command failed" in caplog.text


def test_what_is_refused_is_not_written_and_takes_nothing_with_it(store_url: str) -> None:
    told = Told(3)
    with closing(Counting(store_url)) as store, closing(Core(store, rules())) as core:
        core.submit(revoke("good"), told)
        core.submit(RetryDelivery(delivery_id=7, agent_id=None), told)
        core.submit(revoke("after"), told)
        core.start()
        good, refused, after = told.wait()
        assert (good, after) == (True, True)
        assert "no such delivery" in str(refused)
        assert store.committed == 1  # it was planned with them, and is no reason to begin anew


def test_two_of_one_agent_in_one_batch_see_each_other(store_url: str) -> None:
    told = Told(2)
    with closing(Store(store_url)) as store, closing(Core(store, rules())) as core:
        for guid in ("one.AgentGateway0", "two.AgentGateway0"):
            core.submit(PushGuid(agent_id="291", guid=Guid(guid)), told)
        core.start()
        first, second = told.wait()
        assert (first.generation, second.generation) == (1, 2)
        found = store.read(lambda tx: lists.session(tx, "291"))
        assert found is not None
        assert (found.guid, found.generation) == ("two.AgentGateway0", 2)


def test_what_is_in_the_background_comes_behind_all_others_and_is_done(store_url: str) -> None:
    told = Told(41)
    with closing(Store(store_url)) as store, closing(Core(store, rules())) as core:
        core.submit(DropRevocations(), lambda _, error: told("background", error), background=True)
        for number in range(40):
            core.submit(revoke(f"{number}"), told)
        core.start()
        assert told.wait() == [*[True] * 40, "background"]


def test_what_waits_is_committed_before_the_end(store_url: str) -> None:
    told = Told(40)
    with closing(Store(store_url)) as store:
        with closing(Core(store, rules())) as core:
            for number in range(40):
                core.submit(revoke(f"{number}"), told)
            core.start()
        assert told.wait() == [True] * 40
        with pytest.raises(StoreError, match="stopping"):
            core.call(revoke("late"))


def test_a_closed_store_says_so(store_url: str) -> None:
    with working(store_url) as core:
        core.call(CheckStore())
    with pytest.raises(StoreError, match="stopping"):
        core.call(CheckStore())


def test_the_drivers_words_are_not_told(store: Store) -> None:
    with pytest.raises(StoreError) as raised, store.transaction() as tx:
        tx.execute("SELECT 'a customer wrote this' FROM nowhere")
    assert "customer" not in str(raised.value)
    keep(store, events=[event("and it goes on")])


def test_what_fails_in_the_middle_is_not_half_written(store: Store) -> None:
    def fails() -> None:
        with store.transaction() as tx:
            keep_in(tx, events=[event("half")])
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert store.read(lambda tx: lists.events_of_agent(tx, "291")) == []


@pytest.mark.parametrize(("snapshot", "seen"), [(True, 1), (False, 2)])
def test_all_statements_of_a_read_see_one_moment(
    store: Store, store_url: str, *, snapshot: bool, seen: int
) -> None:
    keep(store, events=[event("first")])
    counts: list[int] = []

    def query(tx: Connection) -> None:
        counts.append(len(lists.events_of_agent(tx, "291")))
        with closing(Store(store_url)) as other:  # as another process would commit meanwhile
            keep(other, events=[event("second")])
        counts.append(len(lists.events_of_agent(tx, "291")))

    store.read(query, snapshot=snapshot)
    assert counts == [1, seen]
    assert store.read(lambda tx: len(lists.events_of_agent(tx, "291"))) == 2


def test_a_read_that_fails_leaves_the_connection_usable(store: Store) -> None:
    keep(store, events=[event("x")])
    for _ in range(20):  # more than there are connections
        with pytest.raises(DatabaseError):
            store.read(lambda tx: tx.execute(text("SELECT nothing FROM nowhere")))
        with pytest.raises(ZeroDivisionError):
            store.read(lambda _: 1 / 0)
    assert len(store.read(lambda tx: lists.events_of_agent(tx, "291"))) == 1
