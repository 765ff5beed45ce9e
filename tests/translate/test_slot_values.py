"""A slot's value comes from a customer: it is read as it was written, and is never markup."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.config.media import MediaSettings
from bridge.model import Channel
from bridge.replies import render
from bridge.translate import Room, Translator, literal

TRANSLATOR = Translator(MediaSettings())
ROOM = Room(limit=3800, overhead=430, as_json=True)
VALUES = st.text(st.sampled_from("ab1\\`*_~[]()<>&#\"'{}!|:/=.;é中"), min_size=1, max_size=30) | (
    st.sampled_from(
        [
            "[win](https://evil.example)",
            "![x](https://evil.example/x.png)",
            "<a href='https://evil.example'>x</a>",
            '"><img src="https://evil.example/x.png">',
            "<https://evil.example|our shop>",
            "x) [y](https://evil.example",
            "</b></a><b>",
            "&lt;b&gt; &amp;amp;",
            '{"image": "https://evil.example/x.png"}',
            '", "image": "https://evil.example/x.png", "x": "',
            "# Heading",
            "```",
        ]
    )
)
SENTENCES = st.sampled_from(
    [
        "Hello {name}!",
        "**Hello {name}** <b>there</b>",
        "Hello **{name}**, _{name}_",
        "<p>Hello <b>{name}</b></p>",
        "Hello<br>{name}",
        "- *Hello*\n- {name}",
        "&quot;{name}&quot;",
    ]
)
quick = settings(deadline=None, derandomize=True)


def rendered(variation: dict[str, Any], value: str) -> Any:
    return render(
        {"utter_x": [variation]}, "utter_x", {"name": value}, channels=(), seed="s", quote=literal
    )


def spaceless(text: str) -> str:
    return "".join(text.split())


@quick
@given(sentence=SENTENCES, value=VALUES)
@pytest.mark.parametrize("channel", [Channel.WEB, Channel.EMAIL, Channel.SMS, Channel.WHATSAPP])
def test_a_value_in_a_sentence_is_text(channel: Channel, sentence: str, value: str) -> None:
    for variation in ({"text": sentence}, {"custom": {"text": sentence}}):
        drafts = TRANSLATOR.translate(rendered(variation, value), channel, ROOM).drafts
        assert {draft.media_type.value for draft in drafts} <= {"TEXT", "RICHTEXT", "EMAIL"}
        shown = "".join(TRANSLATOR.plain(draft, channel) or "" for draft in drafts)
        assert spaceless(value) in spaceless(shown)
        if channel in (Channel.WEB, Channel.EMAIL):
            assert not [each for each in drafts if "<a" in each.content or "<img" in each.content]


@quick
@given(value=VALUES)
def test_a_value_in_a_card_or_a_payload_is_that_value(value: str) -> None:
    payload = '/inform{{"name": "{name}"}}'
    buttons = [{"title": "Say {name}", "payload": payload}]
    (draft,) = TRANSLATOR.translate(
        rendered({"text": "Hello {name}", "buttons": buttons}, value), Channel.FACEBOOK, ROOM
    ).drafts
    card = json.loads(draft.content)
    assert spaceless(card["description"]) == spaceless(f"Hello {value}")
    assert spaceless(card["buttons"][0]["title"]) == spaceless(f"Say {value}")


@quick
@given(value=VALUES)
def test_a_value_in_a_text_of_json_stays_in_its_string(value: str) -> None:
    reply = rendered({"custom": '{{"text": "Hello {name}"}}'}, value)
    drafts = TRANSLATOR.translate(reply, Channel.WEB, ROOM).drafts
    assert not [each for each in drafts if each.media_type.value not in ("TEXT", "RICHTEXT")]
    shown = "".join(TRANSLATOR.plain(draft, Channel.WEB) or "" for draft in drafts)
    assert "image" not in shown or "image" in value


def test_a_value_that_is_an_address_opens_it() -> None:
    address = "https://s.example/a_b~c?d=1&e=[f]#g"
    markup = "[order]({name}) <a href='{name}'>again</a>"
    (draft,) = TRANSLATOR.translate(rendered({"text": markup}, address), Channel.WEB, ROOM).drafts
    assert draft.content.count(f'href="{address.replace("&", "&amp;")}"') == 2
    files = [{"url": "https://s.example/a_b.jpg", "id": "known"}]
    translator = Translator(MediaSettings.model_validate({"files": files}))
    reply = rendered({"image": "{name}"}, "https://s.example/a_b.jpg")
    (draft,) = translator.translate(reply, Channel.WEB, ROOM).drafts
    assert draft.content == "known"
    (link,) = TRANSLATOR.translate(
        rendered({"text": "?", "buttons": [{"title": "Go", "url": "{name}"}]}, address),
        Channel.SMS,
        ROOM,
    ).drafts
    assert link.content == f"?\n1. Go: {address}"
