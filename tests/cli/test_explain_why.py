"""``cc-bridge explain --why``: what happened in a conversation, from the store."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import FinalError
from bridge.model import Owner
from bridge.state.commands import (
    AcceptSuggestion,
    ActionKind,
    DisplaySuggestion,
    HandBackCall,
)
from bridge.store import Store, lists
from tests.cli.running import at_terminal, configure, within
from tests.core.rig import Rig, call, reply, rules
from tests.making import NOW

SENDER, MAIL = "customer-call-1", "anna@shop.example"
DESIGNER: dict[str, Any] = {
    "handoff": {"when": [{"intent": "human_handoff"}]},
    "assist": {"when": [{"intent": "ask_hours", "reply": "utter_hours"}]},
}


@pytest.fixture
def folder(tmp_path: Path, sqlite_url: str) -> Path:
    """A conversation that went to an agent and came back, in the configured database."""
    store = Store(sqlite_url)
    rig = Rig(store, chosen=rules(DESIGNER, rasa={"url": "http://127.0.0.1:9"}))
    sender = rig.assign("call-1", owner=Owner.BOT)
    rig.clock.move(1)
    rig.submit(call(sender, number=1, at=rig.clock.now()))
    rig.step()
    rig.clock.move(1)
    rig.complete()
    rig.clock.move(10)
    asked = call(sender, number=2, action=ActionKind.BRIDGE, intent="ask_hours", at=rig.clock.now())
    rig.do(asked)
    (offered,) = (item for _, item in rig.store.read(lambda tx: lists.suggestions(tx, limit=9)))
    rig.clock.move(1)
    rig.do(DisplaySuggestion(suggestion_id=offered.id, agent_id="291"))
    rig.clock.move(1)
    rig.do(AcceptSuggestion(suggestion_id=offered.id, agent_id="291"))
    rig.clock.move(1)
    rig.complete()
    rig.clock.move(1)
    rig.do(reply("call-1", f"Write to {MAIL}"))
    rig.clock.move(1)
    rig.complete(FinalError("not allowed", retcode="100-999"))
    rig.clock.move(1)
    rig.do(HandBackCall(call_id="call-1", agent_id="291"))
    rig.core.close()
    store.close()
    configure(tmp_path, sqlite_url)
    write(tmp_path, DESIGNER)
    return tmp_path


def write(folder: Path, designer: dict[str, Any]) -> None:
    (folder / "config" / "handoff.yml").write_text(json.dumps(designer), encoding="utf-8")


def events(folder: Path, *more: str) -> list[dict[str, Any]]:
    ran = within(folder, "explain", "--why", SENDER, "--json", *more)
    assert (ran.code, ran.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(ran.out)
    return found


def of_kind(found: list[dict[str, Any]], *kinds: str) -> list[str]:
    return [each["words"] for each in found if each["event"] in kinds]


def test_all_that_happened_is_told_in_order(folder: Path) -> None:
    found = events(folder)
    assert [each["event"] for each in found] == [
        *("assigned", "message", "handed_off", "action", "delivery", "outcome", "update"),
        *("message", "action", "suggested", "displayed", "decided"),
        *("delivery", "outcome", "update"),
        *("delivery", "outcome"),
        *("handed_back", "update"),
    ]
    assert [each["at"] for each in found] == sorted(each["at"] for each in found)


def test_each_event_says_what_came_of_it_and_why(folder: Path) -> None:
    found = events(folder)
    assert of_kind(found, "assigned", "handed_off", "handed_back") == [
        "assigned to agent 291 by the API, channel WEB",
        "handed off to agent 291: intent human_handoff at 0.90 (handoff.when[0])",
        "handed back to the bot",
    ]
    assert of_kind(found, "action") == [
        "an action answered Rasa: handoff, the bot pauses, delivery delivered",
        "an action answered Rasa: the conversation stays as it is",
    ]
    assert of_kind(found, "suggested", "displayed", "decided") == [
        (
            "suggestion utter_hours for intent ask_hours at 0.90 for agent 291, by today's"
            " configuration"
        ),
        "agent 291 saw the suggestion utter_hours",
        "suggestion utter_hours sent unchanged by agent 291",
    ]
    assert of_kind(found, "outcome") == [
        "delivery 1 delivered after 1 attempt",
        "delivery 2 delivered after 1 attempt",
        "delivery 3 failed after 1 attempt: not allowed (100-999)",
    ]


def test_a_suggestion_names_the_configuration_that_made_it(folder: Path) -> None:
    write(folder, {**DESIGNER, "handoff": {"when": []}})
    version = rules(DESIGNER).configuration
    (suggested,) = of_kind(events(folder), "suggested")
    assert suggested.endswith(f", by configuration {version}")


@pytest.mark.parametrize(("options", "shown"), [([], "[e-mail]"), (["--clear"], MAIL)])
def test_what_identifies_a_customer_is_masked(folder: Path, options: list[str], shown: str) -> None:
    texts = [each["text"] for each in events(folder, *options) if each["event"] == "delivery"]
    assert texts == ["Anna takes over now.", "From 9 to 5.", f"Write to {shown}"]
    ran = within(folder, "explain", "--why", SENDER, *options)
    assert (f"Write to {shown}" in ran.out, MAIL in ran.out) == (True, bool(options))


def test_patterns_of_the_configuration_are_masked_too(folder: Path) -> None:
    write(folder, {**DESIGNER, "handoff": {"card": {"mask": ["human"]}}})
    asked = {each["text"] for each in events(folder) if each["event"] == "message"}
    assert asked == {"I want a [masked]"}


def test_an_erased_conversation_is_not_known(folder: Path) -> None:
    assert within(folder, "forget", "--sender", SENDER, "--yes").code == 0
    ran = within(folder, "explain", "--why", SENDER)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"No data of conversation {SENDER} was found.\n"


def test_without_a_database_nothing_is_told(tmp_path: Path) -> None:
    ran = within(configure(tmp_path, "sqlite:///none.db"), "explain", "--why", SENDER)
    assert (ran.code, ran.out) == (2, "")
    assert "there is no database none.db" in ran.err


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_whole_lines(folder: Path, columns: int) -> None:
    ran = at_terminal(folder, "explain", "--why", SENDER, columns=columns)
    assert ran.code == 0
    assert max(len(line) for line in ran.out.splitlines()) <= columns
    said = re.sub(r"\s+", " ", ran.out)
    assert "outcome delivery 3 failed after 1 attempt: not allowed (100-999)" in said


# -- the configuration of that time ----------------------------------------------------------------


def tracker(folder: Path, sender: str = SENDER) -> None:
    """The conversation as Rasa has it."""
    said = [
        {
            "event": "user",
            "text": "When?",
            "message_id": f"{SENDER}-{number}",
            "timestamp": NOW,
            "parse_data": {"intent": {"name": "ask_hours", "confidence": 0.9}},
        }
        for number in (1, 2)
    ]
    body = {"sender_id": sender, "events": said}
    (folder / "tracker.json").write_text(json.dumps(body), encoding="utf-8")


def explained(folder: Path) -> list[dict[str, Any]]:
    ran = within(folder, "explain", "tracker.json", "--json")
    assert (ran.code, ran.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(ran.out)
    return found


def test_the_configuration_of_that_time_is_known_where_a_suggestion_names_it(
    folder: Path,
) -> None:
    tracker(folder)
    version = rules(DESIGNER).configuration
    first, second = explained(folder)
    assert (first["configuration"], first["version_then"]) == ("today", None)
    assert (second["configuration"], second["version_then"]) == ("then", version)
    assert "decided by the same configuration" in within(folder, "explain", "tracker.json").out


def test_another_configuration_of_that_time_is_named(folder: Path) -> None:
    tracker(folder)
    write(folder, {**DESIGNER, "handoff": {"when": []}})
    version = rules(DESIGNER).configuration
    _, second = explained(folder)
    assert (second["configuration"], second["version_then"]) == ("today", version)
    out = re.sub(r"\s+", " ", within(folder, "explain", "tracker.json").out)
    assert f"decided by another configuration, version {version}" in out


def test_another_conversation_says_nothing_of_this_one(folder: Path) -> None:
    tracker(folder, sender="somebody")
    assert {each["version_then"] for each in explained(folder)} == {None}


def test_a_database_that_cannot_be_read_is_told(folder: Path) -> None:
    tracker(folder)
    (folder / "bridge.db").write_bytes(b"no database" * 1000)
    ran = within(folder, "explain", "tracker.json")
    assert ran.code == 0
    assert "The configuration of that time is not known: " in ran.err
