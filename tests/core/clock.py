"""A clock that a test holds: no time goes by but what the test lets go by."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bridge.core.clock import Clock
from tests.making import NOW

SECONDS = 30.0  # of real time that a test waits for other threads


class HeldClock(Clock):
    """Stands still until it is moved; whoever waits for it is woken then."""

    def __init__(self, now: float = NOW) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._gone = 0.0
        self._waited: set[threading.Condition] = set()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._gone

    def wait(self, condition: threading.Condition, until: float) -> None:
        with self._lock:
            if self._now >= until:
                return
            self._waited.add(condition)
        condition.wait()
        with self._lock:
            self._waited.discard(condition)

    def move(self, seconds: float) -> None:
        """Let time go by."""
        self._set(seconds, seconds)

    def leap(self, seconds: float) -> None:
        """Set the clock, ahead or back; no time goes by."""
        self._set(seconds, 0.0)

    def _set(self, seconds: float, gone: float) -> None:
        with self._lock:
            self._now += seconds
            self._gone += gone
            waited = list(self._waited)
        for condition in waited:
            with condition:
                condition.notify_all()


def until(met: Callable[[], bool], said: Callable[[], object] = str) -> None:
    """Wait, in real time, for something that happens in other threads."""
    end = time.monotonic() + SECONDS
    while not met():
        assert time.monotonic() < end, f"it did not come to that: {said()}"
        time.sleep(0.005)
