"""Collect the pieces of one message as parts, in order.

Consecutive texts become one text, and buttons are attached to the text above them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.files import kind_of
from bridge.translate.parts import Button, Form, Part, RichCard, choices
from bridge.translate.reading import pick
from bridge.translate.text import is_blank


class Flow:
    """Builds the parts of one message."""

    def __init__(self, form: Form = Form.AUTO) -> None:
        self._form = form
        self._lines: list[str] = []
        self._parts: list[Part] = []

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was added yet."""
        return not self._lines and not self._parts

    def say(self, value: Any, form: Form | None = None) -> None:
        """Add text as a separate paragraph."""
        text = pick.words(value)
        if form is not None and form is not self._form:
            self.flush()
            self._form = form
        if text and not is_blank(text):
            self._lines.append(text)

    def choose(self, buttons: Iterable[Button]) -> None:
        """Add buttons below the pending text."""
        if offered := tuple(buttons):
            self._parts.append(choices(self._taken(), offered, self._form))

    def file(self, kind: Kind, value: Any, *keys: str, text: Any = None, name: Any = None) -> None:
        """Add a file with its caption ``text``, and its ``name`` as the title of a link to it."""
        part = file(kind, pick.address(value, *keys), pick.words(text), pick.title(name))
        if part.url:
            self.show(part)
        else:
            self.say(text)

    def cards(self, cards: Iterable[RichCard | None]) -> None:
        """Add a carousel or a single card."""
        self.show(*deck(cards))

    def link(self, url: str, title: str = "") -> None:
        """Add a link to an address."""
        if url:
            self.show(Part(Kind.LINK, title=title, url=url))

    def show(self, *parts: Part) -> None:
        """Add separate parts after the pending text."""
        if parts:
            self.flush()
            self._parts.extend(parts)

    def flush(self) -> None:
        """Close the pending text, so that later text becomes a separate part."""
        if text := self._taken():
            self._parts.append(Part(Kind.TEXT, text=text, form=self._form))

    def parts(self) -> Iterator[Part]:
        """Yield all parts."""
        self.flush()
        yield from self._parts

    def _taken(self) -> str:
        text, self._lines = "\n\n".join(self._lines), []
        return text


def file(kind: Kind, url: str, text: str = "", name: str = "") -> Part:
    """Return a file part; its extension takes precedence over the kind that the bot declared."""
    return Part(kind_of(url, kind), text=text, title=name, url=url)


def deck(cards: Iterable[RichCard | None]) -> Iterator[Part]:
    """Yield cards as one part: a carousel, a single card, or only the buttons if that is all."""
    shown = tuple(each for each in cards if each is not None)
    if not shown:
        return
    if all(each == RichCard(buttons=each.buttons) for each in shown):
        yield choices("", tuple(button for each in shown for button in each.buttons))
    elif len(shown) == 1:
        yield card(shown[0])
    else:
        yield Part(Kind.CAROUSEL, cards=shown)


def card(shown: RichCard) -> Part:
    """Return a card as the simplest part: text, text with buttons, a web card, an image or a card.

    A card with a title and an address but no buttons is a web card, the preview of a page.
    """
    text = "\n".join(filter(None, (shown.title, shown.description)))
    if not shown.image and not shown.url:
        if shown.buttons:
            return choices(text, shown.buttons, Form.PLAIN)
        return Part(Kind.TEXT, text=text, form=Form.PLAIN)
    if not shown.buttons and shown.url and shown.title:
        return Part(
            Kind.WEB_CARD,
            title=shown.title,
            description=shown.description,
            url=shown.url,
            image=shown.image,
        )
    if not text and not shown.url and not shown.buttons:
        return file(Kind.IMAGE, shown.image)
    return Part(Kind.CARD, cards=(shown,))
