"""Parse the HTML in a designer's text: the tags that web widgets render; all else is text.

Tags of elements that a customer's page may not contain are removed, and their words are kept. A
lone ``<word>`` of no known element is text. One pass, linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from bridge.translate import inline
from bridge.translate.blocks import DIRECTIONS, TAGS, Block, direction, sanitise
from bridge.translate.shortcodes import decode, decode_entities, escape_ampersands
from bridge.translate.text import is_blank
from bridge.translate.view import Style, View

# Elements that are markup wherever they are closed again; any other "<word>" may be a placeholder.
_ELEMENTS = TAGS | {
    *("abbr", "acronym", "address", "article", "aside", "audio", "bdi", "bdo", "big", "button"),
    *("caption", "center", "cite", "col", "colgroup", "dd", "details", "dfn", "dl", "dt", "embed"),
    *("figcaption", "figure", "font", "footer", "form", "header", "iframe", "input", "ins", "kbd"),
    *("label", "main", "mark", "marquee", "nav", "noscript", "option", "picture", "q", "samp"),
    *("section", "select", "source", "spoiler", "strike", "summary", "table", "tbody", "td"),
    *("tfoot", "th", "thead", "time", "tr", "tt", "var", "video", "wbr"),
    *("tg-emoji", "tg-spoiler"),
}
_VOID = {"br", "hr", "img"}  # markup wherever they occur
_ALWAYS = TAGS | {"table", "tbody", "td", "th", "thead", "tr"}  # markup without an end tag too
_RENAMED = {"strike": "s", "ins": "u"}
_APART = {
    *("p", "div", "ul", "ol", "li", "tr", "table", "blockquote", "pre", "hr", "br", "center"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "article", "aside", "section", "details", "summary"),
    *("figure", "figcaption", "form", "option", "dl", "dt", "dd", "caption", "header", "footer"),
}
_STRUCTURE = (_APART | {"td", "th", "tbody", "thead", "tfoot"}) - {"br"}
_DEEPEST = 100  # levels of elements in HTML; the sanitiser is slow with deeper ones
_PLAYERS = {"iframe", "video", "audio", "source", "embed"}
_MARKS = {
    **dict.fromkeys(("b", "strong", "h1", "h2", "h3", "h4", "h5", "h6"), "*"),
    **dict.fromkeys(("i", "em"), "_"),
    **dict.fromkeys(("s", "del", "strike"), "~"),
    **dict.fromkeys(("code", "tt", "kbd", "samp"), "`"),
    "pre": "```",
}

_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[A-Za-z][\w:-]{0,50})(?P<rest>(?:\s[^<>]{0,2000})?)/?>", re.ASCII
)
_HAS_ATTRIBUTE = re.compile(r"\s[\w:-]{1,50}\s{0,9}=")
_ANY_TAG = re.compile(r"<[^<>]{0,2000}>")
_COMMENT, _COMMENT_END = re.compile("<!--"), re.compile("-->")
_HIDDEN = re.compile(r"<(script|style)\b[^<>]{0,2000}>", re.IGNORECASE)
_HIDDEN_END = re.compile(r"</(?:script|style)\s{0,9}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"\b(href|src|alt|title|dir|start)\s{0,9}=\s{0,9}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))",
    re.IGNORECASE,
)
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")


def is_html(text: str) -> bool:
    """Return whether ``text`` has a known void tag, or a known tag that is closed again."""
    opened: set[str] = set()
    for match in _TAG.finditer(text):
        name = match["name"].lower()
        if name in _VOID or (match["end"] and name in opened):
            return True
        if not match["end"] and name in _ELEMENTS:
            opened.add(name)
    return False


def has_tags(text: str) -> bool:
    """Return whether ``text`` has a tag of a known element."""
    return any(match["name"].lower() in _ELEMENTS for match in _TAG.finditer(text))


def without_tags(text: str) -> str:
    """Return the text of any XML, such as speech markup."""
    return " ".join(decode_entities(_ANY_TAG.sub(" ", text)).split())


def read(text: str, view: View, *, mixed: bool = False) -> tuple[Block, ...]:
    """Return one block: HTML is never split, only its plain text is if the HTML is too long.

    Args:
        text: the HTML.
        view: how the channel shows it.
        mixed: whether markdown between the tags is markup too.
    """
    source = _visible(text)
    page = _Page(view, _closed(source), mixed)
    place = 0
    for match in _TAG.finditer(source):
        if page.is_markup(match):
            page.put(source[place : match.start()], match["name"].lower())
            page.tag(match)
            place = match.end()
    page.put(source[place:], "")
    return page.blocks()


def _visible(text: str) -> str:
    """Remove comments, scripts and styles."""
    return _cut(_cut(text, _COMMENT, _COMMENT_END), _HIDDEN, _HIDDEN_END)


def _cut(text: str, begins: re.Pattern[str], ends: re.Pattern[str]) -> str:
    """Remove what is between two patterns; what is not ended is kept."""
    kept, place = [], 0
    while begin := begins.search(text, place):
        end = ends.search(text, begin.end())
        if end is None:
            break
        kept.append(text[place : begin.start()])
        place = end.end()
    return "".join((*kept, text[place:]))


def _closed(text: str) -> set[str]:
    """Return the names of all end tags."""
    return {match["name"].lower() for match in _TAG.finditer(text) if match["end"]}


@dataclass(slots=True)
class _Open:
    """An element that is open in the plain text."""

    name: str
    place: int  # the index of its first piece
    words: int  # the number of pieces with words before it
    lines: int  # the number of line breaks before it
    mark: str = ""
    target: str = ""


@dataclass(slots=True)
class _Page:
    """A text being parsed, with its HTML and plain text side by side."""

    view: View
    closed: set[str]
    mixed: bool
    html: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    _open: list[_Open] = field(default_factory=list)
    _count: dict[str, int] = field(default_factory=dict)  # open elements by name or mark
    _lists: list[int | None] = field(default_factory=list)  # the next number of each open list
    _depth: int = 0
    _rows: int = 0  # of the table
    _cells: int = 0  # of the row
    _words: int = 0
    _lines: int = 0
    _before: str = ""  # the name of the tag before

    def is_markup(self, tag: re.Match[str]) -> bool:
        """Return whether a tag is markup and not a placeholder such as ``<name>``."""
        name = tag["name"].lower()
        return (
            name in _ALWAYS
            or name in self.closed
            or (name in _ELEMENTS and bool(tag["rest"]))
            or bool(_HAS_ATTRIBUTE.match(tag["rest"]))
            or tag[0].endswith("/>")
        )

    def put(self, text: str, before: str) -> None:
        """Append text between two tags; spaces between structural elements are no text."""
        apart = self._before in _STRUCTURE or before in _STRUCTURE
        if "\n" in text and not text.strip() and apart and not self._count.get("pre"):
            return
        if not text:
            return
        if self.mixed and not self._count.get("pre"):
            line = inline.read(text, self.view)
            self.html.extend(line.html)
            for each in line.plain:
                self._say(each)
            return
        escaped = escape_ampersands(text).replace("<", "&lt;").replace(">", "&gt;")
        self.html.append(escaped if self._count.get("pre") else escaped.replace("\n", " <br>\n"))
        self._say(decode(text))

    def _say(self, words: str) -> None:
        if words:
            self.plain.append(words)
            self._words += not is_blank(words)
            self._lines += "\n" in words

    def tag(self, match: re.Match[str]) -> None:
        """Append a tag, or what stands for it."""
        name, end = match["name"].lower(), bool(match["end"])
        self._before = name
        attributes = {} if end else self._attributes(match["rest"])
        if name in ("table", "tr", "td", "th"):
            self._table(name, end=end)
        elif name in _PLAYERS:
            self._player(attributes)
        elif name == "img":
            self._image(attributes)
        else:
            if name == "a" and not end and self._count.get("a"):
                self._close("a")
            if self._is_shallow(name, end=end):
                self.html.append(_written(name, attributes, end=end))
            self._element(name, attributes, end=end)

    def _is_shallow(self, name: str, *, end: bool) -> bool:
        """Count open elements, and return whether this one is not nested too deep for a page."""
        if name in _VOID or name in ("p", "li"):  # need no end tag
            return True
        depth = self._depth if end else self._depth + 1
        self._depth = max(depth - 1, 0) if end else depth
        return depth <= _DEEPEST

    def _element(self, name: str, attributes: dict[str, str], *, end: bool) -> None:
        if end and name in _MARKS | {"a": ""}:
            self._close(name)
        self._between(name, attributes, end=end)
        if not end and name in _MARKS | {"a": ""}:
            self._start(name, attributes.get("href", ""))

    def _between(self, name: str, attributes: dict[str, str], *, end: bool) -> None:
        if name in ("ul", "ol"):
            if not end:
                start = attributes.get("start", "1")
                number = int(start) if start.isdecimal() and len(start) < 6 else 1  # noqa: PLR2004
                self._lists.append(number if name == "ol" else None)
            elif self._lists:
                self._lists.pop()
        if name == "li" and not end:
            number_or_none = self._lists[-1] if self._lists else None
            if number_or_none is not None:
                self._lists[-1] = number_or_none + 1
            self._say("\n- " if number_or_none is None else f"\n{number_or_none}. ")
        elif name in _APART and name != "li":
            self._say("\n")

    def _start(self, name: str, target: str) -> None:
        mark = _MARKS.get(name, "") if self.view.style is Style.WHATSAPP else ""
        if mark and self._count.get(mark):
            mark = ""  # inside the same markup
        self._open.append(
            _Open(name, len(self.plain), self._words, self._lines, mark=mark, target=target)
        )
        self.plain.append("")  # where the mark goes
        for each in filter(None, (name, mark)):
            self._count[each] = self._count.get(each, 0) + 1

    def _close(self, name: str) -> None:
        while self._count.get(name):
            element = self._open.pop()
            for each in filter(None, (element.name, element.mark)):
                self._count[each] -= 1
            if element.name == "a":
                self._end_link(element)
            elif element.mark and self._words > element.words:
                self._emphasise(element)
            if element.name == name:
                return

    def _end_link(self, link: _Open) -> None:
        label = "".join(self.plain[link.place :])
        shown = inline.titled(label.strip(), link.target, self.view)
        self.plain[link.place :] = [_around(label, shown)]
        self._words += bool(shown)

    def _emphasise(self, element: _Open) -> None:
        """Write the channel's marks around the words; WhatsApp's end with the line."""
        if self._lines > element.lines and element.mark != "```":
            return
        place, end = element.place, len(self.plain) - 1
        while not self.plain[place].strip():
            place += 1
        while not self.plain[end].strip():
            end -= 1
        words = self.plain[place].lstrip()
        self.plain[place] = self.plain[place].removesuffix(words) + element.mark + words
        words = self.plain[end].rstrip()
        self.plain[end] = words + element.mark + self.plain[end].removeprefix(words)

    def _table(self, name: str, *, end: bool) -> None:
        """Write a line for each row, with a space between cells."""
        if name == "table":
            self.html.append("</p>\n" if end else "\n<p>")
            self._say("\n")
            self._rows = self._cells = 0
        elif end:
            return
        elif name == "tr":
            if self._rows:
                self.html.append(" <br>\n")
            self._say("\n")
            self._rows, self._cells = self._rows + 1, 0
        else:
            if self._cells:
                self.html.append(" ")
                self._say(" ")
            self._cells += 1

    def _player(self, attributes: dict[str, str]) -> None:
        """Write the address of what a page would play."""
        if address := attributes.get("src", ""):
            shown = inline.titled("", address, self.view)
            self.html.append(f"<div>{inline.anchor(address, shown, self.view)}</div>\n")
            self._say(f"\n{shown}\n")

    def _image(self, attributes: dict[str, str]) -> None:
        words, address = attributes.get("alt", ""), attributes.get("src", "")
        self.html.append(inline.picture(address, words, self.view))
        self._say(inline.titled(words, address, self.view))

    def _attributes(self, rest: str) -> dict[str, str]:
        found = {
            match[1].lower(): decode_entities(match[2] or match[3] or match[4] or "").strip()
            for match in _ATTRIBUTE.finditer(rest)
        }
        if "href" in found:
            found["href"] = self.view.shown(found["href"]) or found["href"]
        return found

    def blocks(self) -> tuple[Block, ...]:
        """Return the page as one block."""
        while self._open:
            self._close(self._open[-1].name)
        lines = "\n".join(line.strip() for line in "".join(self.plain).split("\n"))
        words = _BLANK_LINES.sub("\n\n", lines).strip()
        if not words:
            return ()
        markup = sanitise("".join(self.html))
        if " dir=" not in markup and (towards := direction(words)):
            markup = f"<div{towards}>{markup}</div>"
        return (Block(markup, words),)


def _written(name: str, attributes: dict[str, str], *, end: bool) -> str:
    """Return a tag for a customer's page, or ``""`` if the page may not contain the element."""
    apart = name in _APART
    name = name if name in TAGS else _RENAMED.get(name, "div" if apart else "")
    if not name:
        return ""
    if end:
        return f"</{name}>\n" if apart else f"</{name}>"
    allowed = {"href", "title"} if name == "a" else {"start"} if name == "ol" else set()
    towards = attributes.get("dir", "").lower()
    kept = {key: attributes[key] for key in attributes.keys() & allowed}
    if towards in DIRECTIONS:
        kept["dir"] = towards
    listed = "".join(f' {key}="{inline.attribute(kept[key])}"' for key in sorted(kept))
    if name in _VOID:
        return f"<{name}{listed}>\n"
    return f"\n<{name}{listed}>" if apart else f"<{name}{listed}>"


def _around(label: str, words: str) -> str:
    """Return ``words`` with the leading and trailing whitespace of ``label``."""
    before = label[: len(label) - len(label.lstrip())]
    after = label[len(label.rstrip()) :] if label.strip() else ""
    return before + words + after
