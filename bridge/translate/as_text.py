"""Render parts as plain text: the last fallback, which every channel takes.

Buttons are numbered, also across the parts of a reply; addresses and phone numbers follow their
titles. Payloads for the bot, such as ``/intent``, are never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.translate.files import is_absolute
from bridge.translate.inline import bare, says
from bridge.translate.markup import plain
from bridge.translate.parts import Button, Part, RichCard
from bridge.translate.text import is_blank
from bridge.translate.view import View

_IS_NUMBER = re.compile(r"\W*(?:\d\W*)+")
_BEGINS_WITH_NUMBER = re.compile(r"\W*\d")
MAP = "https://www.openstreetmap.org/?mlat={0}&mlon={1}"


def listed(buttons: tuple[Button, ...], view: View, start: int) -> Iterator[str]:
    """Yield one line per button: ``1. Title: address``."""
    for marker, button in zip(markers(buttons, start), buttons, strict=True):
        target = opened(button, view)
        title = button.title
        if target and not says(title, target):
            title = f"{title}: {target}" if title else target
        yield f"{marker}{title}"


def markers(buttons: tuple[Button, ...], start: int) -> list[str]:
    """Return what precedes each button of a list: its number, unless the titles have numbers.

    A second number before a title such as ``5`` or ``2 people`` would give a customer's "2" two
    meanings. A dash before a title that is a number would make it negative.
    """
    if any(_IS_NUMBER.fullmatch(button.title) for button in buttons):
        return [""] * len(buttons)
    if any(_BEGINS_WITH_NUMBER.match(button.title) for button in buttons):
        return ["- "] * len(buttons)
    return [f"{number}. " for number in range(start, start + len(buttons))]


def numbers(part: Part) -> int:
    """Return how many numbers the choices of a part take."""
    lists = (part.buttons, *(card.buttons for card in part.cards))
    return sum(map(_numbers, lists))


def _numbers(buttons: tuple[Button, ...]) -> int:
    return sum(marker[:1].isdigit() for marker in markers(buttons, 1))


def opened(button: Button, view: View) -> str:
    """Return the address or phone number of a button, as shown to the customer."""
    return button.phone or bare(view.shown(button.url))


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if not is_blank(line))


def text(part: Part, view: View) -> str:
    """Return a text without markup."""
    return plain(part.text, part.form, view)


def choices(part: Part, view: View) -> str:
    """Return a text with numbered buttons below it."""
    return _lines(plain(part.text, part.form, view), *listed(part.buttons, view, view.first))


def file(part: Part, view: View) -> str:
    """Return a file's caption or name, and its address."""
    caption = plain(part.text, part.form, view)
    return _lines(caption or part.title, bare(view.shown(part.url)))


def link(part: Part, view: View) -> str:
    """Return a link: title, description and address."""
    shown = bare(view.shown(part.url))
    title = "" if part.title == shown else part.title
    return _lines(title, part.description, shown)


def location(part: Part, _view: View) -> str:
    """Return a location: title, address and the URL of a map."""
    return _lines(part.title, part.address, map_link(part))


def map_link(part: Part) -> str:
    """Return the URL of a map that shows the location, or ``""`` without coordinates."""
    if part.latitude is None or part.longitude is None:
        return ""
    return MAP.format(_degrees(part.latitude), _degrees(part.longitude))


def _degrees(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def contact(part: Part, _view: View) -> str:
    """Return a name and a phone number."""
    return ": ".join(filter(None, (part.name, part.phone)))


def cards(part: Part, view: View) -> str:
    """Return cards, one below the other; the numbers of their buttons continue."""
    blocks, number = [], view.first
    if not is_blank(part.text):
        blocks.append(plain(part.text, part.form, view))
    for card in part.cards:
        blocks.append(card_text(card, view, number))
        number += _numbers(card.buttons)
    return "\n\n".join(filter(None, blocks))


def card_text(card: RichCard, view: View, number: int) -> str:
    """Render one card, with its picture's address if it has no other address."""
    picture = view.files.picture(card.image)
    address = bare(view.shown(card.url)) or (picture if is_absolute(picture) else "")
    return _lines(card.title, card.description, address, *listed(card.buttons, view, number))


def template(part: Part, view: View) -> str:
    """Return the text of a message template, or its parameters."""
    return plain(part.text, part.form, view) or _lines(*part.parameters)


def email(part: Part, view: View) -> str:
    """Return an e-mail with its subject above the text."""
    words = plain(part.text, part.form, view)
    return f"{part.subject}\n\n{words}" if part.subject else words
