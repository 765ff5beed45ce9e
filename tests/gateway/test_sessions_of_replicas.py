"""Several bridges on one database share an agent's session: one signs in, and one polls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from bridge.core.clock import Clock
from bridge.store import Store, lists
from tests.gateway.rig import Rig, fresh, settings, until
from tests.simulator.harness import Simulator
from tests.store.machine import keep

pytestmark = pytest.mark.both_engines

ELSEWHERE = "another-machine.0123456789ab:17:0123456789abcdef"


class Ahead(Clock):
    """The machine's clock, which the test sets ahead: then all is looked for that is looked for now
    and then."""

    def __init__(self) -> None:
        self.by = 0.0

    def now(self) -> float:
        return time.time() + self.by


@pytest.fixture
def clock() -> Ahead:
    """That of all bridges."""
    return Ahead()


@pytest.fixture
def bridges(gateway: Simulator, store_url: str, clock: Ahead) -> Iterator[list[Rig]]:
    with ExitStack() as opened:
        yield [
            opened.enter_context(Rig(store_url, settings(gateway.url), clock=clock))
            for _ in range(3)
        ]


def poller_of(rig: Rig) -> str | None:
    session = rig.session("291")
    return session.poller if session is not None else None


def polling(bridges: list[Rig]) -> list[Rig]:
    return [rig for rig in bridges if rig.core.name == poller_of(rig)]


def test_three_bridges_make_one_sign_in_and_one_of_them_polls(
    gateway: Simulator, bridges: list[Rig]
) -> None:
    for number in range(12):
        bridges[number % 3].send(fresh(number, call=f"call-{number}"))
    gateway.wait_for(messages=12)
    gateway.wait_for(requests=3, operation="poll")
    assert len(gateway.recorded(operation="sign_in")) == 1
    assert len(polling(bridges)) == 1
    gateway.expire("291")
    for number in range(12, 24):
        bridges[number % 3].send(fresh(number, call=f"call-{number}"))
    gateway.wait_for(messages=24)
    assert len(gateway.recorded(operation="sign_in")) == 2
    assert gateway.state()["violations"] == []


def test_when_the_one_that_polls_stops_another_goes_on(
    gateway: Simulator, bridges: list[Rig], clock: Ahead
) -> None:
    bridges[0].send(fresh(1))
    gateway.wait_for(messages=1)
    gateway.wait_for(requests=1, operation="poll")
    (first,) = polling(bridges)
    first.core.stop_polling()
    until(lambda: poller_of(first) != first.core.name)
    polls = len(gateway.recorded(operation="poll"))
    clock.by = 6
    gateway.wait_for(requests=polls + 3, operation="poll")
    (second,) = polling(bridges)
    assert second is not first
    gateway.event("291", "AgentOther_Anything")
    gateway.wait_for(requests=polls + 5, operation="poll")
    assert len(gateway.recorded(operation="sign_in")) == 1


def test_one_that_died_on_another_machine_is_followed_when_its_lease_is_over_and_not_before(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        gateway.wait_for(messages=1)
    store = Store(store_url)
    over = time.time() + 1.0
    session = store.read(lambda tx: lists.session(tx, "291"))
    assert session is not None
    keep(store, sessions=[replace(session, poller=ELSEWHERE, poller_until=over)])
    store.close()
    gateway.wait_for(requests=1, operation="poll")
    polls = len(gateway.recorded(operation="poll"))
    with Rig(store_url, settings(gateway.url)) as rig:
        gateway.wait_for(requests=polls + 2, operation="poll")
        assert time.time() > over
        assert poller_of(rig) == rig.core.name
    assert len(gateway.recorded(operation="sign_in")) == 1
