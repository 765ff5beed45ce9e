"""The demo's requests are Rasa's, and belong to now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge import turn
from bridge.cli.demo import visitor, webhooks
from bridge.cli.demo.scenes import SCENES
from bridge.cli.demo.servers import designers_file
from bridge.config import defaults_folder, load
from bridge.config.settings import HandoffSettings
from bridge.triggers import DecisionKind, decide

NOW = 2_000_000_000.0
ENVIRONMENT = {"BRIDGE__GATEWAY__URL": "https://g"}
LINES = (visitor.FIRST, *visitor.REST)
LATER = sorted({line.intent for line in LINES})
NAMES = sorted({scene.request for scene in SCENES})


@pytest.fixture
def rules(tmp_path: Path) -> HandoffSettings:
    """The designer's, as the demo has them."""
    (tmp_path / "handoff.yml").write_text(designers_file(), encoding="utf-8")
    return load(environ=ENVIRONMENT, folder=tmp_path).designer


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_request_that_the_bridge_reads(name: str) -> None:
    payload = webhooks.request(name, NOW)
    assert turn.fault(payload) is None
    assert payload["version"] == "3.6.21"
    assert payload["domain"] == webhooks.domain()


@pytest.mark.parametrize("name", NAMES)
def test_each_belongs_to_now_and_keeps_its_order(name: str) -> None:
    tracker = webhooks.request(name, NOW)["tracker"]
    times = [event["timestamp"] for event in tracker["events"]]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(NOW)
    assert tracker["latest_event_time"] == pytest.approx(NOW)


@pytest.mark.parametrize("name", NAMES)
def test_what_rasa_heard_last_is_its_last_user_event(name: str) -> None:
    tracker = webhooks.request(name, NOW)["tracker"]
    last = [event for event in tracker["events"] if event["event"] == "user"][-1]
    assert tracker["latest_message"] == last["parse_data"]


def test_the_domain_has_what_the_rules_name(rules: HandoffSettings) -> None:
    domain = webhooks.domain()
    responses = {rules.handoff.say, rules.handoff.unavailable, rules.assist.when[0].reply}
    assert responses <= domain["responses"].keys()
    assert {"human_handoff", rules.assist.when[0].intent} <= set(map(str, domain["intents"]))
    slots = {"handoff_state", "handoff_agent_id", "handoff_call_id", "handoff_delivery"}
    assert slots | {"handoff_error", "handoff_summary"} <= domain["slots"].keys()


def test_the_rules_are_the_shipped_ones_and_those_for_assist(rules: HandoffSettings) -> None:
    shipped = load(environ=ENVIRONMENT, folder=defaults_folder()).designer
    assert [(item.intent, item.reply) for item in rules.assist.when] == [
        ("ask_price", "utter_price"),
        *((intent, "response_selector") for intent in LATER),
    ]
    without = rules.assist.model_copy(update={"when": shipped.assist.when})
    assert (rules.handoff, without) == (shipped.handoff, shipped.assist)


def test_the_rules_call_for_what_the_scenes_say(rules: HandoffSettings) -> None:
    found = {}
    for name in NAMES:
        payload: dict[str, Any] = webhooks.request(name, NOW)
        read = turn.read(payload["tracker"], payload["domain"], payload["next_action"])
        found[name] = decide(read, rules).kind
    assert found == {
        "asks_for_a_person": DecisionKind.HANDOFF,
        "asks_for_austria": DecisionKind.ASSIST,
        "asks_for_express": DecisionKind.ASSIST,
        "asks_the_price": DecisionKind.ASSIST,
        "asks_the_price_again": DecisionKind.ASSIST,
        "goes_on_with_the_bot": DecisionKind.NONE,  # a rule of the bot's hands back
        "nobody_is_assigned": DecisionKind.HANDOFF,
        "not_understood": DecisionKind.HANDOFF,
        "opening_hours": DecisionKind.NONE,
    }


@pytest.mark.parametrize("line", LINES)
def test_what_the_visitor_writes_is_a_request_that_calls_for_assist(
    rules: HandoffSettings, line: visitor.ScriptedMessage
) -> None:
    message = webhooks.written(line.text, line.intent, line.confidence, line.answers)
    first: dict[str, Any] = webhooks.turn("sofia", message, [], NOW)
    payload: dict[str, Any] = webhooks.turn("sofia", message, first["tracker"]["events"], NOW + 60)
    for each in (first, payload):
        assert turn.fault(each) is None
        assert each["tracker"]["latest_message"]["text"] == line.text
        read = turn.read(each["tracker"], each["domain"], each["next_action"])
        assert decide(read, rules).kind is DecisionKind.ASSIST
    said = [each["text"] for each in payload["tracker"]["events"] if each["event"] == "user"]
    assert said == [line.text] * 2


def test_turns_that_failed_are_part_of_the_story() -> None:
    said = webhooks.transcript(webhooks.request("not_understood", NOW))
    assert [who for who, _ in said] == ["user", "bot"] * 3
    said = webhooks.transcript(webhooks.request("asks_for_a_person", NOW))
    assert said == (("user", "I would like to talk to a person about the laptop"),)


def test_a_named_response_is_looked_up_as_rasa_does() -> None:
    responses: list[dict[str, Any]] = [
        {"response": "utter_default", "text": None},
        {"text": "Words."},
    ]
    assert webhooks.uttered(responses) == ("Sorry, I did not get that.", "Words.")
    assert webhooks.uttered([]) == ()
