"""Lists come in pages: a cursor in, a part of the list and the next cursor out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from bridge.errors import RefusedError

S = TypeVar("S", bound=Enum)
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


def named_states(kind: type[S], names: str | None) -> list[S]:
    """The states of a kind that a query names, with commas between them; none: an empty list.

    Raises:
        RefusedError: 400 for a word that is none, with those that are.
    """
    try:
        return [kind(word) for word in (names or "").split(",") if word]
    except ValueError:
        allowed = ", ".join(item.value for item in kind)
        raise RefusedError(400, "bad_request", f"state is one of {allowed}") from None


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
