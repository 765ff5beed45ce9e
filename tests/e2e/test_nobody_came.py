"""A promise that was not kept: the handoff was pending, and the gateway never took the words."""

from __future__ import annotations

import pytest

from tests.e2e import bridges, words
from tests.e2e.harness import Customer, Stage
from tests.e2e.relay import Fate

pytestmark = pytest.mark.e2e


@pytest.fixture
def promised(stage: Stage) -> Customer:
    """Somebody whose agent's words the gateway will not take."""
    customer = stage.customer(bridges.HASTY)
    customer.is_assigned()
    stage.gateway.fault("status", status=503, call=customer.call_id, times=None)
    return customer


def test_the_bot_goes_on_and_the_customer_is_told_once(promised: Customer) -> None:
    promised.says_by_callback("a human, please")
    assert promised.slots()["delivery"] == "pending"
    assert promised.tracker()["paused"] is True
    assert promised.says_by_callback("Hello") == []
    promised.is_the_bots_again()
    assert promised.is_pushed(1) == [words.HANDOFF_UNAVAILABLE]
    told = promised.says_by_callback("Hello", answers=2)
    assert told == [words.HANDOFF_UNAVAILABLE, words.GREET]
    assert promised.tracker()["paused"] is False
    assert promised.messages() == []


def test_the_slots_the_call_and_the_tracker_say_so(promised: Customer) -> None:
    promised.says("a human, please")
    promised.is_the_bots_again()
    slots = promised.slots()
    assert (slots["delivery"], slots["error"]) == ("failed", "rejected")
    assert slots["summary"].endswith(" Messages: 0.")
    assert promised.call()["owner"] == "bot"
    assert promised.written_back() == []
    assert promised.says("Hello") == [words.GREET]
    assert promised.says("xyzzy") == [words.REPHRASE]


def test_where_rasas_answer_is_lost_the_customer_is_told_once(promised: Customer) -> None:
    promised.says_by_callback("a human, please")
    promised.stage.relay.fails(promised.sender_id, Fate.PASSED, Fate.LOST)  # resumed, and told
    promised.bridge.logs("An update did not reach Rasa", "kind=tell", promised.call_id)
    told = promised.says_by_callback("Hello", answers=2)
    assert told == [words.HANDOFF_UNAVAILABLE, words.GREET]


def test_where_the_front_end_is_slow_the_customer_is_told_once(promised: Customer) -> None:
    promised.says_by_callback("a human, please")
    with promised.stage.loopback.holding(promised.sender_id):
        assert promised.is_pushed(1) == [words.HANDOFF_UNAVAILABLE]
        promised.bridge.logs(
            "An update did not reach Rasa", "kind=tell", "state=failed", promised.call_id
        )
    told = promised.says_by_callback("Hello", answers=2)
    assert told == [words.HANDOFF_UNAVAILABLE, words.GREET]
