"""What customers write on the gateway's channel: the bot is asked, and the agent decides."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.model import Owner, Suggestion
from bridge.state.commands import SHADOW, ForwardMessage
from bridge.state.inquiries import BotNote
from bridge.state.records import AssignmentRecord, UpdateKind
from bridge.store import lists
from tests.gateway.rig import until
from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import ASSIGNMENT, RESPONSES, Office, message
from tests.scenarios.rasa_stub import RasaStub

CALL = ASSIGNMENT["call_id"]
PRICE = "How much is it?"
RULES: dict[str, Any] = {
    "assist": {
        "when": [
            {"intent": "ask_price", "reply": "utter_price"},
            {"intent": "faq", "reply": "response_selector"},
            {"intent": "order"},
            {"intent": "hours"},
        ],
    },
}


def heard(intent: str, confidence: float = 0.95, **more: Any) -> dict[str, Any]:
    """What NLU makes of a text."""
    ranking = [
        {"name": intent, "confidence": confidence},
        {"name": "another", "confidence": 1 - confidence},
    ]
    return {"intent": ranking[0], "intent_ranking": ranking, "entities": [], **more}


@pytest.fixture
def rasa() -> Iterator[RasaStub]:
    with RasaStub() as stub:
        stub.domain = {
            "responses": {
                **RESPONSES,
                "utter_price": [{"text": "{name}, it costs 24 euros."}],
                "utter_hours": [{"text": "From 9 to 5."}],
                "utter_moment": [{"text": "One moment."}],
                "utter_faq/where": [{"text": "In Berlin."}],
                "utter_faq/when": [{"text": "In May."}],
            }
        }
        stub.understood = {
            PRICE: heard("ask_price"),
            "When?": heard("hours"),
            "Order it": heard("order"),
            "restart": heard("hours"),
            "Where?": heard(
                "faq",
                response_selector={
                    "faq": {
                        "response": {"utter_action": "utter_faq/where", "confidence": 0.8},
                        "ranking": [
                            {"intent_response_key": "faq/where", "confidence": 0.8},
                            {"intent_response_key": "faq/when", "confidence": 0.15},
                        ],
                    }
                },
            ),
        }
        stub.rules = {
            "hours": ["utter_moment", "utter_hours"],
            "order": ["utter_moment", "action_order", "utter_hours"],
        }
        stub.trackers["sender"] = [
            {"event": "action", "name": "action_session_start"},
            {"event": "session_started"},
            {"event": "slot", "name": "name", "value": "Maria"},
            {"event": "action", "name": "action_listen"},
            {"event": "pause"},
        ]
        yield stub


@pytest.fixture
def office(open_office: OpenOffice, rasa: RasaStub) -> Office:
    """An agent has the call, and Rasa can be asked."""
    made = open_office(RULES, rasa={"url": rasa.url})
    made.assign(owner="agent")
    return made


def writes(office: Office, text: str, number: int = 1) -> None:
    """The customer writes; the agent's desktop forwards it."""
    office.put(
        ForwardMessage(
            call_id=CALL, author="customer", text=text, message_id=f"m-{number}", agent_id="291"
        )
    )


def offered(office: Office, state: str = "offered") -> list[Suggestion]:
    page = office.runtime.suggestions.listing(
        call_id=CALL, state=state, agent_id=None, cursor=None, limit=50
    )
    return list(page.items)


def offers(office: Office, *texts: str) -> list[Suggestion]:
    """Wait until these are offered, and no others."""
    until(lambda: [item.text for item in offered(office)] == [*texts])
    return offered(office)


def noted(office: Office, kind: str) -> BotNote:
    """Wait until the agent is told something about the bot."""

    def found() -> BotNote | None:
        note = record(office).bot_note
        return note if note is not None and note.kind == kind else None

    until(lambda: found() is not None)
    note = found()
    assert note is not None
    return note


def record(office: Office) -> AssignmentRecord:
    return office.record()


def inquiries(office: Office) -> list[str]:
    """The states of the inquiries of the call."""
    updates = office.runtime.store.read(lambda tx: lists.updates_of_call(tx, CALL))
    return [each.state.value for each in updates if each.kind is UpdateKind.INQUIRY]


def settled(office: Office, *states: str) -> None:
    until(lambda: inquiries(office) == [*states])


def paths(rasa: RasaStub) -> list[str]:
    return [path.partition("?")[0] for path, _ in rasa.asked]


# -- suggestions -----------------------------------------------------------------------------------


def test_a_rule_with_a_reply_is_answered_from_the_domain(office: Office, rasa: RasaStub) -> None:
    writes(office, PRICE)
    (found,) = offers(office, "Maria, it costs 24 euros.")
    assert (found.source.intent, found.source.response) == ("ask_price", "utter_price")
    assert (found.message_id, found.question) == ("m-1", PRICE)
    assert "/model/predict" not in paths(rasa)
    assert office.deliveries() == []


def test_the_response_selectors_ranking_makes_candidates(office: Office) -> None:
    writes(office, "Where?")
    first, second = offers(office, "In Berlin.", "In May.")
    assert first.group == second.group


def test_without_a_reply_the_bot_is_predicted_step_by_step(office: Office, rasa: RasaStub) -> None:
    before = rasa.events()
    writes(office, "When?")
    offers(office, "One moment.\nFrom 9 to 5.")
    first, *_, last = rasa.wait_for_request("/model/predict", 3)
    kinds = [event["event"] for event in first]
    assert kinds[:2] == ["action", "session_started"]
    assert "pause" not in kinds
    assert first[-1]["text"] == "When?"
    assert [event["name"] for event in last if event["event"] == "action"][-2:] == [
        "utter_moment",
        "utter_hours",
    ]
    assert (rasa.events(), rasa.ran) == (before, [])


def test_rasa_need_not_know_the_conversation(office: Office, rasa: RasaStub) -> None:
    rasa.trackers.clear()
    writes(office, "When?")
    offers(office, "One moment.\nFrom 9 to 5.")
    assert (rasa.trackers, rasa.ran) == ({}, [])


def test_before_an_action_that_is_not_listed_it_stops(office: Office, rasa: RasaStub) -> None:
    writes(office, "Order it")
    note = noted(office, "action")
    assert (note.text, note.action) == ("The bot would now run action_order.", "action_order")
    assert note.message_id == "m-1"
    offers(office, "One moment.")
    assert rasa.ran == []
    assert office.runtime.store.read(lambda tx: lists.suggestions(tx, call_id=CALL, limit=9))
    writes(office, PRICE, 2)
    assert record(office).bot_note is None


def test_listed_actions_are_run_in_a_conversation_of_their_own(
    open_office: OpenOffice, rasa: RasaStub
) -> None:
    rules = {"assist": {**RULES["assist"], "actions": ["action_order"]}}
    office = open_office(rules, rasa={"url": rasa.url})
    office.assign(owner="agent")
    rasa.effects["action_order"] = [
        {"event": "bot", "text": "Order 7 is made.", "data": {}, "metadata": {}},
        {"event": "reminder", "name": "r", "intent": "x"},
    ]
    before = rasa.events()
    writes(office, "Order it")
    offers(office, "One moment.\nOrder 7 is made.\nFrom 9 to 5.")
    ((shadow, action),) = rasa.ran
    assert (shadow.startswith(SHADOW), action) == (True, "action_order")
    assert "sender" not in shadow
    assert rasa.events() == before
    assert rasa.pushed == [{"event": "cancel_reminder"}]
    # Our own actions do nothing there, and what ran is found again.
    state = message(sender=shadow)
    assert office.call(state).events == []
    assert office.call(message(sender="assist-0")).slots["handoff_error"] == "no_assignment"
    assert (offered(office)[0].state.value, record(office).owner) == ("offered", Owner.AGENT)


@pytest.mark.parametrize("text", ["/restart", "  //restart", "/ /restart"])
def test_a_text_is_never_taken_for_an_intent(office: Office, rasa: RasaStub, text: str) -> None:
    writes(office, text)
    offers(office, "One moment.\nFrom 9 to 5.")
    assert rasa.wait_for_request("/model/parse")[0]["text"] == "restart"


def test_what_no_rule_names_is_not_asked(office: Office, rasa: RasaStub) -> None:
    writes(office, "Nice weather.")
    settled(office, "done")
    assert offered(office) == []
    assert "/model/predict" not in paths(rasa)
    assert record(office).bot_note is None


def test_an_answer_without_content_is_shown_as_such(office: Office, rasa: RasaStub) -> None:
    rasa.rules["hours"] = []
    writes(office, "When?")
    assert noted(office, "empty").text == "The bot has no answer to this message."
    assert office.deliveries() == []


def test_only_the_customers_last_message_is_answered(office: Office, rasa: RasaStub) -> None:
    rasa.seconds = 0.3
    writes(office, "Where?", 1)
    rasa.wait_for_request("/model/parse")
    writes(office, PRICE, 2)
    offers(office, "Maria, it costs 24 euros.")
    settled(office, "done", "done")
    assert len(offered(office, "superseded")) == 0


def test_a_message_that_the_agent_has_answered_needs_no_suggestion(
    office: Office, rasa: RasaStub
) -> None:
    rasa.seconds = 0.3
    writes(office, PRICE)
    rasa.wait_for_request("/model/parse")
    office.reply("24 euros.")
    settled(office, "done")
    assert offered(office) == []


def test_a_turn_of_rasas_that_has_answered_the_message_is_enough(
    office: Office, rasa: RasaStub
) -> None:
    state = message(PRICE, intent="ask_price", number=1)
    office.call(state, "action_agent_assist", domain=rasa.domain)
    office.put(
        ForwardMessage(
            call_id=CALL, author="customer", text=PRICE, message_id="sender-1", agent_id=None
        )
    )
    assert inquiries(office) == []
    assert len(offered(office)) == 1
    assert rasa.asked == []


def test_a_forwarded_message_is_never_answered_automatically(
    open_office: OpenOffice, rasa: RasaStub
) -> None:
    auto = {"intents": ["ask_price"], "typing": "ignored"}
    rules = {"assist": {**RULES["assist"], "mode": "auto", "auto": auto}}
    office = open_office(rules, rasa={"url": rasa.url})
    office.assign(owner="agent")
    writes(office, PRICE)
    offers(office, "Maria, it costs 24 euros.")
    assert office.deliveries() == []


def test_from_the_message_to_the_suggestion_little_is_added(office: Office, rasa: RasaStub) -> None:
    """Rasa's own time, and at most five times the promised 50 ms."""
    writes(office, PRICE, 1)
    offers(office, "Maria, it costs 24 euros.")
    begun, before = time.monotonic(), len(rasa.asked)
    writes(office, PRICE, 2)
    until(lambda: [item.message_id for item in offered(office)] == ["m-2"])
    assert time.monotonic() - begun < 5 * 0.05
    assert len(rasa.asked) - before == 2  # what NLU makes of it, and the conversation


# -- a Rasa that fails -----------------------------------------------------------------------------


@pytest.mark.parametrize("fate", ["500", "html", "cut", "drop_after"])
def test_a_rasa_that_fails_once_is_asked_again(office: Office, rasa: RasaStub, fate: str) -> None:
    rasa.failures = [fate]
    writes(office, PRICE)
    if fate == "500":
        offers(office, "Maria, it costs 24 euros.")
    else:
        until(lambda: inquiries(office) == ["done"])
        offers(office, "Maria, it costs 24 euros.")


def test_a_rasa_that_keeps_failing_is_shown_to_the_agent(office: Office, rasa: RasaStub) -> None:
    rasa.failures = ["html"] * 20
    writes(office, PRICE)
    text = "The bot has not answered yet: Rasa's answer is not JSON. It is asked again."
    assert noted(office, "failed").text == text
    assert (offered(office), office.deliveries()) == ([], [])


def test_a_slow_rasa_costs_its_time_limit_and_no_more(
    open_office: OpenOffice, rasa: RasaStub
) -> None:
    office = open_office(RULES, rasa={"url": rasa.url}, reader={"answer_timeout": 0.3})
    office.assign(owner="agent")
    rasa.failures = ["hold", "hold"]
    writes(office, PRICE)
    assert "did not answer in time" in noted(office, "failed").text
    offers(office, "Maria, it costs 24 euros.")


# -- the bot owns the call -------------------------------------------------------------------------
