"""The agent's side gives a conversation back to the bot, through the bridge's API.

The trap: to Rasa, a handoff that paused the bot looks unfinished. After a resume it would run again
on the next message that Rasa cannot place.
"""

from __future__ import annotations

import time

import pytest

from tests.e2e import bridges, words
from tests.e2e.harness import Customer, Stage
from tests.e2e.programs import eventually

pytestmark = pytest.mark.e2e

UNKNOWN = pytest.mark.parametrize(
    ("text", "answer"),
    [("xyzzy", words.REPHRASE), ("Is it going to rain?", words.DEFAULT)],
    ids=["no intent", "an intent without a rule"],
)


@pytest.fixture
def with_agent(assigned: Customer) -> Customer:
    assert assigned.says("I want to talk to a human") == []
    return assigned


@pytest.fixture
def back(with_agent: Customer) -> Customer:
    assert with_agent.says("Hello") == []
    with_agent.hands_back_in_the_end()
    return with_agent


def test_the_very_next_message_is_answered(back: Customer) -> None:
    assert back.says("Hello") == [words.GREET]
    assert back.tracker()["paused"] is False
    assert back.call()["owner"] == "bot"


def test_once_the_api_has_answered_rasa_knows(with_agent: Customer) -> None:
    assert with_agent.agent.hands_back()["rasa_told"] is True
    assert with_agent.says("Hello") == [words.GREET]


@UNKNOWN
@pytest.mark.parametrize("between", [[], ["Hello"]], ids=["at once", "after an answer"])
def test_then_an_unknown_message_does_not_hand_off_again(
    back: Customer, text: str, answer: str, between: list[str]
) -> None:
    assert [back.says(known) for known in between] == [[words.GREET]] * len(between)
    assert back.says(text) == [answer]
    assert back.says("Hello") == [words.GREET]
    assert len(back.webhooks("action_human_handoff")) == 1
    assert len(back.messages()) == 1
    assert back.tracker()["paused"] is False
    assert back.slots()["state"] != "handoff"


def test_after_a_handoff_by_fallbacks_too(assigned: Customer) -> None:
    for text in ("xyzzy", "plugh", "fnord"):
        assigned.says(text)
    assigned.hands_back_in_the_end()
    # Rasa rewinds, and then finishes the rule that the pause had cut: it asks to rephrase, too.
    assert assigned.says("Is it going to rain?") == [words.DEFAULT, words.REPHRASE]
    assert assigned.says("xyzzy") == [words.REPHRASE]
    assert assigned.says("Hello") == [words.GREET]
    assert len(assigned.messages()) == 1


@UNKNOWN
@pytest.mark.parametrize(
    "backlog",
    [["Hello"], ["xyzzy", "plugh", "fnord"], ["a human, please"], ["Can I book a table?"]],
    ids=["known", "unknown", "a wish for a person", "the beginning of a form"],
)
def test_what_was_written_meanwhile_is_not_answered_and_is_no_failing_of_the_bot(
    with_agent: Customer, backlog: list[str], text: str, answer: str
) -> None:
    assert [with_agent.says(written) for written in backlog] == [[]] * len(backlog)
    with_agent.hands_back_in_the_end()
    assert with_agent.says(text) == [answer]
    assert with_agent.says("xyzzy") == [words.REPHRASE]
    assert with_agent.says("How much is the menu?") == [words.PRICE]
    assert len(with_agent.messages()) == 1


def test_the_slots_say_what_happened(with_agent: Customer) -> None:
    with_agent.agent.writes("Good evening, Maria.")
    with_agent.hands_back_in_the_end()
    slots = with_agent.slots()
    summary = slots.pop("summary")
    assert slots == {
        "state": "bot",
        "agent_id": None,
        "call_id": None,
        "delivery": "none",
        "error": None,
    }
    assert summary.startswith("Time with our team: ")
    assert summary.endswith(" Messages: 2.")


def test_what_the_agent_wrote_before_goes_out_first(with_agent: Customer) -> None:
    with_agent.stage.gateway.fault("status", status=503, call=with_agent.call_id)
    with_agent.agent.writes("Goodbye, Maria.")
    with_agent.hands_back_in_the_end()
    assert "Goodbye, Maria." in with_agent.got()[-1]
    assert with_agent.slots()["summary"].endswith(" Messages: 2.")


def test_soon_after_it_fallbacks_do_not_hand_off_but_a_wish_does(back: Customer) -> None:
    assert [back.says(text) for text in ("xyzzy", "plugh", "fnord")] == [[words.REPHRASE]] * 3
    assert back.slots()["error"] == "cooldown"
    assert len(back.messages()) == 1
    assert back.says("a human, please") == []
    assert len(back.messages()) == 2
    assert back.slots()["state"] == "handoff"
    assert back.tracker()["paused"] is True


def test_some_time_after_it_fallbacks_hand_off_again(stage: Stage) -> None:
    customer = stage.customer(bridges.HASTY)
    customer.is_assigned()
    customer.says("a human, please")
    customer.gets(1)
    customer.hands_back_in_the_end()
    over = time.monotonic() + bridges.COOLDOWN
    assert customer.says("xyzzy") == [words.REPHRASE]
    assert customer.says("plugh") == [words.REPHRASE]
    assert eventually(lambda: time.monotonic() > over, 2 * bridges.COOLDOWN)
    assert customer.says("fnord") == []
    customer.gets(2)


def test_the_other_way_and_back_once_more(back: Customer) -> None:
    assert back.says("a human, please") == []
    assert back.says("Hello") == []
    back.hands_back_in_the_end()
    assert back.says("xyzzy") == [words.REPHRASE]
    assert back.says("Hello") == [words.GREET]
    assert len(back.messages()) == 2


def test_what_the_bot_has_cannot_be_handed_back(back: Customer) -> None:
    path = f"/calls/{back.call_id}/handback"
    assert back.bridge.refusal("POST", path) == (409, "not_with_agent")
    assert back.says("Hello") == [words.GREET]
