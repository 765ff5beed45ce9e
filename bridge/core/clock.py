"""The clock and timed waits, behind one object that tests can replace."""

from __future__ import annotations

import threading
import time


class Clock:
    """The machine's clock."""

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return monotonic seconds, unaffected by changes of the system clock."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, until: float) -> None:
        """Wait on ``condition``, held by the caller, until it is notified or ``until``."""
        condition.wait(max(0.0, until - self.now()))
