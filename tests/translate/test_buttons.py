"""Buttons in every dialect: what the customer reads, and what a tap sends or opens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.config.media import MediaSettings
from bridge.model import Channel
from bridge.translate import Room, Translation, Translator

ROOM = Room(limit=1900, overhead=430, as_json=True)
SHOP = "https://shop.example/"


def translate(reply: Any, channel: str = "FACEBOOK", **media: Any) -> Translation:
    translator = Translator(MediaSettings.model_validate(media))
    return translator.translate(reply, Channel(channel), ROOM)


def shown(reply: Any, **media: Any) -> list[tuple[str, str]]:
    """The title and the value of each button of the reply's card."""
    (draft,) = translate(reply, **media).drafts
    return [(each["title"], each["value"]) for each in json.loads(draft.content)["buttons"]]


BUTTONS: list[tuple[Any, tuple[str, str]]] = [
    ({"title": "Yes", "payload": "/yes"}, ("Yes", "/yes")),
    ({"title": 5, "paylaod": "/five"}, ("5", "/five")),
    ("Yes", ("Yes", "Yes")),
    ({"payload": "Yes, please"}, ("Yes, please", "Yes, please")),
    ({"label": "", "value": "Option 1"}, ("Option 1", "Option 1")),
    # What a tap says.
    ({"type": "message", "label": "Sushi", "text": "Sushi please"}, ("Sushi", "Sushi please")),
    ({"label": "Sushi", "text": "Sushi please"}, ("Sushi", "Sushi please")),
    (
        {"type": "action", "action": {"type": "message", "label": "Sushi", "text": "Sushi please"}},
        ("Sushi", "Sushi please"),
    ),
    (
        {"type": "postback", "label": "Buy", "data": "id=1", "display_text": "Buy it"},
        ("Buy", "id=1"),
    ),
    ({"type": "reply", "reply": {"id": "r1", "title": "One"}}, ("One", "r1")),
    ({"type": "imBack", "title": "Blue", "value": "the blue one"}, ("Blue", "the blue one")),
    ({"ActionType": "reply", "ActionBody": "say it", "Text": "Say"}, ("Say", "say it")),
    # What a tap opens.
    ({"title": "Shop", "url": SHOP}, ("Shop", SHOP)),
    ({"url": SHOP}, (SHOP, SHOP)),
    ({"text": "App", "web_app": {"url": SHOP}}, ("App", SHOP)),
    ({"text": "Log in", "loginUrl": {"url": SHOP, "bot_username": "x"}}, ("Log in", SHOP)),
    ({"title": "Terms", "type": "web_url", "payload": "terms"}, ("Terms", f"{SHOP}terms")),
    ({"title": "Terms", "url": "/terms"}, ("Terms", f"{SHOP}terms")),
    ({"title": "Terms", "url": "terms"}, ("Terms", f"{SHOP}terms")),
    ({"type": "uri", "label": "Map", "linkUri": SHOP}, ("Map", SHOP)),
    ({"title": "Call", "type": "phone_number", "payload": "+49 30"}, ("Call", "+49 30")),
    ({"phoneNumber": "+49 30"}, ("+49 30", "+49 30")),
]


@pytest.mark.parametrize(("button", "expected"), BUTTONS)
def test_a_button_is_shown_and_says_or_opens(button: Any, expected: tuple[str, str]) -> None:
    reply = {"text": "?", "buttons": [button]}
    assert shown(reply, base_url=SHOP) == [expected]
    assert translate(reply, base_url=SHOP).notes == ()


@pytest.mark.parametrize(
    "button",
    [
        {"payload": "/affirm"},
        {"payload": '/inform{"a": 1}'},
        {"payload": "ask_hours"},
        {"payload": "faq/hours"},
        {"payload": {"text": "not a title"}},
        {"id": "Seven"},
        {"callback_data": "id=7"},
        {"title": " ", "value": {"a": 1}},
        {"content_type": "location"},
    ],
)
def test_a_button_with_nothing_to_show_is_noted(button: Any) -> None:
    for channel in Channel:
        reply = {"text": "?", "buttons": [button, {"title": "No", "payload": "/deny"}]}
        translation = translate(reply, channel.value)
        whole = " ".join(each.content for each in translation.drafts)
        assert "No" in whole
        assert "button_without_title" in [each.code for each in translation.notes]
        assert not any(part in whole for part in ("affirm", "inform", "ask_hours", "not a title"))


def test_a_relative_address_that_nothing_resolves_is_noted() -> None:
    reply = {"text": "?", "buttons": [{"title": "Terms", "url": "/terms"}], "image": "img/a.jpg"}
    assert [each.code for each in translate(reply, "SMS").notes].count("relative_address") == 1
    resolved = translate(reply, "SMS", base_url=SHOP)
    assert [each.content for each in resolved.drafts] == [
        f"?\n1. Terms: {SHOP}terms",
        f"{SHOP}img/a.jpg",
    ]
    assert "relative_address" not in [each.code for each in resolved.notes]


@pytest.mark.parametrize(
    "markup",
    [
        {"inline_keyboard": [[{"text": "A", "callback_data": "/a"}], [{"text": "B", "url": SHOP}]]},
        {"inlineKeyboard": [[{"text": "A", "callbackData": "/a"}, {"text": "B", "url": SHOP}]]},
    ],
)
def test_a_keyboard_may_be_written_as_json_text(markup: Any) -> None:
    for given in (markup, json.dumps(markup)):
        custom = {"text": "Pick", "reply_markup": given}
        assert shown({"custom": custom}) == [("A", "/a"), ("B", SHOP)]


@pytest.mark.parametrize("key", ["youtubeId", "youtube_id", "youTubeId", "videoId", "id", "url"])
def test_a_video_may_be_named_by_its_id(key: str) -> None:
    page = "https://www.youtube.com/watch?v=abc123_-X"
    for video in ({key: "abc123_-X"}, {key: page}):
        answers = {"answers": [{"type": "youtube", **video}]}
        (draft,) = translate({"custom": answers}, "SMS").drafts
        assert draft.content == page
