"""Read LINE's message objects and templates; ``flex.py`` reads flex messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.parts import Form, Part, RichCard, choices
from bridge.translate.reading import flex, pick
from bridge.translate.reading.flow import Flow, card, deck
from bridge.translate.reading.pick import Json

_FILES = {"image": Kind.IMAGE, "video": Kind.VIDEO, "audio": Kind.AUDIO}
_OWN_KEYS = {
    "template": "template",
    "flex": "contents",
    "imagemap": "actions",
    "sticker": "sticker_id",
    "image": "original_content_url",
    "video": "original_content_url",
    "audio": "original_content_url",
}


def is_line(value: Json) -> bool:
    """Recognise a LINE message object by its type and a key that only LINE uses with that type."""
    kind = value.get("type")
    if not isinstance(kind, str) or value.get(_OWN_KEYS.get(kind, "quick_reply")) is None:
        return False
    inner = value.get("template")
    return kind != "template" or (pick.is_object(inner) and "type" in inner)


def read(value: Json) -> Iterator[Part]:
    """Read one message object and the quick replies below it."""
    flow = Flow()
    kind = value.get("type")
    if kind == "template":
        flow.show(*_template(value))
    elif kind == "flex":
        flow.show(*flex.read(value.get("contents")))
        if flow.is_empty:
            flow.say(value.get("alt_text"), Form.PLAIN)
    elif kind == "imagemap":
        flow.say(value.get("alt_text"))
        flow.choose(pick.buttons(value.get("actions")))
    elif isinstance(kind, str) and kind in _FILES:
        flow.file(_FILES[kind], value, "original_content_url")
    else:
        flow.say(value.get("text"), Form.PLAIN)
    replies = value.get("quick_reply")
    flow.choose(pick.buttons(replies.get("items")) if pick.is_object(replies) else ())
    yield from flow.parts()


def _template(value: Json) -> Iterator[Part]:
    template = value.get("template")
    if not pick.is_object(template):
        return
    shown = list(_shown(template))
    if not shown and (words := pick.words(value.get("alt_text"))):
        shown = [Part(Kind.TEXT, text=words, form=Form.PLAIN)]
    yield from shown


def _shown(template: Json) -> Iterator[Part]:
    kind = template.get("type")
    columns = pick.listed(template.get("columns"))
    if kind == "image_carousel":
        yield from deck(_picture(each) for each in columns)
    elif columns:
        yield from deck(pick.card(each) for each in columns)
    elif kind == "confirm":
        offered = pick.buttons(template.get("actions"))
        yield choices(pick.words(template.get("text")), offered, Form.PLAIN)
    elif found := pick.card(template):
        yield card(found)


def _picture(column: Any) -> RichCard | None:
    if not pick.is_object(column):
        return None
    offered = pick.buttons(column.get("action"))
    return RichCard(image=pick.address(column, "image_url"), buttons=offered)
