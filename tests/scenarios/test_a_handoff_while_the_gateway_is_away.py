"""While the breaker is open a handoff is stored and promised; only what was tried is refused."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest

from bridge.errors import RefusedError
from bridge.model import Delivery, DeliveryState, Owner
from bridge.state.commands import DiscardDelivery
from tests.gateway.rig import until
from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import Answered, Office, message
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines


def hand_off(office: Office, name: str, agent_id: str) -> Answered:
    """Somebody new asks for a person."""
    office.assign(name, agent_id=agent_id, call_id=f"call-{name}")
    return office.call(message(sender=name))


def open_the_breaker(office: Office, agent_id: str) -> set[str | None]:
    """Somebody asks until it is open; the errors they were told."""
    told = set()
    for number in range(20):
        told.add(hand_off(office, f"early-{number}", agent_id).slots["handoff_error"])
        if not office.service.core.breaker.closed:
            return told
    pytest.fail("the breaker stayed closed")


def of(office: Office, name: str) -> Delivery:
    return next(item for item in office.deliveries() if item.sender_id == name)


def nothing_waits(office: Office) -> bool:
    """Discard what is pending; whether that was all."""
    left = [item for item in office.deliveries() if not item.state.settled]
    for item in left:
        with suppress(RefusedError):  # it is being sent just now
            office.runtime.core.call(DiscardDelivery(delivery_id=item.seq, agent_id=None))
    return not left


def test_what_was_not_tried_is_pending_and_goes_when_the_gateway_is_back(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office(delivery={"wait": 0.2})
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    assert open_the_breaker(office, "291") == {None}
    answered = hand_off(office, "late", "291")
    assert answered.slots["handoff_state"] == "handoff"
    assert answered.slots["handoff_delivery"] == "pending"
    assert answered.kinds == ["action_listen", "pause"]
    if of(office, "late").attempts == 0:  # else it happened to be the probe
        assert gateway.recorded(operation="send_message", call="call-late") == []
    gateway.clear_faults()
    until(lambda: of(office, "late").state is DeliveryState.DELIVERED)
    until(lambda: {item.state for item in office.deliveries()} == {DeliveryState.DELIVERED})
    codes = [item["code"] for item in gateway.messages()]
    assert len(codes) == len(set(codes)) == len(office.deliveries())


def test_what_could_not_connect_is_refused_also_as_a_probe(open_office: OpenOffice) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    office = open_office(url=url, delivery={"wait": 0.3})
    office.push_guid("292", "a-guid.AgentGateway0")
    # One that is being tried again when it is judged is pending.
    assert (
        {"gateway_unreachable"} <= open_the_breaker(office, "292") <= {"gateway_unreachable", None}
    )
    until(lambda: nothing_waits(office))
    core = office.service.core
    until(lambda: core.breaker.due(time.time()))
    tried = hand_off(office, "tried", "292")
    assert of(office, "tried").attempts == 1
    assert tried.slots["handoff_error"] == "gateway_unreachable"
    assert tried.slots["handoff_state"] == "bot"
    untried = hand_off(office, "untried", "292")
    assert of(office, "untried").attempts == 0
    assert untried.slots["handoff_delivery"] == "pending"
    assert untried.slots["handoff_error"] is None


def test_a_pending_one_that_becomes_too_old_meanwhile_is_handed_back(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office(delivery={"wait": 0.1, "expire_after": 4})
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    open_the_breaker(office, "291")
    assert hand_off(office, "late", "291").slots["handoff_delivery"] == "pending"
    until(lambda: of(office, "late").state is DeliveryState.EXPIRED)
    assert office.runtime.calls.call("call-late").record.owner is Owner.BOT
    assert not office.service.core.breaker.closed
