"""Rasa cannot be told of a handback just now: the handback is kept, and Rasa told later."""

from __future__ import annotations

import pytest

from tests.e2e import words
from tests.e2e.harness import Customer
from tests.e2e.relay import Fate

pytestmark = pytest.mark.e2e


@pytest.fixture
def with_agent(assigned: Customer) -> Customer:
    assert assigned.says("I want to talk to a human") == []
    assigned.is_told_to_rasa(1)
    return assigned


def test_where_nobody_listens(with_agent: Customer) -> None:
    with with_agent.stage.relay.gone():
        handed_back = with_agent.agent.hands_back()
        assert (handed_back["owner"], handed_back["rasa_told"]) == ("bot", False)
        with_agent.bridge.logs("An update did not reach Rasa", "kind=resume", with_agent.call_id)
        assert with_agent.says("Hello") == []
    with_agent.is_the_bots_again()
    assert with_agent.says("Hello") == [words.GREET]
    assert with_agent.says("xyzzy") == [words.REPHRASE]
    assert len(with_agent.messages()) == 1


@pytest.mark.parametrize("fate", [Fate.HTML, Fate.ERROR, Fate.LOST])
def test_where_no_answer_of_rasa_comes(with_agent: Customer, fate: Fate) -> None:
    with_agent.stage.relay.fails(with_agent.sender_id, fate)
    with_agent.hands_back_in_the_end()
    assert with_agent.says("Hello") == [words.GREET]
    assert with_agent.says("xyzzy") == [words.REPHRASE]
    assert len(with_agent.messages()) == 1


def test_what_rasa_hears_too_late_does_not_undo_the_next_handoff(with_agent: Customer) -> None:
    with_agent.stage.relay.fails(with_agent.sender_id, Fate.LOST)
    with_agent.hands_back_in_the_end()
    assert with_agent.says("a human, please") == []
    with_agent.is_told_to_rasa(2)  # in a conversation all is told in order
    assert with_agent.tracker()["paused"] is True
    assert with_agent.slots()["state"] == "handoff"
    assert with_agent.says("Hello") == []


def test_what_the_agent_said_is_told_once_and_in_order(with_agent: Customer) -> None:
    with_agent.stage.relay.fails(with_agent.sender_id, Fate.LOST, Fate.HTML)
    with_agent.agent.writes("Once.", "c-1")
    with_agent.agent.writes("Twice.", "c-2")
    with_agent.is_told_to_rasa(3)
    with_agent.hands_back_in_the_end()
    assert [one["text"] for one in with_agent.written_back()][1:] == ["Once.", "Twice."]
