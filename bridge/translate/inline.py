"""Parse markdown within a line: emphasis, code, links and pictures. One pass, linear in the text.

Only markup that web widgets render and authors intend is recognised: an asterisk in a sum, an
underscore in a name and a bracket in a sentence remain text.
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
class MarkupLine:
    """A line being parsed, with its HTML and plain text side by side."""

    html: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    found: bool = False  # whether the line contains markup
    _open: list[tuple[str, int]] = field(default_factory=list)  # open runs with their index
    _count: dict[str, int] = field(default_factory=dict)

    def put(self, text: str) -> None:
        """Append text without markup."""
        if text:
            self.both(escape(text), text)

    def both(self, html: str, plain: str) -> None:
        """Append the HTML and the plain form of the same text."""
        self.html.append(html)
        self.plain.append(plain)

    def mark(self, html: str, plain: str) -> None:
        """Append the HTML and the plain form of an element of markup."""
        self.found = True
        self.both(html, plain)

    def run(self, mark: str, before: str, after: str) -> None:
        """Process a run of ``*``, ``_`` or ``~~``: close an open run, open one, or add text."""
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


def read(text: str, *, strong: bool = False) -> MarkupLine:
    """Parse the markup of one line, or of several lines as one."""
    line, place = MarkupLine(), 0
    if strong:
        line.both("<strong>", "")
    while match := _TOKEN.search(text, place):
        line.put(text[place : match.start()])
        place = match.start() + _token(line, match)
    line.put(text[place:])
    if strong:
        line.both("</strong>", "")
    return line


def _token(line: MarkupLine, match: re.Match[str]) -> int:
    """Process one token and return the number of characters consumed."""
    whole = match[0]
    if match["escape"]:
        line.put(whole[1:])
    elif match["code"]:
        line.mark(f"<code>{escape(whole[1:-1])}</code>", whole[1:-1])
    elif match["target"]:
        _link(line, match)
    elif match["auto"]:
        address = match["auto"]
        line.mark(anchor(address, bare(address)), bare(address))
    elif match["address"]:
        address = whole.rstrip(_TRAILING)
        line.put(address)
        return max(len(address), 1)
    else:
        start, end = match.span()
        line.run(whole, match.string[start - 1 : start], match.string[end : end + 1])
    return len(whole)


def _link(line: MarkupLine, match: re.Match[str]) -> None:
    label, target = match["label"].strip(), match["target"]
    if not _TARGET.match(target):
        line.put(match[0])
        return
    words = _words(label)
    if match["picture"]:
        line.mark(picture(target, words), titled(words, target))
    else:
        line.mark(anchor(target, words or bare(target)), titled(words, target))


def _words(label: str) -> str:
    """Return the label without its markup; only one level, which bounds the nesting."""
    inner = MarkupLine()
    place = 0
    for match in re.finditer(r"\*+|_+|~~+|`", label):
        inner.put(label[place : match.start()])
        place = match.end()
        mark = match[0]
        if mark == "`":
            continue
        inner.run(mark, label[match.start() - 1 : match.start()], label[place : place + 1])
    inner.put(label[place:])
    return "".join(inner.plain)


def is_safe(target: str) -> bool:
    """Return whether the address has a scheme that is safe in a customer's page."""
    return bool(_SAFE.match(target))


def bare(target: str) -> str:
    """Return the address without ``mailto:`` or ``tel:``."""
    scheme, colon, rest = target.partition(":")
    return rest if colon and scheme.lower() in ("mailto", "tel") and rest else target


def titled(words: str, target: str) -> str:
    """Return a link as plain text: ``title (address)``, or one of the two if it covers both."""
    shown = bare(target) if is_safe(target) or target.lower().startswith("www.") else ""
    if not shown or shown in words:
        return words or shown or ("" if ":" in target else target)
    return f"{words} ({shown})" if words else shown


def anchor(target: str, words: str) -> str:
    """Return a link in HTML, or only its text if the address is not safe."""
    if target.lower().startswith("www."):
        target = f"https://{target}"
    if not is_safe(target):
        return escape(words)
    return f'<a href="{attribute(target)}">{escape(words)}</a>'


def picture(target: str, words: str) -> str:
    """Return a picture in HTML, or only its text if the address is not an HTTP(S) URL."""
    if not target.lower().startswith(("https://", "http://")):
        return escape(words)
    return f'<img src="{attribute(target)}" alt="{attribute(words)}">'


def attribute(value: str) -> str:
    """Escape ``value`` for an attribute in double quotes."""
    return escape(value.replace("\n", " ")).replace('"', "&quot;")
