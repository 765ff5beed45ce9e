"""Paging of lists: parsing of cursors, limits and state filters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from bridge.errors import RefusedError

S = TypeVar("S", bound=Enum)
MOST = 200  # maximum items per page
_HIGHEST = 10**18  # above any delivery's ID


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and the cursor of the next one (None on the last page)."""

    items: tuple[Any, ...]
    next: str | None


def page_size(cursor: str | None, limit: int) -> tuple[int, int]:
    """Return the number after which a page begins, and its maximum size.

    Raises:
        RefusedError: 400 for an invalid cursor.
    """
    return int(number(cursor) or 0), max(1, min(limit, MOST))


def named_states(kind: type[S], names: str | None) -> list[S]:
    """Parse a query's comma-separated states; without any, return an empty list.

    Raises:
        RefusedError: 400 for an unknown state; the message lists the allowed ones.
    """
    try:
        return [kind(word) for word in (names or "").split(",") if word]
    except ValueError:
        allowed = ", ".join(item.value for item in kind)
        raise RefusedError(400, "bad_request", f"state is one of {allowed}") from None


def number(cursor: str | None) -> float | None:
    """Convert a cursor to a number.

    Raises:
        RefusedError: 400 if it is invalid.
    """
    if cursor is None:
        return None
    try:
        value = float(cursor)
    except ValueError:
        value = -1.0
    if not 0 <= value < _HIGHEST:  # also false for NaN
        raise RefusedError(400, "bad_request", "cursor is the `next` of the page before")
    return value
