"""A bridge while the gateway is down, hangs, or is only bad for one call; and when it is back."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

from bridge.core.breaker import FAILURES, State
from bridge.model import CallId, DeliveryState, Owner
from bridge.state.commands import SendReply
from bridge.state.records import AssignmentRecord
from tests.gateway.rig import Rig, fresh, settings, until
from tests.making import assignment, envelope
from tests.simulator.harness import Simulator

CALLS = 12


@pytest.fixture
def rig(gateway: Simulator, store_url: str) -> Iterator[Rig]:
    """A bridge that has sent a message already."""
    with Rig(store_url, settings(gateway.url, gateway={"read_timeout": 0.5})) as opened:
        opened.send(fresh(0, call="first"))
        gateway.wait_for(messages=1)
        opened.settled(1)
        yield opened


def open_it(rig: Rig) -> None:
    """Three messages for each of some calls, all of which fail."""
    rig.send(*(fresh(number, call=f"call-{number % CALLS}") for number in range(1, 3 * CALLS + 1)))
    until(lambda: not rig.core.breaker.closed)


def assert_all_arrived_in_order(rig: Rig, gateway: Simulator) -> None:
    rig.settled(1 + 3 * CALLS)
    rig.wait(lambda batch: all(item.state is DeliveryState.DELIVERED for item in batch))
    for number in range(CALLS):
        got = [message["text"] for message in gateway.messages(call=f"call-{number}")]
        first = number or CALLS
        assert got == [f"message {first + CALLS * part}" for part in range(3)]


def test_busy_for_all_it_is_asked_now_and_then_and_all_goes_when_it_is_back(
    rig: Rig, gateway: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bridge.core.claiming")
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    open_it(rig)
    assert rig.core.breaker.state is not State.CLOSED
    given = assignment(sender_id="other", call_id=CallId("other"))
    rig.keep(assignments=[AssignmentRecord(given, Owner.AGENT, "http", time.time())])
    reply = SendReply(call_id="other", text="Hello", client_id="c", agent_id=None)
    (born,) = rig.core.call(reply).value
    assert born.state is DeliveryState.WAITING  # nor is anything claimed at birth
    until(lambda: rig.free == rig.core._in_flight.workers)  # what was on its way before
    before = len(gateway.recorded(operation="send_message"))
    gateway.wait_for(requests=before + 2, operation="send_message")  # two probes
    probes = gateway.recorded(operation="send_message")[before:]
    assert len({probe["call"] for probe in probes}) == len(probes)  # of different calls
    gateway.clear_faults()
    began = time.monotonic()
    assert_all_arrived_in_order(rig, gateway)
    assert time.monotonic() - began < 8  # the next probe, and then everything at once
    gateway.wait_for(messages=1 + 3 * CALLS + 1)
    assert rig.core.breaker.closed
    said = [line for line in caplog.messages if line.startswith("The gateway ")]
    assert [line.split(":")[0] for line in said] == [
        "The gateway is unavailable",
        "The gateway is available again",
    ]


def test_a_gateway_that_hangs_holds_one_worker_and_doubles_nothing(
    rig: Rig, gateway: Simulator
) -> None:
    hang = gateway.fault("hang", path="*sendmessage", seconds=60, taken=False, times=None)
    open_it(rig)
    workers = rig.core._in_flight.workers
    until(lambda: rig.free == workers)
    probes = rig.core.breaker.probes
    busiest = 0
    while rig.core.breaker.probes < probes + 2:
        busiest = max(busiest, workers - rig.free)
        time.sleep(0.01)
    assert busiest <= 1
    gateway.clear_faults(hang)
    assert_all_arrived_in_order(rig, gateway)
    assert len({message["code"] for message in gateway.messages()}) == 1 + 3 * CALLS


def test_refused_connections_and_back_on_the_same_port(rig: Rig, gateway: Simulator) -> None:
    gateway.refuse(2.5)
    open_it(rig)
    assert_all_arrived_in_order(rig, gateway)
    assert not any(message["repeated"] for message in gateway.messages())


def test_one_poisoned_call_cannot_keep_it_open(rig: Rig, gateway: Simulator) -> None:
    poison = gateway.fault("status", path="*sendmessage", status=503, call="call-1", times=None)
    down = gateway.fault("status", path="*sendmessage", status=503, times=None)
    open_it(rig)
    gateway.clear_faults(down)
    gateway.wait_for(messages=1 + 3 * (CALLS - 1), timeout=15)
    assert rig.core.breaker.closed
    gateway.clear_faults(poison)
    assert_all_arrived_in_order(rig, gateway)


def test_one_bad_call_among_good_ones_never_opens_it(rig: Rig, gateway: Simulator) -> None:
    gateway.fault("status", path="*sendmessage", status=503, call="bad", times=None)
    rig.send(fresh(1, call="bad"))
    for number in range(2, 12):
        rig.send(fresh(number, call=f"good-{number}"))
        gateway.wait_for(messages=number)
        assert rig.core.breaker.closed
    gateway.wait_for(requests=11 + FAILURES, operation="send_message", timeout=30)
    assert rig.core.breaker.closed


def test_what_becomes_too_old_meanwhile_expires_in_time(rig: Rig, gateway: Simulator) -> None:
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    open_it(rig)
    begun = time.monotonic()
    rig.send(
        *(fresh(number, call=f"late-{number}", lasts=3) for number in range(100, 120)),
        fresh(120, call="late-100", lasts=3.2),
    )
    rig.wait(lambda batch: sum(item.state is DeliveryState.EXPIRED for item in batch) == 21)
    assert 2.9 < time.monotonic() - begun < 9
    assert not rig.core.breaker.closed
    assert gateway.messages(call="late-100") == []


def test_agents_who_cannot_be_signed_in_open_it_too(gateway: Simulator, store_url: str) -> None:
    agents = [str(number) for number in range(300, 300 + FAILURES)]
    entry = {"session": "sign_in", "password": "x", "phone": "1"}
    given = settings(gateway.url, agents=dict.fromkeys(agents, entry))
    fault = gateway.fault("status", method="PUT", path="onlineagent/*", status=503, times=None)
    with Rig(store_url, given) as rig:
        rig.send(
            *(
                fresh(int(agent), envelope=envelope(agent_id=agent, call_id=f"call-{agent}"))
                for agent in agents
            )
        )
        until(lambda: not rig.core.breaker.closed)
        gateway.clear_faults(fault)
        gateway.wait_for(messages=len(agents))
        assert rig.core.breaker.closed


def test_a_stop_waits_a_while_for_a_poll_that_hangs_and_gives_the_agent_back(
    gateway: Simulator, store_url: str
) -> None:
    gateway.fault("hang", path="agentevent/*", seconds=60, taken=False, times=None)
    with Rig(store_url, settings(gateway.url), last_poll=0.5) as rig:
        rig.send(fresh(1))
        gateway.wait_for(requests=1, operation="poll")
        rig.settled(1)
        began = time.monotonic()
        rig.core.stop_polling()
    assert 0.4 < time.monotonic() - began < 5
    with Rig(store_url, settings(gateway.url), last_poll=0.5):
        gateway.wait_for(requests=2, operation="poll", timeout=2)  # no lease of sixty seconds
        gateway.clear_faults()
