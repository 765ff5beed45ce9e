"""Timers of the core: one heap, ordered by the core's clock."""

from __future__ import annotations

import heapq
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class Timers(Generic[T]):
    """Items with a due time. Not thread-safe."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._numbers = count()

    def add(self, at: float, item: T) -> None:
        """Schedule ``item`` for the time ``at``."""
        heapq.heappush(self._heap, (at, next(self._numbers), item))

    def due(self, now: float) -> list[T]:
        """Remove and return the items that are due, in order of time."""
        items = []
        while self._heap and self._heap[0][0] <= now:
            items.append(heapq.heappop(self._heap)[2])
        return items

    def next(self) -> float | None:
        """Return the time of the next item; None if there is none."""
        return self._heap[0][0] if self._heap else None

    def shift(self, seconds: float) -> None:
        """Move all times by ``seconds``, after the clock was set: the delays stay the same."""
        self._heap = [(at + seconds, number, item) for at, number, item in self._heap]
        heapq.heapify(self._heap)
