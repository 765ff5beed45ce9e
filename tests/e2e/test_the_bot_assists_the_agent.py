"""The agent has the conversation, and the bot goes on to help: what it would say is offered."""

from __future__ import annotations

import pytest

from tests.e2e import bridges, words
from tests.e2e.agent import accepting
from tests.e2e.harness import Customer, Stage

pytestmark = pytest.mark.e2e


@pytest.fixture
def asking(stage: Stage) -> Customer:
    """Somebody whom the bot still answers, with a call that an agent could take."""
    customer = stage.customer(bridges.ASSISTING)
    customer.is_assigned()
    return customer


@pytest.fixture
def helped(asking: Customer) -> Customer:
    """Somebody whom an agent answers, with the bot at hand."""
    assert asking.says("I want to talk to a human") == []
    assert asking.slots()["state"] == "assist"
    assert asking.tracker()["paused"] is False
    return asking


def test_a_question_becomes_a_suggestion_and_rasa_says_nothing(helped: Customer) -> None:
    assert helped.says("When are you open?") == []
    (suggestion,) = helped.agent.offered()
    assert suggestion["text"] == words.HOURS
    source = suggestion["source"]
    assert (source["intent"], source["response"]) == ("ask_hours", "utter_hours")
    assert source["confidence"] == 1.0
    assert suggestion["agent_id"] == helped.bridge.agent
    assert suggestion["sender_id"] == helped.sender_id
    assert len(helped.messages()) == 1


def test_accepted_it_reaches_the_customer_in_the_agents_name(helped: Customer) -> None:
    helped.says("When are you open?")
    (suggestion,) = helped.agent.offered()
    assert helped.agent.accepts(suggestion)["state"] == "accepted"
    sent = helped.gets(2)[-1]
    assert words.HOURS in sent["text"]
    assert sent["agent"] == helped.bridge.agent
    assert sent["userid"] == helped.sender_id
    assert sent["data"]["senderNickname"] == "Anna"
    assert helped.agent.offered() == []


def test_edited_the_customer_gets_the_agents_words(helped: Customer) -> None:
    helped.says("When are you open?")
    (suggestion,) = helped.agent.offered()
    settled = helped.agent.accepts(suggestion, "Noon to ten, Maria.")
    assert (settled["state"], settled["edited_text"]) == ("edited", "Noon to ten, Maria.")
    assert "Noon to ten, Maria." in helped.gets(2)[-1]["text"]
    assert words.HOURS not in "".join(helped.got())


def test_by_the_rules_of_the_bridge_too_and_in_the_words_for_the_gateways_channel(
    helped: Customer,
) -> None:
    assert helped.says("Where can I park?") == []
    (suggestion,) = helped.agent.offered()
    assert suggestion["text"] == words.PARKING_ON_THE_WEB
    assert suggestion["source"]["response"] == "utter_parking"


def test_a_newer_message_supersedes_what_was_offered(helped: Customer) -> None:
    helped.says("When are you open?")
    helped.says("And where can I park?")
    (stale,) = helped.agent.offered("superseded")
    assert stale["text"] == words.HOURS
    assert helped.bridge.refusal("POST", accepting(stale)) == (409, "settled")
    assert [one["text"] for one in helped.agent.offered()] == [words.PARKING_ON_THE_WEB]
    assert len(helped.messages()) == 1


def test_the_same_webhook_again_is_no_second_suggestion(helped: Customer) -> None:
    helped.says("When are you open?")
    (webhook,) = helped.webhooks("action_agent_assist")
    repeated = helped.stage.loopback.say_again(webhook)
    assert (repeated.status_code, repeated.json()) == (webhook.status, webhook.answer)
    assert len(helped.agent.offered()) == 1


def test_while_the_bot_has_the_conversation_the_same_rules_answer(asking: Customer) -> None:
    assert asking.says("When are you open?") == [words.HOURS]
    assert asking.says("Where can I park?") == [words.PARKING]
    assert asking.agent.offered() == []
    assert asking.messages() == []


def test_what_rasa_has_said_to_the_customer_is_not_offered(helped: Customer) -> None:
    assert helped.says("What is the dish of the day?")[0] == words.DISH
    assert helped.agent.offered() == []
    assert len(helped.messages()) == 1


def test_an_agent_who_was_given_the_call_without_a_handoff_is_helped(asking: Customer) -> None:
    asking.is_assigned(owner="agent")
    assert asking.says("When are you open?") == []
    (suggestion,) = asking.agent.offered()
    helped = asking.agent.accepts(suggestion)
    assert helped["state"] == "accepted"
    asking.gets(1)


def test_switched_off_nothing_is_offered_and_switched_on_it_is_again(helped: Customer) -> None:
    helped.bridge.ask("PUT", "/assist", {"mode": "off"})
    try:
        assert helped.says("When are you open?") == []
        assert helped.agent.offered() == []
    finally:
        helped.bridge.ask("PUT", "/assist", {"mode": None})
    assert helped.says("When are you open?") == []
    assert len(helped.agent.offered()) == 1


def test_the_customer_has_the_bot_back_by_a_rule(helped: Customer) -> None:
    helped.says("When are you open?")
    assert helped.says("I would rather have the robot") == [words.BACK]
    assert helped.call()["owner"] == "bot"
    assert helped.slots()["state"] == "bot"
    assert helped.slots()["summary"].endswith(" Messages: 1.")
    assert helped.agent.offered() == []
    assert helped.says("When are you open?") == [words.HOURS]
    assert helped.says("xyzzy") == [words.REPHRASE]
    assert helped.says("Is it going to rain?") == [words.DEFAULT]
    assert len(helped.messages()) == 1


def test_slots_that_a_fallback_of_rasa_undid_are_put_right(helped: Customer) -> None:
    helped.hands_back_in_the_end()
    helped.says("Is it going to rain?")
    helped.says("xyzzy")
    assert helped.slots()["state"] == "bot"


def test_handed_back_by_the_agent_the_bot_answers_again(helped: Customer) -> None:
    assert helped.says("When are you open?") == []
    helped.hands_back_in_the_end()
    assert helped.agent.offered() == []
    assert helped.says("When are you open?") == [words.HOURS]
    assert helped.says("Is it going to rain?") == [words.DEFAULT]
    assert len(helped.messages()) == 1
