"""Metrics for Prometheus: the core's counters and statistics read from the store.

The registry is separate from the default one. A server has one core, so the counters are the
server's; the statistics are read from the store on request and are the same on every machine. No
label contains an ID or text of a person: each has a few values that are known beforehand.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from bridge.errors import (
    BridgeError,
    GatewayError,
    RetryableError,
    SessionGoneError,
    UnknownOutcomeError,
    UnreachableError,
)
from bridge.model import Delivery, DeliveryState

_PREFIX = "cc_bridge_"
_ATTEMPTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAITS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_OUTCOMES = {
    UnreachableError: "unreachable",
    RetryableError: "not_taken",
    SessionGoneError: "session_gone",
    UnknownOutcomeError: "unknown",
}
# The bridge's own error codes of failed deliveries; all others are the gateway's.
_REASONS = (
    "agent_signed_out",
    "call_ended",
    "expired",
    "gateway_unreachable",
    "previous_part",
    "reassigned",
    "sign_in_delayed",
    "signing_in",
    "too_many_waiting",
    "unknown_outcome",
)
_RETCODE = re.compile(r"(000|100|105|106|110)-\d{3}")  # the groups in the gateway's reference
_STATUS = re.compile(r"http_([45])\d\d")
_BREAKER = ("closed", "open", "half_open")


@dataclass(frozen=True, slots=True)
class Figures:
    """Statistics of the store at one moment; the same in every process.

    Attributes:
        deliveries: the number of waiting and sending deliveries, by state.
        oldest_waiting_at: when the oldest waiting delivery was stored; None if none waits.
        sessions: the number of agents, by the state of their session.
        updates: the number of open and failed updates, by state.
    """

    deliveries: Mapping[str, int] = field(default_factory=dict)
    oldest_waiting_at: float | None = None
    open_calls: int = 0
    sessions: Mapping[str, int] = field(default_factory=dict)
    suggestions_offered: int = 0
    updates: Mapping[str, int] = field(default_factory=dict)


class Metrics:
    """The counters of one core. Thread-safe; each call costs a microsecond or two."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._settled = self._counter(
            "deliveries_settled",
            "Deliveries that an attempt or their time settled",
            "state",
            "reason",
        )
        self._attempts = self._histogram(
            "attempt_seconds", "Requests of sendmessage, by what they came to", _ATTEMPTS, "outcome"
        )
        self._delivered = self._histogram(
            "delivery_seconds", "From being stored to being delivered", _WAITS
        )
        self._handoffs = self._counter("handoffs", "Handoffs answered, by outcome", "outcome")
        self._not_taken = self._counter(
            "handoffs_not_taken", "Handoffs that nobody took within handoff.alert_after"
        )
        self._alerts = self._counter("alerts", "Attempts to report an alert, by outcome", "outcome")
        self._suggestions = self._counter("suggestions", "Suggestions, by outcome", "outcome")
        self._sign_ins = self._counter("sign_ins", "Sign-ins tried, by outcome", "outcome")
        self._events = self._counter("events_read", "Agents' events read and stored", "type")
        self._unexpected = self._counter(
            "events_unexpected",
            "Events of calls that are not known, or that do not fit their state",
        )
        self._call_requests = self._counter(
            "call_requests", "Requests about calls, by kind and outcome", "kind", "outcome"
        )
        self._updates = self._counter("errands", "Attempts to tell Rasa", "kind", "outcome")
        self._inquiries = self._counter(
            "inquiries", "Attempts to ask the bot about a customer's message", "kind", "outcome"
        )
        self._opened = self._counter("gateway_breaker_opened", "How often the breaker opened")
        ProcessCollector(registry=self._registry)
        for word in ("delivered", *_OUTCOMES.values(), "refused"):  # so that rates start from zero
            self._attempts.labels(word)
        for word in ("accepted", "refused", "failed"):
            self._sign_ins.labels(word)
        for word in ("delivered", "pending"):
            self._handoffs.labels(word)

    # -- counting ------------------------------------------------------------------------------

    def moved(self, delivery: Delivery) -> None:
        """Count a delivery whose new state was stored, if it is settled."""
        if not delivery.state.settled:
            return
        code = delivery.error.code if delivery.error else ""
        self._settled.labels(delivery.state.value, reason(code)).inc()
        if delivery.state is DeliveryState.DELIVERED and delivery.settled_at is not None:
            self._delivered.observe(max(0.0, delivery.settled_at - delivery.created_at))

    def attempted(self, error: GatewayError | None, seconds: float) -> None:
        """Record a send attempt that ended with ``error`` (None: accepted) after ``seconds``."""
        self._attempts.labels(_outcome(error)).observe(seconds)

    def breaker_opened(self) -> None:
        """Count an opening of the circuit breaker."""
        self._opened.inc()

    def handoff(self, outcome: str) -> None:
        """Count an answered handoff: ``delivered``, ``pending``, ..., or the error's code."""
        self._handoffs.labels(outcome).inc()

    def not_taken(self) -> None:
        """Count a handoff that nobody took in time."""
        self._not_taken.inc()

    def alert(self, outcome: str) -> None:
        """Count an attempt to report an alert: ``delivered``, ``waiting`` or ``failed``."""
        self._alerts.labels(outcome).inc()

    def suggestions(self, outcome: str, number: int = 1) -> None:
        """Count suggestions offered, accepted, edited, copied, rejected, or sent as ``auto``."""
        self._suggestions.labels(outcome).inc(number)

    def sign_in(self, outcome: str) -> None:
        """Count a sign-in: ``accepted``, ``refused``, or ``failed`` (no clear answer)."""
        self._sign_ins.labels(outcome).inc()

    def event_read(self, name: str) -> None:
        """Count an agent's event that was stored; ``name`` is a known type, or ``unknown``."""
        self._events.labels(name).inc()

    def event_unexpected(self) -> None:
        """Count an event of an unknown call, or one that does not fit the state of its call."""
        self._unexpected.inc()

    def call_request(self, kind: str, outcome: str) -> None:
        """Count a request to the gateway about a call: ``done`` or ``failed``."""
        self._call_requests.labels(kind, outcome).inc()

    def asked_bot(self, kind: str, outcome: str) -> None:
        """Count an attempt to ask the bot."""
        self._inquiries.labels(kind, outcome).inc()

    def update(self, kind: str, outcome: str) -> None:
        """Count an attempt at an update: ``done``, ``waiting`` (to be retried) or ``failed``."""
        self._updates.labels(kind, outcome).inc()

    # -- exposition ----------------------------------------------------------------------------

    def render(
        self, accept: str, *, read: Callable[[], Figures], breaker: str, version: str
    ) -> tuple[bytes, str]:
        """Return all metrics in Prometheus' text format, or in OpenMetrics if accepted.

        Args:
            accept: the request's Accept header.
            read: reads the statistics from the store; if it fails, they are left out and
                ``cc_bridge_store_up`` is 0.
            breaker: the state of the circuit breaker.
            version: the version of the bridge.

        Returns:
            The text and its content type.
        """
        families = [*self._counted(breaker, version), *_of_the_store(read)]
        try:
            encode, kind = choose_encoder(accept)
        except (TypeError, ValueError):  # a version that is not one, such as version=abc
            encode, kind = choose_encoder("")
        return encode(_Families(families)), kind

    def _counted(self, breaker: str, version: str) -> Iterator[Metric]:
        state = GaugeMetricFamily(
            _PREFIX + "gateway_breaker", "1 for the breaker's state", labels=["state"]
        )
        for name in _BREAKER:
            state.add_metric([name], float(name == breaker))
        info = GaugeMetricFamily(_PREFIX + "info", "The program's version", labels=["version"])
        info.add_metric([version], 1)
        for family in (*self._registry.collect(), state, info):
            family.samples = [
                sample
                for sample in family.samples
                if not sample.name.endswith("_created")  # not used in the text format
            ]
            yield family

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(_PREFIX + name, what, labels, registry=self._registry)

    def _histogram(self, name: str, what: str, buckets: Iterable[float], *labels: str) -> Histogram:
        return Histogram(
            _PREFIX + name, what, labels, buckets=tuple(buckets), registry=self._registry
        )


class _Families:
    """Metric families in the form that the encoders take."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def reason(code: str) -> str:
    """Map a delivery's error code to a few values: retcodes by group, HTTP statuses by class."""
    if not code or code in _REASONS:
        return code or "none"
    if match := _RETCODE.fullmatch(code):
        return f"retcode_{match[1]}"
    if match := _STATUS.fullmatch(code):
        return f"http_{match[1]}xx"
    return "other"


def _outcome(error: GatewayError | None) -> str:
    if error is None:
        return "delivered"
    return next((word for kind, word in _OUTCOMES.items() if isinstance(error, kind)), "refused")


def _of_the_store(read: Callable[[], Figures]) -> Iterator[Metric]:
    figures: Figures | None = None
    with suppress(BridgeError):
        figures = read()
    yield _gauge("store_up", "Whether the store could be read", float(figures is not None))
    if figures is None:
        return
    oldest = figures.oldest_waiting_at
    age = 0.0 if oldest is None else max(0.0, time.time() - oldest)
    yield _gauges("deliveries", "Deliveries that are not settled", figures.deliveries)
    yield _gauge("deliveries_oldest_waiting_seconds", "Age of the oldest that waits", age)
    yield _gauge("calls_open", "Calls that are assigned and have not ended", figures.open_calls)
    yield _gauges("sessions", "Agents, by their session's state", figures.sessions)
    yield _gauge("suggestions_offered", "Suggestions on offer", figures.suggestions_offered)
    yield _gauges("errands_kept", "Updates that Rasa is to be told, or never took", figures.updates)


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, what, value=value)


def _gauges(name: str, what: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(_PREFIX + name, what, labels=["state"])
    for state, value in values.items():
        family.add_metric([state], value)
    return family
