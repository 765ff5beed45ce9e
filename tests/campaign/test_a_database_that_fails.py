"""A database that is locked, full or gone in the middle of a burst, and a clock that is set.

One process that goes on knows what it has sent: nothing is even said again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bridge.core.clock import Clock
from bridge.errors import StoreError
from bridge.state.commands import CheckStore
from tests.campaign.burst import SEND, Burst, Told
from tests.postgres import PostgresServer
from tests.simulator.harness import Simulator

CALLS = [f"call-{number}" for number in range(10)]
EACH = 8


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@contextmanager
def writing(burst: Burst) -> Iterator[None]:
    """Agents write while something happens: whoever is told that it failed writes it again."""
    with ThreadPoolExecutor(1) as agents:
        written = agents.submit(burst.say_in_each, CALLS, EACH)
        burst.until(lambda: len(burst.all()) > len(CALLS))
        yield
        written.result()


def nothing_but_a_pause(told: Told, gateway: Simulator) -> None:
    assert told.all_delivered()
    assert told.seen.count == len(CALLS) * EACH
    assert told.seen.resends == 0
    assert gateway.agent("291")["sign_ins"] == 1
    assert gateway.state()["violations"] == []


@pytest.mark.parametrize("busy_timeout", [0.3, 15])
def test_locked_by_another_program(
    gateway: Simulator, sqlite_url: str, busy_timeout: float
) -> None:
    gateway.settings(delay_ms=20)
    with Burst(gateway, sqlite_url, busy_timeout=busy_timeout) as burst:
        burst.open(*CALLS)
        file = file_of(sqlite_url)
        with writing(burst), closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(2)
        told = burst.told()
    nothing_but_a_pause(told, gateway)


def test_a_file_that_is_taken_away_and_put_back(gateway: Simulator, sqlite_url: str) -> None:
    """What would be stored in it meanwhile had no name: nobody is told that it was stored."""
    gateway.settings(delay_ms=20)
    file = file_of(sqlite_url)
    elsewhere = file.with_name("elsewhere.db")
    with Burst(gateway, sqlite_url) as burst:
        burst.open(*CALLS)
        with writing(burst):
            file.rename(elsewhere)
            with pytest.raises(StoreError, match="FileReplacedError"):
                burst.runtime.core.call(CheckStore())
            time.sleep(1)
            assert not file.exists()
            elsewhere.rename(file)
        told = burst.told()
    nothing_but_a_pause(told, gateway)


def test_full_disk(gateway: Simulator, sqlite_url: str) -> None:
    """As far as SQLite goes: it may take no page more."""
    gateway.settings(delay_ms=20)
    with Burst(gateway, sqlite_url) as burst:
        burst.open(*CALLS)

        def pages(most: int) -> None:
            writing = burst.service.store._writing  # the limit is a connection's own
            assert writing is not None
            driver = writing.connection.driver_connection
            assert driver is not None
            driver.cursor().execute(f"PRAGMA max_page_count = {most}")

        with writing(burst):
            pages(1)  # SQLite makes it as many as there are
            assert burst.refused.wait(20)
            pages(1 << 30)
        told = burst.told()
    nothing_but_a_pause(told, gateway)


@pytest.mark.parametrize("end", [PostgresServer.stop, PostgresServer.kill])
def test_a_server_that_goes_away_and_comes_back(
    gateway: Simulator,
    postgres: PostgresServer,
    postgres_url: str,
    end: Callable[[PostgresServer], None],
) -> None:
    gateway.settings(delay_ms=20)
    with Burst(gateway, postgres_url) as burst:
        burst.open(*CALLS)
        with writing(burst):
            end(postgres)
            time.sleep(1)
            postgres.start()
        told = burst.told()
    nothing_but_a_pause(told, gateway)


class SetClock(Clock):
    """The machine's, until somebody sets it."""

    def __init__(self) -> None:
        self.by = 0.0

    def now(self) -> float:
        return time.time() + self.by


@pytest.mark.parametrize("by", [-3600.0, 3600.0])
def test_a_clock_that_is_set(gateway: Simulator, store_url: str, by: float) -> None:
    clock = SetClock()
    gateway.settings(delay_ms=20)
    gateway.fault("status", path=SEND, status=503, skip=20, times=4)
    with Burst(gateway, store_url, clock=clock, delivery={"expire_after": 7200}) as burst:
        burst.open(*CALLS)
        with writing(burst):
            clock.by = by
        began = time.monotonic()
        told = burst.told()
        assert time.monotonic() - began < 30  # and not an hour
        record = burst.assign(
            f"customer-{CALLS[0]}", agent_id="291", call_id="later", user_id="40001"
        )
        assert record.assignment.call_id == "later"
    nothing_but_a_pause(told, gateway)
