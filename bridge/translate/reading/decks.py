"""Read decks of cards as web widgets write them: ``{cards}``, ``{type: carousel, items}``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bridge.translate.parts import Part
from bridge.translate.reading import pick
from bridge.translate.reading.flow import Flow
from bridge.translate.reading.pick import Json

_NAMES = ("cards", "carousel", "slides")
_TYPES = frozenset({"carousel", "cards", "slider", "gallery"})  # words of a type
_WORD = re.compile(r"[a-z]+")
_ITEMS = (*_NAMES, "items", "elements", "columns", "data", "payload")


def is_deck(value: Json) -> bool:
    """Recognise a list of cards by its key, or by the type of the object around it."""
    return bool(_items(value))


def read(value: Json) -> Iterator[Part]:
    """Read the words above the cards, the cards as one part, and the choices below them."""
    flow = Flow()
    for key in ("title", "text", "message", "subtitle"):
        flow.say(value.get(key))
    flow.cards(pick.card(each) for each in _items(value))
    for key in ("buttons", "quick_replies"):
        flow.choose(pick.buttons(value.get(key)))
    yield from flow.parts()


def _items(value: Json) -> list[Any]:
    kind = value.get("type")
    of_type = isinstance(kind, str) and bool(_TYPES & set(_WORD.findall(kind.lower())))
    for key in _ITEMS if of_type else _NAMES:
        items = value.get(key)
        if pick.is_object(items):
            items = next((items[name] for name in _ITEMS if pick.is_list(items.get(name))), None)
        if pick.is_list(items) and any(map(pick.is_object, items)):
            return pick.listed(items)
    return []
