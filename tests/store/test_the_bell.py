"""What one process stores is heard by the others, without their looking."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bridge.store import Store, Tx, deliveries, queue
from tests.making import NOW, delivery
from tests.postgres import PostgresServer

PATIENCE = 20.0  # seconds; what is awaited comes within milliseconds


class Ear:
    """Listens to one store."""

    def __init__(self, url: str) -> None:
        self.store = Store(url)
        self._heard = threading.Event()
        self.store.listen(self._heard.set)
        assert self.hears()  # once at the beginning: something may have been stored before

    def hears(self) -> bool:
        heard = self._heard.wait(PATIENCE)
        self._heard.clear()
        return heard

    def hears_nothing(self) -> bool:
        return not self._heard.wait(0.2)


@pytest.fixture
def ear(store_url: str) -> Iterator[Ear]:
    made = Ear(store_url)
    yield made
    made.store.close()


def store_one(store: Store, number: int = 1) -> None:
    store.write(lambda tx: queue.add(tx, [delivery(number)]))


def test_another_process_hears_what_was_stored(store: Store, ear: Ear) -> None:
    store_one(store)
    assert ear.hears()


def test_it_hears_only_what_was_committed(store: Store, ear: Ear) -> None:
    store_one(store)
    assert ear.hears()

    def fails(tx: Tx) -> None:
        queue.add(tx, [delivery(2)])
        raise KeyError

    with pytest.raises(KeyError):
        store.write(fails)
    assert ear.hears_nothing()


def test_a_persons_retry_is_heard(store: Store, ear: Ear) -> None:
    store_one(store)
    assert ear.hears()
    waiting = delivery(1)
    states = (waiting.state,)
    assert store.write(lambda tx: deliveries.move(tx, 1, waiting, among=states))
    assert ear.hears()


def test_after_the_database_came_back_it_listens_again_and_looks_at_once() -> None:
    with PostgresServer() as server, server.database() as url:
        store, ear = Store(url), Ear(url)
        store_one(store)
        assert ear.hears()
        server.stop()
        server.start()
        store.write(lambda tx: queue.add(tx, [delivery(2, due_at=NOW)]))
        assert ear.hears()
        listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        while server.execute(listening) == [(0,)]:
            assert ear.hears()
        ear.hears()
        store_one(store, 3)
        assert ear.hears()
        ear.store.close()
        store.close()
