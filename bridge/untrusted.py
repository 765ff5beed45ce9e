"""Make values from outside storable: Rasa's, the gateway's, the API's, a token's. Pure.

Neither UTF-8 nor a database can represent every string that JSON can, and JSON numbers may exceed
every range. Each place where values come in calls these functions, so that the rest of the bridge
need not expect such values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

LATEST = 32_503_680_000.0  # the year 3000, in seconds since the epoch
LONGEST_SHOWN = 500  # characters of one value in a log line or at a terminal
REPLACEMENT = "\ufffd"

_HIGHEST = 10**308  # every larger integer exceeds the range of a float
_ODD = re.compile(rb"NaN|Infinity|\\u[dD][89a-fA-F]|\\u0000|\xed[\xa0-\xbf]")
# Control characters, line separators, and characters that change the direction of a line.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
# The same for descriptions in JSON Schema, whose patterns cannot name halves of surrogate pairs.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$"
WITHOUT_NUL = r"^[^\x00]*$"
HIGHEST_ID = 10**19 - 1  # of IDs that are written as numbers
_NOT_IN_JSON = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LAYOUT = str.maketrans(
    {
        **dict.fromkeys((*range(32), *range(127, 160))),
        **dict.fromkeys(range(55296, 57344), "?"),
        "\t": "\t",
        "\n": "\n",
    }
)


def text(value: str) -> str:
    """Return a string that UTF-8 and both databases can store.

    The halves of a surrogate pair are joined, a lone surrogate becomes a question mark, and NUL,
    which PostgreSQL refuses, the replacement character. Nothing is removed: otherwise an ID could
    become another one.
    """
    if "\0" in value:
        value = value.replace("\0", REPLACEMENT)
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        joined = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return joined.encode("utf-8", "replace").decode()
    return value


def number(value: object) -> float | None:
    """Return a finite number, else None; booleans are not numbers here, unlike in Python."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def moment(value: object) -> float | None:
    """Return a time in seconds since the epoch, from 1970 to the year 3000, else None."""
    seconds = number(value)
    return seconds if seconds is not None and 0 <= seconds < LATEST else None


def identifier(value: object) -> str:
    """Return an ID as text, because some systems write IDs as numbers; ``""`` if it is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return value if isinstance(value, str) else str(value) if 0 <= value <= HIGHEST_ID else ""


def is_printable(value: str) -> bool:
    """Return whether text has no control characters, and nothing that ends or turns a line."""
    return _CONTROL.search(value) is None


def is_odd(body: bytes) -> bool:
    """Return whether JSON may contain values that ``cleaned`` would replace.

    Infinite numbers that are spelt with digits (``1e999``) are not found; ``number`` refuses them.
    """
    return _ODD.search(body) is not None


def cleaned(value: Any, *, deepest: int | None = None, clean: Callable[[str], str] = text) -> Any:
    """Replace what cannot be stored in a parsed JSON value; lists and objects are changed in place.

    Args:
        value: the value, to any depth.
        deepest: the number of levels to keep; what lies deeper becomes null.
        clean: the function for every string and key.

    Returns:
        The value, with numbers outside a float's range as null.
    """
    root = [value]
    level: list[Any] = [root]
    depth = 0
    while level:
        inner: list[Any] = []
        for container in level:
            _clean_one(container, clean, inner, keep=deepest is None or depth < deepest)
        level, depth = inner, depth + 1
    return root[0]


def _clean_one(
    container: Any, clean: Callable[[str], str], inner: list[Any], *, keep: bool
) -> None:
    """Clean the scalars of one list or object, and collect the containers in it."""
    if isinstance(container, dict):
        if any(clean(key) is not key for key in container):
            renamed = {clean(key): item for key, item in container.items()}
            container.clear()
            container.update(renamed)
        places: Any = list(container)
    else:
        places = range(len(container))
    for place in places:
        item = container[place]
        if isinstance(item, (dict, list)):
            if keep:
                inner.append(item)
            else:
                container[place] = None
        elif isinstance(item, str):
            container[place] = clean(item)
        elif isinstance(item, float):
            container[place] = item if math.isfinite(item) else None
        elif isinstance(item, int) and not -_HIGHEST < item < _HIGHEST:
            container[place] = None


def one_line(value: str, longest: int | None = LONGEST_SHOWN) -> str:
    """Return text for one line of a log or a terminal: control characters escaped, length bounded.

    A value from outside can then neither begin a line of its own nor control a terminal.
    """
    if longest is not None and len(value) > longest:
        value = f"{value[:longest]}... ({len(value)} characters)"
    if value.isascii() and value.isprintable():
        return value
    return _CONTROL.sub(_escape, value)


def lines(value: str) -> str:
    """Return text for a terminal that may have several lines, without other control characters."""
    return value.translate(_LAYOUT)


def json_line(value: str) -> str:
    """Escape what JSON text may hold and a terminal or UTF-8 should not get; it stays JSON."""
    return _NOT_IN_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", value)


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - one byte
