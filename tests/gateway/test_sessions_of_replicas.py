"""Several bridges on one database share an agent's session: one signs in, and one polls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bridge.gateway import events as keeping
from bridge.model import Delivery
from bridge.store import Store, sessions
from tests.gateway.rig import Rig, settings
from tests.making import delivery
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines

ELSEWHERE = "another-machine.0123456789ab:17:0123456789abcdef"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for abandoned sessions more often than every five seconds."""
    monkeypatch.setattr(keeping, "_WATCH", 0.05)


@pytest.fixture
def bridges(gateway: Simulator, store_url: str) -> Iterator[list[Rig]]:
    with ExitStack() as opened:
        yield [opened.enter_context(Rig(store_url, settings(gateway.url))) for _ in range(3)]


def fresh(number: int, **changes: Any) -> Delivery:
    now = time.time()
    return delivery(number, created_at=now, due_at=now, expires_at=now + 300, **changes)


def keeper_of(rig: Rig) -> str | None:
    def query(tx: Any) -> str | None:
        found: str | None = tx.exec_driver_sql(
            "SELECT keeper FROM sessions WHERE agent_id = '291'"
        ).scalar()
        return found

    return rig.store.read(query)


def polling(bridges: list[Rig]) -> list[Rig]:
    return [rig for rig in bridges if rig.keeper._name == keeper_of(rig)]


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
    gateway: Simulator, bridges: list[Rig]
) -> None:
    bridges[0].send(fresh(1))
    gateway.wait_for(messages=1)
    gateway.wait_for(requests=1, operation="poll")
    (first,) = polling(bridges)
    first.keeper.close()
    polls = len(gateway.recorded(operation="poll"))
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
    store.write(lambda tx: sessions.claim_keeping(tx, "291", ELSEWHERE, now=over - 60, seconds=60))
    store.close()
    gateway.wait_for(requests=1, operation="poll")
    polls = len(gateway.recorded(operation="poll"))
    with Rig(store_url, settings(gateway.url)) as rig:
        gateway.wait_for(requests=polls + 2, operation="poll")
        assert time.time() > over
        assert keeper_of(rig) == rig.keeper._name
    assert len(gateway.recorded(operation="sign_in")) == 1
