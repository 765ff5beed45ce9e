"""A circuit breaker for one gateway. Pure: takes the time as an argument and calls nothing.

closed       all deliveries are sent
open         the gateway is unavailable: nothing is sent except a periodic probe
half-open    a probe is in flight, and its outcome decides

The breaker opens after ``FAILURES`` consecutive attempts, of at least ``SOURCES`` calls, that found
the gateway unavailable: unreachable, no response, connection lost, or HTTP 502, 503 or 504. Any
other response, including a refusal, resets the count. So neither one bad call among good ones nor
a single call alone can open the breaker.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from bridge.errors import GatewayError, UnknownOutcomeError, UnreachableError

FAILURES = 5  # consecutive failures that open the breaker
SOURCES = 2  # minimum number of distinct calls (or agents signing in) among those failures
FIRST_PROBE = 1.0  # seconds after opening; doubled each time
LONGEST_PAUSE = 4.0  # seconds between probes: one at least every five, overhead included
NEXT_TRY = 0.25  # seconds after a probe that made no request because its agent has no session
_AWAY = (502, 503, 504)


class State(str, Enum):
    """The state of the breaker."""

    CLOSED = "closed"  # all deliveries are sent
    OPEN = "open"  # nothing is sent until the next probe is due
    HALF_OPEN = "half_open"  # a probe is in flight


class Evidence(Enum):
    """What an attempt shows about the gateway, independent of the message's outcome."""

    SERVED = "served"  # the gateway responded
    AWAY = "away"  # the gateway is unavailable
    UNCLEAR = "unclear"  # the message itself may have caused this response
    UNTRIED = "untried"  # no request was made, because there was no GUID


@dataclass(frozen=True, slots=True)
class Breaker:
    """The immutable state of the breaker; the functions below return the next state.

    Attributes:
        since: time of the last opening or closing; ``half_open`` counts as open.
        failures: consecutive failures while closed.
        sources: calls or agents of those failures, ``SOURCES`` at most.
        probes: number of probes sent since the breaker opened.
        probe_at: time of the next probe.
    """

    state: State = State.CLOSED
    since: float = 0.0
    failures: int = 0
    sources: frozenset[str] = frozenset()
    probes: int = 0
    probe_at: float = 0.0

    @property
    def closed(self) -> bool:
        """True while all deliveries are sent."""
        return self.state is State.CLOSED

    def due(self, now: float) -> bool:
        """Return True if a probe is due, or if the clock was set back since the last one."""
        return not self.closed and not 0 < self.probe_at - now <= LONGEST_PAUSE


def read(error: GatewayError | None) -> Evidence:
    """Classify an attempt by its ``error`` (None: delivered)."""
    if error is None:
        return Evidence.SERVED
    if isinstance(error, UnreachableError) or error.status in _AWAY:
        return Evidence.AWAY
    if isinstance(error, UnknownOutcomeError):
        # With a status: 500, or an unreadable response.
        return Evidence.UNCLEAR if error.status else Evidence.AWAY
    return Evidence.SERVED if error.status else Evidence.UNTRIED


def record(breaker: Breaker, evidence: Evidence, source: str, *, now: float) -> Breaker:
    """Return the state after an attempt; ``source`` is its call, or the agent signing in."""
    if not breaker.closed:
        return _record_while_open(breaker, evidence, now)
    if evidence is Evidence.SERVED:
        return replace(breaker, failures=0, sources=frozenset()) if breaker.failures else breaker
    if evidence is not Evidence.AWAY:
        return breaker
    failures, sources = breaker.failures + 1, breaker.sources
    if len(sources) < SOURCES:
        sources |= {source}
    if failures < FAILURES or len(sources) < SOURCES:
        return replace(breaker, failures=min(failures, FAILURES), sources=sources)
    return Breaker(State.OPEN, since=now, probe_at=now + FIRST_PROBE)


def _record_while_open(breaker: Breaker, evidence: Evidence, now: float) -> Breaker:
    if evidence is Evidence.SERVED:
        return Breaker(since=now)
    at = breaker.probe_at
    if evidence is Evidence.UNTRIED:
        at = min(at, now + NEXT_TRY)
    return replace(breaker, state=State.OPEN, probe_at=at)


def probed(breaker: Breaker, *, now: float) -> Breaker:
    """Return the state after a probe was sent; the breaker must not be closed."""
    pause = min(FIRST_PROBE * 2.0 ** (min(breaker.probes, 8) + 1), LONGEST_PAUSE)
    return replace(breaker, state=State.HALF_OPEN, probes=breaker.probes + 1, probe_at=now + pause)
