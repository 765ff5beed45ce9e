"""Lists come in pages: a cursor in, a part of the list and the next cursor out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bridge.errors import RefusedError

MOST = 200  # items of one page
_HIGHEST = 10**18  # no id of a delivery is higher


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and what to ask for to get the next (None: that was all)."""

    items: tuple[Any, ...]
    next: str | None


def page_size(cursor: str | None, limit: int) -> tuple[int, int]:
    """Where a page of things with ids begins, and how many it may have.

    Raises:
        RefusedError: 400 for a cursor that is none.
    """
    return int(number(cursor) or 0), max(1, min(limit, MOST))


def number(cursor: str | None) -> float | None:
    """A cursor as a number.

    Raises:
        RefusedError: 400 where it is none.
    """
    if cursor is None:
        return None
    try:
        found = float(cursor)
    except ValueError:
        found = -1.0
    if not 0 <= found < _HIGHEST:  # NaN is neither
        raise RefusedError(400, "bad_request", "cursor is the `next` of the page before")
    return found
