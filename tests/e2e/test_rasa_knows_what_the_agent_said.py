"""What the agent said is written back to Rasa's tracker, and the customer gets it only once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e import bridges, words
from tests.e2e.harness import Customer, Stage

pytestmark = pytest.mark.e2e


def told(customer: Customer) -> list[tuple[str, str, str]]:
    """What the tracker's bot events say of themselves: whose words, by which way, which."""
    said = [(one["metadata"]["cc_bridge"], one["text"]) for one in customer.written_back()]
    return [(mark["said_by"], mark["origin"], text) for mark, text in said]


@pytest.fixture
def helped(stage: Stage) -> Customer:
    customer = stage.customer(bridges.ASSISTING)
    customer.is_assigned()
    customer.says("a human, please")
    return customer


def test_each_way_of_saying_something_becomes_a_bot_event_that_says_so(helped: Customer) -> None:
    helped.says("When are you open?")
    (suggestion,) = helped.agent.offered()
    helped.agent.accepts(suggestion)
    helped.agent.writes("Shall I keep a table for you?")
    helped.is_told_to_rasa(3)
    assert told(helped) == [
        ("agent", "handoff", words.HANDOFF_STARTED),
        ("agent", "suggestion", words.HOURS),
        ("agent", "agent", "Shall I keep a table for you?"),
    ]
    agents = [one["metadata"]["cc_bridge"]["agent_id"] for one in helped.written_back()]
    assert agents == [helped.bridge.agent] * 3


def test_a_customer_who_can_be_pushed_to_does_not_get_it_again(assigned: Customer) -> None:
    assigned.says_by_callback("Hello", answers=1)
    assigned.says_by_callback("a human, please")
    assigned.agent.writes("Good evening, Maria.")
    assigned.is_told_to_rasa(2)
    assigned.hands_back_in_the_end()
    assert assigned.says_by_callback("Hello", answers=2) == [words.GREET, words.GREET]
    assert len(assigned.messages()) == 2


def test_the_next_agent_is_shown_whose_words_they_were(assigned: Customer) -> None:
    assigned.says("a human, please")
    assigned.agent.writes("Good evening, Maria.")
    assigned.is_told_to_rasa(2)
    assigned.hands_back_in_the_end()
    assigned.says("a human again, please")
    turns = assigned.call()["card"]["turns"]
    assert [(turn["from"], turn["text"]) for turn in turns] == [
        ("customer", "a human, please"),
        ("agent", words.HANDOFF_STARTED),
        ("agent", "Good evening, Maria."),
        ("customer", "a human again, please"),
    ]


def test_what_a_desktop_sends_twice_is_said_and_told_once(assigned: Customer) -> None:
    assigned.says("a human, please")
    assigned.agent.writes("Good evening, Maria.", "c-1")
    assigned.agent.writes("Good evening, Maria.", "c-1")
    assigned.agent.writes("What can I do for you?", "c-2")
    assigned.is_told_to_rasa(3)
    assert len(assigned.messages()) == 3
    assert [text for _, _, text in told(assigned)] == [
        words.HANDOFF_STARTED,
        "Good evening, Maria.",
        "What can I do for you?",
    ]


def test_a_rasa_that_is_busy_with_the_conversation_is_told_once(helped: Customer) -> None:
    helped.is_told_to_rasa(1)
    with ThreadPoolExecutor(1) as meanwhile:
        with helped.stage.loopback.holding(helped.sender_id):
            answer = meanwhile.submit(helped.says, "When are you open?")
            (suggestion,) = helped.agent.is_offered(1)
            helped.agent.accepts(suggestion)
            helped.gets(2)
            helped.bridge.logs("An update did not reach Rasa", helped.call_id)
        assert answer.result() == []
    helped.agent.writes("Anything else?")
    helped.is_told_to_rasa(3)
    assert [text for _, _, text in told(helped)][1:] == [words.HOURS, "Anything else?"]
