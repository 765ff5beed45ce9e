"""Markdown within a line: emphasis, code, links, pictures. One pass, linear in the text.

Only what web widgets render and people mean: an asterisk in a sum, an underscore in a name and a
bracket in a sentence stay what they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bridge.translate.text import WEB_ADDRESS, escape

_TOKEN = re.compile(
    r"(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<code>`[^`\n]{1,1000}`)"
    r"|(?P<picture>!?)\[(?P<label>[^\[\]\n]{0,1000})\]"
    r"\([ ]{0,4}<?(?P<target>[^\s()<>]{1,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,500}){0,4})>?"
    r"(?:[ ]{1,4}[\"'][^\"'\n]{0,500}[\"'])?[ ]{0,4}\)"
    r"|<(?P<auto>(?:https?://|mailto:|tel:)[^\s<>]{1,2000})>"
    rf"|(?P<address>{WEB_ADDRESS})"
    r"|(?P<run>\*+|_+|~~+)"
)
_TARGET = re.compile(r"[a-z][a-z0-9+.-]{1,20}:|www\.|[/#?.]|[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_SAFE = re.compile(r"https?://|mailto:|tel:", re.IGNORECASE)
_TRAILING = "*_~.,;:!?'"
_TAGS = {"*": "em", "_": "em", "**": "strong", "__": "strong", "~~": "del"}
_TRIPLE = {"***": ("<strong><em>", "</em></strong>"), "___": ("<strong><em>", "</em></strong>")}


@dataclass(slots=True)
class Line:
    """A line while it is read: HTML and plain text side by side."""

    html: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    found: bool = False  # whether anything was markup
    _open: list[tuple[str, int]] = field(default_factory=list)  # runs not closed, and their place
    _count: dict[str, int] = field(default_factory=dict)

    def put(self, text: str) -> None:
        """Words as they are."""
        if text:
            self.both(escape(text), text)

    def both(self, html: str, plain: str) -> None:
        """The same in both forms."""
        self.html.append(html)
        self.plain.append(plain)

    def mark(self, html: str, plain: str) -> None:
        """Something that was markup."""
        self.found = True
        self.both(html, plain)

    def run(self, mark: str, before: str, after: str) -> None:
        """A run of ``*``, ``_`` or ``~~``: it closes one that is open, opens, or is only text."""
        pair = _pair(mark)
        if pair and self._count.get(mark) and _closes(mark, before, after):
            self._close(mark, pair)
        elif pair and _opens(mark, before, after):
            self._open.append((mark, len(self.html)))
            self._count[mark] = self._count.get(mark, 0) + 1
            self.put(mark)
        else:
            self.put(mark)

    def _close(self, mark: str, pair: tuple[str, str]) -> None:
        while True:
            other, place = self._open.pop()
            self._count[other] -= 1
            if other == mark:
                break
        self.html[place], self.plain[place] = pair[0], ""
        self.mark(pair[1], "")


def _pair(mark: str) -> tuple[str, str] | None:
    if tag := _TAGS.get(mark):
        return f"<{tag}>", f"</{tag}>"
    return _TRIPLE.get(mark)


def _opens(mark: str, before: str, after: str) -> bool:
    if not after or after.isspace():
        return False
    inside_a_word = before.isalnum() and (len(mark) == 1 or mark[0] == "_")
    return not inside_a_word


def _closes(mark: str, before: str, after: str) -> bool:
    if not before or before.isspace():
        return False
    inside_a_word = after.isalnum() and (len(mark) == 1 or mark[0] == "_")
    return not inside_a_word


def read(text: str, *, strong: bool = False) -> Line:
    """Read the markup of one line, or of several as one."""
    line, place = Line(), 0
    if strong:
        line.both("<strong>", "")
    while found := _TOKEN.search(text, place):
        line.put(text[place : found.start()])
        place = found.start() + _token(line, found)
    line.put(text[place:])
    if strong:
        line.both("</strong>", "")
    return line


def _token(line: Line, found: re.Match[str]) -> int:
    """Read one token; how many characters of it were read."""
    whole = found[0]
    if found["escape"]:
        line.put(whole[1:])
    elif found["code"]:
        line.mark(f"<code>{escape(whole[1:-1])}</code>", whole[1:-1])
    elif found["target"]:
        _link(line, found)
    elif found["auto"]:
        address = found["auto"]
        line.mark(anchor(address, bare(address)), bare(address))
    elif found["address"]:
        address = whole.rstrip(_TRAILING)
        line.put(address)
        return max(len(address), 1)
    else:
        start, end = found.span()
        line.run(whole, found.string[start - 1 : start], found.string[end : end + 1])
    return len(whole)


def _link(line: Line, found: re.Match[str]) -> None:
    label, target = found["label"].strip(), found["target"]
    if not _TARGET.match(target):
        line.put(found[0])
        return
    words = _words(label)
    if found["picture"]:
        line.mark(picture(target, words), titled(words, target))
    else:
        line.mark(anchor(target, words or bare(target)), titled(words, target))


def _words(label: str) -> str:
    """The label without markup of its own; one level, so that nothing nests without end."""
    inner = Line()
    place = 0
    for found in re.finditer(r"\*+|_+|~~+|`", label):
        inner.put(label[place : found.start()])
        place = found.end()
        mark = found[0]
        if mark == "`":
            continue
        inner.run(mark, label[found.start() - 1 : found.start()], label[place : place + 1])
    inner.put(label[place:])
    return "".join(inner.plain)


def is_safe(target: str) -> bool:
    """Whether a customer's page may open the address."""
    return bool(_SAFE.match(target))


def bare(target: str) -> str:
    """The address as it is read aloud: no ``mailto:`` or ``tel:``."""
    scheme, colon, rest = target.partition(":")
    return rest if colon and scheme.lower() in ("mailto", "tel") and rest else target


def titled(words: str, target: str) -> str:
    """A link in plain words: ``title (address)``, or one of them where that says both."""
    shown = bare(target) if is_safe(target) or target.lower().startswith("www.") else ""
    if not shown or shown in words:
        return words or shown or ("" if ":" in target else target)
    return f"{words} ({shown})" if words else shown


def anchor(target: str, words: str) -> str:
    """A link in HTML, or its words where the address is none for a page."""
    if target.lower().startswith("www."):
        target = f"https://{target}"
    if not is_safe(target):
        return escape(words)
    return f'<a href="{attribute(target)}">{escape(words)}</a>'


def picture(target: str, words: str) -> str:
    """A picture in HTML, or its words where the address is none for a page."""
    if not target.lower().startswith(("https://", "http://")):
        return escape(words)
    return f'<img src="{attribute(target)}" alt="{attribute(words)}">'


def attribute(value: str) -> str:
    """``value`` inside double quotes."""
    return escape(value.replace("\n", " ")).replace('"', "&quot;")
