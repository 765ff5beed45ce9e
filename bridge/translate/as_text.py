"""Any part as plain words: the last of the fallbacks, which every channel takes.

Buttons are numbered, addresses and phone numbers stand behind their titles, and what is for the
bot alone (a payload such as ``/intent``) is never shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bridge.config.media import Kind
from bridge.translate.files import Files, is_absolute
from bridge.translate.inline import bare
from bridge.translate.markup import plain
from bridge.translate.parts import Button, Card, Part
from bridge.translate.text import is_blank

MAP = "https://www.openstreetmap.org/?mlat={0}&mlon={1}"


def as_text(part: Part, files: Files) -> str:
    """The words of a part; ``""`` where there are none."""
    writer = _WORDS.get(part.kind, _file)
    return writer(part, files).strip()


def numbered(buttons: tuple[Button, ...], files: Files, start: int = 1) -> Iterator[str]:
    """``1. Title: address``, a line each."""
    for number, button in enumerate(buttons, start):
        target = opened(button, files)
        title = button.title
        if target and target not in title:
            title = f"{title}: {target}" if title else target
        yield f"{number}. {title}"


def opened(button: Button, files: Files) -> str:
    """The address or number behind a button, as a customer reads it."""
    return button.phone or bare(files.shown(button.url))


def _lines(*lines: str) -> str:
    return "\n".join(each for each in lines if not is_blank(each))


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
    """An address that shows the place on a map."""
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


def card_text(card: Card, files: Files, number: int = 1) -> str:
    """One card; its picture's address where it has no other."""
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
