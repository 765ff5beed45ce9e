"""Metadata that does not arrive, and responses that are said twice, in trackers."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from bridge import assignment_tokens
from bridge.config.media import MediaSettings
from bridge.config.settings import BridgeSettings, HandoffSettings, Settings
from bridge.doctor import conversation
from bridge.doctor.diagnosis import Diagnosis, Severity
from bridge.model import Owner, SenderId
from bridge.state.records import AssignmentRecord
from tests.making import assignment

NOW = time.time()
SECRET = "a-secret-of-the-tests-that-is-long-enough"
PLAIN = {"agent_id": "291", "call_id": "call-1", "user_id": "40001"}


def settings(metadata: str = "signed", **designer: Any) -> Settings:
    bridge = BridgeSettings.model_validate(
        {
            "gateway": {"url": "http://127.0.0.1:9"},
            "channel_config_ids": {"WEB": "1"},
            "assignment": {"metadata": metadata, "secret": SECRET},
        }
    )
    return Settings(
        bridge=bridge, designer=HandoffSettings.model_validate(designer), media=MediaSettings()
    )


def tracker(metadata: Any = None, *events: Any) -> dict[str, Any]:
    return {
        "sender_id": "maria",
        "latest_message": {"text": "hello", "message_id": "m-1", "metadata": metadata},
        "slots": {},
        "events": [
            {"event": "user", "text": "hello", "message_id": "m-1", "timestamp": NOW - 1},
            *events,
        ],
    }


def metadata_of(found: list[Diagnosis]) -> Diagnosis:
    (one,) = (each for each in found if each.key == "assignment.metadata")
    return one


def examined(
    given: dict[str, Any], chosen: Settings, stored: AssignmentRecord | None = None
) -> list[Diagnosis]:
    return list(conversation.examine(given, chosen, NOW, stored))


def token(secret: str = SECRET, at: float = NOW, sender_id: str = "maria") -> str:
    given = assignment(sender_id=SenderId(sender_id))
    return assignment_tokens.mint(given, secret=secret, now=at, seconds=600)


@pytest.mark.parametrize(
    ("mode", "metadata", "severity", "said"),
    [
        ("off", None, Severity.OK, "over HTTP only"),
        ("signed", None, Severity.WARNING, "no metadata"),
        ("signed", {}, Severity.WARNING, "no metadata"),
        ("signed", {"page": "/"}, Severity.ERROR, "the key `assignment` is missing"),
        ("signed", PLAIN, Severity.ERROR, "the key `assignment` is missing"),
        ("signed", {"assignment": "nonsense"}, Severity.ERROR, "refused (untrusted)"),
        ("signed", {"assignment": token()}, Severity.OK, "a valid token"),
        ("signed", {"assignment": token("another-" * 8)}, Severity.ERROR, "untrusted"),
        ("signed", {"assignment": token(at=NOW - 7200)}, Severity.ERROR, "expired"),
        ("signed", {"assignment": token(sender_id="jon")}, Severity.ERROR, "another conversation"),
        ("trusted", PLAIN, Severity.OK, "arrive"),
        ("trusted", {"agentid": "291", "callid": "x"}, Severity.ERROR, "lacks user_id"),
        ("trusted", {"assignment": {"user_id": "1"}}, Severity.ERROR, "lacks agent_id, call_id"),
        ("trusted", {"assignment": token()}, Severity.OK, "a valid token"),
    ],
)
def test_the_missing_key_is_named(mode: str, metadata: Any, severity: Severity, said: str) -> None:
    found = metadata_of(examined(tracker(metadata), settings(mode)))
    assert found.severity is severity
    assert said in found.found
    assert found.hint or severity is Severity.OK
    assert "nonsense" not in str(found)


def test_the_metadata_of_the_session_counts_too() -> None:
    given = tracker()
    given["slots"] = {"session_started_metadata": {"assignment": token()}}
    assert metadata_of(examined(given, settings())).severity is Severity.OK


def record(**changes: Any) -> AssignmentRecord:
    made = AssignmentRecord(assignment(sender_id=SenderId("maria")), Owner.BOT, "http", NOW)
    return replace(made, **changes)


@pytest.mark.parametrize("metadata", [None, {}, {"page": "/"}])
@pytest.mark.parametrize("mode", ["signed", "trusted"])
def test_an_assignment_that_came_over_http_needs_no_metadata(mode: str, metadata: Any) -> None:
    given = tracker(metadata)
    found = metadata_of(examined(given, settings(mode), record()))
    assert (found.severity, "(http)" in found.found) == (Severity.OK, True)
    ended = metadata_of(examined(given, settings(mode), record(ended_at=NOW)))
    assert ended.severity is not Severity.OK


def test_a_token_that_is_refused_is_reported_although_there_is_an_assignment() -> None:
    found = metadata_of(examined(tracker({"assignment": "x.y.z"}), settings(), record()))
    assert found.severity is Severity.ERROR


def test_a_mapping_in_place_of_a_token_is_named() -> None:
    found = metadata_of(examined(tracker({"assignment": PLAIN}), settings()))
    assert found.severity is Severity.ERROR
    assert "has a mapping" in found.found
    assert "cc-bridge token --assignment" in found.hint


def action(name: str) -> dict[str, Any]:
    return {"event": "action", "name": name, "timestamp": NOW}


ASSIST = {"assist": {"when": [{"intent": "ask_price", "reply": "utter_price"}]}}
NEXT = {"event": "user", "text": "and now?", "timestamp": NOW}


@pytest.mark.parametrize(
    ("events", "twice"),
    [
        (
            [action("action_human_handoff"), action("utter_handoff_started")],
            "utter_handoff_started",
        ),
        ([action("utter_price"), action("action_agent_assist")], "utter_price"),
        ([action("utter_price"), NEXT, action("action_agent_assist")], None),
        ([action("utter_price")], None),
        ([action("utter_greet"), action("action_bridge")], None),
        ([action("action_bridge")], None),
        (["x", {"event": 5}, action("action_bridge")], None),
    ],
)
def test_what_is_said_twice_is_named(events: list[Any], twice: str | None) -> None:
    found = examined(tracker(None, *events), settings("off", **ASSIST))
    (rules,) = (each for each in found if each.key == "rules")
    assert rules.severity is (Severity.WARNING if twice else Severity.OK)
    assert twice is None or twice in rules.found


BY_LANGUAGE = {"en": "utter_handoff_started", "de": "utter_uebergabe", "fr": None}


@pytest.mark.parametrize("key", ["say", "unavailable", "closed"])
def test_a_response_of_one_language_is_said_twice_too(key: str) -> None:
    events = [action("action_human_handoff"), action("utter_uebergabe")]
    chosen = settings("off", handoff={key: BY_LANGUAGE})
    (rules,) = (each for each in examined(tracker(None, *events), chosen) if each.key == "rules")
    assert rules.severity is Severity.WARNING
    assert "utter_uebergabe" in rules.found


@pytest.mark.parametrize("given", [{}, {"events": 5}, {"sender_id": 1, "latest_message": []}])
def test_a_tracker_of_any_shape_is_survived(given: dict[str, Any]) -> None:
    assert metadata_of(examined(given, settings())).severity is Severity.WARNING
