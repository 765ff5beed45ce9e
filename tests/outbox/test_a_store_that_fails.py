"""A database that takes nothing for a while: what is known of a message is not forgotten."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.model import Delivery, DeliveryState
from bridge.store import Store, engine
from tests.outbox.room import at_work


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database that is waited for shortly."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)
    return tmp_path / "bridge.db"


def test_a_message_that_was_taken_is_not_said_again_because_the_database_was_locked(
    file: Path,
) -> None:
    with (
        closing(Store(f"sqlite:///{file}")) as store,
        closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other,
        at_work(store) as room,
    ):

        def taken(_: Delivery) -> None:
            other.execute("BEGIN IMMEDIATE")

        room.gateway.does = taken
        room.add(room.fresh(1))
        room.until(lambda: bool(room.outbox._outcomes.owed()))
        assert [item.state for item in room.all()] == [DeliveryState.SENDING]
        room.clock.leap(60)  # longer than any lease
        room.gateway.does = lambda _: None
        other.execute("ROLLBACK")
        (done,) = room.settled()
        assert (done.state, done.attempts, done.unknowns) == (DeliveryState.DELIVERED, 1, 0)
        assert room.gateway.words == ["message 1"]


def test_while_the_database_is_locked_each_caller_waits_once(file: Path) -> None:
    with (
        closing(Store(f"sqlite:///{file}")) as store,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        tried = [store.submit(lambda _: None) for _ in range(100)]
        errors = [each.exception(timeout=5) for each in tried]
        assert all(error is not None for error in errors)
        other.execute("ROLLBACK")
        store.check()
