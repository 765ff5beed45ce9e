"""PostgreSQL stops, fails over, comes back: the store says so meanwhile, and goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import text

from bridge.errors import StoreError
from bridge.store import Store, Tx, events
from tests.postgres import PostgresServer


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own, to be stopped."""
    with PostgresServer() as started:
        yield started


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    with server.database() as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = Store(url)
    yield opened
    opened.close()


def add(store: Store, *words: str) -> None:
    store.write(lambda tx: events.add(tx, "291", [(word, None) for word in words], now=1.0))


def kept(store: Store) -> list[str]:
    return [event.event_type for event in store.read(lambda tx: events.of_agent(tx, "291"))]


def test_a_restart_between_two_transactions_is_not_noticed(
    server: PostgresServer, store: Store
) -> None:
    add(store, "before")
    with_readers = [threading.Thread(target=kept, args=(store,)) for _ in range(8)]
    for reader in with_readers:
        reader.start()
    for reader in with_readers:
        reader.join()
    server.stop()
    server.start()
    assert kept(store) == ["before"]
    add(store, "after")
    assert kept(store) == ["before", "after"]


def test_a_crash_between_two_transactions_is_not_noticed(
    server: PostgresServer, store: Store
) -> None:
    add(store, "before")
    server.kill()
    server.start()
    add(store, "after")
    assert kept(store) == ["before", "after"]


def test_while_it_is_away_it_is_said_at_once_and_afterwards_all_goes_on(
    server: PostgresServer, store: Store
) -> None:
    add(store, "before")
    server.stop()
    began = time.monotonic()
    refused = [
        store.submit(lambda tx: events.add(tx, "291", [("x", None)], now=1.0)) for _ in range(50)
    ]
    for future in refused:
        with pytest.raises(StoreError, match="the database"):
            future.result(10)
    with pytest.raises(StoreError, match="the database"):
        kept(store)
    with pytest.raises(StoreError, match="the database"):
        store.check()
    assert time.monotonic() - began < 5  # not one attempt to connect for each
    server.start()
    store.check()
    add(store, "after")
    assert kept(store) == ["before", "after"]


def test_a_transaction_whose_connection_breaks_is_run_again_with_its_neighbours(
    server: PostgresServer, store: Store
) -> None:
    started, go = threading.Event(), threading.Event()
    runs = []

    def cut(tx: Tx) -> None:
        runs.append(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())
        started.set()
        go.wait(10)
        events.add(tx, "291", [("cut", None)], now=1.0)

    first = store.submit(cut)
    assert started.wait(10)
    second = store.submit(lambda tx: events.add(tx, "291", [("next", None)], now=1.0))
    server.execute(f"SELECT pg_terminate_backend({runs[0]})")
    go.set()
    first.result(10)
    second.result(10)
    assert kept(store) == ["cut", "next"]
    assert len(set(runs)) == 2


def test_a_deadlock_with_another_replica_is_run_again(url: str, store: Store) -> None:
    add(store, "a", "b")
    other = Store(url)
    met = threading.Barrier(2)
    turn = text("UPDATE events SET handled_at = 1 WHERE event_type = :which")

    def crossing(first: str, second: str) -> Callable[[Tx], None]:
        runs = count()

        def unit(tx: Tx) -> None:
            tx.execute(turn, {"which": first})
            if next(runs) == 0:
                met.wait(10)
            tx.execute(turn, {"which": second})

        return unit

    futures = [store.submit(crossing("a", "b")), other.submit(crossing("b", "a"))]
    for future in futures:
        future.result(20)
    other.close()


def test_a_bridge_that_stands_still_in_a_transaction_holds_nobody_up_for_long(store: Store) -> None:
    settings = store.write(
        lambda tx: tx.execute(
            text(
                "SELECT current_setting('idle_in_transaction_session_timeout'),"
                " current_setting('lock_timeout'), current_setting('transaction_isolation')"
            )
        ).one()
    )
    assert tuple(settings) == ("10s", "5s", "read committed")
