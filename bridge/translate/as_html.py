"""Render parts as blocks of HTML, for channels that take formatted text.

The blocks are small, so that a long part can be split between blocks into several messages.
"""

from __future__ import annotations

from bridge.translate import as_text, markup
from bridge.translate.files import Files, is_absolute
from bridge.translate.inline import anchor, is_safe, picture
from bridge.translate.markup import Block
from bridge.translate.parts import Button, Form, Part, RichCard
from bridge.translate.text import escape, is_blank

_BREAK = " <br>\n"


def text(part: Part, _files: Files) -> tuple[Block, ...]:
    """Render a text with its markup."""
    return words(part.text, part.form)


def email(part: Part, _files: Files) -> tuple[Block, ...]:
    """Render an e-mail with its subject above the text."""
    return (*_heading(part.subject), *words(part.text, part.form))


def choices(part: Part, files: Files) -> tuple[Block, ...]:
    """Render a text with numbered buttons below it."""
    return (*words(part.text, part.form), *_choices(part.buttons, files, 1))


def cards(part: Part, files: Files) -> tuple[Block, ...]:
    """Render cards, one below the other; the numbers of their buttons continue."""
    blocks, number = list(words(part.text, part.form)), 1
    for card in part.cards:
        blocks += _card(card, files, number)
        number += len(card.buttons)
    return tuple(blocks)


def words(text: str, form: Form = Form.AUTO) -> tuple[Block, ...]:
    """Render text as blocks: with its markup if it has any, else one block per paragraph."""
    if is_blank(text):
        return ()
    if blocks := markup.read(text, form):
        return blocks
    return tuple(
        Block(f"<p>{escape(paragraph.strip())}</p>", paragraph.strip(), "\n\n")
        for paragraph in text.split("\n\n")
        if not is_blank(paragraph)
    )


def _heading(text: str) -> tuple[Block, ...]:
    return (Block(f"<p><strong>{escape(text)}</strong></p>", text),) if text else ()


def _choices(buttons: tuple[Button, ...], files: Files, start: int) -> tuple[Block, ...]:
    """Render buttons as numbered lines; those that open an address become links."""
    if not buttons:
        return ()
    lines = []
    for number, button in enumerate(buttons, start):
        dialled = "".join(char for char in button.phone if char in "+*#0123456789")
        target = f"tel:{dialled}" if dialled else files.shown(button.url)
        title = button.title or as_text.opened(button, files)
        shown = as_text.opened(button, files)
        if (button.phone or not is_safe(target)) and shown not in title:
            title = f"{title}: {shown}"
        lines.append(f"{number}. {anchor(target, title)}")
    plain = "\n".join(as_text.numbered(buttons, files, start))
    return (Block(markup.sanitise(f"<p>{_BREAK.join(lines)}</p>"), plain),)


def _card(card: RichCard, files: Files, number: int) -> tuple[Block, ...]:
    image, url = files.picture(card.image), files.shown(card.url)
    rows = [picture(image, card.title)] if is_absolute(image) else []
    if card.title:
        rows.append(f"<strong>{anchor(url, card.title) if url else escape(card.title)}</strong>")
    if card.description:
        rows.append(escape(card.description))
    if url and not card.title:
        rows.append(anchor(url, url))
    shown = RichCard(card.title, card.description, card.image, card.url)
    plain = as_text.card_text(shown, files)
    head = (Block(markup.sanitise(f"<p>{_BREAK.join(rows)}</p>"), plain, "\n\n"),) if rows else ()
    return (*head, *_choices(card.buttons, files, number))


def link(part: Part, files: Files) -> tuple[Block, ...]:
    """Render the preview of a page as a link with its description."""
    url, image = files.shown(part.url), files.picture(part.image)
    if not is_safe(url) or not (part.title or part.description):
        return ()
    rows = [picture(image, part.title)] if is_absolute(image) else []
    rows.append(anchor(url, part.title or url))
    if part.description:
        rows.append(escape(part.description))
    plain = as_text.link(part, files)
    return (Block(markup.sanitise(f"<p>{_BREAK.join(rows)}</p>"), plain),)
