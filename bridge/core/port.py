"""What the edge knows of a core, be it in this process or in one of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from bridge.core.clock import Clock
from bridge.state.commands import Command

GRACE = 0.5  # seconds after ``answer_by`` at which nobody waits any more


@dataclass(frozen=True, slots=True)
class Status:
    """What ``/bridge/ready`` tells of a core.

    Attributes:
        alive: it takes commands.
        reason: why it does not, in a sentence; None where it does.
        breaker: the state of the circuit breaker around the gateway.
        since: when the breaker entered that state, in seconds since the epoch.
    """

    alive: bool
    reason: str | None = None
    breaker: str = "closed"
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Ask a core of another process for its ``Status``."""


@dataclass(frozen=True, slots=True)
class AskMetrics:
    """Ask a core of another process for what Prometheus is told."""

    accept: str
    version: str


class CorePort(Protocol):
    """A core, as those see it who put commands."""

    @property
    def clock(self) -> Clock:
        """The time, as the core sees it."""

    async def ask(self, command: Command, *, seconds: float) -> Any:
        """Put a command; its answer, which is awaited ``seconds`` and a grace at most.

        Raises:
            BridgeError: why the command cannot be done; FullError where too many wait already;
                StoreError where no answer came in time.
        """

    def call(self, command: Command, *, seconds: float = 60.0) -> Any:
        """Put a command from a thread that may block, and wait for its answer.

        Raises:
            BridgeError: as ``ask``.
        """

    async def status(self) -> Status:
        """Whether the core works."""

    async def metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """What Prometheus is told, and its content type: see ``Metrics.tell``.

        Raises:
            StoreError: the core does not answer.
        """
