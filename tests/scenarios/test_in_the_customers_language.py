"""What is said is named for the customer's language, or translated into it, or ours in it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.conftest import OpenOffice
from tests.scenarios.office import message
from tests.scenarios.rasa_stub import RasaStub
from tests.simulator.harness import Simulator

NAMES = {"en": "utter_a", "de": "utter_b", "de-AT": None}
RESPONSES = {
    "utter_a": [{"text": "A", "translation": {"fr": "A en français"}}],
    "utter_b": [{"text": "B"}],
}
BUILT_IN = {"started": "Ahora le atiende", "unavailable": "Lo sentimos"}
CASES = [
    ("en", "en", "A"),
    ("de", "en", "B"),
    ("de_CH", "en", "B"),
    ("DE-at", "en", None),
    ("fr", "en", "A en français"),
    (None, "en", "A"),
    (None, "de", "B"),
    ("it", "de-AT", None),
    ("es", "it", BUILT_IN),  # neither is named: the bridge's own text
]


def asks(language: str | None, channel: str = "rest") -> dict[str, Any]:
    state = message(channel=channel)
    state["slots"]["language"] = language
    return state


def designer(key: str, default: str) -> dict[str, Any]:
    return {"handoff": {key: NAMES}, "language": {"default": default}}


@pytest.mark.parametrize(("language", "default", "expected"), CASES)
def test_what_is_said_at_a_handoff(
    open_office: OpenOffice, gateway: Simulator, language: str | None, default: str, expected: Any
) -> None:
    office = open_office(designer("say", default))
    office.assign()
    answered = office.call(asks(language), domain={"responses": RESPONSES})
    assert answered.slots["handoff_state"] == "handoff"
    said = [item["text"] for item in gateway.messages()]
    if expected is None:
        assert said == []
        assert answered.slots["handoff_delivery"] == "none"
    elif expected is BUILT_IN:
        assert [text.startswith(BUILT_IN["started"]) for text in said] == [True]
    else:
        assert said == [expected]


@pytest.mark.parametrize(("language", "default", "expected"), CASES)
@pytest.mark.parametrize("known", [True, False], ids=["with the domain", "without it"])
def test_what_is_said_where_no_handoff_is_possible(
    open_office: OpenOffice, *, language: str | None, default: str, expected: Any, known: bool
) -> None:
    office = open_office(designer("unavailable", default))
    domain = {"responses": RESPONSES} if known else {}
    answered = office.call(asks(language), domain=domain)
    assert answered.slots["handoff_error"] == "no_assignment"
    if expected is None:
        assert answered.messages == []
        return
    (only,) = answered.messages
    if expected is BUILT_IN:
        assert only["text"].startswith(BUILT_IN["unavailable"])
    elif known:
        assert only["text"] == expected
    else:
        assert only["response"] == ("utter_b" if expected == "B" else "utter_a")


@pytest.mark.parametrize(("language", "default", "expected"), CASES)
def test_what_is_said_after_a_promise_that_nobody_kept(
    open_office: OpenOffice,
    gateway: Simulator,
    rasa: RasaStub,
    language: str | None,
    default: str,
    expected: Any,
) -> None:
    rasa.domain = {"responses": RESPONSES}
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    office = open_office(
        designer("unavailable", default),
        rasa={"url": rasa.url},
        delivery={"wait": 0.1, "expire_after": 0.5},
    )
    office.assign()
    assert office.call(asks(language, "callback")).slots["handoff_delivery"] == "pending"
    rasa.wait_for("resume" if expected is None else "bot")
    said = [event["text"] for event in rasa.pushed]
    if expected is BUILT_IN:
        assert [text.startswith(BUILT_IN["unavailable"]) for text in said] == [True]
    else:
        assert said == [] if expected is None else [expected]
