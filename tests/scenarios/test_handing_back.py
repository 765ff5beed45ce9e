"""The bot has the conversation again, and Rasa is told even where it is down just now."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bridge.errors import RefusedError
from bridge.store import lists
from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import ASSIGNMENT, Office, message
from tests.scenarios.rasa_stub import RasaStub
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines

CALL = ASSIGNMENT["call_id"]


@pytest.fixture
def told(open_office: OpenOffice, rasa: RasaStub) -> Office:
    """A conversation that was handed off, with a Rasa that can be told."""
    office = open_office(rasa={"url": rasa.url})
    office.assign()
    office.call(message())
    return office


def until_refused(office: Office) -> None:
    """Wait until one update has failed for good."""
    until = time.monotonic() + 20
    while (counts := office.runtime.store.read(lists.counted_updates)) != {"open": 0, "failed": 1}:
        assert time.monotonic() < until, counts
        time.sleep(0.02)


def slots(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {event["name"]: event["value"] for event in events if event["event"] == "slot"}


def test_by_the_api_a_bare_resume_and_the_slots(told: Office, rasa: RasaStub) -> None:
    told.hand_back()
    assert told.record().owner.value == "bot"
    rasa.wait_for("resume")
    found = slots(rasa.events())
    assert found["handoff_state"] == "bot"
    assert found["handoff_error"] is None
    assert found["handoff_summary"] == "Time with our team: 1 min. Messages: 1."
    assert [e for e in rasa.events() if e["event"] == "action"] == []


def test_without_rasas_address_it_is_refused_with_the_cure(office: Office) -> None:
    office.call(message())
    with pytest.raises(RefusedError, match=r"rasa\.url") as raised:
        office.hand_back()
    assert raised.value.status == 409
    assert office.record().owner.value == "agent"


def test_by_the_action_in_a_turn(office: Office) -> None:
    office.call(message())
    answered = office.call(message("bot please", intent="bot", number=2), "action_handback")
    assert answered.slots["handoff_state"] == "bot"
    assert "Messages: 1" in answered.slots["handoff_summary"]
    assert answered.kinds == []
    assert office.record().owner.value == "bot"


def test_a_call_that_the_bot_has_cannot_be_handed_back(told: Office) -> None:
    told.hand_back()
    with pytest.raises(RefusedError) as raised:
        told.hand_back()
    assert (raised.value.status, raised.value.code) == (409, "not_with_agent")


@pytest.mark.parametrize("failures", [["500", "500"], ["html"], ["cut"], ["drop_after"]])
def test_a_rasa_that_fails_is_told_again(told: Office, rasa: RasaStub, failures: list[str]) -> None:
    rasa.wait_for("bot")  # the handoff's words, written back
    rasa.failures = list(failures)
    told.hand_back(agent_id=None)
    rasa.wait_for("resume")
    assert rasa.failures == []


def test_what_the_agent_sent_is_written_back_and_says_so(told: Office, rasa: RasaStub) -> None:
    told.reply("I am Anna.", "c-1")
    events = rasa.wait_for("bot", count=2)
    assert [event["text"] for event in events] == ["Maria, Anna takes over now.", "I am Anna."]
    mark = events[1]["metadata"]["cc_bridge"]
    assert (mark["said_by"], mark["agent_id"], mark["origin"]) == ("agent", "291", "agent")
    assert rasa.pushed == []


def test_once_the_call_is_over_the_bot_goes_on(told: Office, rasa: RasaStub) -> None:
    assert told.end()
    rasa.wait_for("resume")
    assert slots(rasa.events())["handoff_state"] == "bot"


def test_on_a_new_call_the_bot_goes_on(told: Office, rasa: RasaStub) -> None:
    told.assign(call_id="another-call")
    rasa.wait_for("resume")
    assert told.record().owner.value == "bot"


def test_what_is_written_back_and_shown_is_what_a_person_reads(
    told: Office, rasa: RasaStub
) -> None:
    told.reply("24 euros & a <smile>\nBye", "c-1")
    events = rasa.wait_for("bot", count=2)
    assert events[1]["text"] == "24 euros & a <smile>\nBye"
    view = told.runtime.calls.call(CALL)
    assert view.words[view.deliveries[-1].seq] == "24 euros & a <smile>\nBye"


def test_a_write_back_whose_answer_was_lost_is_not_written_twice(
    told: Office, rasa: RasaStub
) -> None:
    rasa.wait_for("bot")
    rasa.failures = ["drop_after"]
    told.reply("Once.", "c-1")
    told.reply("Twice.", "c-2")
    rasa.wait_for("bot", count=3)
    texts = [event["text"] for event in rasa.events() if event["event"] == "bot"]
    assert texts == ["Maria, Anna takes over now.", "Once.", "Twice."]


def test_a_handback_that_rasa_hears_of_too_late_does_not_undo_the_next_handoff(
    told: Office, rasa: RasaStub
) -> None:
    rasa.wait_for("bot")
    rasa.failures = ["drop_after"]
    told.hand_back()
    rasa.wait_for("resume")
    assert told.call(message("human!", number=2)).slots["handoff_state"] == "handoff"
    rasa.wait_for("bot", count=2)  # what comes after it in the conversation's order
    assert [event["event"] for event in rasa.events()].count("resume") == 1


def test_a_handback_does_not_wait_for_what_rasa_will_never_store(
    told: Office, rasa: RasaStub
) -> None:
    rasa.wait_for("bot")
    rasa.failures = ["500"] * 20
    told.reply("Not for your database.", "c-1")
    until_refused(told)
    rasa.failures = []
    told.hand_back()
    rasa.wait_for("resume")
    assert len([event for event in rasa.events() if event["event"] == "bot"]) == 1


def test_soon_after_a_handback_fallbacks_do_not_hand_off_but_a_wish_does(
    told: Office, gateway: Simulator
) -> None:
    told.hand_back()
    unknown = message("xyzzy", intent="nlu_fallback", confidence=0.3, number=2)
    earlier = [
        {**unknown["events"][1], "message_id": f"f-{number}", "timestamp": time.time()}
        for number in range(3)
    ]
    unknown["events"] = [*earlier, unknown["events"][1]]
    answered = told.call(unknown)
    assert answered.slots["handoff_error"] == "cooldown"
    assert answered.messages == []
    assert told.record().owner.value == "bot"
    assert told.call(message("human!", number=3)).slots["handoff_state"] == "handoff"
    gateway.wait_for(messages=2)


def test_a_message_from_before_the_handback_does_not_hand_off_again(told: Office) -> None:
    told.hand_back()
    backlog = message("human!", number=2, at=time.time() - 5)
    assert told.call(backlog).slots["handoff_state"] == "bot"
    named = told.call(message("human!", number=3, at=time.time() - 5), "action_human_handoff")
    assert named.slots["handoff_error"] == "cooldown"


def test_a_promise_that_nobody_kept_is_taken_back_and_the_customer_is_told(
    open_office: OpenOffice, gateway: Simulator, rasa: RasaStub
) -> None:
    rasa.domain = {"responses": {"utter_handoff_unavailable": [{"text": "Nobody came."}]}}
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    office = open_office(rasa={"url": rasa.url}, delivery={"wait": 0.2, "expire_after": 1.0})
    office.assign()
    asks = message(channel="callback")
    assert office.call(asks).slots["handoff_delivery"] == "pending"
    rasa.wait_for("resume")
    rasa.wait_for("bot")
    assert [event["text"] for event in rasa.pushed] == ["Nobody came."]
    found = slots(rasa.events())
    assert (found["handoff_state"], found["handoff_delivery"]) == ("bot", "failed")
    assert found["handoff_error"] == "rejected"
    assert office.record().owner.value == "bot"
    assert office.record().untold


@pytest.mark.parametrize(
    ("variations", "said"),
    [
        (
            [
                {
                    "text": "Refused.",
                    "condition": [{"type": "slot", "name": "handoff_error", "value": "rejected"}],
                },
                {"text": "Something else."},
            ],
            "Refused.",
        ),
        ([], "Leider kann gerade niemand übernehmen."),
        ([{"text": "Nobody came, {name}."}], "Leider kann gerade niemand übernehmen."),
    ],
    ids=["by its reason", "nothing fits", "a slot is not known any more"],
)
def test_the_apology_is_for_this_reason_and_in_the_customers_language(
    open_office: OpenOffice,
    gateway: Simulator,
    rasa: RasaStub,
    variations: list[dict[str, Any]],
    said: str,
) -> None:
    rasa.domain = {"responses": {"utter_handoff_unavailable": variations}}
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    office = open_office(rasa={"url": rasa.url}, delivery={"wait": 0.2, "expire_after": 1.0})
    office.assign()
    state = message(channel="callback")
    state["slots"]["language"] = "de-AT"
    assert office.call(state).slots["handoff_delivery"] == "pending"
    rasa.wait_for("bot")
    (apology,) = rasa.pushed
    assert apology["text"].startswith(said)
    summary = slots(rasa.events())["handoff_summary"]
    assert summary == "Zeit mit unserem Team: 1 Min. Nachrichten: 0."


def test_where_nobody_knows_whether_the_customer_was_told_it_is_not_said_again(
    open_office: OpenOffice, gateway: Simulator, rasa: RasaStub
) -> None:
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    changes = {"wait": 0.2, "expire_after": 0.5}
    office = open_office(rasa={"url": rasa.url, "timeout": 0.3}, delivery=changes)
    rasa.failures = ["", "", "hold_pushed"]  # the resume, the domain, and what the customer is told
    office.assign()
    office.call(message(channel="callback"))
    until_refused(office)
    assert len(rasa.pushed) == 1
    assert [event["event"] for event in rasa.events()].count("resume") == 1


def test_a_pause_that_an_expired_session_lifted_is_put_back(office: Office) -> None:
    first = office.call(message())
    later = message("hello?", intent="greet", number=2, at=time.time() + 4000)
    again = office.call(later)
    assert again.kinds == ["action_listen", "pause"]
    assert again.slots == first.slots
