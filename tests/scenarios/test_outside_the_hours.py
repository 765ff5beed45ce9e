"""Outside the opening hours the customer is told so, and nobody is handed over."""

from __future__ import annotations

import copy
import logging
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import ASSIGNMENT, Office, message
from tests.simulator.harness import Simulator

BERLIN = ZoneInfo("Europe/Berlin")
HOURS = {
    "time_zone": "Europe/Berlin",
    "week": {"mon-fri": ["09:00-18:00"]},
    "holidays": ["2026-10-02"],
}
RESPONSES: dict[str, Any] = {
    "utter_handoff_started": [{"text": "Anna takes over now."}],
    "utter_handoff_unavailable": [{"text": "Nobody is there."}],
    "utter_handoff_closed": [
        {
            "text": "Closed, and it is known why.",
            "condition": [{"type": "slot", "name": "handoff_error", "value": "closed_hours"}],
        },
        {"text": "Closed."},
    ],
    "utter_zu": [{"text": "Geschlossen."}],
}
OPEN, CLOSED, HOLIDAY = "2026-10-01T12:00", "2026-10-01T18:00", "2026-10-02T12:00"


def at(wall: str) -> float:
    return datetime.fromisoformat(wall).replace(tzinfo=BERLIN).timestamp()


def asks(wall: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return message(at=at(wall), number=number, **more)


def designer(**more: Any) -> dict[str, Any]:
    return {"handoff": {"hours": HOURS, "cooldown": 60, **more}}


def call(
    office: Office, state: dict[str, Any], action: str = "action_bridge", domain: Any = None
) -> Any:
    return office.call(state, action, domain={"responses": RESPONSES} if domain is None else domain)


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    made = open_office(designer())
    made.assign()
    return made


@pytest.mark.both_engines
@pytest.mark.parametrize("action", ["action_bridge", "action_human_handoff"])
@pytest.mark.parametrize("wall", [CLOSED, HOLIDAY])
def test_the_customer_is_told_on_rasas_channel(
    office: Office, gateway: Simulator, wall: str, action: str
) -> None:
    answered = call(office, asks(wall), action)
    assert answered.slots == {
        "handoff_state": "bot",
        "handoff_agent_id": None,
        "handoff_call_id": None,
        "handoff_delivery": "none",
        "handoff_error": "closed_hours",
    }
    assert answered.kinds == []
    assert [item["text"] for item in answered.messages] == ["Closed, and it is known why."]
    assert gateway.recorded() == []
    assert office.record().owner.value == "bot"
    assert call(office, asks(wall), action) == answered  # a repeated request


def test_within_the_hours_it_is_a_handoff(office: Office, gateway: Simulator) -> None:
    assert call(office, asks(OPEN)).slots["handoff_state"] == "handoff"
    gateway.wait_for(messages=1)


@pytest.mark.parametrize(("wall", "state"), [(OPEN, "handoff"), (CLOSED, "bot")])
def test_the_time_of_the_message_decides_and_not_that_of_the_action(
    office: Office, wall: str, state: str
) -> None:
    office.clock.ahead = at("2026-10-04T03:00") - office.clock.now()  # a Sunday night
    assert call(office, asks(wall)).slots["handoff_state"] == state


@pytest.mark.parametrize(
    ("now", "error"), [("2026-10-01T12:00", "no_assignment"), ("2026-10-04T03:00", "closed_hours")]
)
def test_without_a_time_of_the_message_it_is_now(
    open_office: OpenOffice, now: str, error: str
) -> None:
    office = open_office(designer())
    office.clock.ahead = at(now) - office.clock.now()
    state = message()
    del state["events"][1]["timestamp"]
    assert call(office, state).slots["handoff_error"] == error


def test_it_is_said_whether_or_not_there_is_an_assignment(open_office: OpenOffice) -> None:
    office = open_office(designer())
    assert call(office, asks(CLOSED)).slots["handoff_error"] == "closed_hours"
    assert call(office, asks(OPEN, 2)).slots["handoff_error"] == "no_assignment"


def test_an_agent_who_owns_the_conversation_keeps_it(office: Office, gateway: Simulator) -> None:
    first = call(office, asks(OPEN))
    again = call(office, asks(CLOSED, 2), "action_human_handoff")
    assert again.slots == first.slots
    assert again.messages == []
    office.assign(call_id=f"{ASSIGNMENT['call_id']}0")  # the routing gives it another call
    office.assign(call_id=ASSIGNMENT["call_id"], owner="agent")
    assert call(office, asks(CLOSED, 3), "action_human_handoff").slots["handoff_error"] is None
    gateway.wait_for(messages=1)


def test_after_the_call_has_ended_the_hours_count_again(office: Office) -> None:
    call(office, asks(OPEN))
    assert office.end()
    assert call(office, asks(CLOSED, 2)).slots["handoff_error"] == "closed_hours"


def test_the_third_fallback_is_judged_by_the_last_message(open_office: OpenOffice) -> None:
    office = open_office(designer())
    state = asks(CLOSED, 3, text="hm", intent="nlu_fallback")
    earlier = [
        event
        for number in (1, 2)
        for event in asks(OPEN, number, text="hm", intent="nlu_fallback")["events"]
    ]
    state["events"] = [*earlier, *state["events"]]
    assert call(office, state).slots["handoff_error"] == "closed_hours"


def test_during_the_cooldown_a_fallback_is_ignored_and_a_request_is_told(
    open_office: OpenOffice,
) -> None:
    office = open_office(designer(then="assist"))
    office.assign()
    office.clock.ahead = at("2026-10-01T17:59:50") - office.clock.now()
    call(office, asks("2026-10-01T17:59"))
    call(office, asks("2026-10-01T17:59:30", 2), "action_handback")
    unknown = asks("2026-10-01T18:00:01", 3, text="hm", intent="nlu_fallback")
    rows = [copy.deepcopy(unknown["events"][1]) for _ in range(3)]
    unknown["events"] = [unknown["events"][0], *rows]
    answered = call(office, unknown)
    assert (answered.slots["handoff_error"], answered.messages) == ("cooldown", [])
    answered = call(office, asks("2026-10-01T18:00:05", 4))
    assert answered.slots["handoff_error"] == "closed_hours"
    assert len(answered.messages) == 1


@pytest.mark.parametrize(
    ("closed", "language", "domain", "said"),
    [
        ("utter_handoff_closed", None, None, {"text": "Closed, and it is known why."}),
        (None, None, None, None),
        ({"en": None, "de": "utter_zu"}, "de-AT", None, {"text": "Geschlossen."}),
        ({"en": None, "de": "utter_zu"}, "fr", None, None),
        ("utter_handoff_closed", "de", {"responses": {}}, "Leider ist unser Team"),
        ("utter_handoff_closed", "zh", {"responses": {}}, "抱歉"),
        ("utter_handoff_closed", "de", {}, {"response": "utter_handoff_closed"}),
    ],
)
def test_what_is_said(
    open_office: OpenOffice, closed: Any, language: str | None, domain: Any, said: Any
) -> None:
    office = open_office(designer(closed=closed))
    state = asks(CLOSED)
    state["slots"]["language"] = language
    answered = call(office, state, domain=domain)
    assert answered.slots["handoff_error"] == "closed_hours"
    if said is None:
        assert answered.messages == []
    elif isinstance(said, str):
        assert answered.messages[0]["text"].startswith(said)
    else:
        assert said.items() <= answered.messages[0].items()


def test_the_log_says_which_wall_time_was_judged(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        call(office, asks(HOLIDAY))
    (line,) = (each for each in caplog.messages if "closed_hours" in each)
    assert "Fri 2026-10-02 12:00 Europe/Berlin is a holiday" in line


def test_assistance_and_handback_know_no_hours(open_office: OpenOffice) -> None:
    rules = {"assist": {"when": [{"intent": "greet", "reply": "utter_zu"}]}, **designer()}
    office = open_office(rules)
    office.assign()
    answered = call(office, asks(CLOSED, intent="greet"), "action_agent_assist")
    assert [item["response"] for item in answered.messages] == ["utter_zu"]
    assert call(office, asks(CLOSED, 2), "action_handback").slots["handoff_state"] == "bot"
