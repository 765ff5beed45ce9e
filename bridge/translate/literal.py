"""Mark text that must appear as it is: a slot's value in a designer's sentence.

A value comes from a customer, so it may not make a link, a picture or any other markup. The
characters that could are replaced with Unicode noncharacters, which no parser recognises and no
text contains. The originals are put back where contents are written and addresses are looked up.
"""

from __future__ import annotations

import html
import re
from typing import Any

_MARKS = '\\`*_~[]<>&#"{|'
_FIRST = 0xFDD0  # the first of 32 characters that Unicode reserves for internal use
_STAND_INS = {ord(mark): chr(_FIRST + place) for place, mark in enumerate(_MARKS)}
_ORIGINALS = {ord(stand_in): chr(mark) for mark, stand_in in _STAND_INS.items()}
_IN_HTML = {stand_in: html.escape(mark) for stand_in, mark in _ORIGINALS.items()}
_FOUND = re.compile(f"[{''.join(map(chr, _ORIGINALS))}]")
_DEEPEST = 50


def literal(value: str) -> str:
    """Return ``value`` without characters that could become markup."""
    return value.translate(_STAND_INS)


def original(text: str) -> str:
    """Return ``text`` with the original characters, for plain text and addresses."""
    return text.translate(_ORIGINALS) if _FOUND.search(text) else text


def original_html(markup: str) -> str:
    """Return HTML with the original characters, escaped."""
    return markup.translate(_IN_HTML) if _FOUND.search(markup) else markup


def original_json(value: Any, depth: int = 0) -> Any:
    """Return a JSON value with the original characters in every string."""
    if isinstance(value, str):
        return original(value)
    if depth < _DEEPEST and isinstance(value, (list, tuple)):
        return [original_json(item, depth + 1) for item in value]
    if depth < _DEEPEST and isinstance(value, dict):
        return {key: original_json(item, depth + 1) for key, item in value.items()}
    return value
