"""Find the words of a payload that its reader left out, so that none is lost without a note."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from bridge.config.media import Kind
from bridge.translate.markup import plain
from bridge.translate.parts import Part
from bridge.translate.reading import pick

_KEYS = frozenset(
    {
        *("text", "title", "subtitle", "description", "message", "body", "caption", "heading"),
        *("label", "footer", "question", "answer", "html", "markdown"),
    }
)
_DEEPEST = 12  # levels that are compared
_MOST = 400  # texts of one payload that are compared
_LONGEST = 20_000  # characters of the parts that are compared
_NO_LETTER = re.compile(r"[\W_]+")


def unsaid(value: Any, parts: Iterable[Part]) -> str:
    """Return the first key whose words are in none of the parts, or ``""``.

    Only letters and digits are compared, with markup and, if they differ, without it.
    """
    shown = list(parts)
    if any(each.kind is Kind.EVENT for each in shown):
        return ""
    said = _joined(_texts(shown))
    texts = islice(_words(value, 0), _MOST)
    missing = [(key, words) for key, words in texts if _letters(words) not in said]
    if not missing or len(said) > _LONGEST:
        return ""
    said += _joined(plain(each.text, each.form) for each in shown)
    return next((key for key, words in missing if _letters(plain(words)) not in said), "")


def _joined(texts: Iterable[str]) -> str:
    """Return the letters of the texts; a little more than the limit if there are more."""
    found, length = [], 0
    for text in filter(None, texts):
        found.append(_letters(text[: _LONGEST + 1]))
        length += len(found[-1])
        if length > _LONGEST:
            break
    return " ".join(found)


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text)


def _words(value: Any, deep: int) -> Iterator[tuple[str, str]]:
    """Yield the texts under keys for words, with their keys, wherever they stand."""
    if deep > _DEEPEST:
        return
    if pick.is_list(value):
        for each in value:
            yield from _words(each, deep + 1)
    elif pick.is_object(value):
        for key, each in value.items():
            if key in _KEYS and isinstance(each, str):
                yield key, pick.words(each)
            else:
                yield from _words(each, deep + 1)


def _texts(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        yield from (part.text, part.title, part.description, part.name)
        yield from (part.address, part.url, part.phone, part.subject, *part.parameters)
        for card in part.cards:
            yield from (card.title, card.description, card.url)
        for button in (*part.buttons, *(each for card in part.cards for each in card.buttons)):
            sent = button.payload if button.type == "reply" else ""
            yield from (button.title, sent, button.url, button.phone)
