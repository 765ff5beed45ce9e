"""An outbox on a real store with a gateway that does as it is told, and a clock that is set."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from bridge.config.settings import BridgeSettings
from bridge.model import Delivery
from bridge.outbox.worker import Outbox
from bridge.store import Store, deliveries, queue
from tests.making import NOW, delivery

SECONDS = 15.0  # that a test waits


class Clock:
    """Seconds since the epoch: they go by, and can be set."""

    def __init__(self) -> None:
        self._offset = NOW - time.monotonic()

    def __call__(self) -> float:
        return time.monotonic() + self._offset

    def leap(self, seconds: float) -> None:
        self._offset += seconds


class Gateway:
    """Notes what it is sent, and does with each message what the test says."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []
        self.does: Callable[[Delivery], object] = lambda _: None

    def send(self, delivery: Delivery, *, timeout: float) -> None:
        assert 0 < timeout < 10
        self.sent.append(delivery)
        self.does(delivery)

    @property
    def words(self) -> list[str]:
        return [item.draft.content for item in self.sent]


class OutboxRoom:
    """The outbox at work."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = Clock()
        self.gateway = Gateway()
        settings = BridgeSettings.model_validate({"gateway": {"url": "http://127.0.0.1:9"}})
        self.outbox = Outbox(store, self.gateway, settings.delivery, clock=self.clock)

    def fresh(self, number: int, **changes: object) -> Delivery:
        """A delivery that is stored now."""
        now = self.clock()
        made = delivery(number, created_at=now, due_at=now, expires_at=now + 300)
        return replace(made, **changes)  # type: ignore[arg-type]

    def add(self, *batch: Delivery) -> None:
        self.store.write(lambda tx: queue.add(tx, batch))
        self.outbox.ring()

    def all(self) -> list[Delivery]:
        return self.store.read(
            lambda tx: deliveries.listing(
                tx, call_id=None, states=(), agent_id=None, after=0, limit=1000
            )
        )

    def until(self, met: Callable[[], bool]) -> None:
        """Wait for something that happens in other threads."""
        end = time.monotonic() + SECONDS
        while not met():
            assert time.monotonic() < end, [
                (item.id, item.state, item.error) for item in self.all()
            ]
            threading.Event().wait(0.01)

    def settled(self) -> list[Delivery]:
        """Wait until all are settled."""
        self.until(lambda: all(item.state.settled for item in self.all()))
        return self.all()


@contextmanager
def at_work(store: Store) -> Iterator[OutboxRoom]:
    room = OutboxRoom(store)
    room.outbox.start()
    try:
        yield room
    finally:
        room.outbox.close()
