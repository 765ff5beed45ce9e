"""A customer asks for a person while a form is waiting for an answer."""

from __future__ import annotations

import pytest

from tests.e2e import words
from tests.e2e.harness import Customer

pytestmark = pytest.mark.e2e


@pytest.fixture
def handed_off(assigned: Customer) -> Customer:
    assert assigned.says("Can I book a table?") == [words.ASK_PARTY_SIZE]
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


@pytest.fixture
def back(handed_off: Customer) -> Customer:
    assert handed_off.says("four") == []
    handed_off.hands_back_in_the_end()
    return handed_off


def test_handed_back_the_form_is_closed_and_the_bot_answers(back: Customer) -> None:
    assert back.says("How much is the menu?") == [words.PRICE]
    assert back.tracker()["active_loop"] == {}


@pytest.mark.parametrize("known", [[], ["Hello"]], ids=["at once", "after an answer"])
def test_handed_back_what_is_not_understood_does_not_hand_off_again(
    back: Customer, known: list[str]
) -> None:
    assert [back.says(text) for text in known] == [[words.GREET]] * len(known)
    assert back.says("And the weather?") == [words.DEFAULT]
    assert back.says("xyzzy") == [words.REPHRASE]
    assert len(back.messages()) == 1
    tracker = back.tracker()
    assert tracker["paused"] is False
    assert tracker["active_loop"] == {}
    assert tracker["slots"]["party_size"] is None


def test_handed_back_the_form_can_be_filled_from_the_start(back: Customer) -> None:
    assert back.says("Can I book a table?") == [words.ASK_PARTY_SIZE]
    assert back.says("four") == [words.BOOKED_FOR_FOUR]


def test_after_a_bare_resume_too(handed_off: Customer) -> None:
    handed_off.tells_rasa({"event": "resume"})
    assert handed_off.says("Is it going to rain?") == [words.DEFAULT]
    assert handed_off.says("Can I book a table?") == [words.ASK_PARTY_SIZE]
    assert handed_off.says("four") == [words.BOOKED_FOR_FOUR]
    assert len(handed_off.messages()) == 1
