"""Blocks of text, in HTML and in plain text, and the sanitiser of their HTML."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import nh3

TAGS = {
    *("a", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5"),
    *("h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub"),
    *("sup", "u", "ul"),
}
DIRECTIONS = {"ltr", "rtl", "auto"}
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt"}, "ol": {"start"}}
_VALUES = {tag: {"dir": DIRECTIONS} for tag in TAGS}
_SCHEMES = {"http", "https", "mailto", "tel"}
_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=_ATTRIBUTES,
    tag_attribute_values=_VALUES,
    url_schemes=_SCHEMES,
    link_rel=None,
    strip_comments=True,
)
_EMPTY_LINES = re.compile(r"\n\s*\n")
# Characters of right-to-left scripts: Hebrew, Arabic, Syriac, N'Ko and their presentation forms.
_FROM_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff]")
_STRONG = {"L": False, "R": True, "AL": True}


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list or heading, in HTML and in plain text."""

    html: str
    plain: str
    gap: str = "\n"  # the separator before the block in plain text


def joined(blocks: tuple[Block, ...]) -> str:
    """Join the plain text of blocks."""
    return "".join(block.gap + block.plain for block in blocks).strip()


def element(tag: str, inner: str, plain: str) -> str:
    """Return an element of sanitised HTML, with the direction of its text."""
    return sanitise(f"<{tag}{direction(plain)}>{inner}</{tag}>")


def paragraph(inner: str, plain: str, gap: str = "\n") -> Block:
    """Return a paragraph of HTML as a block."""
    return Block(element("p", inner, plain), plain, gap)


def direction(plain: str) -> str:
    """Return the attribute of an element whose text runs from right to left, else ``""``."""
    return ' dir="rtl"' if runs_from_right(plain) else ""


def runs_from_right(text: str) -> bool:
    """Return whether the first letter of ``text`` belongs to a right-to-left script."""
    if text.isascii() or not _FROM_RIGHT.search(text):
        return False
    strong = (_STRONG.get(unicodedata.bidirectional(char)) for char in text)
    return next((found for found in strong if found is not None), False)


def sanitise(markup: str) -> str:
    """Sanitise HTML for a customer's page; the text of adjacent blocks remains separated."""
    clean = _CLEANER.clean(markup)
    return clean.strip() if "<pre" in clean else _EMPTY_LINES.sub("\n", clean).strip()
