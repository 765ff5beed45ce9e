"""The judge on what a real show recorded, and on the same with one thing changed.

What belongs to assist and handback is in ``test_the_judge_of_assist.py``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bridge.cli.demo import scenes, webhooks
from bridge.cli.demo.evidence import Evidence
from bridge.cli.demo.judge import Words, judge
from tests.demo.conftest import Given

Json = dict[str, Any]
WORDS = Words.of(webhooks.domain())


def missed(evidence: Evidence) -> list[str]:
    return [each.expected for each in judge(evidence, WORDS) if not each.met]


def test_what_was_recorded_meets_every_expectation(given: Given) -> None:
    assert missed(given.evidence) == []


def test_no_evidence_meets_hardly_any(given: Given) -> None:
    bare = {
        key: replace(
            each,
            status=500,
            events=(),
            responses=(),
            wire=(),
            got=(),
            deliveries=(),
            uttered=(),
            offered=(),
            clicks=(),
        )
        for key, each in given.evidence.played.items()
    }
    assert len(missed(Evidence(bare, (), ()))) == 16  # nobody else got anything


MARIA = "Maria reads the designer's words once"
LI = "Li gets a long text whole and in order"
OTHERS = "Nobody else gets anything"
STRICT = "The strict gateway takes all it is sent"
SIGN_IN = "The agent is signed in once"

Change = Callable[[list[Json]], object]


def _other_data(name: str, value: str) -> Change:
    return lambda messages: messages[0]["data"].update({name: value})


MESSAGES: list[tuple[str, Change, str]] = [
    ("nothing arrived", lambda them: them.pop(0), MARIA),
    ("arrived twice", lambda them: them.append({**them[0], "repeated": True}), MARIA),
    ("other words", lambda them: them[0].update(text="Hello"), MARIA),
    ("another agent", lambda them: them[0].update(agent="292"), MARIA),
    ("another user", lambda them: them[0].update(userid="40009"), MARIA),
    ("another sender", _other_data("senderNickname", "Agent"), MARIA),
    ("another channel", _other_data("channel", "SMS"), MARIA),
    ("another configuration", _other_data("from", "1"), MARIA),
    ("another recipient", _other_data("to", "40002"), MARIA),
    ("another media type", _other_data("mediaType", "IMAGE"), MARIA),
    ("another call", lambda them: them[0].update(call="somebody-else"), OTHERS),
    ("a part is missing", lambda them: them.pop(2), LI),
    ("parts in the wrong order", lambda them: them.reverse(), LI),
    ("parts with one code", lambda them: them[2].update(code=them[1]["code"]), LI),
]


@pytest.mark.parametrize(
    ("change", "expectation"),
    [pytest.param(change, expectation, id=name) for name, change, expectation in MESSAGES],
)
def test_another_message_is_noticed(given: Given, change: Change, expectation: str) -> None:
    messages = copy.deepcopy(list(given.evidence.messages))
    change(messages)
    assert expectation in missed(replace(given.evidence, messages=tuple(messages)))


def _of(operation: str, requests: list[Json]) -> Json:
    return next(each for each in requests if each["operation"] == operation)


def _last_of_li(requests: list[Json]) -> Json:
    return [each for each in requests if each["call"] == scenes.LI.call_id][-1]


REQUESTS: list[tuple[str, Change, str]] = [
    ("no sign-in", lambda them: them.remove(_of("sign_in", them)), SIGN_IN),
    ("two sign-ins", lambda them: them.append(_of("sign_in", them)), SIGN_IN),
    ("a refusal", lambda them: _of("send_message", them).update(verdict="refused"), STRICT),
    ("no message", lambda them: them.remove(_of("send_message", them)), MARIA),
    ("two messages at a time", lambda them: _last_of_li(them).update(beside=1), LI),
    ("too long", lambda them: _last_of_li(them)["body"].update(data="x" * 1901), LI),
]


@pytest.mark.parametrize(
    ("change", "expectation"),
    [pytest.param(change, expectation, id=name) for name, change, expectation in REQUESTS],
)
def test_another_request_is_noticed(given: Given, change: Change, expectation: str) -> None:
    requests = copy.deepcopy([e for e in given.evidence.recorded if e["operation"] != "poll"])
    change(requests)
    assert expectation in missed(replace(given.evidence, recorded=tuple(requests)))


PAUSE = {"event": "pause", "timestamp": None}
EVENT = {"event": "slot", "name": "handoff_state", "value": "handoff"}
ANSWERS: list[tuple[str, str, dict[str, object], str]] = [
    ("an event", scenes.BY_ITSELF, {"events": (EVENT,)}, "The bot goes on where it can help"),
    ("a failure", scenes.BY_ITSELF, {"status": 500}, "The bot goes on where it can help"),
    ("no pause", scenes.HANDED_OVER, {"events": (EVENT,)}, "Rasa is told who has her, and pauses"),
    ("another answer", scenes.AGAIN, {"events": ()}, "The repeated request changes nothing"),
    ("a message", scenes.AGAIN, {"wire": ({},)}, "The repeated request changes nothing"),
    ("a promise", scenes.NOBODY, {"responses": ()}, "Tom is promised nothing, keeps the bot"),
    ("a handoff", scenes.NOBODY, {"events": (EVENT,)}, "Tom is promised nothing, keeps the bot"),
    ("a pause", scenes.NOBODY, {"events": (PAUSE,)}, "Tom is promised nothing, keeps the bot"),
    (
        "no outage",
        scenes.AWAY,
        {"deliveries": ({"attempts": 1, "state": "delivered"},)},
        "A gateway that was away is tried again",
    ),
    (
        "a failed part",
        scenes.AWAY,
        {"deliveries": ({"attempts": 3, "state": "failed"},)},
        "A gateway that was away is tried again",
    ),
]


@pytest.mark.parametrize(
    ("key", "changes", "expectation"),
    [
        pytest.param(key, changes, expectation, id=f"{key}: {name}")
        for name, key, changes, expectation in ANSWERS
    ],
)
def test_another_answer_is_noticed(
    given: Given, key: str, changes: dict[str, Any], expectation: str
) -> None:
    played = dict(given.evidence.played)
    played[key] = replace(played[key], **changes)
    assert expectation in missed(replace(given.evidence, played=played))
