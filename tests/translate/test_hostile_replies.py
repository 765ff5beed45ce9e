"""Replies that nobody means: they cost little time, few messages, and say what was left out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from bridge.config.media import MediaSettings
from bridge.model import Channel
from bridge.translate import Room, Translator
from tests.translate import contract

ROOM = Room(limit=1900, overhead=430, as_json=True)
TRANSLATOR = Translator(MediaSettings())
SECONDS = 5.0  # generous: each takes well under one


def nested(times: int, wrap: Callable[[Any], Any]) -> Any:
    value: Any = "end"
    for _ in range(times):
        value = wrap(value)
    return value


def cards(number: int) -> list[Any]:
    button = {"title": "b" * 500, "url": "https://s.example"}
    card = {"title": "T" * 2000, "subtitle": "*s* " * 2000, "buttons": [button] * 50}
    return [card] * number


REPLIES: dict[str, Any] = {
    "a megabyte of words": {"text": "word " * 200_000},
    "a megabyte without a space": {"text": "x" * 1_000_000},
    "a megabyte of markdown": {"text": "*word* _a_ [" * 90_000},
    "a megabyte of HTML": {"text": "<b>w</b> <i>" * 90_000},
    "a megabyte to escape": {"text": "&<>" * 330_000},
    "a megabyte of emoji": {"text": "👩‍👩‍👧" * 60_000},
    "endless marks": {"text": "a" + "\u0301" * 200_000},
    "ten thousand buttons": {"text": "?", "buttons": [{"title": f"B{n}"} for n in range(10_000)]},
    "heavy buttons": {"buttons": [{"title": "*b* " * 250, "url": "https://" + "x" * 3000}] * 3000},
    "three thousand cards": {"elements": cards(3000)},
    "lists in lists": {"custom": nested(1000, lambda below: [below])},
    "objects in objects": {"custom": nested(1000, lambda below: {"text": below})},
    "buttons in buttons": {"buttons": nested(1000, lambda below: [{"options": below}])},
    "deep everywhere": dict.fromkeys(
        ("text", "buttons", "quick_replies", "custom", "image", "attachment", "elements"),
        nested(1000, lambda below: {"type": "template", "payload": below, "template": below}),
    ),
    "a deep flex bubble": {
        "custom": {"type": "flex", "contents": nested(1000, lambda below: {"contents": [below]})}
    },
    "a deep WhatsApp template": {
        "custom": {
            "type": "template",
            "template": {"name": "t", "components": nested(1000, lambda below: [{"a": below}])},
        }
    },
    "many blocks": {
        "custom": {"blocks": [{"type": "section", "text": {"text": "*a* <b|c> " * 50}}] * 20_000}
    },
    "many things": {"custom": [{"text": "hello there"}] * 100_000},
    "many keys": {"custom": {f"key{number}": "some words" for number in range(50_000)}},
    "text that is deep JSON": {"custom": "[" * 90_000},
}


@pytest.mark.parametrize("name", REPLIES)
@pytest.mark.parametrize("channel", [Channel.WEB, Channel.SMS, Channel.FACEBOOK])
def test_bounded(name: str, channel: Channel) -> None:
    before = time.process_time()
    translation = TRANSLATOR.translate(REPLIES[name], channel, ROOM)
    assert time.process_time() - before < SECONDS
    assert len(translation.drafts) <= 50
    assert translation.drafts or translation.refused
    assert len(translation.notes) + len(translation.refused) < 120
    assert not [each for each in translation.refused if "could not be read" in each.sentence]
    for draft in translation.drafts:
        assert contract.faults(draft, channel, ROOM) == []


@pytest.mark.parametrize(
    "name", ["a megabyte of words", "ten thousand buttons", "three thousand cards", "many things"]
)
def test_what_was_left_out_is_told(name: str) -> None:
    translation = TRANSLATOR.translate(REPLIES[name], Channel.SMS, ROOM)
    assert "left_out" in [each.code for each in translation.notes]


@pytest.mark.parametrize(
    "reply", [None, 5, True, "", [], {}, [[]], float("nan"), {"text": None}, {"custom": {"a": 1}}]
)
def test_nothing_to_send_is_a_named_refusal(reply: Any) -> None:
    translation = TRANSLATOR.translate(reply, Channel.WEB, ROOM)
    if reply == 5:
        assert [each.content for each in translation.drafts] == ["5"]
    else:
        assert translation.drafts == ()
        assert [each.code for each in translation.refused][-1] in ("empty_reply", "unreadable")


def test_a_fault_of_ours_costs_one_reply_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bridge.translate.translator.fall_back", broken)
    translation = TRANSLATOR.translate({"text": "a & b"}, Channel.WEB, ROOM)
    assert [each.code for each in translation.refused] == ["unreadable"]
    assert "ZeroDivisionError" in translation.refused[0].sentence


@pytest.mark.parametrize("limit", [0, 1, 5, 8, 20, 60])
def test_a_room_of_nearly_nothing(limit: int) -> None:
    room = Room(limit=limit, overhead=0, as_json=True)
    for channel in Channel:
        translation = TRANSLATOR.translate({"text": "A & B < C " * 20}, channel, room)
        for draft in translation.drafts:
            assert contract.faults(draft, channel, room) == []
        assert translation.drafts or translation.refused
