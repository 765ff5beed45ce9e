"""Parse markdown into blocks: paragraphs, headings, quotes, lists, tables, rules and code."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from bridge.translate import inline
from bridge.translate.blocks import Block, direction, element, sanitise
from bridge.translate.shortcodes import decode_entities
from bridge.translate.text import is_blank
from bridge.translate.view import Style, View

_FENCE = re.compile(r"\s*(?:```|~~~)[\w+-]*\s*$")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$")
_BULLET = re.compile(r"([ \t]*)([-*•])[ \t]+(?=\S)")
_QUOTE = re.compile(r" {0,3}>[ \t]?(?=[^\s\d<>=])")  # "> 18" is a number
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_TABLE_RULE = re.compile(r"[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?)?[ \t]*$")
_BREAK = " <br>\n"


def read(text: str, view: View) -> tuple[Block, ...]:
    """Parse markdown into blocks; return none if it contains no markup."""
    blocks: list[Block] = []
    has_markup = False
    for group, gap in _groups(text.split("\n")):
        block, marked = _block(group, gap, view)
        has_markup = has_markup or marked
        if not is_blank(block.plain) or "<img" in block.html:
            blocks.append(block)
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
    if line.lstrip().startswith("|"):
        return "table"
    return "list" if _BULLET.match(line) else "quote" if _QUOTE.match(line) else "words"


def _block(lines: list[str], gap: str, view: View) -> tuple[Block, bool]:
    first = lines[0]
    if _FENCE.match(first):
        return _code([each for each in lines if not _FENCE.match(each)], gap, view), True
    kind = _kind_of(first)
    if kind == "rule":
        return Block("<hr>", "", gap), True
    if kind == "list":
        return _list(lines, gap, view)
    if kind == "table":
        return _table(lines, gap, view)
    if kind == "heading":
        read = [inline.read(_heading(each), view, strong=True) for each in lines]
    elif kind == "quote":
        read = [inline.read(_QUOTE.sub("", each, count=1), view) for each in lines]
    else:
        read = [inline.read("\n".join(lines), view)]
    mark = "> " if kind == "quote" and view.style is Style.WHATSAPP else ""
    words = _BREAK.join("".join(each.html) for each in read)
    bare = "\n".join(mark + "".join(each.plain) for each in read)
    tag = "blockquote" if kind == "quote" else "p"
    marked = kind != "words" or any(each.found for each in read)
    return Block(element(tag, words, bare), bare, gap), marked


def _code(lines: list[str], gap: str, view: View) -> Block:
    """Return code; ``<pre>`` preserves its line breaks."""
    code = decode_entities("\n".join(lines))
    bare = f"```{code}```" if view.style is Style.WHATSAPP and not is_blank(code) else code
    return Block(sanitise(f"<pre>{html.escape(code, quote=False)}</pre>"), bare, gap)


def _heading(line: str) -> str:
    match = _HEADING.match(line)
    return match[1] if match else line


def _list(lines: list[str], gap: str, view: View) -> tuple[Block, bool]:
    """Parse a list; dashes alone do not count as markup, because they read well as plain text."""
    items, rows, marked = [], [], False
    for line in lines:
        match = _BULLET.match(line)
        indent, bullet, start = (match[1], match[2], match.end()) if match else ("", "-", 0)
        item = inline.read(line[start:], view)
        items.append(f"<li>{''.join(item.html)}</li>")
        rows.append(f"{indent}{bullet if bullet == '•' else '-'} {''.join(item.plain)}")
        marked = marked or item.found or (bullet == "*" and len(lines) > 1)  # one alone: a footnote
    bare = "\n".join(rows)
    listed = "\n".join(items)
    return Block(sanitise(f"<ul{direction(bare)}>\n{listed}\n</ul>"), bare, gap), marked


def _table(lines: list[str], gap: str, view: View) -> tuple[Block, bool]:
    """Parse a table into a line per row; without its rule, the lines are words."""
    marked = any(_TABLE_RULE.match(each) for each in lines[1:2])
    rows = [each for place, each in enumerate(lines) if not (marked and place == 1)]
    read = [inline.read(_cells(each) if marked else each, view) for each in rows]
    bare = "\n".join("".join(each.plain) for each in read)
    words = _BREAK.join("".join(each.html) for each in read)
    return Block(element("p", words, bare), bare, gap), marked or _found(read)


def _cells(row: str) -> str:
    return " | ".join(cell.strip() for cell in row.strip().strip("|").split("|"))


def _found(read: Sequence[inline.MarkupLine]) -> bool:
    return any(each.found for each in read)
