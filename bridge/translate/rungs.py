"""The rungs of the ladder, a function each: it writes a part as one media type, or says why not.

``ladder.py`` decides which is tried; what a content may hold is measured in ``writer.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from bridge.config.media import FILE_TYPES, Kind
from bridge.model import Draft, MediaType
from bridge.translate import dressing, markup, wording
from bridge.translate.files import MEDIA_TYPE_OF, Files, Known, extension, file_type, is_absolute
from bridge.translate.media import BUTTON
from bridge.translate.parts import Button, Card, Form, Part
from bridge.translate.writer import Encoded, Writer, encode

Why = str  # why a rung could not be; "" where it was written
NOT_TAKEN = "the channel takes no "


@dataclass(frozen=True, slots=True)
class Book:
    """What does not change from reply to reply."""

    ladders: Mapping[Kind, tuple[MediaType, ...]]
    files: Files
    on_unknown_file: Literal["link", "url", "refuse"]
    max_items: int


def attempt(rung: MediaType, part: Part, writer: Writer, book: Book) -> Why:
    """Write the part as ``rung``, or say why that cannot be."""
    if rung is MediaType.TEXT:
        return _text(part, writer, book)
    if rung is MediaType.RICHTEXT:
        return _rich_text(part, writer, book)
    if rung not in writer.row.takes:
        return f"{NOT_TAKEN}{rung.value}"
    if rung in FILE_TYPES:
        return _file(rung, part, writer, book)
    return _RUNGS[rung](part, writer, book)


def _text(part: Part, writer: Writer, book: Book) -> Why:
    text = wording.as_text(part, book.files)
    return "" if writer.words(text) else "it holds nothing to read"


def _rich_text(part: Part, writer: Writer, book: Book) -> Why:
    if writer.row.rich is None:
        return f"{NOT_TAKEN}RICHTEXT"
    blocks = dressing.as_blocks(part, book.files)
    return "" if writer.blocks(blocks) else "there is nothing to format"


def _email(part: Part, writer: Writer, book: Book) -> Why:
    if part.kind is not Kind.EMAIL or writer.room.text_only:
        return _text(part, writer, book)
    if writer.blocks(dressing.words(part.text, part.form), part.subject):
        return ""
    written = writer.words(markup.plain(part.text, part.form), part.subject)
    return "" if written else _text(part, writer, book)


# -- files ---------------------------------------------------------------------------------------


def _file(rung: MediaType, part: Part, writer: Writer, book: Book) -> Why:
    """A file by its library ID or key; an unknown one as ``on_unknown_file`` says."""
    if part.kind not in MEDIA_TYPE_OF:
        return f"it is no file for {rung.value}"
    known = book.files.find(part.url)
    if known is None:
        return _unknown_file(rung, part, writer, book)
    if known.media_type not in (None, rung) and known.media_type in writer.row.takes:
        rung = known.media_type
    ending = known.file_type or extension(part.url)
    kind = file_type(ending, rung)
    if ending and kind is None and FILE_TYPES[rung]:
        return f"{rung.value} lists no file type {ending}"
    return _sent(rung, part, writer, replace(known, file_type=kind))


def _unknown_file(rung: MediaType, part: Part, writer: Writer, book: Book) -> Why:
    url = book.files.shown(part.url)
    if book.on_unknown_file == "refuse":
        writer.refuse("unknown_file", f"{part.kind.value}: no row of `files` knows its address")
        writer.words(markup.plain(part.text, part.form))
        return ""
    if book.on_unknown_file == "link":
        return "no row of `files` knows its address"
    if not is_absolute(url):
        return "its address is not absolute"
    ending = extension(url)
    kind = file_type(ending, rung)
    if (kind is None and FILE_TYPES[rung]) or not ending:
        return f"{rung.value} lists no file type {ending}".rstrip() if ending else "no file type"
    return _sent(rung, part, writer, Known(url, file_type=kind))


def _sent(rung: MediaType, part: Part, writer: Writer, known: Known) -> Why:
    if not known.content or not writer.fits(known.content):
        return "its address is too long"
    draft = Draft(
        rung, known.content, media_file_type=known.file_type, content_type=known.content_type
    )
    writer.add(draft)
    writer.words(markup.plain(part.text, part.form))  # the caption is to be read too
    return ""


# -- templates -----------------------------------------------------------------------------------


def _add(rung: MediaType, values: dict[str, object], writer: Writer) -> Why:
    content = writer.render(rung.value, values)
    if content is None:
        return f"no template makes a {rung.value}"
    if not writer.fits(content):
        return f"it is too long for one {rung.value}"
    writer.add(Draft(rung, content))
    return ""


def _card(part: Part, writer: Writer, book: Book) -> Why:
    """One CARD for each card; for a text with buttons where the channel's row says so."""
    cards = _cards_of(part)
    if part.kind in (Kind.BUTTONS, Kind.LINKS) and not writer.row.buttons:
        return "the channel has no buttons of its own"
    if not cards:
        return "there are no words above the buttons" if part.buttons else "it is no card"
    contents = [writer.render(MediaType.CARD.value, _values(card, writer, book)) for card in cards]
    if None in contents or not all(writer.fits(each) for each in contents if each):
        return "it is too long for one CARD"
    for each in contents:
        writer.add(Draft(MediaType.CARD, each or ""))
    return ""


def _cards_of(part: Part) -> tuple[Card, ...]:
    if part.kind in (Kind.CARD, Kind.CAROUSEL):
        return part.cards
    if part.kind in (Kind.BUTTONS, Kind.LINKS):
        text = markup.plain(part.text, part.form)
        return (Card(description=text, buttons=part.buttons),) if text else ()
    if part.kind is Kind.WEB_CARD:
        return (Card(part.title, part.description, part.image, part.url),)
    return ()


def _carousel(part: Part, writer: Writer, book: Book) -> Why:
    """As many cards to a MULTICARD as fit."""
    if part.kind is not Kind.CAROUSEL:
        return "it is no carousel"
    contents: list[str] = []
    group: list[str] = []
    for card in part.cards:
        one = writer.render(MediaType.CARD.value, _values(card, writer, book)) or "{}"
        if group and not writer.fits(_deck(writer, [*group, one])):
            contents.append(_deck(writer, group))
            group = []
        group.append(one)
    contents.append(_deck(writer, group))
    if not all(writer.fits(each) for each in contents):
        return "a card of it is too long for one MULTICARD"
    for each in contents:
        writer.add(Draft(MediaType.MULTICARD, each))
    return ""


def _deck(writer: Writer, cards: list[str]) -> str:
    listed = Encoded("[" + ", ".join(cards) + "]")
    return writer.render(MediaType.MULTICARD.value, {"cards": listed}) or ""


def _values(card: Card, writer: Writer, book: Book) -> dict[str, object]:
    """A card's fields for a template; its picture as the gateway knows it, where it does."""
    known = book.files.find(card.image) if card.image else None
    ending = (known.file_type or extension(card.image)) if known else ""
    kind = (
        next(filter(None, (file_type(ending, each) for each in FILE_TYPES)), "") if ending else ""
    )
    listed = ", ".join(_button(each, writer, book) for each in card.buttons)
    return {
        "title": card.title,
        "description": card.description,
        "url": book.files.shown(card.url),
        "image_url": book.files.picture(card.image),
        "file_id": known.content if known else "",
        "file_type": kind,
        "buttons": Encoded(f"[{listed}]"),
    }


def _button(button: Button, writer: Writer, book: Book) -> str:
    target = button.phone or book.files.shown(button.url)
    values: dict[str, object] = {
        "title": button.title or target,
        "type": button.type,
        "value": target or button.payload or button.title,
    }
    return writer.render(BUTTON, values) or encode(button.title)


def _web_card(part: Part, writer: Writer, book: Book) -> Why:
    card = next(iter(_cards_of(part)), None)
    if card is None or len(part.cards) > 1 or card.buttons or not card.url:
        return "WEBCARD is one page without buttons"
    return _add(MediaType.WEBCARD, _values(card, writer, book), writer)


def _place(rung: MediaType) -> Callable[[Part, Writer, Book], Why]:
    def build(part: Part, writer: Writer, _book: Book) -> Why:
        if part.latitude is None or part.longitude is None:
            return "it has no coordinates"
        values: dict[str, object] = {
            "latitude": part.latitude,
            "longitude": part.longitude,
            "title": part.title,
            "address": part.address,
        }
        return _add(rung, values, writer)

    return build


def _cobrowse(part: Part, writer: Writer, book: Book) -> Why:
    url = book.files.shown(part.url)
    if not is_absolute(url):
        return "it has no address"
    return _add(MediaType.COBROWSESITE, {"title": part.title, "url": url}, writer)


def _template(rung: MediaType, kind: Kind) -> Callable[[Part, Writer, Book], Why]:
    def build(part: Part, writer: Writer, _book: Book) -> Why:
        if part.kind is not kind or not part.name:
            return "it names no template"
        values: dict[str, object] = {
            "name": part.name,
            "language": part.language,
            "parameters": list(part.parameters),
            "components": part.components or [],
            "text": markup.plain(part.text, Form.PLAIN),
        }
        return _add(rung, values, writer)

    return build


_RUNGS: Mapping[MediaType, Callable[[Part, Writer, Book], Why]] = {
    MediaType.EMAIL: _email,
    MediaType.CARD: _card,
    MediaType.MULTICARD: _carousel,
    MediaType.WEBCARD: _web_card,
    MediaType.LOCATE: _place(MediaType.LOCATE),
    MediaType.LOCATION: _place(MediaType.LOCATION),
    MediaType.COBROWSESITE: _cobrowse,
    MediaType.WHATSAPPTEMPLATE: _template(MediaType.WHATSAPPTEMPLATE, Kind.WHATSAPP_TEMPLATE),
    MediaType.SMSTEMPLATE: _template(MediaType.SMSTEMPLATE, Kind.SMS_TEMPLATE),
}
