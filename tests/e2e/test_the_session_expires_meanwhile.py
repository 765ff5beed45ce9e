"""Rasa's session expires while the agent has the conversation, and silently lifts the pause."""

from __future__ import annotations

import time

import pytest

from tests.e2e import words
from tests.e2e.harness import Customer

pytestmark = pytest.mark.e2e

_TWO_HOURS = 7200.0


@pytest.fixture
def expired(assigned: Customer) -> Customer:
    """Somebody who has not written for two hours, as far as Rasa knows."""
    assert assigned.says("I want to talk to a human") == []
    assigned.is_told_to_rasa(1)
    long_ago = time.time() - _TWO_HOURS
    heard = {"text": "Thank you.", "parse_data": {}, "timestamp": long_ago}
    assigned.tells_rasa({"event": "user", **heard})
    assert assigned.tracker()["paused"] is True
    return assigned


@pytest.mark.parametrize(
    "text", ["xyzzy", "a human, please", "When are you open?", "Where can I park?"]
)
def test_the_next_action_of_the_bridge_puts_it_back(expired: Customer, text: str) -> None:
    before = expired.slots()
    assert expired.says(text) == []
    assert expired.tracker()["paused"] is True
    assert expired.slots() == before
    assert expired.says("Hello") == []
    assert len(expired.messages()) == 1


def test_until_then_the_bot_answers_what_needs_no_action_of_the_bridge(expired: Customer) -> None:
    assert expired.says("Hello") == [words.GREET]
    assert expired.says("xyzzy") == []
    assert expired.says("Hello") == []


def test_handed_back_after_that_the_bot_answers(expired: Customer) -> None:
    assert expired.says("xyzzy") == []
    expired.hands_back_in_the_end()
    assert expired.says("xyzzy") == [words.REPHRASE]
    assert expired.says("Is it going to rain?") == [words.DEFAULT]
    assert expired.says("Hello") == [words.GREET]
    assert expired.tracker()["paused"] is False


def test_handed_back_before_that_nothing_is_put_back(expired: Customer) -> None:
    expired.hands_back_in_the_end()
    assert expired.says("xyzzy") == [words.REPHRASE]
    assert expired.says("Hello") == [words.GREET]
    assert expired.tracker()["paused"] is False
