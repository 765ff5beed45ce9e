"""A handoff that cannot be made tells the customer so; one that may be made is not taken back."""

from __future__ import annotations

import socket
import time

import pytest

from bridge.config.settings import Settings
from bridge.errors import RefusedError
from bridge.model import Channel, DeliveryState, Reply
from bridge.planners import Rules
from bridge.store import lists
from bridge.translate import Room, Translation, Translator
from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import Answered, Office, message
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines


def assert_unavailable(answered: Answered, word: str) -> None:
    assert answered.slots == {
        "handoff_state": "bot",
        "handoff_agent_id": None,
        "handoff_call_id": None,
        "handoff_delivery": "none",
        "handoff_error": word,
    }
    assert answered.kinds == []
    assert [item["text"] for item in answered.messages] == ["Nobody is there."]


def owner(office: Office) -> str | None:
    record = office.runtime.store.read(lambda tx: lists.latest_assignment(tx, "sender"))
    return record.owner.value if record else None


def test_without_an_assignment_nothing_is_promised(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    assert_unavailable(open_office().call(message(), "action_human_handoff"), "no_assignment")
    assert gateway.recorded() == []


def test_after_the_call_has_ended(office: Office, gateway: Simulator) -> None:
    assert office.end()
    assert_unavailable(office.call(message()), "closed")
    assert gateway.recorded() == []


def test_an_agent_without_a_session_at_its_desktop(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office(delivery={"wait": 0.3})
    office.assign(agent_id="292")
    assert_unavailable(office.call(message()), "agent_signed_out")
    assert gateway.recorded() == []
    assert owner(office) == "bot"
    # The promise was not made, so nothing of it may arrive later.
    office.push_guid("292", gateway.sign_in("292"))
    assert [item.state for item in office.deliveries()] == [DeliveryState.FAILED]
    assert gateway.messages() == []


def test_a_sign_in_that_is_refused(open_office: OpenOffice, gateway: Simulator) -> None:
    gateway.settings(agents={"291": "another-password"})
    office = open_office(delivery={"wait": 1})
    office.assign()
    assert_unavailable(office.call(message()), "agent_signed_out")


def test_a_gateway_that_cannot_be_reached(open_office: OpenOffice) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    office = open_office(url=url, delivery={"wait": 0.5})
    office.assign()
    begun = time.monotonic()
    assert_unavailable(office.call(message()), "gateway_unreachable")
    assert time.monotonic() - begun < 3


def test_a_gateway_that_refuses_for_good(office: Office, gateway: Simulator) -> None:
    gateway.fault("retcode", path="*sendmessage", retcode="106-001", times=None)
    begun = time.monotonic()
    assert_unavailable(office.call(message()), "rejected")
    assert time.monotonic() - begun < 1.5  # it need not wait any longer
    assert owner(office) == "bot"


def test_a_slow_gateway_makes_the_handoff_pending_and_it_stands(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    gateway.fault("delay", path="*sendmessage", ms=900)
    office = open_office(delivery={"wait": 0.3})
    office.assign()
    answered = office.call(message())
    assert answered.slots["handoff_state"] == "handoff"
    assert answered.slots["handoff_delivery"] == "pending"
    assert answered.kinds == ["action_listen", "pause"]
    gateway.wait_for(messages=1)
    assert owner(office) == "agent"


def test_a_gateway_that_is_busy_makes_it_pending(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    gateway.fault("status", path="*sendmessage", status=503, times=2)
    office = open_office(delivery={"wait": 0.2})
    office.assign()
    assert office.call(message()).slots["handoff_delivery"] == "pending"
    gateway.wait_for(messages=1)


def test_pending_and_never_delivered_is_handed_back(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    office = open_office(delivery={"wait": 0.2, "expire_after": 1.0})
    office.assign()
    assert office.call(message()).slots["handoff_delivery"] == "pending"
    until = time.monotonic() + 10
    while owner(office) == "agent" and time.monotonic() < until:
        gateway.wait_for(requests=len(gateway.recorded()))
    assert owner(office) == "bot"
    assert [item.state for item in office.deliveries()] == [DeliveryState.EXPIRED]


def test_a_response_that_the_domain_lacks_is_said_in_plain_words(
    open_office: OpenOffice,
) -> None:
    answered = open_office().call(message(), domain={"responses": {}})
    assert answered.slots["handoff_error"] == "no_assignment"
    assert answered.messages[0]["text"].startswith("Sorry")


class BrokenTranslator(Translator):
    """Fails in a way that nobody foresaw."""

    def translate(self, reply: Reply, channel: Channel, room: Room) -> Translation:
        raise RuntimeError(f"I want a human: {reply} {channel} {room}")


def broken(settings: Settings) -> Rules:
    return Rules.of(settings.bridge, settings.designer, BrokenTranslator(settings.media))


@pytest.mark.parametrize("action", ["action_bridge", "action_human_handoff"])
def test_a_bridge_that_cannot_work_raises_nothing_into_rasa(
    open_office: OpenOffice, action: str
) -> None:
    office = open_office(rules=broken)
    office.assign()
    answered = office.call(message(), action)
    assert answered.slots["handoff_error"] == "not_configured"
    # Only who asked for a person by name was waiting for one.
    told = [item["text"] for item in answered.messages]
    assert told == (["Nobody is there."] if action == "action_human_handoff" else [])


def test_a_channel_without_a_configuration_id_is_refused_at_the_assignment(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office()
    with pytest.raises(RefusedError, match="add the channel to channel_config_ids") as raised:
        office.assign(channel="WHATSAPP")
    assert (raised.value.status, raised.value.code) == (422, "invalid_assignment")
    # It was not stored, so a handoff finds none.
    assert_unavailable(office.call(message()), "no_assignment")
    assert gateway.recorded() == []
