"""Clean, escape and measure text for the gateway, and split it where a reader would pause.

This module has no knowledge of channels or media types: the caller passes a predicate for what
fits in one message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import regex

Fits = Callable[[str], bool]  # whether a piece fits in one message

# Chinese, Japanese and Korean text follows an address without a space, so it ends the address.
_EAST_ASIAN = r"\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
WEB_ADDRESS = rf"(?:https?://|www\.)[^\s<>\"{_EAST_ASIAN}]+"
UNSPACED = re.compile(rf"[{_EAST_ASIAN}]")

# A text without any of these needs no cleaning or escaping and contains no markup.
SUSPICIOUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff&<>*_~`#\\[\\\\]")

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE_ENDS = "\x0b\x0c\x85\u2028\u2029\r"
_WORD = re.compile(r"\S")
_MORE_THAN_SPACE = regex.compile(r"[^\s\p{Cc}\p{Cf}\p{Z}]")

_ADDRESS = re.compile(WEB_ADDRESS)
_GRAPHEME = regex.compile(r"\X")
# Where a piece may end, in order of preference: after a paragraph, a line, a sentence, a word.
# Text is never split at a no-break space.
_SPACE = r"[^\S\u00a0\u202f\u2007]"
_STOPS = "\u2026\u061f\u06d4\u0964"  # ellipsis; Arabic, Urdu and Hindi ends of sentences
_QUOTES = "\u2019\u201d\u00bb"
_WIDE_STOPS = "\u3002\uff01\uff1f\uff61"  # Chinese and Japanese ends, without a space after them
_WIDE_QUOTES = "\u2019\u201d\u300d\u300f\uff09"
_BREAKS = tuple(
    re.compile(each)
    for each in (
        r"\n[^\S\n]*\n\s*",
        r"\n\s*",
        rf"[.!?{_STOPS}]{{1,4}}[\"'{_QUOTES})\]]{{0,4}}{_SPACE}+",
        rf"[{_WIDE_STOPS}]{{1,4}}[{_WIDE_QUOTES}]{{0,4}}\s*",
        rf"{_SPACE}+",
    )
)
_LEAST_FILLED = (0.5, 0.5, 0.4, 0.4, 0.0)  # the share of a piece that must be filled to end there
_LONGEST_GRAPHEME = 64  # characters; longer graphemes occur in no script and may be split


def clean(text: str) -> str:
    """Replace what cannot be sent, stored or shown: control characters and lone surrogates."""
    if not _CONTROL.search(text):
        return text
    text = text.replace("\r\n", "\n")
    return _CONTROL.sub(_replacement, text)


def _replacement(match: re.Match[str]) -> str:
    char = match[0]
    if char in _LINE_ENDS:
        return "\n"
    return "\ufffd" if char >= "\ud800" else " "


def is_blank(text: str) -> bool:
    """Return whether ``text`` has no visible characters."""
    return not _MORE_THAN_SPACE.search(text)


def escape(text: str) -> str:
    """Escape ``text`` for a client that renders HTML; line breaks become ``<br>``.

    The text stays readable in a client that does not render HTML.
    """
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text.replace("\n", " <br>\n")


def json_size(content: str) -> int:
    """Return the bytes that ``content`` takes inside a JSON string, without the quotes."""
    return len(json.dumps(content, ensure_ascii=False).encode()) - 2


def split(text: str, fits: Fits, *, reach: int, most: int) -> tuple[list[str], int]:
    """Split ``text`` into pieces that fit, in order.

    Pieces end, if possible, after a paragraph, a line, a sentence or a word. Graphemes, and
    addresses that fit in one piece, are not split.

    Args:
        text: clean text.
        fits: whether a piece fits in one message; every prefix of a piece that fits must fit too.
        reach: an upper bound on the characters of a piece.
        most: the most pieces.

    Returns:
        The pieces, and the number of characters at the end that are in none of them.
    """
    pieces: list[str] = []
    start = _first_word(text, 0)
    while start < len(text) and len(pieces) < most:
        end = _end(text, start, fits, reach)
        if end == start:
            break  # not even one character fits
        if not is_blank(piece := text[start:end].rstrip()):
            pieces.append(piece)
        start = _first_word(text, end)
    return pieces, len(text) - start


def _first_word(text: str, start: int) -> int:
    match = _WORD.search(text, start)
    return match.start() if match else len(text)


def _end(text: str, start: int, fits: Fits, reach: int) -> int:
    """Return the end of the piece that begins at ``start``."""
    last = _longest(text, start, fits, reach)
    if last == len(text):
        return last
    last = _whole_graphemes(text, start, last)
    if last == start:
        return _longest(text, start, fits, reach)  # one grapheme exceeds a message
    window = text[start:last]
    for pattern, least_filled in zip(_BREAKS, _LEAST_FILLED, strict=True):
        for end in _ends(pattern, text, start, last):
            if end - start < least_filled * len(window):
                break
            return end
    return _before_address(text, start, last, fits, reach)


def _longest(text: str, start: int, fits: Fits, reach: int) -> int:
    """Return the largest end of a piece that fits (binary search)."""
    low, high = start, min(len(text), start + reach)
    if fits(text[start:high]):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if fits(text[start:middle]):
            low = middle
        else:
            high = middle
    return low


def _whole_graphemes(text: str, start: int, last: int) -> int:
    """Return the end of the last whole grapheme that ends at or before ``last``."""
    end = start
    for match in _GRAPHEME.finditer(text[start : last + _LONGEST_GRAPHEME]):
        if start + match.end() > last:
            break
        end = start + match.end()
    return end


def _ends(pattern: re.Pattern[str], text: str, start: int, last: int) -> Iterator[int]:
    """Yield the ends of the matches, last first.

    The window extends one character past ``last`` to show whether a space follows.
    """
    window = text[start : last + 1]
    ends = [min(match.end(), last - start) for match in pattern.finditer(window)]
    for end in reversed(ends):
        if end and _begins_grapheme(text, start + end):
            yield start + end


def _begins_grapheme(text: str, place: int) -> bool:
    """Return whether a new grapheme begins at ``place``."""
    around = text[place - 1 : place + 1]
    return len(around) < len("ab") or len(_GRAPHEME.findall(around)) == len("ab")


def _before_address(text: str, start: int, last: int, fits: Fits, reach: int) -> int:
    """Return ``last``, or the start of an address that ``last`` would split needlessly.

    An address is split only if it does not fit in one piece.
    """
    for match in _ADDRESS.finditer(text, start, last + reach):
        if match.start() >= last:
            break
        if match.end() > last and match.start() > start and fits(match[0]):
            return match.start()
    return last
