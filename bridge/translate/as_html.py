"""Render parts as blocks of HTML, for channels that take formatted text.

The blocks are small, so that a long part can be split between blocks into several messages.
"""

from __future__ import annotations

from bridge.translate import as_text, markup
from bridge.translate.blocks import Block, paragraph
from bridge.translate.files import is_absolute
from bridge.translate.inline import anchor, bare, is_safe, picture, says
from bridge.translate.parts import Button, Form, Part, RichCard
from bridge.translate.shortcodes import decode
from bridge.translate.text import escape, is_blank
from bridge.translate.view import PLAIN, View

_BREAK = " <br>\n"
_LONGEST_LABEL = 100  # characters


def text(part: Part, view: View) -> tuple[Block, ...]:
    """Render a text with its markup."""
    return words(part.text, part.form, view)


def email(part: Part, view: View) -> tuple[Block, ...]:
    """Render an e-mail with its subject above the text."""
    return (*_heading(part.subject), *words(part.text, part.form, view))


def choices(part: Part, view: View) -> tuple[Block, ...]:
    """Render a text with numbered buttons below it."""
    return (*words(part.text, part.form, view), *_choices(part.buttons, view, view.first))


def cards(part: Part, view: View) -> tuple[Block, ...]:
    """Render cards, one below the other; the numbers of their buttons continue."""
    blocks, number = list(words(part.text, part.form, view)), view.first
    for card in part.cards:
        blocks += _card(card, view, number)
        number += as_text.numbers(Part(part.kind, buttons=card.buttons))
    return tuple(blocks)


def file(part: Part, view: View) -> tuple[Block, ...]:
    """Render a file as a link: its name or short caption, or the address below a long caption."""
    url = view.shown(part.url)
    if not is_safe(url):
        return ()
    caption = words(part.text, part.form, view)
    name, labels = part.title, [each for each in caption if _is_label(each)]
    if len(labels) == len(caption) == 1:
        caption, name = (), labels[0].plain
    shown = bare(url)
    if caption and name in ("", part.text):
        return (*caption, paragraph(anchor(url, shown), shown))
    plain = f"{name}\n{shown}" if name else shown
    return (*caption, paragraph(anchor(url, name or shown), plain))


def _is_label(block: Block) -> bool:
    """Return whether a block is a short line without markup, which a link may have as its words."""
    short = len(block.plain) <= _LONGEST_LABEL and "\n" not in block.plain
    return short and block == paragraph(escape(block.plain), block.plain, block.gap)


def words(text: str, form: Form = Form.AUTO, view: View = PLAIN) -> tuple[Block, ...]:
    """Render text as blocks: with its markup if it has any, else one block per paragraph."""
    if is_blank(text):
        return ()
    if blocks := markup.read(text, form, view):
        return blocks
    decoded = text if form is Form.PLAIN else decode(text)
    paragraphs = (each.strip() for each in decoded.split("\n\n") if not is_blank(each))
    return tuple(paragraph(escape(each), each, "\n\n") for each in paragraphs)


def _heading(text: str) -> tuple[Block, ...]:
    return (paragraph(f"<strong>{escape(text)}</strong>", text),) if text else ()


def _choices(buttons: tuple[Button, ...], view: View, start: int) -> tuple[Block, ...]:
    """Render buttons as numbered lines; those that open an address become links."""
    if not buttons:
        return ()
    lines = []
    for marker, button in zip(as_text.markers(buttons, start), buttons, strict=True):
        dialled = "".join(char for char in button.phone if char in "+*#0123456789")
        target = f"tel:{dialled}" if dialled else view.shown(button.url)
        title = button.title or as_text.opened(button, view)
        shown = as_text.opened(button, view)
        if (button.phone or not is_safe(target)) and not says(title, shown):
            title = f"{title}: {shown}"
        lines.append(f"{marker}{anchor(target, title)}")
    plain = "\n".join(as_text.listed(buttons, view, start))
    return (paragraph(_BREAK.join(lines), plain),)


def _card(card: RichCard, view: View, number: int) -> tuple[Block, ...]:
    image, url = view.files.picture(card.image), view.shown(card.url)
    rows = [picture(image, card.title)] if is_absolute(image) else []
    if card.title:
        rows.append(f"<strong>{anchor(url, card.title) if url else escape(card.title)}</strong>")
    if card.description:
        rows.append(escape(card.description))
    if url and not card.title:
        rows.append(anchor(url, url))
    shown = RichCard(card.title, card.description, card.image, card.url)
    plain = as_text.card_text(shown, view, number)
    head = (paragraph(_BREAK.join(rows), plain, "\n\n"),) if rows else ()
    return (*head, *_choices(card.buttons, view, number))


def link(part: Part, view: View) -> tuple[Block, ...]:
    """Render the preview of a page as a link with its description."""
    url, image = view.shown(part.url), view.files.picture(part.image)
    if not is_safe(url) or not (part.title or part.description):
        return ()
    rows = [picture(image, part.title)] if is_absolute(image) else []
    rows.append(anchor(url, part.title or url))
    if part.description:
        rows.append(escape(part.description))
    plain = as_text.link(part, view)
    return (paragraph(_BREAK.join(rows), plain),)
