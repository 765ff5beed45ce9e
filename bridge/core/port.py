"""The edge's interface to a core, whether in the same process or in another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from bridge.core.clock import Clock
from bridge.state.commands import Command

GRACE = 0.5  # seconds that a caller waits after ``answer_by``
CHANGED_WITHIN = 5.0  # seconds in which a core that works answers ``AwaitChange``


@dataclass(frozen=True, slots=True)
class Status:
    """The status of a core, for ``/bridge/ready``.

    Attributes:
        alive: the core accepts commands.
        reason: why it does not, in a sentence; None if alive.
        breaker: the state of the circuit breaker around the gateway.
        since: when the breaker entered that state, in seconds since the epoch.
    """

    alive: bool
    reason: str | None = None
    breaker: str = "closed"
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Query for the ``Status`` of a core in another process."""


@dataclass(frozen=True, slots=True)
class AskMetrics:
    """Query for the metrics of a core in another process."""

    accept: str
    version: str


@dataclass(frozen=True, slots=True)
class AwaitChange:
    """Query that a core in another process answers at the next change, or within about a second.

    Attributes:
        after: the number of the last change that the caller knows.
    """

    after: int


class CorePort(Protocol):
    """The interface of a core for its callers."""

    @property
    def clock(self) -> Clock:
        """The core's clock."""

    async def ask(self, command: Command, *, seconds: float) -> Any:
        """Queue a command and return its answer, within ``seconds`` plus ``GRACE``.

        Raises:
            BridgeError: the command failed; FullError if the queue is full; StoreError if no
                answer arrives in time.
        """

    def call(self, command: Command, *, seconds: float = 60.0) -> Any:
        """Queue a command from a thread that may block, and return its answer.

        Raises:
            BridgeError: as ``ask``.
        """

    async def status(self) -> Status:
        """Return the core's status."""

    async def changed(self, after: int) -> int:
        """Wait until there may be changes after the number ``after``: a second or two at most.

        Returns:
            The highest number that the core knows: everything up to it is committed.

        Raises:
            StoreError: the core does not answer.
        """

    async def metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """Return the metrics for Prometheus and their content type, see ``Metrics.render``.

        Raises:
            StoreError: the core does not answer.
        """
