"""Collects what stands in one message of many pieces, in its order.

Words that follow each other become one text, and buttons join the words above them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.files import kind_of
from bridge.translate.parts import Button, Card, Form, Part, choices
from bridge.translate.reading import pick
from bridge.translate.text import is_blank


class Flow:
    """One message while it is read."""

    def __init__(self, form: Form = Form.AUTO) -> None:
        self._form = form
        self._lines: list[str] = []
        self._parts: list[Part] = []

    def say(self, value: Any, form: Form | None = None) -> None:
        """Words, as a paragraph of their own."""
        text = pick.words(value)
        if form is not None and form is not self._form:
            self.flush()
            self._form = form
        if text and not is_blank(text):
            self._lines.append(text)

    def choose(self, buttons: Iterable[Button]) -> None:
        """Buttons under the words so far."""
        if offered := tuple(buttons):
            self._parts.append(choices(self._taken(), offered, self._form))

    def file(self, kind: Kind, value: Any, *keys: str, text: Any = None, name: Any = None) -> None:
        """A file, with a caption to read and a name to link it by."""
        part = file(kind, pick.address(value, *keys), pick.words(text), pick.title(name))
        if part.url:
            self.show(part)
        else:
            self.say(text)

    def cards(self, cards: Iterable[Card | None]) -> None:
        """A carousel, or a single card."""
        self.show(*deck(cards))

    def link(self, url: str, title: str = "") -> None:
        """An address to open."""
        if url:
            self.show(Part(Kind.LINK, title=title, url=url))

    def show(self, *parts: Part) -> None:
        """Things of their own, after the words so far."""
        if parts:
            self.flush()
            self._parts.extend(parts)

    def flush(self) -> None:
        """End the words so far."""
        if text := self._taken():
            self._parts.append(Part(Kind.TEXT, text=text, form=self._form))

    def parts(self) -> Iterator[Part]:
        """All of it."""
        self.flush()
        yield from self._parts

    def _taken(self) -> str:
        text, self._lines = "\n\n".join(self._lines), []
        return text


def file(kind: Kind, url: str, text: str = "", name: str = "") -> Part:
    """A file; its extension knows better than the bot what it is."""
    return Part(kind_of(url, kind), text=text, title=name, url=url)


def deck(cards: Iterable[Card | None]) -> Iterator[Part]:
    """Cards as one part: a carousel, or a single card, or its buttons where it has nothing else."""
    shown = tuple(each for each in cards if each is not None)
    if not shown:
        return
    if all(each == Card(buttons=each.buttons) for each in shown):
        yield choices("", tuple(button for each in shown for button in each.buttons))
    elif len(shown) == 1:
        yield card(shown[0])
    else:
        yield Part(Kind.CAROUSEL, cards=shown)


def card(shown: Card) -> Part:
    """A card; words alone are a text, and without buttons it is a page's preview."""
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
