"""PostgreSQL stops, fails over, comes back: the core says so meanwhile, and goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from bridge.core.core import Core
from bridge.errors import StoreError
from bridge.state.commands import CheckStore, Command, RevokeTokens
from bridge.store import CrossedError, Store, lists
from bridge.store.statements import Transaction
from tests.postgres import PostgresServer
from tests.store.machine import SECONDS, Waiting, rules

WORDS = ("before", "after", "cut", "next", "a", "b")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own, to be stopped."""
    with PostgresServer() as started:
        yield started


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    with server.database() as made:
        yield made


class Interrupted(Store):
    """A store of whose next transaction something happens in the middle."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.happens: Callable[[Transaction], None] | None = None
        self.processes: list[int] = []  # the server's, one for each transaction

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        with super().transaction(durable=durable) as tx:
            self.processes.append(tx.execute("SELECT pg_backend_pid()").fetchone()[0])
            happens, self.happens = self.happens, None
            if happens is not None:
                happens(tx)
            yield tx


@pytest.fixture
def store(url: str) -> Iterator[Interrupted]:
    opened = Interrupted(url)
    yield opened
    opened.close()


@pytest.fixture
def core(store: Interrupted) -> Iterator[Core]:
    with closing(Core(store, rules())) as opened:
        opened.start()
        yield opened


def put(word: str) -> Command:
    """A command that stores a word."""
    return RevokeTokens(subject=word, until=9e9)


def kept(store: Store) -> list[str]:
    found = store.read(lambda tx: lists.revocations(tx, WORDS))
    return sorted(found, key=lambda word: found[word])


def test_a_restart_between_two_transactions_is_not_noticed(
    server: PostgresServer, store: Store, core: Core
) -> None:
    core.call(put("before"))
    with_readers = [threading.Thread(target=kept, args=(store,)) for _ in range(8)]
    for reader in with_readers:
        reader.start()
    for reader in with_readers:
        reader.join()
    server.stop()
    server.start()
    assert kept(store) == ["before"]
    core.call(put("after"))
    assert kept(store) == ["before", "after"]


def test_a_crash_between_two_transactions_is_not_noticed(
    server: PostgresServer, store: Store, core: Core
) -> None:
    core.call(put("before"))
    server.kill()
    server.start()
    core.call(put("after"))
    assert kept(store) == ["before", "after"]


def test_while_it_is_away_it_is_said_at_once_and_afterwards_all_goes_on(
    server: PostgresServer, store: Store, core: Core
) -> None:
    core.call(put("before"))
    server.stop()
    began = time.monotonic()
    refused = [Waiting(lambda: core.call(put("x"))) for _ in range(50)]
    for each in refused:
        with pytest.raises(StoreError, match="the database"):
            each.result()
    with pytest.raises(StoreError, match="the database"):
        kept(store)
    with pytest.raises(StoreError, match="the database"):
        core.call(CheckStore())
    assert time.monotonic() - began < 5  # not one attempt to connect for each
    server.start()
    core.call(CheckStore())
    core.call(put("after"))
    assert kept(store) == ["before", "after"]


def test_a_transaction_whose_connection_breaks_is_done_again_with_its_neighbours(
    server: PostgresServer, store: Interrupted
) -> None:
    def cut(_tx: Transaction) -> None:
        server.execute(f"SELECT pg_terminate_backend({store.processes[-1]})")

    store.happens = cut
    answered = threading.Semaphore(0)

    def reply(_value: Any, error: BaseException | None) -> None:
        assert error is None
        answered.release()

    with closing(Core(store, rules())) as core:
        for word in ("cut", "next"):
            core.submit(put(word), reply)
        core.start()
        for _ in range(2):
            assert answered.acquire(timeout=SECONDS)
    assert kept(store) == ["cut", "next"]
    assert len(set(store.processes)) == 2
    assert len(store.processes) == 2  # both of them again, and together


def test_a_deadlock_with_another_replica_is_done_again(
    url: str, store: Interrupted, core: Core
) -> None:
    """Two who take the same rows in another order: what the bridge does takes locks in one order.

    So it has to be somebody else.
    """
    core.call(put("a"))
    core.call(put("b"))
    met = threading.Barrier(2)
    turn = "UPDATE revocations SET expires_at = 9e9 WHERE subject = %s"

    def crossing(tx: Transaction, first: str, second: str) -> None:
        tx.execute(turn, [first])
        met.wait(SECONDS)
        tx.execute(turn, [second])

    def elsewhere() -> None:
        with closing(Store(url)) as other, other.transaction() as tx:
            crossing(tx, "b", "a")

    store.happens = lambda tx: crossing(tx, "a", "b")
    other = Waiting(elsewhere)
    assert core.call(CheckStore())
    try:
        other.result()
    except CrossedError:
        assert len(store.processes) == 3  # it was the other one's turn to begin again
    else:
        assert len(store.processes) == 4


def test_a_bridge_that_stands_still_in_a_transaction_holds_nobody_up_for_long(store: Store) -> None:
    with store.transaction() as tx:
        settings = tx.execute(
            "SELECT current_setting('idle_in_transaction_session_timeout'),"
            " current_setting('lock_timeout'), current_setting('transaction_isolation')"
        ).fetchone()
    assert settings == ("10s", "5s", "read committed")
