"""JSON that nobody should send, made by hypothesis, and what may be stored of it."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import strategies as st

from bridge import untrusted

TEXTS = (
    "",
    "\ud83d",  # half of a surrogate pair
    "\ud83d\ude00",  # a pair in two halves
    "words \udfff and more",
    "\0",
    "a\0b",
    "\x1b[31mred\x1b[0m",
    "one\nINFO forged=1",
    "\r\u2028\u202e\x85",
    "x" * 5000,
)
NUMBERS = (10**400, -(10**400), 2**63, 1e300, -1e300, math.inf, -math.inf, math.nan, -1)

_CONTROL = {
    chr(code)
    for code in (*range(32), *range(0x7F, 0xA0), *range(0x2028, 0x202F), *range(0xD800, 0xE000))
}

texts = st.sampled_from(TEXTS) | st.text(st.characters(), max_size=12)
scalars = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(NUMBERS) | st.floats() | texts
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=4)


def written(value: Any) -> bytes:
    """The value as a program writes JSON that takes no care."""
    return json.dumps(value).encode()


def raw(value: Any) -> bytes:
    """The same with characters instead of escapes, surrogates too."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def is_storable(value: Any) -> bool:
    """Return whether both databases, UTF-8 and JSON take the value."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        return False
    return "\\u0000" not in text.replace("\\\\", "")


def is_one_line(text: str) -> bool:
    """Return whether text neither begins another line nor controls a terminal."""
    return not set(text) & _CONTROL


def finite(value: Any) -> Any:
    """The value without infinite numbers: a large body that is not odd may hold them as 1e999."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return untrusted.number(value) if isinstance(value, float) else value
