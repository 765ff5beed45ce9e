"""The database itself: its file, its schema, its transactions."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from bridge.errors import StoreError
from bridge.store import Store, Tx, events, indexes
from bridge.store.engine import open_engine
from bridge.store.migrate import HEAD, _upgrade, migrate
from bridge.store.schema import metadata

assert indexes  # completes the metadata


def test_the_file_is_readable_by_its_owner_alone(sqlite_url: str, tmp_path: Path) -> None:
    store = Store(sqlite_url)
    store.write(lambda tx: events.add(tx, "291", [("x", None)], now=1.0))
    found = sorted(tmp_path.glob("bridge.db*"))
    assert len(found) == 3
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    store.close()


@pytest.mark.parametrize("way", ["made at once", "by the migrations"])
def test_both_ways_make_what_the_schema_says(empty_store_url: str, way: str) -> None:
    engine = open_engine(empty_store_url, connections=1)
    if way == "made at once":
        migrate(engine)
    else:
        with engine.begin() as connection:
            _upgrade(connection, None)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert context.get_current_revision() == HEAD
        assert compare_metadata(context, metadata) == []
        names = {index["name"] for index in inspect(connection).get_indexes("deliveries")}
        assert {"deliveries_open", "deliveries_due"} <= names
    engine.dispose()


def test_head_is_the_newest_version() -> None:
    folder = Path(__file__).parents[2] / "bridge" / "store" / "migrations"
    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


def test_a_database_of_a_newer_version_is_left_alone(store_url: str) -> None:
    Store(store_url).close()
    engine = open_engine(store_url, connections=1)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreError, match="used by a newer one"):
        Store(store_url)


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


def test_a_unit_that_fails_takes_no_neighbour_with_it(store: Store) -> None:
    started, go = threading.Event(), threading.Event()

    def slow(_tx: Tx) -> None:
        started.set()
        go.wait(10)

    def wrong(tx: Tx) -> None:
        events.add(tx, "291", [("wrong", None)], now=1.0)
        raise KeyError

    first = store.submit(slow)
    assert started.wait(10)
    # These three wait for the writer together and share its next transaction.
    good = store.submit(lambda tx: events.add(tx, "291", [("good", None)], now=1.0))
    bad = store.submit(wrong)
    after = store.submit(lambda tx: events.add(tx, "291", [("after", None)], now=1.0))
    go.set()
    assert first.result(10) is None
    good.result(10)
    after.result(10)
    with pytest.raises(KeyError):
        bad.result(10)
    kept = store.read(lambda tx: events.of_agent(tx, "291"))
    assert [event.event_type for event in kept] == ["good", "after"]


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
        batch = [(kept[-1], None)]
        store.write(lambda tx, batch=batch: events.add(tx, "291", batch, now=1.0))  # type: ignore[misc]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        assert found.stdout == f"{kept}\n"
    store.close()


def test_a_closed_store_says_so(store_url: str) -> None:
    store = Store(store_url)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.write(lambda _tx: None)


def test_the_drivers_words_are_not_told(store: Store) -> None:
    def broken(tx: Tx) -> None:
        tx.execute(text("SELECT 'a customer wrote this' FROM nowhere"))

    with pytest.raises(StoreError) as raised:
        store.write(broken)
    assert "customer" not in str(raised.value)


def test_what_is_lazy_shares_the_next_transaction(store: Store) -> None:
    calls: list[int] = []
    told: list[object] = []

    def work(tx: Tx, items: list[str]) -> list[str]:
        assert tx.in_transaction()
        calls.append(len(items))
        return [item.upper() for item in items]

    for item in ("a", "b", "c"):
        store.post(work, item, lambda result, _error: told.append(result), lazy=True)
    store.write(lambda _tx: None)
    assert told == ["A", "B", "C"]
    assert calls == [3]  # and in one go


def test_what_is_lazy_does_not_wait_for_others_for_long(store: Store) -> None:
    told = threading.Event()
    store.post(echo, "alone", lambda *_: told.set(), lazy=True)
    assert told.wait(10)


def test_what_is_lazy_is_stored_before_the_store_is_closed(store_url: str) -> None:
    store = Store(store_url)
    told: list[object] = []
    store.post(echo, "last", lambda result, _error: told.append(result), lazy=True)
    store.close()
    assert told == ["last"]


def echo(_tx: Tx, items: list[str]) -> list[str]:
    if "bad" in items:
        raise ValueError
    return items


def test_work_of_one_kind_that_fails_is_done_item_by_item(store: Store) -> None:
    told: list[object] = []
    begun = threading.Event()

    def tell(result: object, error: Exception | None) -> None:
        told.append(type(error) if error else result)

    store.submit(lambda _tx: begun.wait(10))  # the others come together meanwhile
    for item in ("good", "bad", "better"):
        store.post(echo, item, tell)
    begun.set()
    store.write(lambda _tx: None)
    assert told == ["good", ValueError, "better"]
