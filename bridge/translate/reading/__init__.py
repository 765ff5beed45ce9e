"""Read Rasa's replies into parts, in the order in which Rasa sends them.

Rasa first sends one of quick replies, buttons or text, then custom, image, attachment and elements
as separate messages. Any field may contain any JSON; unreadable content is noted. Knowledge of
channels and size limits does not belong here. Read ``shapes.py`` first, the table of dialects.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.files import MEDIA_TYPE_OF, extension, is_listed
from bridge.translate.parts import Note, Part, choices
from bridge.translate.reading import pick
from bridge.translate.reading.anything import Search
from bridge.translate.reading.flow import Flow, deck, file
from bridge.translate.reading.pick import Json
from bridge.translate.reading.shapes import SHAPES, Shape
from bridge.translate.text import is_blank

_DEEPEST = 24  # levels of nested lists
_MOST = 200  # values in one reply
_LONGEST_JSON = 100_000  # characters of a text that is parsed as JSON

RICH_KEYS = ("quick_replies", "buttons", "custom", "image", "attachment", "elements")


class Reading:
    """Reads one reply and collects notes and refusals."""

    def __init__(self, own_shapes: tuple[Shape, ...] = ()) -> None:
        self._shapes = own_shapes + SHAPES
        self._left = _MOST
        self.notes: list[Note] = []
        self.refused: list[Note] = []

    def note(self, code: str, sentence: str) -> None:
        """Add a note, unless the same note was added before."""
        note = Note(code, sentence)
        if note not in self.notes:
            self.notes.append(note)

    def reply(self, reply: Any) -> Iterator[Part]:
        """Yield the parts of a whole reply."""
        if not pick.is_object(reply):
            yield from self.value(reply)
            return
        yield from self._words(reply)
        yield from self.value(reply.get("custom"))
        image, attachment = reply.get("image"), reply.get("attachment")
        for each in pick.listed(image):
            yield from self._image(each)
        if not (isinstance(attachment, str) and attachment == image):  # repeated by bot events
            yield from self.value(attachment)
        yield from self._elements(reply.get("elements"))

    def _words(self, reply: Json) -> Iterator[Part]:
        """Yield what Rasa sends first: the text, with quick replies or buttons."""
        raw = reply.get("text")
        text = pick.words(raw)
        if isinstance(raw, str) and len(raw) > pick.LONGEST_TEXT:
            left = len(raw) - pick.LONGEST_TEXT
            self.note("left_out", f"{left:,} characters at the end of the text were left out")
        quick, offered = (
            pick.buttons(reply.get("quick_replies")),
            pick.buttons(reply.get("buttons")),
        )
        if quick and offered:
            self.note("left_out", "Rasa sends quick replies or buttons: the buttons were left out")
        if quick or offered:
            yield choices("" if is_blank(text) else text, quick or offered)
        elif not is_blank(text):
            yield Part(Kind.TEXT, text=text)
        elif raw and not isinstance(raw, str):
            yield from self.value(raw)

    def _image(self, value: Any) -> Iterator[Part]:
        url = pick.address(value)
        if url:
            yield file(Kind.IMAGE, url, pick.first(value, "caption"), pick.first(value, "alt"))
        elif value:
            yield from self.value(value)

    def _elements(self, value: Any) -> Iterator[Part]:
        if pick.is_object(value) and pick.is_list(value.get("elements")):
            value = value["elements"]
        if not pick.is_list(value) and not pick.is_object(value):
            yield from self.value(value)
            return
        if pick.is_cut(value):
            self.note("left_out", "a list is too long: the rest of it was left out")
        yield from deck(pick.card(each) for each in pick.listed(value))

    def value(self, value: Any, deep: int = 0) -> Iterator[Part]:
        """Yield the parts of any value under ``custom``, ``attachment`` or a similar key."""
        if value is None or value in ("", [], {}):
            return
        self._left -= 1
        if deep > _DEEPEST or self._left < 0:
            self.note("left_out", "what is nested too deep, or is too much, was left out")
        elif pick.is_list(value):
            for each in value:
                if self._left < 0:
                    break
                yield from self.value(each, deep + 1)
        elif pick.is_object(value):
            yield from self._object(value)
        else:
            yield from self._scalar(value, deep)

    def _scalar(self, value: Any, deep: int) -> Iterator[Part]:
        text = pick.words(value)
        if text.startswith(("{", "[")) and len(text) < _LONGEST_JSON:
            try:
                inner = json.loads(text)
            except (ValueError, RecursionError):
                inner = None
            if pick.is_object(inner) or pick.is_list(inner):
                yield from self.value(inner, deep + 1)
                return
        if text and " " not in text and pick.address(text).startswith(("http://", "https://")):
            yield _by_extension(text)
        elif text and not is_blank(text):
            yield Part(Kind.TEXT, text=text)

    def _object(self, value: Json) -> Iterator[Part]:
        if pick.is_cut(value):
            self.note("left_out", "a list is too long: the rest of it was left out")
        shape = next((each for each in self._shapes if each.matches(value)), None)
        parts = list(shape.read(value)) if shape else []
        if parts:
            yield from parts
            return
        search = Search()
        parts = search.read(value)
        if search.cut:
            self.note("left_out", "what is nested too deep, or is too much, was left out")
        if not parts:
            sentence = "a payload holds nothing that a customer could read"
            self.refused.append(Note("unreadable", sentence))
        yield from parts


def _by_extension(url: str) -> Part:
    """Return a bare address as a file if its extension is known, else as a link to a page."""
    ending = extension(url)
    for kind, media_type in MEDIA_TYPE_OF.items():
        if is_listed(ending, media_type):
            return file(kind, url)
    return Part(Kind.LINK, url=url)


__all__ = ["RICH_KEYS", "Flow", "Reading"]
