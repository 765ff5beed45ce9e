"""A question and its choices are one part, a deck is one part, and nothing is said twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.config.media import MediaSettings
from bridge.model import Channel
from bridge.translate import Room, Translation, Translator
from bridge.translate.channels import CHANNELS, RASA_CHANNELS

ROOM = Room(limit=3800, overhead=430, as_json=True)
TRANSLATOR = Translator(MediaSettings())
OFFERED = [{"title": "S", "payload": "/s"}, {"title": "L", "payload": "/l"}]
HAT = {"title": "Hat", "subtitle": "Red", "image_url": "https://cdn.example/hat.png"}
CAP = {**HAT, "title": "Cap", "buttons": [{"title": "Buy", "payload": "/cap"}]}


def translate(reply: Any, channel: str) -> Translation:
    return TRANSLATOR.translate(reply, Channel(channel), ROOM)


def contents(reply: Any, channel: str) -> list[str]:
    return [each.content for each in translate(reply, channel).drafts]


QUESTIONS: dict[str, Any] = {
    "buttons": {"text": "Which?", "buttons": OFFERED},
    "quick replies": {"text": "Which?", "quick_replies": OFFERED},
    "a widget below the text": {
        "text": "Which?",
        "custom": {"payload": "dropDown", "data": OFFERED},
    },
    "a widget that repeats the text": {
        "text": "Which?",
        "custom": {"payload": "quickReplies", "title": "**Which?**", "data": OFFERED},
    },
    "buttons as a payload": {"text": "Which?", "custom": {"buttons": OFFERED}},
    "both in the payload": {"text": " ", "custom": {"text": "Which?", "buttons": OFFERED}},
    "two payloads": {"custom": [{"text": "Which?"}, {"buttons": OFFERED}]},
    "answers": {
        "custom": {
            "answers": [
                {"type": "html", "text": "Which?"},
                {"type": "multichoice", "options": OFFERED},
            ]
        }
    },
    "choices as an attachment": {
        "text": "Which?",
        "attachment": {
            "type": "template",
            "payload": {"template_type": "button", "buttons": OFFERED},
        },
    },
    "cards that are buttons only": {"text": "Which?", "elements": [{"buttons": OFFERED}]},
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_and_its_choices_are_one_message(name: str) -> None:
    (draft,) = translate(QUESTIONS[name], "FACEBOOK").drafts
    card = json.loads(draft.content)
    assert card["description"].strip("*") == "Which?"
    assert [each["value"] for each in card["buttons"]] == ["/s", "/l"]
    assert contents(QUESTIONS[name], "SMS") == ["Which?\n1. S\n2. L"]


DECKS: dict[str, Any] = {
    "elements": {"elements": [HAT, CAP]},
    "cards": {"custom": {"cards": [HAT, CAP]}},
    "carousel": {"custom": {"carousel": [HAT, CAP]}},
    "a carousel's items": {"custom": {"type": "carousel", "items": [HAT, CAP]}},
    "a carousel of a carousel": {"custom": {"type": "cards", "payload": {"elements": [HAT, CAP]}}},
    "a widget": {"custom": {"payload": "cardsCarousel", "data": [HAT, CAP]}},
    "answers": {"custom": {"answers": [{"type": "carousel", "cards": [HAT, CAP]}]}},
}


@pytest.mark.parametrize("name", DECKS)
def test_a_deck_is_one_message_on_every_channel(name: str) -> None:
    for channel in Channel:
        (draft,) = translate(DECKS[name], channel.value).drafts
        assert all(words in draft.content for words in ("Hat", "Cap", "Buy"))
        if "MULTICARD" in {each.value for each in CHANNELS[channel].takes}:
            assert len(json.loads(draft.content)["cards"]) == 2


TWICE: list[Any] = [
    {"text": "Your name?", "custom": {"payload": "text", "text": "Your name?"}},
    {"text": "Your name?", "custom": {"answers": [{"type": "html", "text": "<p>Your  name?</p>"}]}},
    {"custom": ["Your name?", "Your name?"]},
    {"text": "Your name?", "custom": {"text": "**Your name?**", "parse_mode": "Markdown"}},
]


@pytest.mark.parametrize("reply", TWICE)
def test_the_same_words_are_sent_once_and_noted(reply: Any) -> None:
    for channel in Channel:
        translation = translate(reply, channel.value)
        assert len(translation.drafts) == 1
        assert "Your name?" in translation.drafts[0].content
        assert [each.code for each in translation.notes] == ["said_twice"]


def test_the_same_file_and_the_same_choices_are_sent_once() -> None:
    picture = "https://cdn.example/a.jpg"
    reply: dict[str, Any] = {"image": picture, "custom": {"payload": "image", "url": picture}}
    assert contents(reply, "SMS") == [picture]
    reply = {
        "text": "Which?",
        "buttons": OFFERED,
        "custom": {"payload": "dropDown", "data": OFFERED},
    }
    assert contents(reply, "SMS") == ["Which?\n1. S\n2. L"]


def test_other_words_are_not_the_same() -> None:
    assert contents({"custom": ["Your name?", "Your names?"]}, "SMS") == [
        "Your name?",
        "Your names?",
    ]
    other = [{"text": "Which?", "buttons": OFFERED}, {"text": "Which?", "buttons": OFFERED[:1]}]
    assert contents({"custom": other}, "SMS") == ["Which?\n1. S\n2. L", "Which?\n3. S"]


COPIES: list[Any] = [
    {"payload": "text", "text": "Only there"},
    {"text": "Only there", "quick_replies": []},
    {"payload": {"text": "Only there"}},
    {"data": [{"text": "Only there"}]},
    {"payload": "collapsible", "data": [{"title": "More", "description": "Only there"}]},
    {"payload": "cardsCarousel", "data": [{"title": "Only there", "url": "https://shop.example"}]},
    {
        "message": {
            "attachment": {
                "type": "template",
                "payload": {"template_type": "button", "text": "Only there"},
            }
        }
    },
]


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_for_a_platform_goes_to_its_channel_alone(copy: Any) -> None:
    names = {name: row.channel for name, row in RASA_CHANNELS.items()}
    names |= {channel.value: channel for channel in Channel}
    for name, own in {**names, "Messenger": Channel.FACEBOOK}.items():
        reply = {"text": "Everywhere", "custom": {"platform": name, **copy}}
        for channel in Channel:
            translation = translate(reply, channel.value)
            whole = " ".join(each.content for each in translation.drafts)
            assert "Everywhere" in whole
            assert ("Only there" in whole) is (channel is own)
            assert ("other_platform" in [each.code for each in translation.notes]) is (
                channel is not own
            )


def test_a_platform_of_no_channel_is_everywhere() -> None:
    reply = {"custom": {"platform": "kiosk", "text": "Hello"}}
    assert contents(reply, "SMS") == contents(reply, "WEB") == ["Hello"]
