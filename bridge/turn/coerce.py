"""Coerce untrusted JSON values: each function returns its type and never raises.

The meaning of the fields is up to the callers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_NOTHING: Mapping[str, Any] = {}


def mapping(value: object) -> Mapping[str, Any]:
    """Return the object itself, or an empty one."""
    if type(value) is dict:  # what JSON yields, and faster to check than Mapping
        return value
    return value if isinstance(value, Mapping) else _NOTHING


def array(value: object) -> Sequence[Any]:
    """Return the list itself, uncopied, or an empty one."""
    return value if isinstance(value, (list, tuple)) else ()


def objects(value: object) -> tuple[Mapping[str, Any], ...]:
    """Return the objects in a list."""
    return tuple(item for item in array(value) if isinstance(item, Mapping))


def words(value: object) -> str | None:
    """Return a non-empty string that can be stored and sent, else None.

    JSON may contain lone surrogates, which UTF-8 cannot encode: they become question marks.
    """
    if not isinstance(value, str) or not value:
        return None
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def number(value: object) -> float | None:
    """Return a finite number, else None; booleans are not numbers here, unlike in Python."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def blank(value: object) -> bool:
    """Return whether a value is null, or an empty string, list or object."""
    return value is None or (isinstance(value, (str, list, tuple, Mapping)) and not value)


def same(one: object, other: object) -> bool:
    """Compare two values; False if they are nested too deeply for Python to compare."""
    try:
        return bool(one == other)
    except RecursionError:
        return False
