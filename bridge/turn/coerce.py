"""Coerce untrusted JSON values: each function returns its type and never raises.

The meaning of the fields is up to the callers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge import untrusted

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
    """Return a non-empty string that can be stored and sent, else None."""
    return untrusted.text(value) if isinstance(value, str) and value else None


def blank(value: object) -> bool:
    """Return whether a value is null, or an empty string, list or object."""
    return value is None or (isinstance(value, (str, list, tuple, Mapping)) and not value)


def same(one: object, other: object) -> bool:
    """Compare two values; False if they are nested too deeply for Python to compare."""
    try:
        return bool(one == other)
    except RecursionError:
        return False
