"""What a lone handoff costs the database: it is stored at once, completed, and that is all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bridge.state.commands import Command
from tests.core.rig import Making, Rig, call, given
from tests.making import NOW

STATEMENTS = 12
COMMITS = 2
_NO_STATEMENTS = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """SQLite tells of each statement."""
    return sqlite_url


@contextmanager
def watched(rig: Rig) -> Iterator[list[str]]:
    """Every statement of the core's connection, with BEGIN and COMMIT."""
    seen: list[str] = []
    with rig.store.transaction() as tx:
        connection: Any = tx.connection.connection.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    connection.set_trace_callback(seen.append)
    try:
        yield seen
    finally:
        connection.set_trace_callback(None)


def stored(_rig: Rig) -> Command:
    """The platform gave the conversation its assignment beforehand."""
    return call("customer-A", at=NOW + 20)


def token(_rig: Rig) -> Command:
    """The customer's message brings it."""
    return call("customer-new", brought=given("new", sender="customer-new"), at=NOW + 20)


@pytest.mark.parametrize("way", [stored, token])
def test_a_lone_handoff_takes_twelve_statements_and_two_commits(make: Making, way: Any) -> None:
    rig = make()
    rig.assign("A", owner=None)
    rig.assign("warm", owner=None)
    rig.ask(call("customer-warm", number=0))
    rig.complete()
    rig.clock.move(0.1)
    rig.step(3)  # nothing is left to be done
    with watched(rig) as seen:
        asked = rig.ask(way(rig))
        rig.complete()
        for _ in range(5):  # what follows from it
            rig.clock.move(0.05)
            rig.step()
    assert asked.value.delivery == "delivered"
    statements = [each for each in seen if not each.lstrip().upper().startswith(_NO_STATEMENTS)]
    assert len(statements) <= STATEMENTS, "\n".join(" ".join(each.split()) for each in seen)
    changed = _changed(seen)
    assert changed <= COMMITS, seen


def test_a_guid_that_is_not_in_memory_is_found_in_the_same_commit(make: Making) -> None:
    make().assign("A", owner=None)
    rig = make()  # it never heard of the agent
    with watched(rig) as seen:
        rig.ask(call("customer-A"))
        assert rig.senders.words == ["Anna takes over now."]
        rig.complete()
    assert _changed(seen) <= COMMITS


def test_an_idle_core_writes_nothing(rig: Rig) -> None:
    rig.assign("A")
    rig.step(3)
    with watched(rig) as seen:
        for _ in range(20):
            rig.clock.move(1.0)
            rig.step()
    assert _changed(seen) == 0, seen


def _changed(seen: list[str]) -> int:
    """Commits that changed something."""
    commits, wrote = 0, False
    for each in seen:
        verb = each.lstrip()[:6].upper()
        wrote = wrote or verb in ("INSERT", "UPDATE", "DELETE")
        if verb == "COMMIT":
            commits, wrote = commits + wrote, False
    return commits
