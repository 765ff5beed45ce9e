"""A customer asks for a person, and the person has the conversation."""

from __future__ import annotations

import asyncio
import html
import json

import pytest

from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import Answered, Office, message
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines


def test_the_designers_words_go_out_under_the_agents_name(
    office: Office, gateway: Simulator
) -> None:
    answered = office.call(message())
    assert answered.slots == {
        "handoff_state": "handoff",
        "handoff_agent_id": "291",
        "handoff_call_id": "1552524689-16797284",
        "handoff_delivery": "delivered",
        "handoff_error": None,
    }
    assert answered.kinds == ["action_listen", "pause"]
    assert answered.messages == []
    sent = gateway.messages()
    assert len(sent) == 1
    assert sent[0]["text"] == "Maria, Anna takes over now."
    assert sent[0]["agent"] == "291"
    assert sent[0]["call"] == "1552524689-16797284"
    assert sent[0]["data"]["senderNickname"] == "Anna"


def test_a_customers_name_in_the_designers_words_is_no_markup(
    office: Office, gateway: Simulator
) -> None:
    state = message()
    state["slots"] = {"name": "<b>M</b> [x](https://evil.example)"}
    office.call(state)
    (sent,) = gateway.messages()
    assert html.escape("<b>M</b> [x](https://evil.example), Anna takes over now.") == sent["text"]


def test_an_open_form_is_closed_before_the_pause(office: Office) -> None:
    state = message() | {"active_loop": {"name": "booking_form"}}
    state["slots"] = {"requested_slot": "party_size"}
    answered = office.call(state)
    assert answered.kinds == ["active_loop", "action_listen", "pause"]
    assert answered.slots["requested_slot"] is None


def test_the_agent_is_shown_why_and_the_last_turns(office: Office) -> None:
    office.call(message("My order is late, get me a human"))
    view = office.runtime.calls.call("1552524689-16797284")
    assert view.card is not None
    assert "human_handoff" in view.card.reason
    assert [part.values["name"] for part in view.card.because] == ["human_handoff"]
    assert [line.text for line in view.card.turns] == ["My order is late, get me a human"]
    assert view.record.owner.value == "agent"


def test_then_assist_does_not_pause(open_office: OpenOffice, gateway: Simulator) -> None:
    office = open_office({"handoff": {"then": "assist"}})
    office.assign()
    answered = office.call(message())
    assert answered.slots["handoff_state"] == "assist"
    assert answered.kinds == []
    assert len(gateway.messages()) == 1


def test_the_same_webhook_twice_is_one_delivery_and_the_same_answer(
    office: Office, gateway: Simulator
) -> None:
    state = message()
    assert office.call(state) == office.call(state)
    assert len(gateway.messages()) == 1


def test_the_same_webhook_at_the_same_time_is_one_delivery_and_the_same_answer(
    office: Office, gateway: Simulator
) -> None:
    state = message()

    async def both() -> list[Answered]:
        return list(await asyncio.gather(*(office.call_async(state) for _ in range(5))))

    answers = asyncio.run(both())
    assert all(answer == answers[0] for answer in answers)
    assert len(gateway.messages()) == 1


def test_two_calls_of_the_action_in_one_turn_are_one_handoff(
    office: Office, gateway: Simulator
) -> None:
    state = message()
    first = office.call(state)
    state["events"] = [
        *state["events"],
        {"event": "action", "name": "action_bridge", "timestamp": 3.0},
    ]
    second = office.call(state)
    assert second.slots == first.slots
    assert second.kinds == []
    assert len(gateway.messages()) == 1


def test_ten_customers_of_one_agent_whose_session_is_gone_make_one_sign_in(
    office: Office, gateway: Simulator
) -> None:
    office.call(message())
    gateway.expire("291")
    for number in range(10):
        office.assign(f"customer-{number}", call_id=f"call-{number}")

    async def all_at_once() -> list[Answered]:
        return list(
            await asyncio.gather(
                *(office.call_async(message(sender=f"customer-{n}")) for n in range(10))
            )
        )

    answers = asyncio.run(all_at_once())
    assert {answer.slots["handoff_delivery"] for answer in answers} == {"delivered"}
    assert len(gateway.messages()) == 11
    assert len(gateway.recorded(operation="sign_in")) == 2


def test_nothing_is_said_where_the_designer_says_null(
    open_office: OpenOffice, gateway: Simulator
) -> None:
    office = open_office({"handoff": {"say": None}})
    office.assign()
    answered = office.call(message())
    assert answered.slots["handoff_state"] == "handoff"
    assert answered.slots["handoff_delivery"] == "none"
    assert gateway.messages() == []


def test_without_any_domain_the_handoff_is_announced_in_own_words(
    office: Office, gateway: Simulator
) -> None:
    answered = office.call(message(), domain={})
    assert answered.slots["handoff_state"] == "handoff"
    assert answered.slots["handoff_delivery"] == "delivered"
    (sent,) = gateway.messages()
    assert sent["text"] == "You are now connected to a member of our team."


def test_an_assignment_alone_changes_no_owner(office: Office) -> None:
    assert office.record().owner.value == "bot"


def test_a_message_that_calls_for_nothing_changes_nothing(
    office: Office, gateway: Simulator
) -> None:
    answered = office.call(message("hello", intent="greet"))
    assert (answered.events, answered.messages) == ([], [])
    assert gateway.recorded() == []


def test_long_words_go_out_in_order_in_parts_that_fit(office: Office, gateway: Simulator) -> None:
    text = " ".join(f"Wort{number} äöü你好." for number in range(400))
    domain = {"responses": {"utter_handoff_started": [{"text": text}]}}
    answered = office.call(message(), domain=domain)
    assert answered.slots["handoff_delivery"] == "delivered"
    sent = gateway.messages()
    assert len(sent) > 3
    assert " ".join(part["text"] for part in sent).split() == text.split()
    assert all(len(json.dumps(part["data"], ensure_ascii=False).encode()) <= 1990 for part in sent)
    assert all(item["beside"] == 0 for item in gateway.recorded(operation="send_message"))


def test_the_customer_is_told_in_their_language(office: Office, gateway: Simulator) -> None:
    said = {"text": "One moment.", "translation": {"es": "Un momento."}}
    state = message()
    state["slots"] = {**state["slots"], "language": "es-MX"}
    answered = office.call(state, domain={"responses": {"utter_handoff_started": [said]}})
    assert answered.slots["handoff_delivery"] == "delivered"
    assert [each["text"] for each in gateway.messages()] == ["Un momento."]
