"""PostgreSQL goes away and comes back while the outbox is at work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from bridge.model import CallId, DeliveryState
from bridge.store import Store
from tests.making import envelope
from tests.outbox.room import OutboxRoom, at_work
from tests.postgres import PostgresServer


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own, to be stopped."""
    with PostgresServer() as started:
        yield started


@pytest.fixture
def room(server: PostgresServer) -> Iterator[OutboxRoom]:
    with server.database() as url, closing(Store(url)) as store, at_work(store) as made:
        yield made


def test_what_was_stored_before_goes_when_it_is_back(
    server: PostgresServer, room: OutboxRoom
) -> None:
    reached, go = threading.Event(), threading.Event()

    def first(_: object) -> None:
        reached.set()
        go.wait(10)

    room.gateway.does = first
    room.add(room.fresh(1), room.fresh(2), room.fresh(3))
    assert reached.wait(10)
    server.kill()
    room.gateway.does = lambda _: None
    go.set()  # the gateway took it, and there is nothing to store that in
    room.until(lambda: bool(room.outbox._outcomes.owed()))
    server.start()
    done = room.settled()
    assert [item.state for item in done] == [DeliveryState.DELIVERED] * 3
    assert [item.attempts for item in done] == [1, 1, 1]
    assert room.gateway.words == ["message 1", "message 2", "message 3"]


def test_ten_restarts_lose_and_double_nothing(server: PostgresServer, room: OutboxRoom) -> None:
    for number in range(10):
        other = envelope(call_id=CallId(f"call-{number}"))
        room.add(room.fresh(2 * number), room.fresh(2 * number + 1, envelope=other))
        server.stop()
        server.start()
    done = room.settled()
    assert [item.state for item in done] == [DeliveryState.DELIVERED] * 20
    assert sorted(room.gateway.words) == sorted(f"message {number}" for number in range(20))
    one_call = [f"message {number}" for number in range(0, 20, 2)]
    assert [words for words in room.gateway.words if words in one_call] == one_call
