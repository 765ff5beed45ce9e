"""Decode what stands for a character in a designer's text: HTML entities, and names of emoji."""

from __future__ import annotations

import html
import re

from rich.emoji import Emoji

from bridge.translate.text import SUSPICIOUS, clean

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SHORTCODE = re.compile(r"(?<![\w:/])(:(?:[a-z][a-z0-9_]{1,40}|[+-]1):)(?![\w:])")


def is_plain(text: str) -> bool:
    """Return whether ``text`` holds no markup, no entity and no name of an emoji."""
    return not SUSPICIOUS.search(text) and not (":" in text and _SHORTCODE.search(text))


def decode(text: str) -> str:
    """Replace entities (``&amp;``) and the names of emoji (``:smile:``) once."""
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    return _SHORTCODE.sub(_emoji, text) if ":" in text else text


def decode_entities(text: str) -> str:
    """Replace entities once."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def escape_ampersands(text: str) -> str:
    """Escape each ``&`` that does not begin an entity, for text that is already HTML."""
    return _LONE.sub("&amp;", text) if "&" in text else text


_LONE = re.compile(rf"&(?!{_ENTITY.pattern[1:]})")


def _character(match: re.Match[str]) -> str:
    return clean(html.unescape(match[0]))


def _emoji(match: re.Match[str]) -> str:
    return Emoji.replace(match[1])
