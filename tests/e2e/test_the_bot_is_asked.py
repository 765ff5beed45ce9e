"""A real bot is asked what it would say to a message that Rasa has not seen, without effects."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.e2e import bridges, words
from tests.e2e.harness import Customer, Stage
from tests.e2e.programs import eventually

pytestmark = pytest.mark.e2e

OWN_ACTIONS = ("action_bridge", "action_agent_assist", "action_human_handoff")


@pytest.fixture
def asked(stage: Stage) -> Customer:
    """A customer whose conversation Rasa knows, and whose call an agent has."""
    customer = stage.customer(bridges.ASKING)
    customer.is_assigned(owner="agent")
    assert customer.says("hello") == [words.GREET]
    return customer


def writes(customer: Customer, text: str) -> None:
    """The customer writes on the gateway's channel."""
    body = {"from": "customer", "text": text, "message_id": uuid.uuid4().hex}
    customer.bridge.ask("POST", f"/calls/{customer.call_id}/messages", body)


def offered(customer: Customer) -> list[str]:
    return [one["text"] for one in customer.agent.is_offered(1)]


def note(customer: Customer) -> dict[str, Any]:
    """What the agent is told of the bot, once there is something."""
    assert eventually(lambda: "bot_note" in customer.call(), 20.0), customer.call()
    found: dict[str, Any] = customer.call()["bot_note"]
    return found


def nothing_happened(customer: Customer, before: list[Any]) -> None:
    assert customer.tracker()["events"] == before
    assert [customer.webhooks(action) for action in OWN_ACTIONS] == [[], [], []]
    assert customer.messages() == []


def test_the_bots_answer_is_predicted(asked: Customer) -> None:
    before = asked.tracker()["events"]
    writes(asked, "What is the price?")
    assert offered(asked) == [words.PRICE]
    nothing_happened(asked, before)
    (suggestion,) = asked.agent.offered()
    assert suggestion["source"]["intent"] == "ask_price"
    asked.agent.accepts(suggestion)
    assert words.PRICE in asked.gets(1)[0]["text"]


def test_an_action_of_the_bridge_has_no_effect_in_a_prediction(asked: Customer) -> None:
    before = asked.tracker()["events"]
    writes(asked, "What is the dish of the day?")
    assert offered(asked)[0].startswith(words.DISH)
    nothing_happened(asked, before)


def test_a_reply_that_a_rule_names_is_taken_from_the_domain(asked: Customer) -> None:
    before = asked.tracker()["events"]
    writes(asked, "When do you open?")
    assert offered(asked) == [words.HOURS]
    nothing_happened(asked, before)


def test_before_an_action_that_is_not_listed_it_stops(asked: Customer) -> None:
    before = asked.tracker()["events"]
    writes(asked, "What is the weather?")
    assert note(asked)["text"] == "The bot would now run action_default_fallback."
    assert asked.agent.offered() == []
    nothing_happened(asked, before)


def test_a_listed_form_is_run_in_a_conversation_of_its_own(asked: Customer) -> None:
    before = asked.tracker()["events"]
    writes(asked, "I want to book")
    assert offered(asked) == [words.ASK_PARTY_SIZE]
    nothing_happened(asked, before)
    assert asked.tracker()["active_loop"] == {}
    assert asked.says("What is the price?") == [words.PRICE]  # the form is not active here


@pytest.mark.parametrize("text", ["/restart", " /booking"])
def test_a_text_that_begins_with_a_slash_changes_nothing(asked: Customer, text: str) -> None:
    before = asked.tracker()["events"]
    writes(asked, text)
    writes(asked, "What is the price?")
    assert offered(asked) == [words.PRICE]
    nothing_happened(asked, before)


def test_rasa_need_not_know_the_conversation(stage: Stage) -> None:
    customer = stage.customer(bridges.ASKING)
    customer.is_assigned(owner="agent")
    writes(customer, "What is the price?")
    assert offered(customer) == [words.PRICE]
    path = f"/conversations/{customer.sender_id}/story"  # a tracker would be made
    with pytest.raises(AssertionError, match="404"):
        stage.rasa("GET", path)
