"""What this process is sending, and what came of it until the store has taken that.

A store that is locked, full or away must not make a known outcome unknown: it would be said again.
Nothing here reads the store or decides; ``worker`` does.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bridge.errors import GatewayError
from bridge.model import Delivery


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One attempt and what it came to."""

    claimed: Delivery
    after: Delivery
    error: GatewayError | None


class Outcomes:
    """The attempts of one process, from claim to settling. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[int, str | None] = {}  # deliveries' numbers and leases
        self._owed: list[Outcome] = []

    def begin(self, claimed: Delivery) -> None:
        """An attempt is to be made, or an outcome to be stored."""
        with self._lock:
            self._open[claimed.seq] = claimed.lease

    def holds(self, delivery: Delivery) -> bool:
        """Whether what becomes of ``delivery`` under its lease is known here, or soon will be."""
        with self._lock:
            return delivery.seq in self._open and self._open[delivery.seq] == delivery.lease

    def owe(self, outcome: Outcome) -> None:
        """The store did not take ``outcome``: it is offered again."""
        with self._lock:
            self._owed.append(outcome)

    def owed(self) -> tuple[Outcome, ...]:
        """What the store is to take, the oldest first."""
        with self._lock:
            return tuple(self._owed)

    def end(self, outcome: Outcome) -> None:
        """The store has taken ``outcome``, or has seen it come too late."""
        with self._lock:
            if outcome in self._owed:
                self._owed.remove(outcome)
            if self._open.get(outcome.claimed.seq) == outcome.claimed.lease:
                del self._open[outcome.claimed.seq]
