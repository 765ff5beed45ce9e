"""The state of a core's shutdown."""

from __future__ import annotations

from bridge.core.clock import Clock
from bridge.state.records import LEASE


class Shutdown:
    """Written by the thread that ends the core, read by the core's own.

    Attributes:
        stopping: no new work is started.
        closing: the core ends as soon as the work in progress is done.
    """

    def __init__(self, clock: Clock) -> None:
        self.stopping = False
        self.closing = False
        self._clock = clock
        self._since = 0.0

    def stop(self) -> None:
        """Start no new work from now on."""
        self._since = self._clock.monotonic()
        self.stopping = True

    @property
    def patient(self) -> bool:
        """True while pending commits are still retried after a stop."""
        return self._clock.monotonic() < self._since + LEASE
