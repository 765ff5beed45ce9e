"""Several cores on one database: one message of a call at a time, in order, by whomever."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from bridge.errors import GatewayError, RetryableError
from bridge.model import DeliveryState, Guid, Owner, derive
from bridge.state.commands import AssignCall, PushGuid
from bridge.state.records import ActionAnswer
from tests.core.clock import HeldClock, until
from tests.core.rig import GUID, call, given, reply
from tests.core.running import Running, delivered, running
from tests.core.senders import Sending

CALLS = 4
WRITERS = 3  # to each call at once, through different replicas
EACH = 25  # messages of one writer
HANDOFFS = 200


class Phone:
    """The one gateway of all: notes who speaks in which call, and never lets two."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - dice
        self._speaking: set[str] = set()
        self.crossed: list[str] = []
        self.taken: dict[str, list[str]] = defaultdict(list)  # words of each call, as they came

    def attempt(self, sending: Sending) -> GatewayError | None:
        call_id = sending.delivery.envelope.call_id
        with self._lock:
            if call_id in self._speaking:
                self.crossed.append(sending.words)
            self._speaking.add(call_id)
            pause, refused = self._random.random() / 500, self._random.random() < 0.02
        time.sleep(pause)  # the gateway's own time: others meet it here
        with self._lock:
            self._speaking.discard(call_id)
            if not refused:
                self.taken[call_id].append(sending.words)
        return RetryableError("busy", status=503, retry_after=0.001) if refused else None


@pytest.mark.timeout(240)
def test_whoever_sends_there_is_one_of_a_call_in_flight_and_each_writers_order_is_kept(
    store_url: str,
) -> None:
    phone = Phone(seed=1)
    with running(store_url, *[phone.attempt] * 3) as cores:
        cores[0].core.call(PushGuid(agent_id="291", guid=GUID))
        for number in range(CALLS):
            assigned = AssignCall(assignment=given(f"call-{number}"), owner=Owner.AGENT)
            cores[0].core.call(assigned)

        def write(writer: int) -> None:
            chosen = random.Random(writer)  # noqa: S311 - dice
            for index in range(EACH):
                words = f"{writer}:{index}"
                message = reply(f"call-{writer % CALLS}", words, words)
                chosen.choice(cores).core.call(message)

        with ThreadPoolExecutor(CALLS * WRITERS) as pool:
            list(pool.map(write, range(CALLS * WRITERS)))
        until(cores[0].settled)
        assert {item.state for item in cores[0].all()} == {DeliveryState.DELIVERED}
        assert {item.unknowns for item in cores[0].all()} == {0}
    assert phone.crossed == []
    for number in range(CALLS * WRITERS):
        words = phone.taken[f"call-{number % CALLS}"]
        mine = [each for each in words if each.startswith(f"{number}:")]
        assert mine == [f"{number}:{index}" for index in range(EACH)]


@pytest.mark.timeout(240)
def test_no_handoff_is_answered_pending_because_nothing_was_stored_yet(store_url: str) -> None:
    """Each comes with a token, and Rasa calls both replicas."""
    with running(store_url, delivered, delivered) as cores:
        cores[0].core.call(PushGuid(agent_id="291", guid=GUID))

        def hand_off(number: int) -> list[ActionAnswer]:
            sender = f"customer-{number}"
            asked = call(
                sender,
                brought=given(f"call-{number}", sender=sender),
                at=time.time(),
                wait=30.0,
            )
            first, second = random.Random(number).sample(cores, 2)  # noqa: S311 - dice
            with ThreadPoolExecutor(2) as both:
                answers = [both.submit(each.core.call, asked) for each in (first, second)]
                return [each.result() for each in answers]

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(hand_off, range(HANDOFFS)))
        assert {answer.delivery for pair in answers for answer in pair} == {"delivered"}
        assert all(first == second for first, second in answers)
        assert len(cores[0].all()) == HANDOFFS


# -- a core that has nothing to do -----------------------------------------------------------------


@contextmanager
def idle(url: str, clock: HeldClock) -> Iterator[tuple[Running, Running]]:
    """A core whose clock stands still, and another one that sends nothing."""
    with running(url, delivered, None, clock=clock) as (core, other):
        core.core.call(PushGuid(agent_id="291", guid=GUID))
        core.core.call(AssignCall(assignment=given("A"), owner=Owner.AGENT))
        yield core, other


def wakes(core: Running, clock: HeldClock, words: list[str]) -> None:
    """It is woken by the database, long before it would look by itself."""
    if core.store.dialect == "sqlite":
        clock.move(0.26)  # the version of the file is looked at four times a second
    senders = core.senders
    assert senders is not None
    until(lambda: senders.words == words, lambda: senders.words)


def test_an_idle_core_takes_at_once_what_another_one_stored(store_url: str) -> None:
    clock = HeldClock(time.time())
    with idle(store_url, clock) as (core, other):
        for number in range(3):
            other.core.call(reply("A", f"{number}", f"c-{number}"))
            wakes(core, clock, [str(each) for each in range(number + 1)])
            until(core.settled)


def test_what_waits_for_a_guid_is_taken_by_an_idle_core_when_another_one_brings_it(
    store_url: str,
) -> None:
    clock = HeldClock(time.time())
    with idle(store_url, clock) as (core, other):
        other.core.call(AssignCall(assignment=given("B", agent="292"), owner=Owner.AGENT))
        core.core.call(reply("B"))
        (waiting,) = core.all()
        assert waiting.error is not None
        assert waiting.error.code == "agent_signed_out"
        other.core.call(PushGuid(agent_id="292", guid=Guid(derive("guid")[:8])))
        other.core.call(PushGuid(agent_id="292", guid=GUID))  # what follows is committed by now
        wakes(core, clock, ["hello"])
        until(core.settled)


def test_a_call_that_waits_here_is_answered_by_what_another_core_settled(store_url: str) -> None:
    """Rasa asks this core once more while another one is sending: the answer is the same."""
    clock, go = HeldClock(time.time()), threading.Event()

    def when_told(_: Sending) -> None:
        go.wait(30)

    with (
        idle(store_url, clock) as (core, _),
        running(store_url, when_told) as (sender,),
        ThreadPoolExecutor(2) as pool,
    ):
        asked = call("customer-B", brought=given("B"), at=time.time(), wait=30.0)
        first = pool.submit(sender.core.call, asked)
        until(lambda: sender.senders is not None and sender.senders.words != [])
        second = pool.submit(core.core.call, asked)
        core.core.call(reply("A"))  # it has planned the other by now
        go.set()
        assert first.result(30).delivery == "delivered"
        until(lambda: _stepped(clock, core) and second.done())
        assert second.result() == first.result()


def _stepped(clock: HeldClock, core: Running) -> bool:
    if core.store.dialect == "sqlite":
        clock.move(0.001)
    return True
