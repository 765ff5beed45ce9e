"""Whatever characters Rasa sends, each engine keeps them or a sign in their place."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.queries import Page
from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import RESPONSES, Office, message

ODD = {
    "nul": "a\0b",
    "long": "x" * 3000,
    "wide": "\U0001f600" * 600,
    "quotes": "'); DROP TABLE deliveries; --",
    "format": "%s %(name)s :name {name}",
    "half": "a\ud83d",
}
RULES: dict[str, Any] = {"assist": {"when": [{"intent": "ask", "reply": "utter_price"}]}}


def odd(words: str, **changes: Any) -> dict[str, Any]:
    """A tracker with such words wherever a customer or a channel may put them."""
    state = message(words, **changes)
    state["latest_message"]["message_id"] = state["events"][1]["message_id"] = words
    state["slots"] = {"name": words}
    return state


def offered(office: Office) -> Page:
    return office.runtime.suggestions.listing(
        call_id="c1", state=None, agent_id=None, cursor=None, limit=10
    )


@pytest.mark.parametrize("words", ODD.values(), ids=ODD)
def test_a_customer_with_odd_words_is_handed_off_and_the_agent_helped(
    open_office: OpenOffice, words: str
) -> None:
    office = open_office(RULES)
    office.assign(sender="anna", call_id="c1")
    slots = office.call(odd(words, sender="anna"), "action_human_handoff").slots
    assert (slots["handoff_error"], slots["handoff_delivery"]) == (None, "delivered")
    domain = {"responses": {**RESPONSES, "utter_price": [{"text": f"It costs 10 EUR. {words}"}]}}
    asks = odd(words + "?", sender="anna", intent="ask")
    office.call(asks, domain=domain)
    office.call(asks, domain=domain)
    (item,) = offered(office).items
    assert item.text.startswith("It costs 10 EUR.")


@pytest.mark.parametrize("words", ODD.values(), ids=ODD)
def test_a_conversation_with_an_odd_name_that_nobody_assigned_is_told_so(
    open_office: OpenOffice, words: str
) -> None:
    office = open_office()
    slots = office.call(message(sender=words), "action_human_handoff").slots
    assert slots["handoff_error"] == "no_assignment"
