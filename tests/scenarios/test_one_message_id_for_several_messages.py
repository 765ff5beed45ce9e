"""A Rasa connector that gives different messages the same ID: each is answered by what is true."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bridge.state.commands import SAME_ID
from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import Office, message
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines

BOT_PLEASE = "bot please"


def asked(text: str = "I want a human", number: int = 1) -> dict[str, Any]:
    """A new message; its time is that of the call."""
    return message(text, number=number, at=time.time())


def hand_back(office: Office) -> None:
    answered = office.call(message(BOT_PLEASE, intent="bot", at=time.time()), "action_handback")
    assert answered.slots["handoff_state"] == "bot"
    assert office.record().owner.value == "bot"


@pytest.mark.parametrize("text", ["I want a human", "An agent, please!"])
def test_after_a_handback_another_message_hands_off_again(
    office: Office, gateway: Simulator, text: str
) -> None:
    first = asked()
    before = office.call(first)
    hand_back(office)
    assert office.call(first) == before  # a repeated request: the same answer, nothing is sent
    assert office.record().owner.value == "bot"
    second = asked(text)
    after = office.call(second)
    assert after.slots["handoff_delivery"] == "delivered"
    assert office.call(second) == after
    assert office.record().owner.value == "agent"
    assert len({sent["code"] for sent in gateway.messages()}) == len(gateway.messages()) == 2


def test_what_was_refused_at_first_is_possible_once_there_is_an_assignment(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office()
    first = asked()
    assert office.call(first).slots["handoff_error"] == "no_assignment"
    office.assign()
    assert office.call(first).slots["handoff_error"] == "no_assignment"
    assert office.call(asked()).slots["handoff_delivery"] == "delivered"
    assert len(gateway.messages()) == 1


def test_another_call_of_the_same_customer_is_another_message(
    office: Office, gateway: Simulator
) -> None:
    office.call(asked())
    office.end()
    office.assign(call_id="another-call")
    assert office.call(asked()).slots["handoff_call_id"] == "another-call"
    assert [sent["call"] for sent in gateway.messages()][-1] == "another-call"
    assert len(gateway.messages()) == 2


def test_while_the_agent_has_the_call_only_the_slots_are_repeated(
    office: Office, gateway: Simulator
) -> None:
    first = office.call(asked())
    assert office.call(asked("Where are you?")).slots == first.slots
    assert len(gateway.messages()) == 1


def test_a_message_under_a_used_id_supersedes_what_the_former_one_was_offered(
    open_office: OpenOffice,
) -> None:
    rule = {"intent": "ask_price", "reply": "utter_handoff_unavailable"}
    office = open_office({"handoff": {"then": "assist"}, "assist": {"when": [rule]}})
    office.assign()
    office.call(asked())
    for text in ("How much?", "And to Austria?"):
        office.call(message(text, intent="ask_price", number=2, at=time.time()))
    call_id = office.record().assignment.call_id
    found = office.runtime.suggestions.listing(
        call_id=call_id, state=None, agent_id=None, cursor=None, limit=10
    )
    assert [item.state.value for item in found.items] == ["superseded", "offered"]


def test_an_id_for_everything_is_refused_in_the_end(office: Office, gateway: Simulator) -> None:
    for _ in range(SAME_ID):
        assert office.call(asked()).slots["handoff_delivery"] == "delivered"
        hand_back(office)
    assert office.call(asked()).slots["handoff_error"] == "rejected"
    assert len(gateway.messages()) == SAME_ID
