"""Extract readable content from JSON of unknown shape, guided by the names of its keys.

Text under keys for text, sentences under any key, addresses, and lists of choices are extracted.
The value of a technical key (a type, an ID, an intent) is never shown.
"""

from __future__ import annotations

import re
from typing import Any

from bridge.config.media import Kind
from bridge.translate.parts import Button, Part
from bridge.translate.reading import pick
from bridge.translate.reading.flow import Flow
from bridge.translate.reading.pick import Json

_DEEPEST = 12  # levels
_MOST = 2_000  # values visited

_WORDS = {
    *("text", "title", "subtitle", "description", "message", "caption", "label", "body", "header"),
    *("footer", "answer", "question", "content", "speech", "displayText", "fallback", "heading"),
    *("summary", "note", "altText", "name", "markdown", "html", "fulfillmentText", "utterance"),
}
_CHOICES = {
    *("buttons", "quick_replies", "quickReplies", "quick_reply", "suggestions", "options"),
    *("choices", "actions", "hints", "replies", "chips"),
}
_CARD = {"url", "link", "href", "image", "image_url", "imageUrl", "picurl"}
_CHOICE = {"title", "value", "payload", "id"}
_FILES = {
    "image": Kind.IMAGE,
    "image_url": Kind.IMAGE,
    "imageUrl": Kind.IMAGE,
    "img": Kind.IMAGE,
    "photo": Kind.IMAGE,
    "picture": Kind.IMAGE,
    "images": Kind.IMAGE,
    "video": Kind.VIDEO,
    "video_url": Kind.VIDEO,
    "audio": Kind.AUDIO,
    "document": Kind.DOCUMENT,
    "file": Kind.DOCUMENT,
    "pdf": Kind.DOCUMENT,
    "gif": Kind.ANIMATION,
}
_TECHNICAL = re.compile(
    r"(?:^|_)(?:type|id|key|intent|action|payload|event|style|color|colour|class|format|template|"
    r"lang|language|locale|token|version|platform|channel|mode|status|metadata|ssml)$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://\S+$", re.IGNORECASE)
_SENTENCE = re.compile(r"[^\s/{\[<]\S*\s+\S")


def _is_card(value: Json) -> bool:
    """Return whether an object is flat and has a title with an address or a picture."""
    keys = value.keys()
    flat = not any(pick.is_object(each) or pick.is_list(each) for each in value.values())
    return flat and "title" in keys and bool(_CARD & keys) and pick.title(value["title"]) != ""


def _are_choices(value: Any) -> bool:
    """Return whether a value is a list of objects that each have only a title and a value."""
    items = pick.listed(value) if pick.is_list(value) else []
    return bool(items) and all(
        pick.is_object(each) and "title" in each and each.keys() <= _CHOICE for each in items
    )


def _offered(value: Any) -> tuple[Button, ...]:
    return pick.buttons(value) if pick.is_list(value) else ()


class Search:
    """Searches one value for readable content."""

    def __init__(self) -> None:
        self._flow = Flow()
        self._left = _MOST
        self.cut = False  # whether a limit on depth or on the number of values was reached

    def read(self, value: Any) -> list[Part]:
        """Return the parts found, in order."""
        self._value("text", value, 0)
        return list(self._flow.parts())

    def _value(self, key: str, value: Any, deep: int) -> None:
        self._left -= 1
        if self._left < 0 or deep > _DEEPEST:
            self.cut = True
        elif pick.is_object(value):
            self._object(value, deep)
        elif pick.is_list(value):
            for each in pick.listed(value):
                self._value(key, each, deep + 1)
        elif isinstance(value, str):
            self._text(key, value)
        elif key in _WORDS:
            self._flow.say(value)

    def _object(self, value: Json, deep: int) -> None:
        if _is_card(value):
            self._flow.cards([pick.card(value)])
            return
        for key, each in value.items():
            name = key if isinstance(key, str) else ""
            if (name in _CHOICES or _are_choices(each)) and (buttons := _offered(each)):
                self._flow.choose(buttons)
            elif name in _FILES and (url := pick.address(each)):
                self._flow.file(_FILES[name], url)
            else:
                self._value(name, each, deep + 1)

    def _text(self, key: str, value: str) -> None:
        text = value[: pick.LONGEST_TEXT].strip()
        if _ADDRESS.match(text):
            self._flow.link(pick.address(text))
        elif key in _WORDS or (_SENTENCE.match(text) and not _TECHNICAL.search(key)):
            self._flow.say(text)
