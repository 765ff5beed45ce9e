"""The front end drops what Rasa replies while an agent has the conversation (replies: silent)."""

from __future__ import annotations

import pytest

from tests.e2e import bridges, words
from tests.e2e.harness import Customer, Stage

pytestmark = pytest.mark.e2e


@pytest.fixture
def asking(stage: Stage) -> Customer:
    customer = stage.customer(bridges.SILENT)
    customer.is_assigned()
    return customer


@pytest.fixture
def helped(asking: Customer) -> Customer:
    assert asking.says("I want to talk to a human") == []
    return asking


def test_what_rasa_uttered_becomes_a_suggestion_with_its_picture(helped: Customer) -> None:
    assert helped.says("What is the dish of the day?")[0] == words.DISH  # and is dropped
    (suggestion,) = helped.agent.offered()
    assert words.DISH in suggestion["text"]
    assert suggestion["source"]["response"] == "utter_dish"
    assert len(helped.messages()) == 1
    helped.agent.accepts(suggestion)
    first, second = helped.gets(3)[1:]
    assert words.DISH in first["text"]
    assert words.DISH_PICTURE in second["text"]
    assert {first["agent"], second["agent"]} == {helped.bridge.agent}


def test_edited_the_picture_stays(helped: Customer) -> None:
    helped.says("What is the dish of the day?")
    (suggestion,) = helped.agent.offered()
    helped.agent.accepts(suggestion, "Risotto, and it is good.")
    first, second = helped.gets(3)[1:]
    assert "Risotto, and it is good." in first["text"]
    assert words.DISH_PICTURE in second["text"]


def test_it_is_offered_once_and_never_from_an_earlier_turn(helped: Customer) -> None:
    helped.says("What is the dish of the day?")
    helped.says("What is the dish of the day?")
    (suggestion,) = helped.agent.offered()
    assert suggestion["text"].count(words.DISH) == 1
    helped.agent.accepts(suggestion)
    helped.is_told_to_rasa(3)
    assert helped.says("When are you open?") == []
    assert [one["text"] for one in helped.agent.offered()] == [words.HOURS]


def test_while_the_bot_has_the_conversation_nothing_is_offered(asking: Customer) -> None:
    assert asking.says("What is the dish of the day?")[0] == words.DISH
    assert asking.says("When are you open?") == [words.HOURS]
    assert asking.agent.offered() == []
    assert asking.messages() == []
