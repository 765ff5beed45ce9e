"""Limit how often each token does something, in one worker."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import LRUCache

_NAMES = 1024


class RateLimit:
    """A token bucket for each name. Not thread-safe.

    Args:
        rate: how often a name is admitted per second, in the long run.
        burst: how often at once.
        clock: seconds that never go back.
    """

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: LRUCache[str, tuple[float, float]] = LRUCache(_NAMES)  # left, since when

    def admit(self, name: str) -> bool:
        """Return whether ``name`` may go on now, and count it."""
        now = self._clock()
        left, since = self._buckets.get(name, (float(self._burst), now))
        left = min(self._burst, left + (now - since) * self._rate)
        admitted = left >= 1
        self._buckets[name] = (left - 1 if admitted else left, now)
        return admitted
