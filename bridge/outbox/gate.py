"""Stands before the gateway: watches what comes of each attempt, and says what may be claimed.

The breaker of this process, kept for all its threads; the rules are in ``breaker.py``. While it is
closed, nobody waits for a lock here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from bridge.errors import GatewayError
from bridge.metrics import Metrics
from bridge.model import Delivery
from bridge.outbox import breaker
from bridge.outbox.breaker import Breaker, Evidence

logger = logging.getLogger(__name__)

_SWEEP = 1.0  # seconds between looks for what has become too old while nothing is sent


class Gateway(Protocol):
    """What the outbox needs of the gateway."""

    def send(self, delivery: Delivery, *, timeout: float) -> None:
        """Send one message within ``timeout`` seconds in all.

        Raises:
            GatewayError: what it came to; its class says whether to try again.
        """


Later = Callable[[Callable[[], None]], None]
Done = Callable[["GatewayError | None"], None]


class Swift(Gateway, Protocol):
    """A gateway that can also send without keeping the caller waiting."""

    def begin(
        self, delivery: Delivery, *, timeout: float, busy: int, later: Later, done: Done
    ) -> bool:
        """Have one message sent; False where that cannot be, and ``send`` is the way.

        Args:
            delivery: what is to be sent.
            timeout: seconds in all.
            busy: how many sendings are under way.
            later: runs what blocks.
            done: called once with what it came to; from any thread, and must be quick.
        """


class Look(Enum):
    """What the claimer is to do now."""

    CLAIM = "claim"  # whatever is due
    PROBE = "probe"  # one delivery, to see whether the gateway serves again
    SWEEP = "sweep"  # settle what has become too old, and send nothing
    REST = "rest"  # nothing


class Gate:
    """One gateway and its breaker. Thread-safe.

    Args:
        gateway: where messages go.
        opens: called when the gateway serves again and everything may go.
    """

    def __init__(
        self,
        gateway: Gateway | Swift,
        *,
        opens: Callable[[], None],
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._gateway = gateway
        self._begin: Callable[..., bool] | None = getattr(gateway, "begin", None)
        self._opens = opens
        self._metrics = metrics
        self._clock = clock
        self._lock = threading.Lock()
        self._swept_at = 0.0
        self.breaker = Breaker(since=clock())

    @property
    def closed(self) -> bool:
        """Whether the breaker is closed: everything may be sent."""
        return self.breaker.closed

    def send(self, delivery: Delivery, *, timeout: float) -> None:
        """As ``Gateway.send``, and remember what that says of the gateway."""
        begun = time.perf_counter()
        try:
            self._gateway.send(delivery, timeout=timeout)
        except GatewayError as error:
            self._learn(delivery, error, begun)
            raise
        self._learn(delivery, None, begun)

    def begin(
        self, delivery: Delivery, *, timeout: float, busy: int, later: Later, done: Done
    ) -> bool:
        """As ``Swift.begin``, and remember what that says of the gateway."""
        begin = self._begin
        if begin is None:
            return False
        begun = time.perf_counter()

        def came(error: GatewayError | None) -> None:
            self._learn(delivery, error, begun)
            done(error)

        return begin(delivery, timeout=timeout, busy=busy, later=later, done=came)

    def _learn(self, delivery: Delivery, error: GatewayError | None, begun: float) -> None:
        evidence = Evidence.SERVED if error is None else breaker.read(error)
        if evidence is not Evidence.UNTRIED:
            self._metrics.attempted(error, time.perf_counter() - begun)
        # What every message takes: no lock while nothing is wrong.
        if error is not None or self.breaker.failures or not self.breaker.closed:
            self._heard(evidence, delivery.envelope.call_id)

    def not_signed_in(self, agent_id: str, error: GatewayError) -> None:
        """A sign-in failed; one that succeeds says nothing of messages."""
        if breaker.read(error) is Evidence.AWAY:
            self._heard(Evidence.AWAY, f"agent {agent_id}")

    def look(self, now: float) -> Look:
        """What to do now."""
        found = self.breaker
        if found.closed:
            return Look.CLAIM
        if found.due(now):
            return Look.PROBE
        return Look.SWEEP if not 0 <= now - self._swept_at < _SWEEP else Look.REST

    def looked(self, now: float, *, probes: int) -> float:
        """After a probe or a sweep that sent ``probes``; when to look again."""
        with self._lock:
            self._swept_at = now
            if probes and not self.breaker.closed:
                self.breaker = breaker.probed(self.breaker, now=now)
        return self.next_look(now)

    def next_look(self, now: float) -> float:
        """When there is something to do while the breaker is open."""
        left = self.breaker.probe_at - now
        return now + (min(left, _SWEEP) if left > 0 else _SWEEP)

    def _heard(self, evidence: Evidence, source: str) -> None:
        with self._lock:
            now = self._clock()
            before, after = self.breaker, breaker.heard(self.breaker, evidence, source, now=now)
            self.breaker = after
        if before.closed and not after.closed:
            self._metrics.breaker_opened()
            logger.warning(
                "The gateway does not serve: messages wait, but for one now and then failures=%d",
                breaker.FAILURES,
            )
        elif after.closed and not before.closed:
            logger.info(
                "The gateway serves again: what waits goes away_for=%.0fs", now - before.since
            )
            self._opens()
