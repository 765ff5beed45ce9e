"""Requests of Rasa's that were answered wrongly once, each with what should come out.

``tests/fixtures/turns`` has the request, the configuration, and ``expected`` in words.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator.harness import Simulator
from tests.web.serving import ActionServer, settings, slots

TURNS = Path(__file__).parents[1] / "fixtures" / "turns"
WAIT = 2.0  # delivery.wait

Serve = Callable[[str], tuple[ActionServer, dict[str, Any]]]


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator("--poll-seconds", "0.2") as started:
        yield started


@pytest.fixture
def gateway(running: Simulator) -> Simulator:
    """A gateway at which nobody is signed in: each server signs its agent in."""
    running.reset()
    return running


@pytest.fixture
def serve(tmp_path: Path, gateway: Simulator) -> Iterator[Serve]:
    """Starts a server with a case's configuration, and gives the case's request."""
    with ExitStack() as opened:

        def start(name: str) -> tuple[ActionServer, dict[str, Any]]:
            case = json.loads((TURNS / f"{name}.json").read_text(encoding="utf-8"))
            (tmp_path / "config").mkdir()
            rules = json.dumps(case.get("handoff.yml", {}))
            (tmp_path / "config" / "handoff.yml").write_text(rules, encoding="utf-8")
            bridge = {
                "gateway": {"url": gateway.url},
                "assignment": {"metadata": "trusted"},
                "delivery": {"wait": WAIT},
                **case.get("bridge.yml", {}),
            }
            server = opened.enter_context(ActionServer(tmp_path, bridge=bridge))
            return server, case["request"]

        yield start


def call_of(request: dict[str, Any]) -> str:
    call_id: str = request["tracker"]["latest_message"]["metadata"]["call_id"]
    return call_id


def uttered(answer: requests.Response) -> list[str]:
    """What Rasa is to say on its own channel: texts, and names of responses."""
    assert answer.status_code == 200, answer.text
    return [item["response"] or item["text"] for item in answer.json()["responses"]]


def suggestions(server: ActionServer, call_id: str, **query: str) -> list[dict[str, Any]]:
    found = server.get("/bridge/suggestions", params={"call_id": call_id, **query})
    items: list[dict[str, Any]] = found.json()["items"]
    return items


def other_message(request: dict[str, Any], text: str, intent: str, **changes: Any) -> Any:
    """The same conversation now, with another message of the customer."""
    later = json.loads(json.dumps(request))
    tracker = later["tracker"]
    for message in (tracker["latest_message"], said_last(tracker)["parse_data"]):
        message |= {"text": text, "message_id": f"{text} {intent}", **changes}
        message["intent"] = {"name": intent, "confidence": 0.97}
    event = said_last(tracker)
    event |= {"text": text, "message_id": event["parse_data"]["message_id"], **changes}
    event["timestamp"] = time.time()
    return later


def said_last(tracker: dict[str, Any]) -> dict[str, Any]:
    """The last event of the customer's."""
    event: dict[str, Any] = [each for each in tracker["events"] if each["event"] == "user"][-1]
    return event


def test_say_names_the_agent_and_the_call_of_this_handoff(serve: Serve, gateway: Simulator) -> None:
    server, request = serve("say-own-slots")
    found = slots(server.webhook(request))
    assert found["handoff_delivery"] == "delivered"
    call_id = call_of(request)
    told = [message["text"] for message in gateway.messages(call=call_id)]
    assert told == [f"You are with agent 291 now (case {call_id})."]


def test_say_of_which_no_variation_fits_is_said_in_own_words(
    serve: Serve, gateway: Simulator
) -> None:
    server, request = serve("say-nothing-fits")
    assert slots(server.webhook(request))["handoff_delivery"] == "delivered"
    told = [message["text"] for message in gateway.messages(call=call_of(request))]
    assert told == ["You are now connected to a member of our team."]


def test_unavailable_sees_the_reason_of_this_very_refusal(serve: Serve) -> None:
    server, request = serve("unavailable-by-reason")
    answer = server.webhook(request)
    assert slots(answer)["handoff_error"] == "no_assignment"
    assert uttered(answer) == ["Nobody is on duty."]


def test_unavailable_as_configured_and_in_time_while_the_store_is_locked(serve: Serve) -> None:
    server, request = serve("unavailable-store-away")
    with closing(sqlite3.connect(server.folder / "bridge.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            begun = time.monotonic()
            answer = server.webhook(request)
            assert time.monotonic() - begun < WAIT + 1.0
            assert slots(answer)["handoff_error"] == "store_unavailable"
            assert uttered(answer) == ["All busy, sorry."]


# Rasa's SDK under gRPC, and a program of one's own, open the bridge at the first action.
FIRST_ACTION = """
import asyncio, json, sys, time

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from bridge.actions import ActionHumanHandoff

request = json.load(sys.stdin)
for _ in range(2):
    dispatcher, begun = CollectingDispatcher(), time.monotonic()
    tracker = Tracker.from_dict(request["tracker"])
    events = asyncio.run(ActionHumanHandoff().run(dispatcher, tracker, request["domain"]))
    slots = {event["name"]: event["value"] for event in events}
    said = [message["text"] for message in dispatcher.messages]
    print(json.dumps([time.monotonic() - begun, slots["handoff_error"], said]))
"""


def test_a_store_that_cannot_be_opened_makes_no_action_wait(
    tmp_path: Path, gateway: Simulator
) -> None:
    case = json.loads((TURNS / "unavailable-store-away.json").read_text(encoding="utf-8"))
    with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        config = tmp_path / "config"
        config.mkdir()
        bridge = settings(gateway={"url": gateway.url}, delivery={"wait": 0.5})
        (config / "bridge.yml").write_text(json.dumps(bridge), encoding="utf-8")
        (config / "handoff.yml").write_text(json.dumps(case["handoff.yml"]), encoding="utf-8")
        ran = subprocess.run(
            [sys.executable, "-c", FIRST_ACTION],
            cwd=tmp_path,
            input=json.dumps(case["request"]),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={**os.environ, "BRIDGE_CONFIG": str(config)},
        )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [answer[1:] for answer in answers] == [["store_unavailable", ["All busy, sorry."]]] * 2
    # The first one also imports the bridge.
    assert answers[1][0] < 0.5 + 1.0


def test_an_utterance_of_blanks_is_no_suggestion(serve: Serve) -> None:
    server, request = serve("blank-suggestion")
    call_id = call_of(request)
    server.webhook({**request, "next_action": "action_human_handoff"})
    answer = server.webhook(request)
    assert answer.json() == {"events": [], "responses": []}
    assert suggestions(server, call_id) == []


def test_a_reminder_supersedes_nothing_and_a_message_does(serve: Serve) -> None:
    server, request = serve("reminder-supersedes")
    metadata = {"agent_id": "291", "call_id": "155-e1", "user_id": "40001"}
    asked = other_message(request, "How much?", "ask_price", metadata=metadata)
    assert slots(server.webhook({**asked, "next_action": "action_human_handoff"}))
    server.webhook({**asked, "next_action": "action_agent_assist"})
    assert len(suggestions(server, "155-e1", state="offered")) == 1
    assert server.webhook(request).status_code == 200
    assert len(suggestions(server, "155-e1", state="offered")) == 1
    server.webhook(other_message(request, "Well?", "chat", metadata=metadata))
    assert suggestions(server, "155-e1", state="offered") == []


def test_a_click_that_a_two_stage_fallback_repeats_is_one_line_of_the_card(serve: Serve) -> None:
    server, request = serve("two-stage-said-twice")
    assert slots(server.webhook(request))["handoff_state"] == "assist"
    card = server.get(f"/bridge/calls/{call_of(request)}").json()["card"]
    assert [(line["from"], line["text"]) for line in card["turns"]] == [
        ("customer", "blorp zing"),
        ("bot", "Did you mean 'ask_price'?"),
        ("customer", "Yes"),
        ("bot", "10 EUR"),
        ("customer", "I want a human"),
    ]


def test_one_message_id_for_two_messages_is_answered_by_what_is_true_now(
    serve: Serve, gateway: Simulator
) -> None:
    server, request = serve("say-own-slots")
    call_id = call_of(request)
    first = server.webhook(request)
    assert server.webhook(request).json() == first.json()  # repeated: one delivery, one answer
    assert len(gateway.messages(call=call_id)) == 1
    server.webhook({**other_message(request, "Bye", "bye"), "next_action": "action_handback"})
    assert server.webhook(request).json() == first.json()
    used = request["tracker"]["latest_message"]["message_id"]
    again = other_message(request, "A human again", "human_handoff", message_id=used)
    assert slots(server.webhook(again))["handoff_delivery"] == "delivered"
    owner = server.get(f"/bridge/calls/{call_id}").json()["owner"]
    assert owner == "agent"
    assert len({message["code"] for message in gateway.messages(call=call_id)}) == 2
