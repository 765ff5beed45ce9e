"""Render any part as plain text: the last fallback, which every channel takes.

Buttons are numbered, and addresses and phone numbers follow their titles. Payloads for the bot,
such as ``/intent``, are never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bridge.config.media import Kind
from bridge.translate.files import Files, is_absolute
from bridge.translate.inline import bare
from bridge.translate.markup import plain
from bridge.translate.parts import Button, Part, RichCard
from bridge.translate.text import is_blank

MAP = "https://www.openstreetmap.org/?mlat={0}&mlon={1}"


def as_text(part: Part, files: Files) -> str:
    """Render a part as plain text; return ``""`` if it has none."""
    writer = _WORDS.get(part.kind, _file)
    return writer(part, files).strip()


def numbered(buttons: tuple[Button, ...], files: Files, start: int = 1) -> Iterator[str]:
    """Yield one line per button: ``1. Title: address``."""
    for number, button in enumerate(buttons, start):
        target = opened(button, files)
        title = button.title
        if target and target not in title:
            title = f"{title}: {target}" if title else target
        yield f"{number}. {title}"


def opened(button: Button, files: Files) -> str:
    """Return the address or phone number of a button, as shown to the customer."""
    return button.phone or bare(files.shown(button.url))


def _lines(*lines: str) -> str:
    return "\n".join(line for line in lines if not is_blank(line))


def _text(part: Part, _files: Files) -> str:
    return plain(part.text, part.form)


def _choices(part: Part, files: Files) -> str:
    return _lines(plain(part.text, part.form), *numbered(part.buttons, files))


def _file(part: Part, files: Files) -> str:
    caption = plain(part.text, part.form)
    return _lines(caption or part.title, bare(files.shown(part.url)))


def _link(part: Part, files: Files) -> str:
    shown = bare(files.shown(part.url))
    title = "" if part.title == shown else part.title
    return _lines(title, part.description, shown)


def _location(part: Part, _files: Files) -> str:
    return _lines(part.title, part.address, map_link(part))


def map_link(part: Part) -> str:
    """Return the URL of a map that shows the location, or ``""`` without coordinates."""
    if part.latitude is None or part.longitude is None:
        return ""
    return MAP.format(_degrees(part.latitude), _degrees(part.longitude))


def _degrees(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _contact(part: Part, _files: Files) -> str:
    return ": ".join(filter(None, (part.name, part.phone)))


def _cards(part: Part, files: Files) -> str:
    blocks, number = [], 1
    if not is_blank(part.text):
        blocks.append(plain(part.text, part.form))
    for card in part.cards:
        blocks.append(card_text(card, files, number))
        number += len(card.buttons)
    return "\n\n".join(filter(None, blocks))


def card_text(card: RichCard, files: Files, number: int = 1) -> str:
    """Render one card, with its picture's address if it has no other address."""
    picture = files.picture(card.image)
    address = bare(files.shown(card.url)) or (picture if is_absolute(picture) else "")
    return _lines(card.title, card.description, address, *numbered(card.buttons, files, number))


def _template(part: Part, _files: Files) -> str:
    return plain(part.text, part.form) or _lines(*part.parameters)


def _email(part: Part, _files: Files) -> str:
    words = plain(part.text, part.form)
    return f"{part.subject}\n\n{words}" if part.subject else words


_WORDS: Mapping[Kind, Callable[[Part, Files], str]] = {
    Kind.TEXT: _text,
    Kind.MARKUP: _text,
    Kind.BUTTONS: _choices,
    Kind.LINKS: _choices,
    Kind.LINK: _link,
    Kind.LOCATION: _location,
    Kind.CONTACT: _contact,
    Kind.CARD: _cards,
    Kind.CAROUSEL: _cards,
    Kind.WEB_CARD: _link,
    Kind.WHATSAPP_TEMPLATE: _template,
    Kind.SMS_TEMPLATE: _template,
    Kind.EMAIL: _email,
    Kind.COBROWSE: _link,
    Kind.EVENT: _text,
}
