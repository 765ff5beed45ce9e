"""Reading JSON that may hold anything: each function gives a value of its type, and never raises.

What a field means is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_NOTHING: Mapping[str, Any] = {}


def mapping(value: object) -> Mapping[str, Any]:
    """The object itself, or an empty one."""
    if type(value) is dict:  # what JSON gives, and quicker to tell than any mapping
        return value
    return value if isinstance(value, Mapping) else _NOTHING


def array(value: object) -> Sequence[Any]:
    """The list itself, uncopied, or an empty one."""
    return value if isinstance(value, (list, tuple)) else ()


def objects(value: object) -> tuple[Mapping[str, Any], ...]:
    """The objects of a list."""
    return tuple(item for item in array(value) if isinstance(item, Mapping))


def words(value: object) -> str | None:
    """A string with something in it, as it can be stored and sent.

    JSON may carry halves of surrogate pairs, which no UTF-8 holds: they become question marks.
    """
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def number(value: object) -> float | None:
    """A finite number; neither true nor false is one, though Python says so."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def blank(value: object) -> bool:
    """Whether there is nothing to show: null, or an empty string, list or object."""
    return value is None or (isinstance(value, (str, list, tuple, Mapping)) and not value)


def same(one: object, other: object) -> bool:
    """Equality that survives nesting deeper than Python compares."""
    try:
        return bool(one == other)
    except RecursionError:
        return False
