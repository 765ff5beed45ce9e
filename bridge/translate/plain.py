"""Extract the readable text of a draft, without the HTML that was added for the channel."""

from __future__ import annotations

import html
import re

from bridge.model import Draft, MediaType

_WORDS = frozenset({MediaType.TEXT, MediaType.RICHTEXT, MediaType.EMAIL})
_BREAK = re.compile(r"\s*<br\s*/?>\s*", re.IGNORECASE)
_BLOCK = re.compile(r"</(?:p|li|h[1-6]|div|tr)>\s*", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]+>")


def plain(draft: Draft, *, rendered: bool) -> str | None:
    """Return the text of a draft, or None if its media type is not text.

    Args:
        draft: a draft made for a channel.
        rendered: whether that channel renders HTML in text.
    """
    if draft.media_type not in _WORDS:
        return None
    if not rendered and draft.media_type is not MediaType.RICHTEXT:
        return draft.content
    lines = _BLOCK.sub("\n", _BREAK.sub("\n", draft.content))
    return html.unescape(_TAG.sub("", lines)).strip("\n")
