"""The judge on what a real show recorded of assist and handback, with one thing changed."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from bridge.cli.demo import scenes
from bridge.cli.demo.evidence import Evidence
from tests.demo.conftest import Given
from tests.demo.test_the_judge import EVENT, Json, missed

OFFERED = "Anna is offered what the bot would say"
ACCEPTED = "What she accepts goes out in her name"
SUPERSEDED = "A newer message supersedes an offer"
REWRITTEN = "What she rewrites goes out in her words"
HANDED_BACK = "Rasa is told the bot has him again"
ANSWERED = "The bot then answers on Rasa's channel"
NO_MORE = "Ben gets what she sent, and no more"

MESSAGES: list[tuple[str, int, Json, str]] = [
    ("says something else", 0, {"text": "Hello"}, ACCEPTED),
    ("is another message", 0, {"code": "another"}, ACCEPTED),
    ("came twice", 0, {"repeated": True}, ACCEPTED),
    ("went to another user", 0, {"userid": "40009"}, ACCEPTED),
    ("went to another call", 0, {"call": "1552524689-16797284"}, ACCEPTED),
    ("came from another agent", 0, {"agent": "292"}, ACCEPTED),
    ("is the bot's words", 1, {"text": "It costs 10 EUR."}, REWRITTEN),
    ("is another message", 1, {"code": "another"}, REWRITTEN),
    ("is one that nobody approved", 1, {"code": "another"}, NO_MORE),
]


@pytest.mark.parametrize(
    ("number", "changes", "expectation"),
    [
        pytest.param(number, changes, expectation, id=f"{number} {name}")
        for name, number, changes, expectation in MESSAGES
    ],
)
def test_another_message_is_noticed(
    given: Given, number: int, changes: Json, expectation: str
) -> None:
    messages = copy.deepcopy(list(given.evidence.messages))
    _bens(messages)[number].update(changes)
    assert expectation in missed(replace(given.evidence, messages=tuple(messages)))


@pytest.mark.parametrize(("number", "expectation"), [(0, ACCEPTED), (1, REWRITTEN), (1, NO_MORE)])
def test_a_message_that_did_not_arrive_is_noticed(
    given: Given, number: int, expectation: str
) -> None:
    messages = list(given.evidence.messages)
    messages.remove(_bens(messages)[number])
    assert expectation in missed(replace(given.evidence, messages=tuple(messages)))


@pytest.mark.parametrize("code", ["another", None])
def test_a_message_more_is_noticed(given: Given, code: str | None) -> None:
    last = _bens(list(given.evidence.messages))[-1]
    messages = (*given.evidence.messages, {**last, "code": code or last["code"]})
    assert {HANDED_BACK, NO_MORE} <= set(missed(replace(given.evidence, messages=messages)))


def _bens(messages: list[Json]) -> list[Json]:
    return [each for each in messages if each["call"] == scenes.BEN.call_id]


SENT: Json = {"wire": ({},)}
SCENES: list[tuple[str, str, Json, str]] = [
    ("an event", scenes.ACCEPTED, {"events": (EVENT,)}, OFFERED),
    ("a response", scenes.ACCEPTED, {"responses": ({"response": "utter_price"},)}, OFFERED),
    ("a failure", scenes.ACCEPTED, {"status": 500}, OFFERED),
    ("a message without a click", scenes.ACCEPTED, SENT, OFFERED),
    ("nothing offered", scenes.ACCEPTED, {"offered": ()}, OFFERED),
    ("another intent", scenes.ACCEPTED, {"intent": {"name": "x", "confidence": 1}}, OFFERED),
    ("no click", scenes.ACCEPTED, {"clicks": ()}, ACCEPTED),
    ("nothing offered before", scenes.OPEN, {"offered": ()}, SUPERSEDED),
    ("a message without a click", scenes.OPEN, SENT, SUPERSEDED),
    ("a message without a click", scenes.EDITED, SENT, SUPERSEDED),
    ("no click", scenes.EDITED, {"clicks": ()}, REWRITTEN),
    ("nothing", scenes.HANDED_BACK, {"events": ()}, HANDED_BACK),
    ("a message", scenes.HANDED_BACK, SENT, HANDED_BACK),
    ("still the agent's", scenes.HANDED_BACK, {"owner": "agent"}, HANDED_BACK),
    ("still offered", scenes.HANDED_BACK, {"offered": ({},)}, HANDED_BACK),
    ("nothing", scenes.BOT, {"responses": ()}, ANSWERED),
    ("a message", scenes.BOT, SENT, ANSWERED),
    ("a suggestion", scenes.BOT, {"offered": ({},)}, ANSWERED),
    ("no words", scenes.BOT, {"uttered": ()}, ANSWERED),
    ("the agent's", scenes.BOT, {"owner": "agent"}, ANSWERED),
    ("another list", scenes.BOT, {"deliveries": ()}, NO_MORE),
]


@pytest.mark.parametrize(
    ("key", "changes", "expectation"),
    [
        pytest.param(key, changes, expectation, id=f"{key}: {name}")
        for name, key, changes, expectation in SCENES
    ],
)
def test_another_scene_is_noticed(given: Given, key: str, changes: Json, expectation: str) -> None:
    played = dict(given.evidence.played)
    played[key] = replace(played[key], **changes)
    assert expectation in missed(replace(given.evidence, played=played))


OFFERS: list[tuple[str, Json, Json]] = [
    ("another agent's", {"agent_id": "292"}, {}),
    ("another call's", {"call_id": "1"}, {}),
    ("not as an assist", {}, {"kind": "bot"}),
    ("another intent", {}, {"intent": "greet"}),
    ("no confidence", {}, {"confidence": None}),
    ("another confidence", {}, {"confidence": 0.5}),
    ("another response", {}, {"response": "utter_greet"}),
]


@pytest.mark.parametrize(
    ("key", "expectation"),
    [
        (scenes.ACCEPTED, OFFERED),
        (scenes.OPEN, SUPERSEDED),
        (scenes.EDITED, REWRITTEN),
    ],
)
@pytest.mark.parametrize(
    ("changes", "source"), [pytest.param(*pair, id=name) for name, *pair in OFFERS]
)
def test_another_suggestion_is_noticed(
    given: Given, key: str, expectation: str, changes: Json, source: Json
) -> None:
    played = copy.deepcopy(dict(given.evidence.played))
    offer = played[key].offered[0]
    offer.update(changes)
    offer["source"].update(source)
    assert expectation in missed(replace(given.evidence, played=played))


def test_words_that_the_domain_does_not_have_are_noticed(given: Given) -> None:
    played = copy.deepcopy(dict(given.evidence.played))
    played[scenes.ACCEPTED].offered[0]["text"] = "It costs 12 EUR."
    assert OFFERED in missed(replace(given.evidence, played=played))


def test_an_older_suggestion_that_is_still_offered_is_noticed(given: Given) -> None:
    played = dict(given.evidence.played)
    older, newer = played[scenes.OPEN].offered, played[scenes.EDITED].offered
    for offered in ((*older, *newer), older):
        played[scenes.EDITED] = replace(played[scenes.EDITED], offered=offered)
        assert SUPERSEDED in missed(replace(given.evidence, played=played))


CLICKS: list[tuple[str, str, int, Json, str]] = [
    ("a refusal", scenes.ACCEPTED, 0, {"status": 409}, ACCEPTED),
    ("not on the wire", scenes.ACCEPTED, 0, {"got": ()}, ACCEPTED),
    ("no refusal", scenes.EDITED, 0, {"status": 200}, SUPERSEDED),
    ("another refusal", scenes.EDITED, 0, {"answer": {"error": {"code": "x"}}}, SUPERSEDED),
    ("a message all the same", scenes.EDITED, 0, SENT, SUPERSEDED),
    ("other words", scenes.EDITED, 1, {"text": "It costs 12 EUR."}, REWRITTEN),
    ("no words of her own", scenes.EDITED, 1, {"text": None}, REWRITTEN),
]


@pytest.mark.parametrize(
    ("key", "number", "changes", "expectation"),
    [
        pytest.param(key, number, changes, expectation, id=f"{key} {number}: {name}")
        for name, key, number, changes, expectation in CLICKS
    ],
)
def test_another_click_is_noticed(
    given: Given, key: str, number: int, changes: Json, expectation: str
) -> None:
    assert expectation in missed(_clicked(given, key, number, changes))


ACCOUNTS: list[tuple[str, str, int, Json, str]] = [
    ("by somebody else", scenes.ACCEPTED, 0, {"settled_by": "system"}, ACCEPTED),
    ("otherwise settled", scenes.ACCEPTED, 0, {"state": "edited"}, ACCEPTED),
    ("another suggestion", scenes.ACCEPTED, 0, {"id": "another"}, ACCEPTED),
    ("nothing to be sent", scenes.ACCEPTED, 0, {"deliveries": []}, ACCEPTED),
    ("otherwise settled", scenes.EDITED, 1, {"state": "accepted"}, REWRITTEN),
    ("other words", scenes.EDITED, 1, {"edited_text": "Hello"}, REWRITTEN),
    ("the bot's words lost", scenes.EDITED, 1, {"text": "Hello"}, REWRITTEN),
]


@pytest.mark.parametrize(
    ("key", "number", "changes", "expectation"),
    [
        pytest.param(key, number, changes, expectation, id=f"{key} {number}: {name}")
        for name, key, number, changes, expectation in ACCOUNTS
    ],
)
def test_another_account_of_a_suggestion_is_noticed(
    given: Given, key: str, number: int, changes: Json, expectation: str
) -> None:
    answer = given.evidence.played[key].clicks[number].answer
    changed = _clicked(given, key, number, {"answer": {**answer, **changes}})
    assert expectation in missed(changed)


def _clicked(given: Given, key: str, number: int, changes: Json) -> Evidence:
    played = dict(given.evidence.played)
    clicks = list(played[key].clicks)
    clicks[number] = replace(clicks[number], **changes)
    played[key] = replace(played[key], clicks=tuple(clicks))
    return replace(given.evidence, played=played)


SLOTS: list[tuple[str, object]] = [
    ("handoff_state", "handoff"),
    ("handoff_agent_id", "291"),
    ("handoff_call_id", "1552524719-16797305"),
    ("handoff_delivery", "delivered"),
    ("handoff_error", "cooldown"),
    ("handoff_summary", "Agent 291 had the conversation for 1 s and sent no message."),
    ("handoff_summary", "Agent 292 had the conversation for 1 s and sent 2 messages."),
    ("handoff_summary", None),
]


@pytest.mark.parametrize(("name", "value"), SLOTS)
def test_another_slot_is_noticed(given: Given, name: str, value: object) -> None:
    played = dict(given.evidence.played)
    events = [
        {**each, "value": value} if each.get("name") == name else each
        for each in played[scenes.HANDED_BACK].events
    ]
    played[scenes.HANDED_BACK] = replace(played[scenes.HANDED_BACK], events=tuple(events))
    assert HANDED_BACK in missed(replace(given.evidence, played=played))


def test_a_pause_after_the_handback_is_noticed(given: Given) -> None:
    played = dict(given.evidence.played)
    events = (*played[scenes.HANDED_BACK].events, {"event": "pause", "timestamp": None})
    played[scenes.HANDED_BACK] = replace(played[scenes.HANDED_BACK], events=events)
    assert HANDED_BACK in missed(replace(given.evidence, played=played))


@pytest.mark.parametrize("state", ["waiting", "sending", "failed", "uncertain"])
def test_what_did_not_arrive_for_sure_is_noticed(given: Given, state: str) -> None:
    played = copy.deepcopy(dict(given.evidence.played))
    played[scenes.BOT].deliveries[-1]["state"] = state
    assert NO_MORE in missed(replace(given.evidence, played=played))


def test_a_delivery_that_nobody_approved_is_noticed(given: Given) -> None:
    played = dict(given.evidence.played)
    deliveries = played[scenes.BOT].deliveries
    more = {**deliveries[-1], "message_code": "another"}
    for wrong in ((*deliveries, more), deliveries[::-1]):
        played[scenes.BOT] = replace(played[scenes.BOT], deliveries=wrong)
        assert NO_MORE in missed(replace(given.evidence, played=played))
