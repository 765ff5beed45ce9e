"""Explain YAML syntax errors to people who rarely write YAML.

The library's messages are not shown, because they quote the file: a password that begins with ``*``
would be quoted as an alias.
"""

from __future__ import annotations

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, StringMark, YAMLError
from ruamel.yaml.tokens import ScalarToken

_QUOTE_FOUND = "a quote that is not closed"
_QUOTE_ALLOWED = "a closing quote of the same kind"

# Part of the library's message, what was found, what is allowed.
_KNOWN = (
    (
        "character '\\t'",
        "a tab",
        "spaces: YAML takes no tabs for indenting",
    ),
    (
        "cannot start any token",
        "text that begins with a sign which YAML keeps for itself (@, %, `)",
        'such text in quotes: "@name"',
    ),
    (
        "mapping values are not allowed",
        "a colon where no key can be",
        'one "key: value" a line, indented as the lines around it; text with ": " in quotes',
    ),
    (
        "could not find expected ':'",
        "a key without a colon",
        '"key: value", with a space after the colon',
    ),
    (
        "undefined alias",
        "an alias (*name) whose anchor (&name) is nowhere above",
        "text that begins with * in quotes",
    ),
    (
        "duplicate anchor",
        "an anchor (&name) a second time",
        "each anchor once",
    ),
    (
        "unexpected end of stream",
        _QUOTE_FOUND,
        _QUOTE_ALLOWED,
    ),
    (
        "unknown escape character",
        'a backslash that means nothing within "..."',
        "'...' around text with backslashes",
    ),
    (
        "expected ',' or",
        "a [ or { that is not closed",
        "items with commas between them, and the closing ] or }",
    ),
    (
        "expected the node content",
        "a list or mapping that is not finished",
        "items with commas between them, and the closing ] or }",
    ),
    (
        "expected <block end>, but found '<scalar>'",
        "text after the end of a value",
        "one value; text with quotes inside goes in the other kind of quotes",
    ),
    (
        "expected <block end>",
        "a line that is indented unlike the lines it belongs to",
        "the keys of one mapping, and the items of one list, in the same column",
    ),
    (
        "another document",
        "a second document (---)",
        "one document a file",
    ),
)
_EXPANSION_FOUND = "${NAME} without quotes, between { and }"
_EXPANSION_ALLOWED = 'quotes around it: "${NAME}"'
_OPENED = ("unexpected end of stream", "expected ',' or")


def explain(error: MarkedYAMLError, text: str) -> tuple[int, int, str, str]:
    """Return the line and column (from 1) in ``text``, what was found and what is allowed."""
    said = f"{error.context or ''} {error.problem or ''}"
    found, allowed = "something that is not YAML", '"key: value" lines, and lists of "- item"'
    mark = error.problem_mark or error.context_mark
    for part, known_found, known_allowed in _KNOWN:
        if part in said:
            found, allowed = known_found, known_allowed
            if part in _OPENED:  # point to the opening quote or bracket, not the end of the file
                mark = error.context_mark or mark
            break
    if (opening := _unclosed(error, text)) is not None:
        found, allowed, mark = _QUOTE_FOUND, _QUOTE_ALLOWED, opening
    problem = error.problem_mark
    if problem is not None and "but got '{'" in said and _before(problem, text) == "$":
        found, allowed, mark = _EXPANSION_FOUND, _EXPANSION_ALLOWED, problem
    if mark is None:
        return 1, 1, found, allowed
    return mark.line + 1, mark.column + 1, found, allowed


def _unclosed(error: MarkedYAMLError, text: str) -> StreamMark | None:
    """Return the opening quote of a text that ends only where a later line opens another.

    What follows that later quote is the error that YAML reports, far from the quote that lacks its
    partner.
    """
    problem = error.problem_mark
    last: ScalarToken | None = None
    try:
        for token in YAML(typ="safe", pure=True).scan(text):
            if problem is None or token.start_mark.index >= problem.index:
                break
            last = token if isinstance(token, ScalarToken) and token.style else last
    except YAMLError:
        pass  # the error in question
    if problem is None or last is None or last.style not in ("'", '"'):
        return None
    start, end = last.start_mark, last.end_mark
    adjoins = end.line == problem.line and start.line < end.line
    return start if adjoins else None


def _before(mark: StringMark, text: str) -> str:
    """Return the character before a mark, or ``""``."""
    lines = text.splitlines()
    return lines[mark.line][: mark.column][-1:] if mark.line < len(lines) else ""
