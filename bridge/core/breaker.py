"""A circuit breaker for one gateway. Pure: the clock is given, and nobody is called.

closed       everything is sent
open         nothing is sent but a probe now and then: the gateway does not serve
half-open    a probe is on its way, and its outcome decides

It opens when the last attempts, of more than one call, all met a gateway that does not serve:
unreachable, silent, cut off, or HTTP 502, 503, 504. An answer to any of them, a refusal too, shows
that it serves and begins the count anew. So one bad call among good ones never opens it, and
neither does a call by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from bridge.errors import GatewayError, UnknownOutcomeError, UnreachableError

FAILURES = 5  # in a row
SOURCES = 2  # calls (or agents that sign in) that they are of, at least
FIRST_PROBE = 1.0  # seconds after opening; doubled each time
LONGEST_PAUSE = 4.0  # seconds between probes: at least one every five, whatever else takes time
NEXT_TRY = 0.25  # seconds after a probe that made no request: its agent has no session
_AWAY = (502, 503, 504)


class State(str, Enum):
    """How the breaker stands."""

    CLOSED = "closed"  # everything is sent
    OPEN = "open"  # nothing is sent until the next probe is due
    HALF_OPEN = "half_open"  # a probe was sent, and its outcome is awaited


class Evidence(Enum):
    """What an attempt says about the gateway, whatever it means for the message."""

    SERVED = "served"  # it answered
    AWAY = "away"  # it does not serve
    UNCLEAR = "unclear"  # what it answered may be the message's fault as well
    UNTRIED = "untried"  # nothing was asked: there was no GUID to ask with


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker at one moment; the functions below give the next.

    Attributes:
        since: when it was closed or opened last; ``half_open`` belongs to being open.
        failures: in a row, while it is closed.
        sources: of whom those were; no more are kept than decide.
        probes: how many were sent since it opened.
        probe_at: when the next one is due.
    """

    state: State = State.CLOSED
    since: float = 0.0
    failures: int = 0
    sources: frozenset[str] = frozenset()
    probes: int = 0
    probe_at: float = 0.0

    @property
    def closed(self) -> bool:
        """Whether everything is sent."""
        return self.state is State.CLOSED

    def due(self, now: float) -> bool:
        """Whether it is time for a probe, also where the clock was put back meanwhile."""
        return not self.closed and not 0 < self.probe_at - now <= LONGEST_PAUSE


def read(error: GatewayError | None) -> Evidence:
    """What an attempt that came to ``error`` (None: delivered) says about the gateway."""
    if error is None:
        return Evidence.SERVED
    if isinstance(error, UnreachableError) or error.status in _AWAY:
        return Evidence.AWAY
    if isinstance(error, UnknownOutcomeError):
        # With a status: 500, or an answer that cannot be read.
        return Evidence.UNCLEAR if error.status else Evidence.AWAY
    return Evidence.SERVED if error.status else Evidence.UNTRIED


def heard(breaker: Breaker, evidence: Evidence, source: str, *, now: float) -> Breaker:
    """After an attempt; ``source`` is the call that it was for, or the agent that signed in."""
    if not breaker.closed:
        return _heard_while_open(breaker, evidence, now)
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


def _heard_while_open(breaker: Breaker, evidence: Evidence, now: float) -> Breaker:
    if evidence is Evidence.SERVED:
        return Breaker(since=now)
    at = breaker.probe_at
    if evidence is Evidence.UNTRIED:
        at = min(at, now + NEXT_TRY)
    return replace(breaker, state=State.OPEN, probe_at=at)


def probed(breaker: Breaker, *, now: float) -> Breaker:
    """After a probe was sent, while it is open."""
    pause = min(FIRST_PROBE * 2.0 ** (min(breaker.probes, 8) + 1), LONGEST_PAUSE)
    return replace(breaker, state=State.HALF_OPEN, probes=breaker.probes + 1, probe_at=now + pause)
