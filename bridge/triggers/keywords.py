"""Find a designer's keyword in a customer's text: whole words, in any case and script."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from bridge.turn.reading import fold

# Scripts without spaces between words, or with endings attached to them: word boundaries cannot be
# detected, so a keyword matches anywhere.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Han
    (0xAC00, 0xD7AF),  # Hangul
    (0xF900, 0xFAFF),  # Han
    (0x20000, 0x3FFFF),  # Han
)


def mentions(folded: str, keyword: str) -> bool:
    """Return whether ``folded`` (a text after ``fold``) contains ``keyword`` as whole words."""
    word, open_start, open_end = _prepared(keyword)
    start = folded.find(word) if word else -1
    while start >= 0:
        end = start + len(word)
        begins = open_start or start == 0 or not _in_word(folded[start - 1])
        if begins and (open_end or end == len(folded) or not _in_word(folded[end])):
            return True
        start = folded.find(word, start + 1)
    return False


@lru_cache(maxsize=4096)
def _prepared(keyword: str) -> tuple[str, bool, bool]:
    """Return the folded keyword, and whether its start and its end may adjoin other letters."""
    word = fold(keyword)
    if not word:
        return "", False, False
    return word, not _in_word(word[0]), not _in_word(word[-1])


def _in_word(char: str) -> bool:
    """Return whether ``char`` is part of a word delimited by spaces or punctuation."""
    if char.isascii():
        return char.isalnum() or char == "_"
    code = ord(char)
    if any(first <= code <= last for first, last in _UNSPACED):
        return False
    return char.isalnum() or unicodedata.category(char).startswith("M")
