"""A database that takes nothing for a while: what is known of a message is not forgotten."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bridge.errors import StoreError, UnreachableError
from bridge.state.commands import CheckStore, PushGuid
from bridge.store import Store
from bridge.store.statements import Transaction
from tests.core.rig import GUID, Making, Rig, call, given, reply
from tests.core.running import delivered, running

BUSY_TIMEOUT = 0.2
WAITERS = 100


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bridge.db"


class Counting(Store):
    """Counts its transactions."""

    begun = 0

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        self.begun += 1
        with super().transaction(durable=durable) as tx:
            yield tx


@pytest.fixture
def store(file: Path) -> Iterator[Counting]:
    """A store that waits shortly for its database."""
    with closing(Counting(f"sqlite:///{file}", busy_timeout=BUSY_TIMEOUT)) as short:
        yield short


@pytest.fixture
def rig(store: Counting, make: Making) -> Rig:
    """A core on that store."""
    return make(on=store)


@pytest.fixture
def other(file: Path, rig: Rig) -> Iterator[sqlite3.Connection]:
    """Another program's connection."""
    del rig
    with closing(sqlite3.connect(file, isolation_level=None)) as opened:
        yield opened


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """A file that is locked is SQLite's alone."""
    return sqlite_url


def test_a_message_that_was_taken_is_not_said_again_because_the_database_was_locked(
    rig: Rig, other: sqlite3.Connection
) -> None:
    rig.assign("A")
    rig.do(reply("A"))
    other.execute("BEGIN IMMEDIATE")
    rig.complete()  # the gateway took it, and there is nothing to store that in
    assert [item.state.value for item in rig.all()] == ["sending"]
    rig.clock.leap(60)  # longer than any lease
    rig.step()
    other.execute("ROLLBACK")
    for _ in range(5):
        rig.clock.move(1.0)
        rig.step()
    (done,) = rig.all()
    assert (done.state.value, done.attempts, done.unknowns) == ("delivered", 1, 0)
    assert rig.senders.sent == []


def test_a_probe_that_cannot_be_claimed_is_tried_again_after_a_pause(
    store: Counting, rig: Rig, other: sqlite3.Connection
) -> None:
    for name in "ABCDEFGH":
        rig.assign(name)
        rig.do(reply(name))
    while rig.senders.sent:
        rig.complete(UnreachableError("no connection"))
    rig.clock.leap(6.0)  # a probe is due
    other.execute("BEGIN IMMEDIATE")
    rig.step()
    tried = store.begun
    rig.step(times=5)
    assert store.begun == tried  # the clock stands still: nothing is due again
    other.execute("ROLLBACK")
    rig.clock.move(1.0)
    rig.step()
    assert len(rig.senders.sent) == 1


def test_while_the_database_is_locked_a_batch_waits_once(
    rig: Rig, other: sqlite3.Connection
) -> None:
    other.execute("BEGIN IMMEDIATE")
    asked = rig.submit(*(CheckStore() for _ in range(16)))
    began = time.monotonic()
    rig.step()
    assert time.monotonic() - began < 5 * BUSY_TIMEOUT
    assert all(isinstance(each.error, StoreError) for each in asked)
    other.execute("ROLLBACK")
    assert rig.do(CheckStore()) is True


def test_a_hundred_callers_are_all_told(rig: Rig, other: sqlite3.Connection) -> None:
    other.execute("BEGIN IMMEDIATE")
    asked = rig.submit(*(CheckStore() for _ in range(WAITERS)))
    rig.step(WAITERS // 16 + 1)
    assert all(isinstance(each.error, StoreError) for each in asked)
    other.execute("ROLLBACK")


def test_what_cannot_be_stored_for_long_is_stored_in_the_end_in_its_order(
    rig: Rig, other: sqlite3.Connection
) -> None:
    rig.assign("A")
    rig.assign("B")
    rig.do(reply("A", "one", "c-1"))
    rig.do(reply("A", "two", "c-2"))
    rig.do(reply("B", "three"))
    other.execute("BEGIN IMMEDIATE")
    rig.complete()
    rig.complete()
    for _ in range(10):
        rig.clock.move(1.0)
        rig.step()
    other.execute("ROLLBACK")
    rig.clock.move(5.0)
    rig.step(2)
    assert rig.complete().words == "two"
    assert {item.state.value for item in rig.all()} == {"delivered"}
    assert [item.attempts for item in rig.all()] == [1, 1, 1]


def test_a_store_that_is_slow_makes_no_handoff_pending(store_url: str, file: Path) -> None:
    """It is answered by what becomes of it, however long it took to be stored."""
    with (
        running(store_url, delivered) as (core,),
        closing(sqlite3.connect(file, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        core.core.call(PushGuid(agent_id="291", guid=GUID))
        other.execute("BEGIN IMMEDIATE")
        asked = call("customer-A", brought=given("A"), at=time.time(), wait=20.0)
        answer = pool.submit(core.core.call, asked)
        time.sleep(0.6)
        assert not answer.done()
        other.execute("ROLLBACK")
        assert answer.result(20).delivery == "delivered"
