"""What is to be done later: one heap, by the core's clock."""

from __future__ import annotations

import heapq
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class Timers(Generic[T]):
    """Things with times; not thread-safe."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._numbers = count()

    def add(self, at: float, thing: T) -> None:
        """Give ``thing`` back at this time."""
        heapq.heappush(self._heap, (at, next(self._numbers), thing))

    def due(self, now: float) -> list[T]:
        """What it is time for, in order; it is given back once."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            found.append(heapq.heappop(self._heap)[2])
        return found

    def next(self) -> float | None:
        """When something is due."""
        return self._heap[0][0] if self._heap else None

    def shift(self, seconds: float) -> None:
        """Follow a clock that was set: everything stays as far away as it was."""
        self._heap = [(at + seconds, number, thing) for at, number, thing in self._heap]
        heapq.heapify(self._heap)
