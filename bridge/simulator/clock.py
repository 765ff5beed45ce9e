"""The simulator's clock: real time plus the time added through the control API."""

from __future__ import annotations

import time


class SimulatorClock:
    """Epoch seconds that run at real speed and can be moved forward.

    Based on the monotonic clock, so that adjusting the system time rotates no GUIDs.
    """

    def __init__(self) -> None:
        self._base = time.time() - time.monotonic()
        self.added = 0.0

    def now(self) -> float:
        """Return the simulated time in epoch seconds."""
        return self._base + time.monotonic() + self.added

    def advance(self, seconds: float) -> None:
        """Move the clock forward by ``seconds``."""
        self.added += seconds
