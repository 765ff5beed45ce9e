"""A customer of a real Rasa bot asks for a person, and the person has the conversation."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Customer

pytestmark = pytest.mark.e2e

STARTED = "This is Anna. I have read what you wrote, and take over now."


def test_the_designers_words_come_from_the_agent_and_rasa_says_nothing(assigned: Customer) -> None:
    assert assigned.says("Hello") == ["Hello, this is the restaurant's bot."]
    assert assigned.says("I want to talk to a human") == []
    (sent,) = assigned.messages()
    assert STARTED in sent["text"]
    assert sent["agent"] == assigned.bridge.agent
    assert sent["userid"] == assigned.sender_id
    assert sent["data"]["senderNickname"] == "Anna"


def test_the_slots_tell_the_bot_who_has_the_conversation(assigned: Customer) -> None:
    assigned.says("a human, please")
    assert assigned.slots() == {
        "state": "handoff",
        "agent_id": assigned.bridge.agent,
        "call_id": assigned.call_id,
        "delivery": "delivered",
        "error": None,
        "summary": None,
    }


def test_the_bot_is_silent_from_then_on(assigned: Customer) -> None:
    assigned.says("a human, please")
    assert assigned.tracker()["paused"] is True
    assert assigned.says("Hello") == []
    assert assigned.says("xyzzy") == []
    assert assigned.says("a human, please") == []
    assert len(assigned.messages()) == 1


def test_the_agent_is_shown_why_and_what_was_said(assigned: Customer) -> None:
    assigned.says("Hello")
    assigned.says("I want to talk to a human")
    call = assigned.call()
    assert call["owner"] == "agent"
    assert "human_handoff" in call["card"]["reason"]
    assert [(turn["from"], turn["text"]) for turn in call["card"]["turns"]] == [
        ("customer", "Hello"),
        ("bot", "Hello, this is the restaurant's bot."),
        ("customer", "I want to talk to a human"),
    ]


def test_the_same_webhook_again_is_no_second_message_and_gets_the_same_answer(
    assigned: Customer,
) -> None:
    assigned.says("a human, please")
    (webhook,) = assigned.webhooks("action_human_handoff")
    repeated = assigned.stage.loopback.say_again(webhook)
    assert (repeated.status_code, repeated.json()) == (webhook.status, webhook.answer)
    assert len(assigned.messages()) == 1


def test_two_customers_of_one_agent_each_get_their_own_words(
    assigned: Customer,
) -> None:
    other = assigned.stage.customer()
    other.is_assigned()
    assigned.says("a human, please")
    other.says("a human, please")
    assert [one["userid"] for one in assigned.messages()] == [assigned.sender_id]
    assert [one["userid"] for one in other.messages()] == [other.sender_id]


def test_on_the_callback_channel_too(assigned: Customer) -> None:
    greeting = "Hello, this is the restaurant's bot."
    assert assigned.says_by_callback("Hello", answers=1) == [greeting]
    assigned.says_by_callback("I want to talk to a human")
    assigned.says_by_callback("Hello")
    assert assigned.says_by_callback("Hello") == [greeting]
    assert len(assigned.messages()) == 1
    assert assigned.slots()["state"] == "handoff"
