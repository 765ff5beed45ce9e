"""Parse markdown and HTML into blocks, each as sanitised HTML and as plain text.

Markup that web widgets render is recognised; everything else is text. This module has no knowledge
of channels or size limits.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

import nh3

from bridge.translate import inline
from bridge.translate.parts import Form
from bridge.translate.text import SUSPICIOUS, escape, is_blank

_TAGS = {
    *("a", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5"),
    *("h6", "hr", "i", "img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub"),
    *("sup", "u", "ul"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt"}}
_SCHEMES = {"http", "https", "mailto", "tel"}

# Tags that count as markup in a bot's text; any other "<word>" is text.
_NAMES = "|".join(sorted({*_TAGS, "font", "center", "table", "tbody", "thead", "tr", "td", "th"}))
_TAG = re.compile(
    rf"<(?P<end>/?)(?P<name>{_NAMES})(?P<rest>(?:\s[^<>]{{0,2000}})?)/?>", re.IGNORECASE
)
_BREAK = re.compile(r"<br\s*/?>[ \t]*\n?", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]{0,2000}>")
_VOID = {"br", "hr", "img"}
_APART = {"p", "div", "ul", "ol", "li", "tr", "table", "blockquote", "pre", "hr", "br"} | {
    f"h{level}" for level in range(1, 7)
}
_ATTRIBUTE = re.compile(
    r"\b(href|src|alt)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE
)

_HINT = re.compile(r"[*_~`\[<]|^ {0,3}[#>]", re.MULTILINE)  # no match: no markup
_FENCE = re.compile(r"\s*(?:```|~~~)[\w+-]*\s*$")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$")
_BULLET = re.compile(r"([ \t]*)([-*•])[ \t]+(?=\S)")
_QUOTE = re.compile(r" {0,3}>[ \t]?(?=[^\s\d<>=])")  # "> 18" is a number
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_EMPTY_LINES = re.compile(r"\n\s*\n")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")

_SLACK_LINK = re.compile(r"<((?:https?://|mailto:|tel:)[^|<>\s]{1,2000})\|([^<>\n]{1,1000})>")
_SLACK_WHO = re.compile(r"<[@#!](?:[^<>|\n]{1,200}\|)?([^<>|\n]{1,200})>")
_SLACK_BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]{1,1000}?)(?<=\S)\*(?![\w*])")
_SLACK_STRUCK = re.compile(r"(?<![\w~])~(?=\S)([^~\n]{1,1000}?)(?<=\S)~(?![\w~])")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list or heading, in HTML and in plain text."""

    html: str
    plain: str
    gap: str = "\n"  # the separator before the block in plain text


def read(text: str, form: Form = Form.AUTO) -> tuple[Block, ...]:
    """Parse ``text`` into blocks; return none if it has no markup and is to be sent as it is."""
    if form is Form.PLAIN or (form is Form.AUTO and not _HINT.search(text)):
        return ()
    if form is not Form.HTML and not SUSPICIOUS.search(text):
        return ()
    if form is Form.SLACK:
        text, form = _from_slack(text), Form.MARKDOWN
    if form is Form.HTML or (form is Form.AUTO and _is_html(text)):
        text = _BREAK.sub("\n", text)
        if _TAG.search(text) or form is Form.HTML:
            return _html_blocks(text)
        return _markdown(text) or _as_is(text)
    return _markdown(text) or (_as_is(text) if form is Form.MARKDOWN else ())


def plain(text: str, form: Form = Form.AUTO) -> str:
    """Return ``text`` without markup."""
    blocks = read(text, form)
    return joined(blocks) if blocks else text


def joined(blocks: tuple[Block, ...]) -> str:
    """Join the plain text of blocks."""
    return "".join(block.gap + block.plain for block in blocks).strip()


def sanitise(markup: str) -> str:
    """Sanitise HTML for a customer's page; the text of adjacent blocks remains separated."""
    clean = nh3.clean(
        markup,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel=None,
        strip_comments=True,
    )
    return clean.strip() if "<pre" in clean else _EMPTY_LINES.sub("\n", clean).strip()


# -- markdown ------------------------------------------------------------------------------------


def _as_is(text: str) -> tuple[Block, ...]:
    return (Block(f"<p>{escape(text)}</p>", text),)


def _markdown(text: str) -> tuple[Block, ...]:
    """Parse markdown into blocks; return none if it contains no markup."""
    blocks: list[Block] = []
    has_markup = False
    for group, gap in _groups(text.split("\n")):
        block, marked = _block(group)
        has_markup = has_markup or marked
        if not is_blank(block.plain) or "<img" in block.html:
            blocks.append(Block(sanitise(block.html), block.plain, gap))
    return tuple(blocks) if has_markup else ()


def _groups(lines: list[str]) -> Iterator[tuple[list[str], str]]:
    """Yield groups of lines that form one block, each with the separator before it."""
    group: list[str] = []
    gap, kind, fenced = "\n", "", False
    for line in lines:
        if _FENCE.match(line):
            fenced = not fenced
        now = "code" if fenced or _FENCE.match(line) else _kind_of(line)
        if now != kind and group:
            yield group, gap
            group, gap = [], "\n"
        kind = now
        if now:
            group.append(line)
        else:
            gap = "\n\n"
    if group:
        yield group, gap


def _kind_of(line: str) -> str:
    """Classify a line by its beginning; return ``""`` for an empty line."""
    if not line.strip():
        return ""
    if _RULE.match(line):
        return "rule"
    if _HEADING.match(line):
        return "heading"
    return "list" if _BULLET.match(line) else "quote" if _QUOTE.match(line) else "words"


def _block(lines: list[str]) -> tuple[Block, bool]:
    first = lines[0]
    if _FENCE.match(first):
        inner = [each for each in lines if not _FENCE.match(each)]
        code = "\n".join(inner)
        return Block(f"<pre>{_kept(code)}</pre>", code), True
    kind = _kind_of(first)
    if kind == "rule":
        return Block("<hr>", ""), True
    if kind == "list":
        return _list(lines)
    if kind == "heading":
        read = [inline.read(_heading(each), strong=True) for each in lines]
    elif kind == "quote":
        read = [inline.read(_QUOTE.sub("", each, count=1)) for each in lines]
    else:
        read = [inline.read("\n".join(lines))]
    words = " <br>\n".join("".join(each.html) for each in read)
    bare = "\n".join("".join(each.plain) for each in read)
    tag = "blockquote" if kind == "quote" else "p"
    marked = kind != "words" or any(each.found for each in read)
    return Block(f"<{tag}>{words}</{tag}>", bare), marked


def _kept(code: str) -> str:
    """Escape code but keep its line breaks, which ``<pre>`` preserves."""
    return html.escape(code, quote=False)


def _heading(line: str) -> str:
    match = _HEADING.match(line)
    return match[1] if match else line


def _list(lines: list[str]) -> tuple[Block, bool]:
    """Parse a list; dashes alone do not count as markup, because they read well as plain text."""
    items, bare, marked = [], [], False
    for line in lines:
        match = _BULLET.match(line)
        indent, bullet, start = (match[1], match[2], match.end()) if match else ("", "-", 0)
        item = inline.read(line[start:])
        items.append(f"<li>{''.join(item.html)}</li>")
        bare.append(f"{indent}{bullet if bullet == '•' else '-'} {''.join(item.plain)}")
        marked = marked or item.found or (bullet == "*" and len(lines) > 1)  # one alone: a footnote
    return Block("<ul>\n" + "\n".join(items) + "\n</ul>", "\n".join(bare)), marked


# -- HTML ----------------------------------------------------------------------------------------


def _is_html(text: str) -> bool:
    """Return whether ``text`` has a known void tag, or a known tag that is closed again."""
    opened: set[str] = set()
    for match in _TAG.finditer(text):
        name = match["name"].lower()
        if name in _VOID or (match["end"] and name in opened):
            return True
        if not match["end"]:
            opened.add(name)
    return False


def _html_blocks(text: str) -> tuple[Block, ...]:
    """Return one block: HTML is never split, only its plain text is if the HTML is too long."""
    words = _html_words(text)
    escaped, place = [], 0
    for match in _TAG.finditer(text):
        escaped += [_text_in_html(text[place : match.start()]), _spaced(match)]
        place = match.end()
    escaped.append(_text_in_html(text[place:]))
    return (Block(sanitise("".join(escaped)), words),) if words else ()


def _text_in_html(text: str) -> str:
    """Escape text between known tags: keep entities and line breaks, show unknown tags as text."""
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("\n", " <br>\n")


def _spaced(match: re.Match[str]) -> str:
    name, end = match["name"].lower(), match["end"]
    if name in ("td", "th"):
        return " " if end else ""
    if name not in _APART:
        return match[0]
    return f"{match[0]}\n" if end or name in _VOID else f"\n{match[0]}"


def _html_words(text: str) -> str:
    """Return the plain text of HTML, with the address of a link after its label."""
    words: list[str] = []
    targets: list[tuple[str, int]] = []
    place = 0
    for match in _TAG.finditer(text):
        words.append(html.unescape(text[place : match.start()]))
        place = match.end()
        name, end = match["name"].lower(), bool(match["end"])
        if name == "a" and not end:
            targets.append((_attributes(match["rest"]).get("href", ""), len(words)))
        elif name == "a" and targets:
            target, start = targets.pop()
            label = "".join(words[start:])
            words[start:] = [_around(label, inline.titled(label.strip(), target))]
        elif name == "img":
            attributes = _attributes(match["rest"])
            words.append(inline.titled(attributes.get("alt", ""), attributes.get("src", "")))
        else:
            words.append(_between(name, end=end))
    words.append(html.unescape(text[place:]))
    lines = "\n".join(line.strip() for line in "".join(words).split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip()


def _between(name: str, *, end: bool) -> str:
    if name in ("td", "th"):
        return " " if end else ""
    if name == "li":
        return "" if end else "\n- "
    return "\n" if name in _APART else ""


def _around(label: str, words: str) -> str:
    """Return ``words`` with the leading and trailing whitespace of ``label``."""
    before = label[: len(label) - len(label.lstrip())]
    after = label[len(label.rstrip()) :] if label.strip() else ""
    return before + words + after


def _attributes(rest: str) -> dict[str, str]:
    return {
        match[1].lower(): html.unescape(match[2] or match[3] or match[4] or "").strip()
        for match in _ATTRIBUTE.finditer(rest)
    }


def without_tags(text: str) -> str:
    """Return the text of any XML, such as speech markup."""
    return " ".join(html.unescape(_ANY_TAG.sub(" ", text)).split())


# -- Slack ---------------------------------------------------------------------------------------


def _from_slack(text: str) -> str:
    """Convert Slack's mrkdwn to markdown."""
    text = _SLACK_LINK.sub(r"[\2](\1)", text)
    text = _SLACK_WHO.sub(r"@\1", text)
    text = _SLACK_BOLD.sub(r"**\1**", text)
    text = _SLACK_STRUCK.sub(r"~~\1~~", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
