"""What people read in a payload of a known shape is sent, on every channel, in either spelling."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.config.media import MediaSettings
from bridge.model import Channel
from bridge.translate import Room, Translator
from bridge.translate.reading.door import FOR_PROGRAMS
from tests.translate import contract
from tests.translate.shapes import REPLIES

ROOM = Room(limit=3800, overhead=430, as_json=True)
TRANSLATOR = Translator(MediaSettings())
WORD = re.compile(r"\b[vw]\d\b|w3w3w3")


def camel(value: Any) -> Any:
    """The same payload with its keys in camel case."""
    if isinstance(value, dict):
        return {
            re.sub(r"_([a-z])", lambda found: found[1].upper(), key): camel(each)
            for key, each in value.items()
        }
    return [camel(each) for each in value] if isinstance(value, list) else value


def snake(value: Any) -> Any:
    """The same payload with its keys in snake case."""
    if isinstance(value, dict):
        return {
            re.sub(r"(?<=[a-z])([A-Z])", r"_\1", key).lower(): snake(each)
            for key, each in value.items()
        }
    return [snake(each) for each in value] if isinstance(value, list) else value


def spelt(reply: Any, spelling: Any) -> Any:
    """The reply with its own keys as Rasa's, and all below in one spelling."""
    return {key: spelling(each) for key, each in reply.items()}


@pytest.mark.parametrize("spelling", [camel, snake])
@pytest.mark.parametrize("name", REPLIES)
def test_every_word_is_sent(name: str, spelling: Any) -> None:
    reply = spelt(REPLIES[name], spelling)
    wanted = set(WORD.findall(json.dumps(reply)))
    assert wanted
    for channel in Channel:
        translation = TRANSLATOR.translate(reply, channel, ROOM)
        for draft in translation.drafts:
            assert contract.faults(draft, channel, ROOM) == []
        whole = " ".join(each.content for each in translation.drafts).replace("\\n", " ")
        sent = set(WORD.findall(whole))
        assert wanted - sent == set(), (channel, translation)
        assert not translation.refused


@pytest.mark.parametrize("name", REPLIES)
def test_the_spelling_of_keys_makes_no_difference(name: str) -> None:
    one, other = (spelt(REPLIES[name], spelling) for spelling in (camel, snake))
    for channel in Channel:
        first, second = (TRANSLATOR.translate(each, channel, ROOM) for each in (one, other))
        assert first == second


KEYS = ("text", "title", "subtitle", "description", "body", "caption", "footer", "label", "message")
MARK = "Zanzibar"
NOTED = {"words_left_out", "button_without_title", "unknown_payload", "left_out", "event_skipped"}


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object below a reply."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from objects(each)


def marked(reply: Any) -> Iterator[Any]:
    """The reply with one more text for people, at each place in turn."""
    for number, found in enumerate(objects(reply)):
        for key in KEYS if number else ():
            if key not in map(str.lower, found) and not (key == "text" and "blocks" in found):
                changed = copy.deepcopy(reply)
                list(objects(changed))[number][key] = MARK
                yield changed


@pytest.mark.parametrize("name", REPLIES)
def test_words_at_any_place_are_sent_or_noted(name: str) -> None:
    assert not FOR_PROGRAMS & set(KEYS)
    for reply in marked(REPLIES[name]):
        translation = TRANSLATOR.translate(reply, Channel.FACEBOOK, ROOM)
        sent = any(MARK in each.content for each in translation.drafts)
        assert sent or NOTED & {each.code for each in translation.notes}, reply
