"""The simulator's clock: real time, and what was added to it over HTTP."""

from __future__ import annotations

import time


class Clock:
    """Epoch seconds that run at the real pace and can be moved forward.

    Built on the monotonic clock, so that a correction of the machine's time rotates nothing.
    """

    def __init__(self) -> None:
        self._base = time.time() - time.monotonic()
        self.added = 0.0

    def now(self) -> float:
        """Simulated epoch seconds."""
        return self._base + time.monotonic() + self.added

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` go by at once."""
        self.added += seconds
