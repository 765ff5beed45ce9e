"""Decide when to claim deliveries, updates for Rasa and requests about calls, and how many."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from bridge.core import breaker
from bridge.core.batches import BATCH
from bridge.core.breaker import Breaker, Evidence
from bridge.core.call_requests import CallRequests
from bridge.core.clock import Clock
from bridge.core.domain import DomainCache
from bridge.core.in_flight import InFlight
from bridge.core.timers import Timers
from bridge.errors import GatewayError
from bridge.metrics import Metrics
from bridge.planners import Rules
from bridge.state.commands import (
    ClaimDeliveries,
    ClaimRequests,
    ClaimUpdates,
    Command,
    ReleaseHeld,
    TakeOverSessions,
)
from bridge.state.plan import Plan, UpdateBreaker
from bridge.state.records import LEASE
from bridge.state.snapshot import Snapshot

logger = logging.getLogger(__name__)

CLAIMS = (ClaimDeliveries, ClaimUpdates, ClaimRequests, TakeOverSessions)
_PAUSE = 1.0  # seconds before the next claim after one that could not be committed, or a sweep


class Claiming:
    """Belongs to the core's thread.

    Attributes:
        breaker: the circuit breaker around the gateway.
        backlog: due deliveries wait for a free sender.
    """

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        timers: Timers[Command],
        metrics: Metrics,
        in_flight: InFlight,
        requests: CallRequests,
        domain: DomainCache,
    ) -> None:
        self.breaker = Breaker(since=clock.now())
        self.backlog = False
        self._rules = rules
        self._clock = clock
        self._timers = timers
        self._metrics = metrics
        self._in_flight = in_flight
        self._requests = requests
        self._domain = domain
        self._due: float | None = None
        self._update_due: float | None = None
        self._from = 0.0  # no claim before this time: the last one could not be committed
        self._swept_at = 0.0

    # -- when ----------------------------------------------------------------------------------

    def make_due(self, at: float) -> None:
        """Claim everything at a time, whether or not something is known to be due."""
        self._due = self._update_due = self._requests.due = at

    def planned(self, plan: Plan) -> None:
        """Claim what a plan leaves waiting when it is due."""
        self._due = _earlier(self._due, plan.due)
        self._update_due = _earlier(self._update_due, plan.update_due)
        self._requests.make_due(plan.request_due)

    def reset(self, now: float) -> None:
        """Claim everything at once, because the clock was set back."""
        self._swept_at = self._from = 0.0
        self.make_due(now)

    def next(self, now: float) -> float:
        """Return the time of the next claim."""
        at = self._claim_at(now)
        if self._update_due is not None and any(self._in_flight.free_updates):
            at = min(at, self._update_due)
        if (requests_at := self._requests.next_claim) is not None:
            at = min(at, requests_at)
        return at

    def _claim_at(self, now: float) -> float:
        """Return the time of the next claim of deliveries."""
        if not self.breaker.closed:
            left = self.breaker.probe_at - now
            sweep_at = self._swept_at + _PAUSE
            at = now if self.breaker.due(now) else min(sweep_at, now + max(left, 0.0))
            return max(at, self._from)
        if self._due is None or self._in_flight.free <= 0:
            return now + LEASE
        return self._due

    # -- what ----------------------------------------------------------------------------------

    def claims(self, now: float) -> Iterator[Command]:
        """Yield the claims that are due."""
        if now >= self._claim_at(now) and (claim := self._claim(now)) is not None:
            yield claim
        if self._update_due is not None and now >= self._update_due:
            inquiries, others = self._in_flight.free_updates
            if inquiries or others:
                if self._rules.asks_rasa:
                    yield self._claim_updates(now, inquiries, others)
                self._update_due = None
        requests = self._requests.claim(now)
        if requests is not None and self._rules.bridge.readers:
            yield requests

    def _claim(self, now: float) -> ClaimDeliveries | None:
        free = self._in_flight.free
        held = {seq: item.lease for seq, item in self._in_flight.held.items()}
        if self.breaker.closed:
            if free <= 0:
                return None
            self._due = None
            return ClaimDeliveries(limit=min(free, BATCH * 4), held=held)
        self._swept_at = now
        probe = self.breaker.due(now)
        return ClaimDeliveries(limit=1, probe=probe, sweep=not probe, held=held)

    def _claim_updates(self, now: float, inquiries: int, others: int) -> ClaimUpdates:
        responses, asked = self._domain.known(now)
        return ClaimUpdates(
            limit=others,
            inquiries=inquiries,
            held={seq: update.lease for seq, update in self._in_flight.updates.items()},
            responses=responses,
            domain_asked=asked,
        )

    # -- what comes of it ----------------------------------------------------------------------

    def claimed(self, command: Command, plan: Plan, snapshot: Snapshot) -> None:
        """Note what a committed claim found."""
        now = self._clock.now()
        if isinstance(command, ClaimUpdates):
            self._update_due = _earlier(self._update_due, snapshot.next_update_due)
            return
        if isinstance(command, ClaimRequests):
            self._requests.make_due(snapshot.next_request_due)
            return
        if not isinstance(command, ClaimDeliveries):
            return
        if command.probe and not self.breaker.closed:
            if plan.answer:
                self.breaker = breaker.probed(self.breaker, now=now)
            return
        self.backlog = snapshot.more
        self._due = _earlier(self._due, now if snapshot.more else snapshot.next_due)

    def refused(self, command: Command) -> None:
        """Repeat a claim that could not be committed, after a pause."""
        at = self._clock.now() + _PAUSE
        if isinstance(command, ClaimUpdates):
            self._update_due = at
        elif isinstance(command, ClaimRequests):
            self._requests.due = at
        elif isinstance(command, ClaimDeliveries):
            self._due = self._from = at

    def update_breaker(self, effect: UpdateBreaker) -> None:
        """Update the circuit breaker with the outcome of an attempt."""
        error = effect.error if isinstance(effect.error, GatewayError) else None
        evidence = breaker.read(error)
        if effect.signing_in and evidence is not Evidence.AWAY:
            return  # a successful sign-in is no evidence that messages are accepted
        before, now = self.breaker, self._clock.now()
        if before.closed and evidence is Evidence.SERVED and not before.failures:
            return
        after = self.breaker = breaker.record(before, evidence, effect.source, now=now)
        if before.closed and not after.closed:
            self._metrics.breaker_opened()
            logger.warning(
                "The gateway is unavailable: messages wait, except for periodic probes failures=%d",
                breaker.FAILURES,
            )
        elif after.closed and not before.closed:
            logger.info(
                "The gateway is available again: waiting messages are sent away_for=%.0fs",
                now - before.since,
            )
            self._due = now
            self._timers.add(0.0, ReleaseHeld())


def _earlier(first: float | None, second: float | None) -> float | None:
    """Return the earlier of two times; None means never."""
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)
