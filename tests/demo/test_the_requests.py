"""The demo's requests are Rasa's, and belong to now."""

from __future__ import annotations

from typing import Any

import pytest

from bridge import turn
from bridge.cli.demo import webhooks
from bridge.cli.demo.scenes import SCENES
from bridge.config import defaults_folder, load
from bridge.triggers import Kind, decide

NOW = 2_000_000_000.0
NAMES = sorted({scene.request for scene in SCENES})


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


def test_the_domain_has_what_the_shipped_rules_name() -> None:
    domain = webhooks.domain()
    rules = load(environ={"BRIDGE__GATEWAY__URL": "https://g"}, folder=defaults_folder()).designer
    assert {rules.handoff.say, rules.handoff.unavailable} <= domain["responses"].keys()
    assert "human_handoff" in domain["intents"]
    slots = {"handoff_state", "handoff_agent_id", "handoff_call_id"}
    assert slots | {"handoff_delivery", "handoff_error"} <= domain["slots"].keys()


def test_the_shipped_rules_call_for_what_the_scenes_say() -> None:
    rules = load(environ={"BRIDGE__GATEWAY__URL": "https://g"}, folder=defaults_folder()).designer
    found = {}
    for name in NAMES:
        payload: dict[str, Any] = webhooks.request(name, NOW)
        read = turn.read(payload["tracker"], payload["domain"], payload["next_action"])
        found[name] = decide(read, rules).kind
    assert found == {
        "asks_for_a_person": Kind.HANDOFF,
        "nobody_is_assigned": Kind.HANDOFF,
        "not_understood": Kind.HANDOFF,
        "opening_hours": Kind.NONE,
    }


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
