"""What an operator is shown of one message: where its words came from, and what happened to it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from bridge.cli.outbox import formats
from bridge.errors import RefusedError
from bridge.model import Delivery
from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import ASSIGNMENT, RESPONSES, Office, message
from tests.simulator.harness import Simulator

CALL = ASSIGNMENT["call_id"]
RULES: dict[str, Any] = {
    "handoff": {"then": "assist"},
    "assist": {"when": [{"intent": "ask_price", "reply": "utter_price"}]},
}
PRICES = {"responses": {**RESPONSES, "utter_price": [{"text": "It costs 10 EUR."}]}}


def told(office: Office, delivery: Delivery, *, content: bool = False) -> str:
    seen = io.StringIO()
    history = office.runtime.deliveries.history(delivery.id)
    Console(width=80, file=seen).print(formats.whole(history, content=content))
    return seen.getvalue()


@pytest.fixture
def assisted(open_office: OpenOffice) -> Office:
    office = open_office(RULES)
    office.assign()
    office.call(message())
    return office


def test_a_suggestion_that_an_agent_edited(assisted: Office, gateway: Simulator) -> None:
    assisted.call(message("How much?", intent="ask_price", number=2), domain=PRICES)
    (offered,) = assisted.runtime.suggestions.listing(
        call_id=CALL, state="offered", agent_id=None, cursor=None, limit=9
    ).items
    _, (sent,) = assisted.accept(offered, text="Ten euros.")
    gateway.wait_for(messages=2)
    history = assisted.runtime.deliveries.history(sent.id)
    assert history.suggestion is not None
    assert history.suggestion.id == offered.id
    seen = told(assisted, sent)
    for line in ("suggested to the agent", "edited by 291", "stored", "approved by"):
        assert line in seen
    assert "euros" not in seen
    assert "Ten euros." in told(assisted, sent, content=True)
    shape = formats.whole_json(history, content=False)
    assert shape["suggestion"] == {"id": offered.id, "state": "edited"}


def test_a_long_message_knows_its_other_parts(assisted: Office, gateway: Simulator) -> None:
    sent = assisted.reply("A sentence of some length. " * 150)
    assert len(sent) > 2
    gateway.wait_for(messages=1 + len(sent))
    seen = told(assisted, sent[1])
    assert "Other parts of the same reply" in seen
    assert f"{sent[0].id}  part 0  delivered" in seen
    assert f"{sent[2].id}  part 2" in seen


def test_one_that_is_not_there(assisted: Office) -> None:
    for wrong in ("99", "x", "", "9" * 30, "-1"):
        with pytest.raises(RefusedError, match="no such delivery"):
            assisted.runtime.deliveries.history(wrong)
