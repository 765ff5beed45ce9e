"""Somebody resumes a paused bot through Rasa's API.

The trap: Rasa finds the handoff unfinished, and runs it again on the next message it cannot place.
"""

from __future__ import annotations

import pytest

from tests.e2e.harness import Customer

pytestmark = pytest.mark.e2e

REPHRASE = ["Sorry, I did not get that."]


@pytest.fixture
def resumed(assigned: Customer) -> Customer:
    assigned.says("a human, please")
    assert assigned.says("Hello") == []
    assigned.tells_rasa({"event": "resume"})
    return assigned


def test_the_next_message_is_answered(resumed: Customer) -> None:
    assert resumed.says("Hello") == ["Hello, this is the restaurant's bot."]


@pytest.mark.parametrize("between", [[], ["Hello"]], ids=["at once", "after an answer"])
@pytest.mark.parametrize(
    ("text", "answer"),
    [("xyzzy", REPHRASE), ("Is it going to rain?", ["I cannot help with that."])],
    ids=["no intent", "an intent without a rule"],
)
def test_an_unknown_message_does_not_hand_off_again(
    resumed: Customer, text: str, answer: list[str], between: list[str]
) -> None:
    for known in between:
        resumed.says(known)
    assert resumed.says(text) == answer
    assert len(resumed.webhooks("action_human_handoff")) == 1
    assert len(resumed.messages()) == 1
    assert resumed.tracker()["paused"] is False


def test_what_was_not_understood_before_the_handoff_does_not_count(assigned: Customer) -> None:
    assert assigned.says("xyzzy") == REPHRASE
    assert assigned.says("plugh") == REPHRASE
    assigned.says("a human, please")
    assigned.tells_rasa({"event": "resume"})
    assert assigned.says("xyzzy") == REPHRASE
    assert len(assigned.messages()) == 1


def test_after_a_handoff_by_fallbacks_an_unknown_message_does_not_hand_off_again(
    assigned: Customer,
) -> None:
    for text in ("xyzzy", "plugh", "fnord"):
        assigned.says(text)
    assigned.tells_rasa({"event": "resume"})
    # Rasa rewinds, and then finishes the rule that the pause had cut: it asks to rephrase, too.
    assert assigned.says("Is it going to rain?") == ["I cannot help with that.", *REPHRASE]
    assert len(assigned.webhooks("action_bridge")) == 3
    assert assigned.says("xyzzy") == REPHRASE
    assert assigned.says("Hello") == ["Hello, this is the restaurant's bot."]
    assert len(assigned.messages()) == 1


def test_who_asks_for_a_person_again_has_the_same_one_and_is_told_nothing_twice(
    resumed: Customer,
) -> None:
    before = resumed.slots()
    assert resumed.says("a human, please") == []
    assert resumed.tracker()["paused"] is True
    assert resumed.slots() == before
    assert len(resumed.messages()) == 1
