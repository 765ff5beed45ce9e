"""Shortens a long conversation to the events that a decision can depend on.

Rasa sends every event of the tracker with every request. What the planners read reaches back a
number of customer messages, to the last pause or resume, and to the last time a slot was set; the
rest would only be passed on to the core for nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bridge.turn import events as raw
from bridge.turn.reading import Turn

MANY = 256
_TURNING = frozenset({"pause", "resume", "restart", "session_started"})


def trim(turn: Turn, *, messages: int, slots: Collection[str], many: int = MANY) -> Turn:
    """Return ``turn`` without the events that no decision depends on.

    Args:
        turn: as it was read.
        messages: how many customer messages the card and a row of fallbacks can reach back.
        slots: names of slots whose last setting matters.
        many: events; a shorter conversation is left as it is.
    """
    events, index = turn._events, turn._index  # noqa: SLF001 - this package's own
    if len(events) <= many:
        return turn
    start = _start(events, messages)
    if index is not None:
        start = min(start, index)
    older = _older(events, start, slots)
    kept = raw.Events([*(events[each] for each in older), *events[start:]])
    moved = None if index is None else index - start + len(older)
    return replace(turn, _events=kept, _index=moved)


def _start(events: raw.Events, messages: int) -> int:
    """The position of the customer message so many messages back; 0 where there are fewer."""
    left = messages
    for index in range(len(events) - 1, -1, -1):
        if events.kinds[index] == "user" and not raw.is_external(events[index]):
            left -= 1
            if left <= 0:
                return index
    return 0


def _older(events: raw.Events, start: int, slots: Collection[str]) -> list[int]:
    """Positions before ``start`` of the last pause or resume, and of each slot's last setting."""
    wanted = set(slots)
    turning = False
    positions: list[int] = []
    for index in range(start - 1, -1, -1):
        kind = events.kinds[index]
        if kind in _TURNING and not turning:
            turning = True
            positions.append(index)
        elif kind == "slot" and events[index].get("name") in wanted:
            wanted.discard(events[index].get("name"))
            positions.append(index)
        if turning and not wanted:
            break
    return positions[::-1]
