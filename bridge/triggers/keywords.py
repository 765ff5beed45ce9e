"""Find a designer's keyword in a customer's text: whole words, in any case and script.

``agent*`` and ``*agent`` also match words that begin or end with the keyword, which inflections
and compounds need. The time is linear in the length of the text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import regex

from bridge.config.values import code_of
from bridge.language import codes
from bridge.turn.reading import fold

# Scripts without spaces between words (Thai, Han), or with endings attached to them (Hangul): word
# boundaries cannot be detected, so a keyword matches anywhere. "SA" is Unicode's class for the
# scripts of South East Asia that need a dictionary to be split.
_UNSPACED = regex.compile(
    r"[\p{lb=SA}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Hangul}]"
)


def in_language(
    keywords: Mapping[str, Sequence[str]], language: str | None, default: str
) -> Iterator[tuple[str, str]]:
    """Yield the keywords to look for, each with its language.

    These are the keywords of the customer's language, which for ``de-AT`` include those of ``de``.
    If there are none, they are those of the default language. If the customer's language is not
    known, they are those of all languages.
    """
    chosen = list(keywords)
    for each in (language, default) if code_of(language) else ():
        tried = codes(each, None)
        chosen = [key for key in keywords if code_of(key) in tried]
        if chosen:
            break
    for key in chosen:
        for keyword in keywords[key]:
            yield key, keyword


def mentions(folded: str, keyword: str) -> bool:
    """Return whether ``folded`` (a text after ``fold``) contains ``keyword`` as whole words."""
    word, open_start, open_end = _prepared(keyword)
    start = folded.find(word) if word else -1
    while start >= 0:
        end = start + len(word)
        begins = open_start or start == 0 or not _in_word(folded[start - 1])
        if begins and (end == len(folded) or _may_follow(folded[end], open_end=open_end)):
            return True
        start = folded.find(word, start + 1)
    return False


@lru_cache(maxsize=4096)
def _prepared(keyword: str) -> tuple[str, bool, bool]:
    """Return the folded keyword, and whether its start and its end may adjoin other letters."""
    whole = fold(keyword)
    word = whole.strip("*").strip()
    if not word:
        return "", False, False
    open_start = whole.startswith("*") or not _in_word(word[0])
    return word, open_start, whole.endswith("*") or not _in_word(word[-1])


def _may_follow(char: str, *, open_end: bool) -> bool:
    """Return whether ``char`` may follow a keyword; a mark belongs to the letter before it."""
    if unicodedata.category(char).startswith("M"):
        return False
    return open_end or not _in_word(char)


def _in_word(char: str) -> bool:
    """Return whether ``char`` is part of a word delimited by spaces or punctuation."""
    if char.isascii():
        return char.isalnum() or char == "_"
    if _UNSPACED.match(char):
        return False
    return char.isalnum() or unicodedata.category(char).startswith("M")
