"""Several bridges on one database: one message of a call at a time, in order, by whomever."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

import pytest

from bridge.config.settings import BridgeSettings
from bridge.errors import RetryableError
from bridge.model import Delivery, DeliveryError, DeliveryState, Draft, MediaType
from bridge.outbox import worker
from bridge.outbox.worker import Outbox
from bridge.store import Store, deliveries, queue
from tests.making import delivery
from tests.outbox.room import SECONDS

CALLS = 4
WRITERS = 3  # to each call at once, through different replicas
EACH = 25  # messages of one writer


class Phone:
    """The one gateway of all: notes who speaks in which call, and never lets two."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - dice
        self._speaking: set[str] = set()
        self.crossed: list[str] = []
        self.taken: dict[str, list[str]] = defaultdict(list)  # words of each call, as they came

    def send(self, delivery: Delivery, *, timeout: float) -> None:
        assert timeout > 0
        call = delivery.envelope.call_id
        with self._lock:
            if call in self._speaking:
                self.crossed.append(delivery.draft.content)
            self._speaking.add(call)
            pause, refused = self._random.random() / 500, self._random.random() < 0.02
        time.sleep(pause)  # the gateway's own time: others meet it here
        with self._lock:
            self._speaking.discard(call)
            if not refused:
                self.taken[call].append(delivery.draft.content)
        if refused:
            raise RetryableError("busy", status=503, retry_after=0.001)


class Replica:
    """A store and an outbox, as a process of its own would have them."""

    def __init__(self, url: str, phone: Phone) -> None:
        self.store = Store(url)
        settings = BridgeSettings.model_validate({"gateway": {"url": "http://127.0.0.1:9"}})
        self.outbox = Outbox(self.store, phone, settings.delivery)

    def say(self, message: Delivery) -> None:
        """Store it as a handoff does: claimed at once, if nothing of its call is open."""
        reserved = self.outbox.reserve()
        claimed = self.store.write(lambda tx: queue.add(tx, [message], reserved))
        if reserved is not None:
            self.outbox.launch(claimed)

    def all(self) -> list[Delivery]:
        return self.store.read(
            lambda tx: deliveries.listing(
                tx, call_id=None, states=(), agent_id=None, after=0, limit=10_000
            )
        )


@contextmanager
def replicas(url: str, phone: Phone, number: int) -> Iterator[list[Replica]]:
    with ExitStack() as opened:
        made = []
        for _ in range(number):
            replica = Replica(url, phone)
            opened.enter_context(closing(replica.store))
            replica.outbox.start()
            opened.enter_context(closing(replica.outbox))
            made.append(replica)
        yield made


def until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + 4 * SECONDS
    while not met():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def message(number: int, call: str, words: str) -> Delivery:
    now = time.time()
    return delivery(
        number,
        call=call,
        created_at=now,
        due_at=now,
        expires_at=now + 300,
        draft=Draft(MediaType.TEXT, words),
    )


def test_whoever_sends_there_is_one_of_a_call_in_flight_and_each_writers_order_is_kept(
    store_url: str,
) -> None:
    phone = Phone(seed=1)
    with replicas(store_url, phone, 3) as bridges:

        def write(writer: int) -> None:
            call = f"call-{writer % CALLS}"
            chosen = random.Random(writer)  # noqa: S311 - dice
            for index in range(EACH):
                number = writer * EACH + index
                chosen.choice(bridges).say(message(number, call, f"{writer}:{index}"))

        with ThreadPoolExecutor(CALLS * WRITERS) as pool:
            list(pool.map(write, range(CALLS * WRITERS)))
        until(lambda: all(item.state.settled for item in bridges[0].all()))
        assert {item.state for item in bridges[0].all()} == {DeliveryState.DELIVERED}
    assert phone.crossed == []
    for number in range(CALLS * WRITERS):
        words = phone.taken[f"call-{number % CALLS}"]
        mine = [each for each in words if each.startswith(f"{number}:")]
        assert mine == [f"{number}:{index}" for index in range(EACH)]


def test_an_idle_bridge_takes_at_once_what_another_one_stored(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_LONGEST_REST", 600.0)  # only the bell can wake it
    phone = Phone(seed=2)
    with replicas(store_url, phone, 1), closing(Store(store_url)) as elsewhere:
        for number in range(3):
            call = f"call-{number}"
            late = message(number, call, "hello")
            elsewhere.write(lambda tx, late=late: queue.add(tx, [late]))  # type: ignore[misc]
            until(lambda call=call: phone.taken[call] == ["hello"])  # type: ignore[misc]


def test_what_waits_for_a_guid_is_taken_by_an_idle_bridge_when_another_one_brings_it(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_LONGEST_REST", 600.0)
    phone = Phone(seed=3)
    with closing(Store(store_url)) as elsewhere:
        signed_out = DeliveryError("agent_signed_out", "")
        late = replace(message(1, "A", "hello"), due_at=time.time() + 600, error=signed_out)
        with replicas(store_url, phone, 1):
            elsewhere.write(lambda tx: queue.add(tx, [replace(late, error=None)]))
            (stored,) = elsewhere.read(lambda tx: deliveries.of_reply(tx, late.reply_key))
            among = [DeliveryState.WAITING]
            elsewhere.write(lambda tx: deliveries.move(tx, stored.seq, late, among=among))
            elsewhere.write(lambda tx: queue.wake(tx, "291", now=time.time()))
            until(lambda: phone.taken["A"] == ["hello"])
