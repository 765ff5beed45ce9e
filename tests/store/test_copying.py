"""A database is copied to another engine and back, and nothing is lost or used twice."""

from __future__ import annotations

import time
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from bridge.errors import StoreError
from bridge.model import DeliveryState
from bridge.state.records import EventRecord
from bridge.store import Store
from bridge.store.engine import open_engine
from bridge.upkeep.copying import copy
from tests.store.machine import keep, signed_in
from tests.store.people import dump, history

SEQUENCES = ("events", "suggestions", "messages", "rasa_updates", "changes", "deliveries")
ODD = "an escaped \0, 好 and 🙂"


@pytest.fixture
def other_url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """An empty database on the other engine."""
    if engine == "sqlite":
        url: str = request.getfixturevalue("empty_postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'copy.db'}"


def _no_progress(_done: int, _total: int) -> None:
    return None


def fill(store: Store) -> None:
    at = time.time() - 60
    history(store, "maria", "call-1", "40001", at)
    history(store, "jon", "call-2", "40002", at, DeliveryState.WAITING, ended=False)
    keep(store, events=[EventRecord("291", "x", {"text": ODD}, at)])
    keep(store, sessions=[signed_in("291", generation=3)])
    execute(store, "INSERT INTO switches VALUES ('assist', 'off', 5.5)")
    execute(store, "INSERT INTO presences VALUES ('291', 5.5)")
    execute(store, "INSERT INTO leaders VALUES ('retention', NULL, NULL, 7)")
    execute(store, "INSERT INTO revocations VALUES ('agent:291', 1, 2)")


def execute(store: Store, statement: str) -> None:
    with store.transaction() as tx:
        tx.execute(statement)


@pytest.fixture
def filled(store_url: str) -> str:
    with closing(Store(store_url)) as store:
        fill(store)
        assert all(dump(store).values())  # every table has rows
    return store_url


def contents(url: str) -> dict[str, list[dict[str, object]]]:
    with closing(Store(url)) as store:
        return dump(store)


def test_every_row_of_every_table_arrives(filled: str, other_url: str) -> None:
    before = contents(filled)
    seen: list[tuple[int, int]] = []
    counts = copy(filled, other_url, lambda done, total: seen.append((done, total)))
    assert contents(other_url) == before == contents(filled)
    assert counts == {table: len(rows) for table, rows in before.items()}
    assert seen[-1] == (sum(counts.values()),) * 2


def test_there_and_back_again_is_the_same(filled: str, other_url: str, tmp_path: Path) -> None:
    third = f"sqlite:///{tmp_path / 'third.db'}"
    copy(filled, other_url, _no_progress)
    copy(other_url, third, _no_progress)
    assert contents(third) == contents(filled)


def test_no_number_is_used_twice(filled: str, other_url: str) -> None:
    """Not even that of a row that was erased before the copy."""
    with closing(Store(filled)) as store:
        last = {table: dump(store)[table][-1]["seq"] for table in SEQUENCES}
        for table in SEQUENCES:
            execute(store, f"DELETE FROM {table}")  # noqa: S608 - a name of ours
    copy(filled, other_url, _no_progress)
    with closing(Store(other_url)) as store:
        history(store, "new", "call-9", "40009", time.time())
        assert {table: dump(store)[table][0]["seq"] for table in SEQUENCES} == {
            table: number + 1 for table, number in last.items()
        }


def test_an_empty_database_is_copied_too(store_url: str, other_url: str) -> None:
    Store(store_url).close()
    assert set(copy(store_url, other_url, _no_progress).values()) == {0}
    with closing(Store(other_url)) as store:
        history(store, "new", "call-9", "40009", time.time())
        assert {dump(store)[table][0]["seq"] for table in SEQUENCES} == {1}


def test_a_database_with_rows_is_never_written_to(filled: str, other_url: str) -> None:
    with closing(Store(other_url)) as store:
        execute(store, "INSERT INTO switches VALUES ('assist', 'off', 1)")
    before = contents(other_url)
    with pytest.raises(StoreError, match=r"is not empty \(switches has rows\)"):
        copy(filled, other_url, _no_progress)
    assert contents(other_url) == before


@pytest.mark.parametrize("which", ["from", "to"])
def test_a_database_that_is_in_use_is_refused(filled: str, other_url: str, which: str) -> None:
    with closing(Store(filled if which == "from" else other_url)) as used:
        used.require_writable()
        with pytest.raises(StoreError, match="is in use: stop every server"):
            copy(filled, other_url, _no_progress)
    copy(filled, other_url, _no_progress)  # once it is closed


def test_the_same_database_is_refused(filled: str) -> None:
    with pytest.raises(StoreError, match="are the same"):
        copy(filled, filled, _no_progress)


def test_a_copy_that_fails_leaves_nothing(filled: str, other_url: str) -> None:
    def fail(_done: int, _total: int) -> None:
        raise StoreError("interrupted")

    with pytest.raises(StoreError, match="interrupted"):
        copy(filled, other_url, fail)
    assert not any(contents(other_url).values())
    copy(filled, other_url, _no_progress)


def altered(url: str, statement: str) -> None:
    engine = open_engine(url, connections=1)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "version"),
    [
        ("UPDATE alembic_version SET version_num = '0102'", "0102"),
        ("DROP TABLE alembic_version", "unknown"),
    ],
)
def test_another_version_is_refused(
    filled: str, other_url: str, statement: str, version: str
) -> None:
    altered(filled, statement)
    with pytest.raises(StoreError, match=f"is of version {version}, and this program copies"):
        copy(filled, other_url, _no_progress)


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite:////nowhere/there/is.db"])
def test_what_is_no_database_is_refused(filled: str, url: str) -> None:
    with pytest.raises(StoreError):
        copy(filled, url, _no_progress)
    with pytest.raises(StoreError):
        copy(url, filled, _no_progress)


def test_the_memory_is_bounded(filled: str, other_url: str) -> None:
    """A copy of 40 MB takes a fraction of it."""
    with closing(Store(filled)) as store:
        for _ in range(10):
            events = [EventRecord("291", "x", {"text": "x" * 20_000}, 1.0) for _ in range(200)]
            keep(store, events=events)
    tracemalloc.start()
    try:
        copy(filled, other_url, _no_progress)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 15_000_000
    assert len(contents(other_url)["events"]) > 2000


def test_rows_that_the_other_engine_refuses_are_named(sqlite_url: str, postgres_url: str) -> None:
    """SQLite stores texts of any length and type; the error quotes none of them."""
    with closing(Store(sqlite_url)) as store:
        execute(store, "INSERT INTO switches VALUES ('maria', 'off', 1)")
        execute(store, "UPDATE switches SET name = replace(printf('%40d', 1), ' ', name)")
    with pytest.raises(
        StoreError, match=r"the table switches of .* does not accept a row"
    ) as error:
        copy(sqlite_url, postgres_url, _no_progress)
    assert "maria" not in str(error.value)
