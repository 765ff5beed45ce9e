"""Parse markdown within a line: emphasis, code, links and pictures. One pass, linear in the text.

Only markup that web widgets render and authors intend is recognised: an asterisk in a sum, an
underscore in a name and a bracket in a sentence remain text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bridge.translate.shortcodes import decode, decode_entities
from bridge.translate.text import UNSPACED, WEB_ADDRESS, escape
from bridge.translate.view import PLAIN, Style, View

_TOKEN = re.compile(
    r"(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<code>`[^`\n]{1,1000}`)"
    r"|(?P<picture>!?)\[(?P<label>[^\[\]\n]{0,1000})\]"
    r"\([ ]{0,4}<?(?P<target>[^\s()<>]{1,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,500}){0,4})>?"
    r"(?:[ ]{1,4}[\"'][^\"'\n]{0,500}[\"'])?[ ]{0,4}\)"
    r"|<(?P<auto>(?:https?://|mailto:|tel:)[^\s<>|]{1,2000})(?:\|(?P<named>[^<>\n]{0,1000}))?>"
    rf"|(?P<address>{WEB_ADDRESS})"
    r"|(?P<run>\*+|_+|~~+)"
)
_TARGET = re.compile(r"[a-z][a-z0-9+.-]{1,20}:|www\.|[/#?.]|[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_SAFE = re.compile(r"https?://|mailto:|tel:", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d\s().\-/]{5,40}")
_TRAILING = "*_~.,;:!?'"
_TAGS = {"*": "em", "_": "em", "**": "strong", "__": "strong", "~~": "del"}
_WHATSAPP = Style.WHATSAPP
_TRIPLE = {"***": ("<strong><em>", "</em></strong>"), "___": ("<strong><em>", "</em></strong>")}


# WhatsApp's own marks, where the channel has them.
_OWN = {"*": "*", "_": "_", "**": "*", "__": "*", "~~": "~", "***": "*_", "___": "*_"}


@dataclass(frozen=True, slots=True)
class _Run:
    """An opening run of marks that may be closed."""

    mark: str
    place: int  # its index in the line
    before: str  # the character before it
    breaks: int  # the number of line breaks before it


@dataclass(slots=True)
class MarkupLine:
    """A line being parsed, with its HTML and plain text side by side."""

    style: Style = Style.PLAIN
    html: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    found: bool = False  # whether the line contains markup
    _open: list[_Run] = field(default_factory=list)
    _count: dict[str, int] = field(default_factory=dict)
    _breaks: int = 0

    def put(self, text: str) -> None:
        """Append text without markup."""
        if text:
            text = decode(text)
            self._breaks += "\n" in text
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
            self._close(mark, pair, after)
        elif pair and _opens(mark, before, after):
            self._open.append(_Run(mark, len(self.html), before, self._breaks))
            self._count[mark] = self._count.get(mark, 0) + 1
            self.put(mark)
        else:
            self.put(mark)

    def _close(self, mark: str, pair: tuple[str, str], after: str) -> None:
        while True:
            run = self._open.pop()
            self._count[run.mark] -= 1
            if run.mark == mark:
                break
        own = self._own(run, after)
        self.html[run.place], self.plain[run.place] = pair[0], own
        self.mark(pair[1], own[::-1])

    def _own(self, run: _Run, after: str) -> str:
        """Return the channel's mark; WhatsApp's stand around whole words of one line."""
        whole = not run.before.isalnum() and not after.isalnum()
        if self.style is not Style.WHATSAPP or not whole or run.breaks < self._breaks:
            return ""
        return _OWN[run.mark]


def _pair(mark: str) -> tuple[str, str] | None:
    if tag := _TAGS.get(mark):
        return f"<{tag}>", f"</{tag}>"
    return _TRIPLE.get(mark)


def _opens(mark: str, before: str, after: str) -> bool:
    if not after or after.isspace():
        return False
    inside_a_word = _is_letter(before) and (len(mark) == 1 or mark[0] == "_")
    return not inside_a_word


def _closes(mark: str, before: str, after: str) -> bool:
    if not before or before.isspace():
        return False
    inside_a_word = _is_letter(after) and (len(mark) == 1 or mark[0] == "_")
    return not inside_a_word


def _is_letter(char: str) -> bool:
    """Return whether emphasis next to ``char`` would begin or end inside a word.

    Chinese, Japanese and Korean are written without spaces between words.
    """
    return char.isalnum() and not UNSPACED.match(char)


def read(text: str, view: View = PLAIN, *, strong: bool = False) -> MarkupLine:
    """Parse the markup of one line, or of several lines as one."""
    line, place = MarkupLine(Style.PLAIN if strong else view.style), 0
    own = "*" if strong and view.style is Style.WHATSAPP else ""
    if strong:
        line.both("<strong>", own)
    while match := _TOKEN.search(text, place):
        line.put(text[place : match.start()])
        place = match.start() + _token(line, match, view)
    line.put(text[place:])
    if strong:
        line.both("</strong>", own)
    return line


def _token(line: MarkupLine, match: re.Match[str], view: View) -> int:
    """Process one token and return the number of characters consumed."""
    whole = match[0]
    if match["escape"]:
        line.both(escape(whole[1:]), whole[1:])
    elif match["code"]:
        code = decode_entities(whole[1:-1])
        line.mark(f"<code>{escape(code)}</code>", f"`{code}`" if line.style is _WHATSAPP else code)
    elif match["target"]:
        _link(line, match, view)
    elif match["auto"]:
        address = decode_entities(match["auto"])
        words = decode(match["named"] or "").strip()
        line.mark(anchor(address, words or bare(address), view), titled(words, address, view))
    elif match["address"]:
        address = whole.rstrip(_TRAILING)
        line.put(address)
        return max(len(address), 1)
    else:
        start, end = match.span()
        line.run(whole, match.string[start - 1 : start], match.string[end : end + 1])
    return len(whole)


def _link(line: MarkupLine, match: re.Match[str], view: View) -> None:
    label, target = match["label"].strip(), decode_entities(match["target"])
    if not _TARGET.match(target):
        line.put(match[0])
        return
    words = _words(label)
    if match["picture"]:
        line.mark(picture(target, words, view), titled(words, target, view))
    else:
        shown = words or bare(view.shown(target))
        line.mark(anchor(target, shown, view), titled(words, target, view))


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
    if not colon or not rest or scheme.lower() not in ("mailto", "tel"):
        return target
    return rest.partition("?")[0] or rest  # the subject of an e-mail is no part of the address


def says(words: str, shown: str) -> bool:
    """Return whether ``words`` contain an address, or a phone number in any notation."""
    if shown in words:
        return True
    number = _dialled(shown)
    return bool(number) and number in _dialled(words, strictly=False)


def _dialled(text: str, *, strictly: bool = True) -> str:
    """Return the digits of a phone number, or ``""`` if the text is no phone number."""
    if strictly and not _PHONE.fullmatch(text):
        return ""
    return "".join(char for char in text if char.isdecimal())


def titled(words: str, target: str, view: View = PLAIN) -> str:
    """Return a link as plain text: ``title (address)``, or one of the two if it covers both."""
    address = view.shown(target)
    shown = bare(address) if is_safe(address) or address.lower().startswith("www.") else ""
    if not shown or says(words, shown):
        return words or shown or ("" if ":" in target else target)
    return f"{words} ({shown})" if words else shown


def anchor(target: str, words: str, view: View = PLAIN) -> str:
    """Return a link in HTML, or only its text if the address is not safe."""
    target = view.shown(target)
    if target.lower().startswith("www."):
        target = f"https://{target}"
    if not is_safe(target):
        return escape(words)
    return f'<a href="{attribute(target)}">{escape(words)}</a>'


def picture(target: str, words: str, view: View = PLAIN) -> str:
    """Return a picture in HTML, or only its text if the address is not an HTTP(S) URL."""
    target = view.shown(target)
    if not target.lower().startswith(("https://", "http://")):
        return escape(words)
    return f'<img src="{attribute(target)}" alt="{attribute(words)}">'


def attribute(value: str) -> str:
    """Escape ``value`` for an attribute in double quotes."""
    return escape(value.replace("\n", " ")).replace('"', "&quot;")
