"""A customer asks for a person where there is none: nothing is promised, and the bot goes on."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Customer

pytestmark = pytest.mark.e2e

UNAVAILABLE = "Nobody can take over just now. Let us go on here."


def test_without_an_assignment_the_bot_says_so_and_goes_on(customer: Customer) -> None:
    assert customer.says("I want to talk to a human") == [UNAVAILABLE]
    assert customer.slots() == {
        "state": "bot",
        "agent_id": None,
        "call_id": None,
        "delivery": "none",
        "error": "no_assignment",
        "summary": None,
    }
    assert customer.tracker()["paused"] is False
    assert customer.says("How much is the menu?") == ["The menu of the day is 24 euros."]
    assert customer.messages() == []


def test_on_the_callback_channel_too(customer: Customer) -> None:
    assert customer.says_by_callback("a human, please", answers=1) == [UNAVAILABLE]
    assert customer.slots()["error"] == "no_assignment"


def test_in_a_form_the_bot_says_so_and_asks_its_question_again(customer: Customer) -> None:
    assert customer.says("Can I book a table?") == ["For how many people?"]
    assert customer.says("I want a human") == [UNAVAILABLE, "For how many people?"]
    assert customer.says("four") == ["A table for four is booked."]


def test_after_the_call_ended_the_bot_says_so(assigned: Customer) -> None:
    assigned.bridge.ask("DELETE", f"/assignments/{assigned.sender_id}")
    assert assigned.says("I want to talk to a human") == [UNAVAILABLE]
    assert assigned.slots()["error"] == "closed"
    assert assigned.messages() == []


def test_where_the_gateway_refuses_the_words_the_bot_says_so(assigned: Customer) -> None:
    assigned.stage.gateway.fault("retcode", retcode="106-001", call=assigned.call_id, times=None)
    assert assigned.says("I want to talk to a human") == [UNAVAILABLE]
    assert assigned.slots()["error"] == "rejected"
    assert assigned.says("Hello") == ["Hello, this is the restaurant's bot."]
    assert assigned.messages() == []


def test_somebody_gets_the_call_later_and_then_a_handoff_is_made(customer: Customer) -> None:
    customer.says("I want to talk to a human")
    customer.is_assigned()
    assert customer.says("I want to talk to a human") == []
    assert len(customer.messages()) == 1
    assert customer.slots()["error"] is None
