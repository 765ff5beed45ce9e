"""Read Rasa's replies into parts, in the order in which Rasa sends them.

Rasa first sends one of quick replies, buttons or text, then custom, image, attachment and elements
as separate messages. Any field may contain any JSON; unreadable content is noted. Knowledge of
channels and size limits does not belong here.

A payload passes ``door.py``, which spells its keys in one way and drops those for programs. The
first matching row of ``shapes.py`` reads it into parts; ``anything.py`` reads what no row knows.
``unsaid.py`` notes words that a reader left out, and ``joining.py`` joins the parts of the reply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bridge.config.media import Kind
from bridge.translate.addresses import is_machines
from bridge.translate.files import MEDIA_TYPE_OF, extension, is_listed
from bridge.translate.parts import Note, Part, choices
from bridge.translate.reading import anything, pick
from bridge.translate.reading.door import Door, as_structure
from bridge.translate.reading.flow import Flow, deck, file
from bridge.translate.reading.joining import join
from bridge.translate.reading.pick import Json
from bridge.translate.reading.shapes import SHAPES, Shape
from bridge.translate.reading.unsaid import unsaid
from bridge.translate.text import is_blank

_DEEPEST = 24  # levels of nested lists
_MOST = 200  # values in one reply
_PLATFORMS_COPY = ("payload", "data", "message", "content")  # where its content stands

RICH_KEYS = ("quick_replies", "buttons", "custom", "image", "attachment", "elements")


@dataclass(frozen=True, slots=True)
class ReadingContext:
    """What the tables say about a reply's content.

    Attributes:
        own_shapes: the shapes of ``media.yml``, which are tried first.
        is_for: whether what is meant for a platform is for this customer, by the platform's name.
        is_known: whether the gateway knows the file with an address.
        has_base: whether ``base_url`` is set, to which relative addresses are relative.
    """

    own_shapes: tuple[Shape, ...]
    is_for: Callable[[str], bool]
    is_known: Callable[[str], bool]
    has_base: bool


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A payload of no known shape, read only if the reply says nothing else."""

    value: Json


class Reading:
    """Reads one reply and collects notes and refusals."""

    def __init__(self, context: ReadingContext) -> None:
        self._context = context
        self._door = Door()
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
        found = list(self._reply(reply) if pick.is_object(reply) else self._value(reply))
        if self._door.cut:
            self.note("left_out", "a list is too long, or nested too deep: the rest was left out")
        says = any(isinstance(each, Part) and each.kind is not Kind.EVENT for each in found)
        parts = (
            part
            for each in found
            for part in ([each] if isinstance(each, Part) else self._unknown(each, beside=says))
        )
        context = self._context
        yield from join(parts, self.note, context.is_known, has_base=context.has_base)

    def _reply(self, reply: Json) -> Iterator[Part | _Unknown]:
        yield from self._words(
            {
                "text": reply.get("text"),
                "quick_replies": self._door.admit(reply.get("quick_replies")),
                "buttons": self._door.admit(reply.get("buttons")),
            }
        )
        yield from self._value(reply.get("custom"))
        image, attachment = reply.get("image"), reply.get("attachment")
        for each in pick.listed(image):
            yield from self._image(each)
        if not (isinstance(attachment, str) and attachment == image):  # repeated by bot events
            yield from self._value(attachment)
        yield from self._elements(reply.get("elements"))

    def _words(self, reply: Json) -> Iterator[Part | _Unknown]:
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
            part = choices("" if is_blank(text) else text, quick or offered)
            yield from self._checked(reply["quick_replies" if quick else "buttons"], [part])
        elif not is_blank(text):
            yield Part(Kind.TEXT, text=text)
        elif raw and not isinstance(raw, str):
            yield from self._value(raw)

    def _image(self, given: Any) -> Iterator[Part | _Unknown]:
        value = self._door.admit(given)
        url = pick.address(value)
        if url:
            yield file(Kind.IMAGE, url, pick.first(value, "caption"), pick.first(value, "alt"))
        elif given:
            yield from self._value(given)

    def _elements(self, given: Any) -> Iterator[Part | _Unknown]:
        value = self._door.admit(given)
        if pick.is_object(value) and pick.is_list(value.get("elements")):
            value = value["elements"]
        if not pick.is_list(value) and not pick.is_object(value):
            yield from self._value(given)
            return
        yield from self._checked(value, deck(pick.card(each) for each in pick.listed(value)))

    def _value(self, value: Any, deep: int = 0) -> Iterator[Part | _Unknown]:
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
                yield from self._value(each, deep + 1)
        elif pick.is_object(value):
            yield from self._object(value, deep)
        else:
            yield from self._scalar(value, deep)

    def _scalar(self, value: Any, deep: int) -> Iterator[Part | _Unknown]:
        text = pick.words(value)
        if (inner := as_structure(text)) is not None:
            yield from self._value(inner, deep + 1)
        elif _is_address(text):
            yield _by_extension(text)
        elif text and not is_blank(text):
            yield Part(Kind.TEXT, text=text)

    def _object(self, given: Json, deep: int) -> Iterator[Part | _Unknown]:
        own = next((each for each in self._context.own_shapes if each.matches(given)), None)
        if own:
            yield from self._read(own, given)
            return
        value = self._door.admit(given)
        if value is None:  # the reply is too large already
            return
        platform = pick.title(value.pop("platform", None))
        if platform and not self._context.is_for(platform):
            self.note("other_platform", "what is meant for another platform was left out")
            return
        shape = next((each for each in SHAPES if each.matches(value)), None)
        copies = (given[key] for key in _PLATFORMS_COPY if platform and _holds(given.get(key)))
        if shape:
            compared = {key: each for key, each in value.items() if key not in shape.repeats}
            yield from self._checked(compared, self._read(shape, value))
        elif (copy := next(copies, None)) is not None:
            yield from self._value(copy, deep + 1)
        else:
            yield _Unknown(value)

    def _checked(self, value: Any, parts: Iterable[Part]) -> Iterator[Part]:
        """Yield the parts that were read from a value; note words of it that are in none."""
        found = list(parts)
        if found and (key := unsaid(value, found)):
            self.note("words_left_out", f"words of a payload were left out: {key}")
        yield from found

    def _read(self, shape: Shape, value: Json) -> Iterator[Part]:
        parts = list(shape.read(value))
        if not parts:
            self._refuse()
        yield from parts

    def _unknown(self, unknown: _Unknown, *, beside: bool) -> Iterator[Part]:
        if beside:
            sentence = "a payload of unknown shape beside other content was skipped"
            self.note("unknown_payload", sentence)
            return
        parts = list(anything.read(unknown.value))
        if not parts:
            self._refuse()
        elif not anything.is_for_people(unknown.value):
            sentence = "of a payload of unknown shape, only the keys for people were read"
            self.note("unknown_payload", sentence)
        yield from parts

    def _refuse(self) -> None:
        refusal = Note("unreadable", "a payload holds nothing that a customer could read")
        if refusal not in self.refused:
            self.refused.append(refusal)


def _holds(value: Any) -> bool:
    return bool(value) and (pick.is_object(value) or pick.is_list(value))


def _is_address(text: str) -> bool:
    """Return whether a bare text is a web address, or the path of a file by its extension."""
    if not text or any(char.isspace() for char in text):
        return False
    if pick.address(text).lower().startswith(("http://", "https://")) or is_machines(text):
        return True
    ending = extension(text) if "/" in text else ""
    return bool(ending) and any(is_listed(ending, each) for each in MEDIA_TYPE_OF.values())


def _by_extension(url: str) -> Part:
    """Return a bare address as a file if its extension is known, else as a link to a page."""
    ending = extension(url)
    for kind, media_type in MEDIA_TYPE_OF.items():
        if is_listed(ending, media_type):
            return file(kind, url)
    return Part(Kind.LINK, url=url)


__all__ = ["RICH_KEYS", "Flow", "Reading", "ReadingContext"]
