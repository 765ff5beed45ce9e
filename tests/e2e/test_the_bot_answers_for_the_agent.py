"""What the designer allows is sent under the agent's name without asking (mode: auto)."""

from __future__ import annotations

import pytest

from tests.e2e import bridges, words
from tests.e2e.harness import Customer, Stage

pytestmark = pytest.mark.e2e


@pytest.fixture
def helped(stage: Stage) -> Customer:
    customer = stage.customer(bridges.SILENT)
    customer.is_assigned()
    assert customer.says("I want to talk to a human") == []
    return customer


def test_what_is_on_the_list_is_sent_and_the_rest_is_offered(helped: Customer) -> None:
    assert helped.says("Where can I park?") == []
    sent = helped.gets(2)[-1]
    assert words.PARKING_ON_THE_WEB in sent["text"]
    assert sent["agent"] == helped.bridge.agent
    assert helped.agent.offered() == []
    assert helped.says("When are you open?") == []
    assert [one["text"] for one in helped.agent.offered()] == [words.HOURS]
    assert len(helped.messages()) == 2


def test_rasa_is_told_that_nobody_was_asked(helped: Customer) -> None:
    helped.says("Where can I park?")
    helped.is_told_to_rasa(2)
    said = helped.written_back()[-1]
    assert said["text"] == words.PARKING_ON_THE_WEB
    mark = said["metadata"]["cc_bridge"]
    assert (mark["origin"], mark["approved_by"]) == ("auto", "auto")


def test_under_a_lower_ceiling_it_is_offered(helped: Customer) -> None:
    helped.bridge.ask("PUT", "/assist", {"mode": "suggest"})
    try:
        assert helped.says("Where can I park?") == []
        assert [one["text"] for one in helped.agent.offered()] == [words.PARKING_ON_THE_WEB]
        assert len(helped.messages()) == 1
    finally:
        helped.bridge.ask("PUT", "/assist", {"mode": None})
