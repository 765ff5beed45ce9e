"""What a customer reads of a message: its words, whatever the media type wraps them in."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bridge.model import Draft

_TAG = re.compile(r"<[^<>]*>")
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The words of plain text."""
    return _WORD.findall(text)


def shown(draft: Draft, *, html_text: bool) -> str:
    """The text of one message, as a page shows it."""
    content = draft.content
    if content[:1] in "{[" and draft.media_type.value not in ("TEXT", "RICHTEXT"):
        try:
            return " ".join(_strings(json.loads(content)))
        except ValueError:
            pass
    if html_text or draft.media_type.value == "RICHTEXT":
        return html.unescape(_TAG.sub("", content))
    return content


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str):
        yield _TAG.sub("", value)


def in_order(wanted: Iterable[str], text: str) -> str | None:
    """The first of ``wanted`` that is not in ``text`` after the one before it, None if all are."""
    place = 0
    for each in wanted:
        found = text.find(each, place)
        if found < 0:
            return each
        place = found + len(each)
    return None
