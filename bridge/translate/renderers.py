"""Renderers of media types: each writes a part, or returns the reason why it cannot.

``kinds.py`` assigns them to kinds, ``fallback.py`` chooses the media type, and ``writer.py``
enforces the size limits.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.config.media import FILE_TYPES, Kind
from bridge.model import Draft, MediaType
from bridge.translate import as_html, markup
from bridge.translate.files import MEDIA_TYPE_OF, Known, extension, file_type, is_absolute
from bridge.translate.parts import Button, Form, Part, RichCard
from bridge.translate.rows import BUTTON, Render, RenderContext, Why
from bridge.translate.writer import Encoded, Writer, encode


def text(part: Part, writer: Writer, context: RenderContext) -> Why:
    """Write the part as plain text."""
    words = context.rows[part.kind].text(part, writer.view)
    return "" if writer.words(words.strip()) else "it holds nothing to read"


def rich_text(part: Part, writer: Writer, context: RenderContext) -> Why:
    """Write the part as formatted text."""
    blocks = context.rows[part.kind].html(part, writer.view)
    return "" if writer.blocks(blocks) else "there is nothing to format"


def email(part: Part, writer: Writer, context: RenderContext) -> Why:
    """Write an e-mail with its own subject; anything else as the text of an e-mail."""
    if part.kind is not Kind.EMAIL or writer.room.text_only:
        return text(part, writer, context)
    if writer.blocks(as_html.words(part.text, part.form, writer.view), part.subject):
        return ""
    written = writer.words(markup.plain(part.text, part.form, writer.view), part.subject)
    return "" if written else text(part, writer, context)


# -- files ---------------------------------------------------------------------------------------


def file(media_type: MediaType) -> Render:
    """Return a renderer of files by their library ID or key."""

    def render(part: Part, writer: Writer, context: RenderContext) -> Why:
        return _file(media_type, part, writer, context)

    return render


def _file(media_type: MediaType, part: Part, writer: Writer, context: RenderContext) -> Why:
    """Write a file that is known; treat an unknown file as ``on_unknown_file`` says."""
    if part.kind not in MEDIA_TYPE_OF:
        return f"it is no file for {media_type.value}"
    known = context.files.find(part.url)
    if known is None:
        return _unknown_file(media_type, part, writer, context)
    if known.media_type not in (None, media_type) and known.media_type in writer.row.takes:
        media_type = known.media_type
    ending = known.file_type or extension(part.url)
    kind = file_type(ending, media_type)
    if ending and kind is None and FILE_TYPES[media_type]:
        return f"{media_type.value} lists no file type {ending}"
    return _sent(media_type, part, writer, replace(known, file_type=kind))


def _unknown_file(media_type: MediaType, part: Part, writer: Writer, context: RenderContext) -> Why:
    url = context.files.shown(part.url)
    if context.on_unknown_file == "refuse":
        writer.refuse("unknown_file", f"{part.kind.value}: no row of `files` knows its address")
        writer.words(markup.plain(part.text, part.form, writer.view))
        return ""
    if context.on_unknown_file == "link":
        return "no row of `files` knows its address"
    if not is_absolute(url):
        return "its address is not absolute"
    ending = extension(url)
    kind = file_type(ending, media_type)
    if (kind is None and FILE_TYPES[media_type]) or not ending:
        return (
            f"{media_type.value} lists no file type {ending}".rstrip() if ending else "no file type"
        )
    return _sent(media_type, part, writer, Known(url, file_type=kind))


def _sent(media_type: MediaType, part: Part, writer: Writer, known: Known) -> Why:
    if not known.content or not writer.fits(known.content):
        return "its address is too long"
    draft = Draft(
        media_type, known.content, media_file_type=known.file_type, content_type=known.content_type
    )
    writer.add(draft)
    writer.words(markup.plain(part.text, part.form, writer.view))  # the caption
    return ""


# -- templates -----------------------------------------------------------------------------------


def _add(media_type: MediaType, values: dict[str, object], writer: Writer) -> Why:
    content = writer.render(media_type.value, values)
    if content is None:
        return f"no template makes a {media_type.value}"
    if not writer.fits(content):
        return f"it is too long for one {media_type.value}"
    writer.add(Draft(media_type, content))
    return ""


def card(part: Part, writer: Writer, context: RenderContext) -> Why:
    """Write one CARD per card, or one for a text with buttons if the channel has buttons."""
    cards = context.rows[part.kind].cards(part)
    if part.kind in (Kind.BUTTONS, Kind.LINKS) and not writer.row.buttons:
        return "the channel has no buttons of its own"
    if not cards:
        return "there are no words above the buttons" if part.buttons else "it is no card"
    contents = [
        writer.render(MediaType.CARD.value, _values(card, writer, context)) for card in cards
    ]
    if None in contents or not all(writer.fits(each) for each in contents if each):
        return "it is too long for one CARD"
    for each in contents:
        writer.add(Draft(MediaType.CARD, each or ""))
    return ""


def own_cards(part: Part) -> tuple[RichCard, ...]:
    """Return the cards of a part that consists of cards."""
    return part.cards


def choices_as_cards(part: Part) -> tuple[RichCard, ...]:
    """Return one card for a text with buttons."""
    words = markup.plain(part.text, part.form)
    return (RichCard(description=words, buttons=part.buttons),) if words else ()


def page_as_card(part: Part) -> tuple[RichCard, ...]:
    """Return one card for the preview of a page."""
    return (RichCard(part.title, part.description, part.image, part.url),)


def carousel(part: Part, writer: Writer, context: RenderContext) -> Why:
    """Write the cards as MULTICARDs, with as many cards in each as fit."""
    if part.kind is not Kind.CAROUSEL:
        return "it is no carousel"
    contents: list[str] = []
    group: list[str] = []
    for card in part.cards:
        rendered = writer.render(MediaType.CARD.value, _values(card, writer, context)) or "{}"
        if group and not writer.fits(_deck(writer, [*group, rendered])):
            contents.append(_deck(writer, group))
            group = []
        group.append(rendered)
    contents.append(_deck(writer, group))
    if not all(writer.fits(each) for each in contents):
        return "a card of it is too long for one MULTICARD"
    for each in contents:
        writer.add(Draft(MediaType.MULTICARD, each))
    return ""


def _deck(writer: Writer, cards: list[str]) -> str:
    listed = Encoded("[" + ", ".join(cards) + "]")
    return writer.render(MediaType.MULTICARD.value, {"cards": listed}) or ""


def _values(card: RichCard, writer: Writer, context: RenderContext) -> dict[str, object]:
    """Return a card's template fields, with the gateway's ID or key of its picture if known."""
    known = context.files.find(card.image) if card.image else None
    ending = (known.file_type or extension(card.image)) if known else ""
    kind = (
        next(filter(None, (file_type(ending, each) for each in FILE_TYPES)), "") if ending else ""
    )
    listed = ", ".join(_button(each, writer, context) for each in card.buttons)
    return {
        "title": card.title,
        "description": card.description,
        "url": context.files.shown(card.url),
        "image_url": context.files.picture(card.image),
        "file_id": known.content if known else "",
        "file_type": kind,
        "buttons": Encoded(f"[{listed}]"),
    }


def _button(button: Button, writer: Writer, context: RenderContext) -> str:
    target = button.phone or context.files.shown(button.url)
    values: dict[str, object] = {
        "title": button.title or target,
        "type": button.type,
        "value": target or button.payload or button.title,
    }
    return writer.render(BUTTON, values) or encode(button.title)


def web_card(part: Part, writer: Writer, context: RenderContext) -> Why:
    """Write the preview of one page."""
    cards = context.rows[part.kind].cards(part)
    if len(cards) != 1 or cards[0].buttons or not cards[0].url:
        return "WEBCARD is one page without buttons"
    return _add(MediaType.WEBCARD, _values(cards[0], writer, context), writer)


def location(media_type: MediaType) -> Render:
    """Return a renderer of coordinates."""

    def render(part: Part, writer: Writer, _context: RenderContext) -> Why:
        if part.latitude is None or part.longitude is None:
            return "it has no coordinates"
        values: dict[str, object] = {
            "latitude": part.latitude,
            "longitude": part.longitude,
            "title": part.title,
            "address": part.address,
        }
        return _add(media_type, values, writer)

    return render


def cobrowse(part: Part, writer: Writer, context: RenderContext) -> Why:
    """Write the address of a co-browsing session."""
    url = context.files.shown(part.url)
    if not is_absolute(url):
        return "it has no address"
    return _add(MediaType.COBROWSESITE, {"title": part.title, "url": url}, writer)


def template(media_type: MediaType, kind: Kind) -> Render:
    """Return a renderer of messages that name a template registered beforehand."""

    def render(part: Part, writer: Writer, _context: RenderContext) -> Why:
        if part.kind is not kind or not part.name:
            return "it names no template"
        values: dict[str, object] = {
            "name": part.name,
            "language": part.language,
            "parameters": list(part.parameters),
            "components": part.components or [],
            "text": markup.plain(part.text, Form.PLAIN),
        }
        return _add(media_type, values, writer)

    return render
