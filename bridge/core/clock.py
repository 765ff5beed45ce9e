"""The time, and waiting for it: one object, so that a test can hold it."""

from __future__ import annotations

import threading
import time


class Clock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that go by evenly, whatever the clock is set to."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, until: float) -> None:
        """Wait on ``condition``, which the caller holds, until it is notified or it is time."""
        condition.wait(max(0.0, until - self.now()))
