"""Read a payload of unknown shape: what is at its top level under keys for people, nothing else.

A payload of a bot's own may carry what is not for the customer: a note of the CRM, an error, the
sources of an answer. So its keys are compared with a list of what may be shown, and there is no
search. ``shapes`` in media.yml describes a payload of which more is to be shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.addresses import machines_address_in
from bridge.translate.parts import Part, RichCard
from bridge.translate.reading import pick
from bridge.translate.reading.door import as_structure
from bridge.translate.reading.flow import Flow
from bridge.translate.reading.pick import Json

_TITLES = ("title", "heading", "header")
_WORDS = frozenset(
    {
        *("text", "message", "subtitle", "description", "body", "caption", "footer", "question"),
        *("answer", "html", "markdown", "speech", "display_text", "fulfillment_text", "alt_text"),
        *_TITLES,
    }
)
_CHOICES = frozenset(
    {
        *("buttons", "quick_replies", "quick_reply", "suggestions", "options", "choices"),
        *("actions", "hints", "replies", "chips"),
    }
)
_PICTURES = frozenset({"image", "image_url", "img", "photo", "picture", "thumbnail_url"})
_FILES = {
    **dict.fromkeys(_PICTURES, Kind.IMAGE),
    "images": Kind.IMAGE,
    "gif": Kind.ANIMATION,
    "video": Kind.VIDEO,
    "video_url": Kind.VIDEO,
    "audio": Kind.AUDIO,
    "audio_url": Kind.AUDIO,
    "document": Kind.DOCUMENT,
    "file": Kind.DOCUMENT,
    "pdf": Kind.DOCUMENT,
}
_LINKS = frozenset({"url", "link", "href"})
_ON_CARDS = _WORDS | _CHOICES | _PICTURES | _LINKS
_FOR_PEOPLE = _WORDS | _CHOICES | _FILES.keys() | _LINKS
_MESSAGE_TYPES = frozenset({"text", "message", "html", "markdown", "plain", "plain_text"})
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def is_message(value: Json) -> bool:
    """Recognise an object that has keys for people only: ``{text, buttons}``."""
    return bool(value.keys() & _FOR_PEOPLE) and is_for_people(value)


def is_for_people(value: Json) -> bool:
    """Return whether an object has keys for people only, beside the type of a message."""
    kind = value.get("type")
    is_text = isinstance(kind, str) and kind.lower() in _MESSAGE_TYPES
    keys = value.keys() - {"type"} if is_text else value.keys()
    return keys <= _FOR_PEOPLE


def read(value: Json) -> Iterator[Part]:
    """Yield what stands under keys for people, in the payload's order, or as a card."""
    card = _card(value)
    flow = Flow()
    if card is not None:
        flow.cards([card])
    for key, each in value.items():
        if card is None or key not in _ON_CARDS:
            _add(flow, key, each)
    yield from flow.parts()


def _card(value: Json) -> RichCard | None:
    """Return a title with one address or one picture as a card; None for anything else."""
    title = next(filter(None, (_said(value.get(key)) for key in _TITLES)), "")
    links, pictures = _addresses(value, _LINKS), _addresses(value, _PICTURES)
    lines = [words for key, each in value.items() if key in _WORDS if (words := _said(each))]
    if not title or not (links or pictures) or len(links) > 1 or len(pictures) > 1:
        return None
    if any(map(machines_address_in, lines)):
        return None
    return RichCard(
        title=pick.title(title),
        description="\n".join(line for line in dict.fromkeys(lines) if line != title),
        image=next(iter(pictures), ""),
        url=next(iter(links), ""),
        buttons=tuple(
            button for key, each in value.items() if key in _CHOICES for button in _offered(each)
        ),
    )


def _addresses(value: Json, keys: frozenset[str]) -> list[str]:
    listed = (pick.address(each) for key in keys for each in pick.listed(value.get(key)))
    return list(dict.fromkeys(filter(None, listed)))


def _add(flow: Flow, key: str, value: Any) -> None:
    if key in _WORDS:
        words = _said(value)
        if machine := machines_address_in(words):
            flow.link(machine)  # only for the note that it was left out
        elif _ADDRESS.fullmatch(words):
            flow.link(pick.address(words))
        else:
            flow.say(words)
    elif key in _CHOICES:
        flow.choose(_offered(value))
    elif key in _FILES:
        for each in pick.listed(value):
            flow.file(_FILES[key], each)
    elif key in _LINKS:
        flow.link(pick.address(value))


def _said(value: Any) -> str:
    """Return the words of a value, unless they are JSON."""
    words = "\n".join(filter(None, map(pick.words, pick.listed(value))))
    return "" if as_structure(words) is not None else words


def _offered(value: Any) -> tuple[Any, ...]:
    return pick.buttons(value) if pick.is_list(value) else ()
