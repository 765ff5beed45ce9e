"""A customer asks for a person while a form is waiting for an answer."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Customer

pytestmark = pytest.mark.e2e


@pytest.fixture
def handed_off(assigned: Customer) -> Customer:
    assert assigned.says("Can I book a table?") == ["For how many people?"]
    assert assigned.tracker()["active_loop"]["name"] == "booking_form"
    assert assigned.says("No, I want a human") == []
    return assigned


def test_the_form_is_closed_and_the_bot_is_silent(handed_off: Customer) -> None:
    tracker = handed_off.tracker()
    assert tracker["active_loop"] == {}
    assert tracker["slots"]["requested_slot"] is None
    assert tracker["slots"]["party_size"] is None
    assert tracker["paused"] is True
    assert handed_off.says("four") == []
    assert len(handed_off.messages()) == 1


def test_after_a_resume_the_next_message_is_answered(handed_off: Customer) -> None:
    handed_off.tells_rasa({"event": "resume"})
    assert handed_off.says("How much is the menu?") == ["The menu of the day is 24 euros."]


def test_after_a_resume_what_is_not_understood_does_not_hand_off_again(
    handed_off: Customer,
) -> None:
    handed_off.tells_rasa({"event": "resume"})
    assert handed_off.says("Hello") == ["Hello, this is the restaurant's bot."]
    assert handed_off.says("xyzzy") == ["Sorry, I did not get that."]
    assert handed_off.says("And the weather?") == ["I cannot help with that."]
    assert len(handed_off.messages()) == 1
    assert handed_off.tracker()["paused"] is False


def test_after_a_resume_the_form_can_be_filled_from_the_start(handed_off: Customer) -> None:
    handed_off.tells_rasa({"event": "resume"})
    assert handed_off.says("Can I book a table?") == ["For how many people?"]
    assert handed_off.says("four") == ["A table for four is booked."]
