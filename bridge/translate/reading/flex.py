"""Read LINE's flex messages: each bubble is a card, and a carousel of bubbles is one deck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bridge.config.media import Kind
from bridge.translate.parts import Button, Part, RichCard
from bridge.translate.reading import pick
from bridge.translate.reading.flow import deck, file
from bridge.translate.reading.pick import Json

_DEEPEST = 12  # levels of boxes in a bubble
_MOST = 500  # components of one message
_BLOCKS = ("header", "hero", "body", "footer")


def read(contents: Any) -> Iterator[Part]:
    """Yield the bubbles as one part, then the pictures and videos that no card has room for."""
    is_carousel = pick.is_object(contents) and contents.get("type") == "carousel"
    bubbles = pick.listed(contents.get("contents")) if is_carousel else [contents]
    reader = _Bubbles()
    yield from deck([reader.card(each) for each in bubbles])
    yield from reader.files


class _Bubbles:
    """Reads bubbles as cards."""

    def __init__(self) -> None:
        self.files: list[Part] = []
        self._left = _MOST
        self._lines: list[str] = []
        self._images: list[str] = []
        self._buttons: list[Button] = []
        self._url = ""

    def card(self, bubble: Any) -> RichCard | None:
        """Return a bubble as a card; its first text is the title if there are several."""
        self._lines, self._images, self._buttons, self._url = [], [], [], ""
        self._component(bubble, 0)
        self.files += (file(Kind.IMAGE, url) for url in self._images[1:])
        title = self._lines.pop(0) if len(self._lines) > 1 else ""
        shown = RichCard(
            title=pick.title(title),
            description="\n".join(self._lines),
            image=next(iter(self._images), ""),
            url=self._url,
            buttons=tuple(self._buttons),
        )
        return None if shown == RichCard() else shown

    def _component(self, value: Any, deep: int) -> None:
        """Read a component and, if it is a box, its contents from top to bottom."""
        self._left -= 1
        if not pick.is_object(value) or deep > _DEEPEST or self._left < 0:
            return
        kind = value.get("type")
        if kind == "text":
            self._lines += filter(None, [pick.words(value.get("text")) or _spans(value)])
        elif kind == "image":
            self._images += filter(None, [pick.address(value, "url")])
        elif kind == "video":
            url = pick.address(value, "url")
            self.files += [file(Kind.VIDEO, url)] if url else []
            self._component(value.get("alt_content"), deep + 1)
        elif kind != "button":
            for each in (*map(value.get, _BLOCKS), *pick.listed(value.get("contents"))):
                self._component(each, deep + 1)
        self._action(value)

    def _action(self, value: Json) -> None:
        """Add a component's action as a button; a bare link opens the card instead."""
        for button in pick.buttons(value.get("action")):
            if value.get("type") != "button" and button.url and not button.title and not self._url:
                self._url = button.url
            elif button not in self._buttons:
                self._buttons.append(button)


def _spans(text: Json) -> str:
    """Return the text of spans; the spaces around a span separate it from its neighbours."""
    spans = (pick.inside(each, "text") for each in pick.listed(text.get("contents")))
    return pick.words("".join(each for each in spans if isinstance(each, str)))
