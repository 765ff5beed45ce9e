"""Words for the wire: cleaned, escaped, measured, and cut where a reader would pause.

Nothing here knows channels or media types: what fits is a question that the caller answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import regex

Fits = Callable[[str], bool]  # whether a piece may be one message

# Chinese, Japanese and Korean follow an address without a space: they end it.
WEB_ADDRESS = r"(?:https?://|www\.)[^\s<>\"\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]+"

# A character outside is none that is cleaned or escaped, or that markup is made of.
SUSPICIOUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff&<>*_~`#\\[\\\\]")

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE_ENDS = "\x0b\x0c\x85\u2028\u2029\r"
_WORD = re.compile(r"\S")
_MORE_THAN_SPACE = regex.compile(r"[^\s\p{Cc}\p{Cf}\p{Z}]")

_ADDRESS = re.compile(WEB_ADDRESS)
_GRAPHEME = regex.compile(r"\X")
# Where a piece may end, the best first: after a paragraph, a line, a sentence, a word. The
# no-break spaces are no place to cut.
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
_WORTH = (0.5, 0.5, 0.4, 0.4, 0.0)  # how much of a piece must be filled for such an end
_LONGEST_GRAPHEME = 64  # characters; longer ones are no writing, and may be cut


def clean(text: str) -> str:
    """``text`` without what cannot be sent, stored or shown: controls, halves of surrogates."""
    if not _CONTROL.search(text):
        return text
    text = text.replace("\r\n", "\n")
    return _CONTROL.sub(_instead, text)


def _instead(found: re.Match[str]) -> str:
    char = found[0]
    if char in _LINE_ENDS:
        return "\n"
    return "\ufffd" if char >= "\ud800" else " "


def is_blank(text: str) -> bool:
    """Whether there is nothing to see."""
    return not _MORE_THAN_SPACE.search(text)


def escape(text: str) -> str:
    """``text`` for a reader that renders HTML; words stay words for one that does not."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text.replace("\n", " <br>\n")


def json_size(content: str) -> int:
    """Bytes of ``content`` as it stands inside a JSON string, without the quotes."""
    return len(json.dumps(content, ensure_ascii=False).encode()) - 2


def split(text: str, fits: Fits, *, reach: int, most: int) -> tuple[list[str], int]:
    """Cut ``text`` into pieces that fit, in order.

    An end of a paragraph, a line, a sentence or a word is preferred; an address that fits in one
    piece is not cut, nor is what a reader sees as one character.

    Args:
        text: clean.
        fits: whether a piece may be one message; of a piece that may, every beginning may.
        reach: characters that no piece can exceed.
        most: pieces.

    Returns:
        The pieces, and how many characters at the end are in none of them.
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
    found = _WORD.search(text, start)
    return found.start() if found else len(text)


def _end(text: str, start: int, fits: Fits, reach: int) -> int:
    """Where the piece that begins at ``start`` ends."""
    last = _longest(text, start, fits, reach)
    if last == len(text):
        return last
    last = _whole_graphemes(text, start, last)
    if last == start:
        return _longest(text, start, fits, reach)  # one grapheme is more than a message
    window = text[start:last]
    for pattern, worth in zip(_BREAKS, _WORTH, strict=True):
        for end in _ends(pattern, text, start, last):
            if end - start < worth * len(window):
                break
            return end
    return _before_address(text, start, last, fits, reach)


def _longest(text: str, start: int, fits: Fits, reach: int) -> int:
    """The furthest end of a piece that fits."""
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
    """The last end of a grapheme up to ``last``."""
    end = start
    for found in _GRAPHEME.finditer(text[start : last + _LONGEST_GRAPHEME]):
        if start + found.end() > last:
            break
        end = start + found.end()
    return end


def _ends(pattern: re.Pattern[str], text: str, start: int, last: int) -> Iterator[int]:
    """Ends of the matches from the back; one more character shows whether a space follows."""
    window = text[start : last + 1]
    ends = [min(found.end(), last - start) for found in pattern.finditer(window)]
    for end in reversed(ends):
        if end and _begins_grapheme(text, start + end):
            yield start + end


def _begins_grapheme(text: str, place: int) -> bool:
    """Whether nothing at ``place`` belongs to the character before it."""
    around = text[place - 1 : place + 1]
    return len(around) < len("ab") or len(_GRAPHEME.findall(around)) == len("ab")


def _before_address(text: str, start: int, last: int, fits: Fits, reach: int) -> int:
    """``last``, or where the address begins that it would cut although that fits in one piece."""
    for found in _ADDRESS.finditer(text, start, last + reach):
        if found.start() >= last:
            break
        if found.end() > last and found.start() > start and fits(found[0]):
            return found.start()
    return last
