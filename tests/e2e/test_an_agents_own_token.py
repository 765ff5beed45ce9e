"""An agent acts with a token of their own, and reaches their own calls only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.e2e import bridges, words
from tests.e2e.agent import accepting
from tests.e2e.harness import Customer, Stage

pytestmark = pytest.mark.e2e

ANOTHER = "299"


@pytest.fixture
def asked(stage: Stage) -> Customer:
    """Somebody whose agent is offered an answer."""
    customer = stage.customer(bridges.ASSISTING)
    customer.is_assigned()
    customer.says("a human, please")
    customer.says("When are you open?")
    return customer


def token(customer: Customer, agent_id: str) -> str:
    made: str = customer.bridge.ask("POST", "/tokens", {"agent_id": agent_id})["token"]
    return made


def test_what_the_agent_accepts_is_in_their_name_everywhere(asked: Customer) -> None:
    agent = replace(asked.agent, token=token(asked, asked.bridge.agent))
    (suggestion,) = agent.offered()
    assert agent.accepts(suggestion)["settled_by"] == asked.bridge.agent
    assert words.HOURS in asked.gets(2)[-1]["text"]
    asked.is_told_to_rasa(2)
    mark = asked.written_back()[-1]["metadata"]["cc_bridge"]
    assert mark["approved_by"] == asked.bridge.agent
    agent.hands_back()
    asked.is_the_bots_again()
    assert asked.says("When are you open?") == [words.HOURS]


def test_another_agents_reaches_nothing_of_it(asked: Customer) -> None:
    others, call = token(asked, ANOTHER), f"/calls/{asked.call_id}"
    (suggestion,) = asked.agent.offered()
    written = {"text": "Hello", "client_id": "c-1"}
    refused = [
        asked.bridge.refusal("GET", call, token=others),
        asked.bridge.refusal("GET", f"/suggestions?call_id={asked.call_id}", token=others),
        asked.bridge.refusal("POST", accepting(suggestion), token=others),
        asked.bridge.refusal("POST", f"{call}/replies", written, token=others),
        asked.bridge.refusal("POST", f"{call}/handback", token=others),
    ]
    assert refused == [(404, "not_found")] * 5
    assert asked.call()["owner"] == "agent"
    assert len(asked.messages()) == 1


def test_one_that_somebody_changed_reaches_nothing_at_all(asked: Customer) -> None:
    head, claims, signature = token(asked, asked.bridge.agent).split(".")
    changed = ".".join((head, claims, signature[::-1]))
    refused = asked.bridge.refusal("POST", f"/calls/{asked.call_id}/handback", token=changed)
    assert refused == (401, "unauthorized")
    assert changed not in asked.bridge.program.log()
