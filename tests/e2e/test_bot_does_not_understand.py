"""The bot does not understand a customer; after three messages in a row, a person takes over."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Customer

pytestmark = pytest.mark.e2e

REPHRASE = ["Sorry, I did not get that."]


def test_three_fallbacks_in_a_row_hand_off_and_two_do_not(assigned: Customer) -> None:
    assert assigned.says("xyzzy") == REPHRASE
    assert assigned.says("plugh") == REPHRASE
    assert assigned.messages() == []
    assert assigned.slots()["state"] is None
    assert assigned.says("fnord") == []
    assert len(assigned.messages()) == 1
    assert assigned.slots()["state"] == "handoff"
    assert assigned.tracker()["paused"] is True
    assert "3 fallbacks in a row" in assigned.call()["card"]["reason"]


def test_a_message_that_was_understood_begins_the_count_anew(assigned: Customer) -> None:
    assigned.says("xyzzy")
    assigned.says("plugh")
    assigned.says("Hello")
    assert assigned.says("xyzzy") == REPHRASE
    assert assigned.says("plugh") == REPHRASE
    assert assigned.messages() == []


def test_a_forms_answer_without_an_intent_is_no_fallback(assigned: Customer) -> None:
    assigned.says("xyzzy")
    assigned.says("Can I book a table?")
    assert assigned.says("four") == ["A table for four is booked."]
    assert assigned.says("xyzzy") == REPHRASE
    assert assigned.says("plugh") == REPHRASE
    assert assigned.messages() == []


def test_on_the_callback_channel_too(assigned: Customer) -> None:
    for text in ("xyzzy", "plugh", "fnord"):
        assigned.says_by_callback(text)
    assert assigned.says_by_callback("Hello", answers=2) == REPHRASE * 2
    assert len(assigned.messages()) == 1


def test_where_nobody_can_take_over_the_third_time_the_bot_says_so(customer: Customer) -> None:
    customer.says("xyzzy")
    customer.says("plugh")
    assert customer.says("fnord")[0] == "Nobody can take over just now. Let us go on here."
    assert customer.tracker()["paused"] is False
