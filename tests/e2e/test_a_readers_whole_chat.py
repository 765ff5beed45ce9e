"""A customer chats with a reader, whom a bot without bridge actions helps, and then with the bot.

Nothing passes through Rasa's channels but what the bridge says there: the chat is the gateway's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.e2e import bridges, words
from tests.e2e.harness import Customer, Stage
from tests.e2e.programs import eventually

pytestmark = pytest.mark.e2e

SECONDS = 20.0
CALLER = "4711"
GREETS, ASKS, LEAVES, BOOKS = "hello", "What is the price?", "Well, bye", "I want to book a table"
EDITED = "The menu of the day is 24 euros, with coffee."
FREE = "Before you go: shall I keep a table for you?"
STATES = ("offered", "accepted", "edited", "copied", "rejected", "superseded", "expired")
OWN_ACTIONS = (
    "action_agent_assist",
    "action_bridge",
    "action_handback",
    "action_human_handoff",
)

Line = tuple[str, str, str | None]  # event, text, and whose words it says that they are


@pytest.fixture
def caller(stage: Stage) -> Customer:
    """A customer of the gateway, whose chat a reader has answered; Rasa does not know them."""
    found = stage.customer(bridges.ASKING)
    found = replace(found, sender_id=f"cc-{found.call_id}")
    stage.loopback.passes_on(found.sender_id, found.bridge.url)
    stage.gateway.wait_for(requests=1, operation="poll", agent=bridges.READER, timeout=SECONDS)
    stage.gateway.ring(found.call_id, bridges.READER, caller=CALLER)
    (answered,) = stage.gateway.wait_for(
        requests=1, operation="answer_call", call=found.call_id, timeout=SECONDS
    )
    assert (answered["agent"], answered["verdict"]) == (bridges.READER, "accepted")
    until(lambda: is_talking(found), found)
    return found


def until(holds: Callable[[], bool], customer: Customer) -> None:
    assert eventually(holds, SECONDS), (customer.call(), told(customer))


def is_talking(customer: Customer) -> bool:
    calls = customer.bridge.ask("GET", f"/calls?agent_id={bridges.READER}")["items"]
    found = [one for one in calls if one["call_id"] == customer.call_id]
    return [(one["state"], one["owner"]) for one in found] == [("talking", "agent")]


def is_offered(customer: Customer, question: str) -> dict[str, Any]:
    """What the agent is offered once the customer has written this."""
    customer.stage.gateway.write(customer.call_id, question)
    (suggestion,) = customer.agent.is_offered(1)
    assert suggestion["question"] == question
    return suggestion


def rejects(customer: Customer, suggestion: dict[str, Any]) -> None:
    customer.bridge.ask("POST", f"/suggestions/{suggestion['id']}/reject")


def told(customer: Customer) -> list[Line]:
    """Everything that was said, as Rasa's tracker has it."""
    said = [one for one in customer.tracker()["events"] if one["event"] in ("user", "bot")]
    marks = [one["metadata"].get("cc_bridge", {}).get("said_by") for one in said]
    return [(one["event"], one["text"], mark) for one, mark in zip(said, marks, strict=True)]


def actions(customer: Customer) -> list[str]:
    """What the bot has done in the conversation, besides beginning it and listening."""
    events = customer.tracker()["events"]
    names = [one["name"] for one in events if one["event"] == "action"]
    return [name for name in names if name not in ("action_session_start", "action_listen")]


def received(customer: Customer) -> list[str]:
    return [one["data"]["content"] for one in customer.messages()]


def test_a_whole_chat(caller: Customer) -> None:
    suggestion = is_offered(caller, GREETS)
    assert (suggestion["text"], suggestion["source"]["response"]) == (words.GREET, "utter_greet")
    caller.agent.accepts(suggestion)
    caller.gets(1)
    suggestion = is_offered(caller, ASKS)
    assert (suggestion["text"], suggestion["source"]["response"]) == (words.PRICE, "utter_price")
    caller.agent.accepts(suggestion, EDITED)
    caller.gets(2)
    suggestion = is_offered(caller, LEAVES)
    assert (suggestion["text"], suggestion["source"]["response"]) == (
        words.GOODBYE,
        "utter_goodbye",
    )
    rejects(caller, suggestion)
    caller.agent.writes(FREE)
    caller.gets(3)

    # Rasa knows what was said, and of nothing that the bot only would have said or done.
    by_people: list[Line] = [
        ("user", GREETS, "customer"),
        ("bot", words.GREET, "agent"),
        ("user", ASKS, "customer"),
        ("bot", EDITED, "agent"),
        ("user", LEAVES, "customer"),
        ("bot", FREE, "agent"),
    ]
    until(lambda: told(caller) == by_people, caller)
    assert actions(caller) == []
    origins = [one["metadata"]["cc_bridge"]["origin"] for one in caller.written_back()]
    assert origins == ["suggestion", "suggestion", "agent"]

    assert caller.agent.hands_back()["rasa_told"] is True
    assert told(caller) == by_people
    assert actions(caller) == []
    assert caller.tracker()["active_loop"] == {}

    caller.stage.gateway.write(caller.call_id, BOOKS)
    caller.gets(4)
    assert told(caller) == [
        *by_people,
        ("user", BOOKS, None),
        ("bot", words.ASK_PARTY_SIZE, None),
    ]
    assert actions(caller) == ["booking_form"]
    assert caller.tracker()["active_loop"]["name"] == "booking_form"
    caller.stage.gateway.write(caller.call_id, "four")  # the form is this conversation's
    caller.gets(5)

    assert received(caller) == [
        words.GREET,
        EDITED,
        FREE,
        words.ASK_PARTY_SIZE,
        words.BOOKED_FOR_FOUR,
    ]
    for message in caller.messages():
        assert (message["agent"], message["userid"]) == (bridges.READER, CALLER)
        assert message["repeated"] is False
    assert len(caller.stage.gateway.recorded(operation="send_message", call=caller.call_id)) == 5

    settled = {state: caller.agent.offered(state) for state in STATES}
    assert {state: [one["text"] for one in found] for state, found in settled.items() if found} == {
        "accepted": [words.GREET],
        "edited": [words.PRICE],
        "rejected": [words.GOODBYE],
    }
    history = caller.call()["history"]
    assert [(line["from"], line["text"]) for line in history] == [
        ("customer", GREETS),
        ("agent", words.GREET),
        ("customer", ASKS),
        ("agent", EDITED),
        ("customer", LEAVES),
        ("agent", FREE),
        ("customer", BOOKS),
        ("bot", words.ASK_PARTY_SIZE),
        ("customer", "four"),
        ("bot", words.BOOKED_FOR_FOUR),
    ]
    assert told(caller)[-2:] == [("user", "four", None), ("bot", words.BOOKED_FOR_FOUR, None)]
    assert [caller.webhooks(action) for action in OWN_ACTIONS] == [[], [], [], []]
