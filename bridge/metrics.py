"""What the core counts, and how that and the store's figures are told to Prometheus.

A registry of our own. A server has one core, so its counters are the server's; what is read from
the store when it is asked for is the same on every machine. No label holds an ID or a word of
anybody's: each has a few values that are known beforehand.
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
# Why a delivery failed, where that is ours to say; the rest are the gateway's codes.
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
_RETCODE = re.compile(r"(000|100|105|106|110)-\d{3}")  # the groups that the reference knows
_STATUS = re.compile(r"http_([45])\d\d")
_BREAKER = ("closed", "open", "half_open")


@dataclass(frozen=True, slots=True)
class Figures:
    """What the store holds at one moment; the same for every process.

    Attributes:
        deliveries: how many wait, and how many are being sent, by state.
        oldest_waiting_at: when the oldest that waits was stored; None where nothing waits.
        sessions: how many agents, by their session's state.
        updates: how many are open, and how many were given up, by state.
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
        self._suggestions = self._counter("suggestions", "Suggestions, by outcome", "outcome")
        self._sign_ins = self._counter("sign_ins", "Sign-ins tried, by outcome", "outcome")
        self._events = self._counter("events_read", "Agents' events read and stored")
        self._updates = self._counter("errands", "Attempts to tell Rasa", "kind", "outcome")
        self._opened = self._counter("gateway_breaker_opened", "How often the breaker opened")
        ProcessCollector(registry=self._registry)
        for word in ("delivered", *_OUTCOMES.values(), "refused"):  # a rate begins at a zero
            self._attempts.labels(word)
        for word in ("accepted", "refused", "failed"):
            self._sign_ins.labels(word)
        for word in ("delivered", "pending"):
            self._handoffs.labels(word)

    # -- counting ------------------------------------------------------------------------------

    def moved(self, delivery: Delivery) -> None:
        """A delivery was moved, and that is stored."""
        if not delivery.state.settled:
            return
        code = delivery.error.code if delivery.error else ""
        self._settled.labels(delivery.state.value, reason(code)).inc()
        if delivery.state is DeliveryState.DELIVERED and delivery.settled_at is not None:
            self._delivered.observe(max(0.0, delivery.settled_at - delivery.created_at))

    def attempted(self, error: GatewayError | None, seconds: float) -> None:
        """A message was sent, and came to ``error`` (None: it was taken)."""
        self._attempts.labels(_outcome(error)).observe(seconds)

    def breaker_opened(self) -> None:
        """The gateway does not serve any more."""
        self._opened.inc()

    def handoff(self, outcome: str) -> None:
        """A handoff was answered: ``delivered``, ``pending``, ..., or the error's word."""
        self._handoffs.labels(outcome).inc()

    def suggestions(self, outcome: str, number: int = 1) -> None:
        """Suggestions were offered, accepted, edited, rejected, or sent by themselves."""
        self._suggestions.labels(outcome).inc(number)

    def sign_in(self, outcome: str) -> None:
        """A sign-in was ``accepted``, ``refused``, or ``failed``: the gateway did not say."""
        self._sign_ins.labels(outcome).inc()

    def event_read(self) -> None:
        """An agent's event was read and stored."""
        self._events.inc()

    def update(self, kind: str, outcome: str) -> None:
        """Rasa was told something: ``done``; or was not: ``waiting``, or for good ``failed``."""
        self._updates.labels(kind, outcome).inc()

    # -- telling -------------------------------------------------------------------------------

    def tell(
        self, accept: str, *, read: Callable[[], Figures], breaker: str, version: str
    ) -> tuple[bytes, str]:
        """All of it in Prometheus' text format, or in OpenMetrics if that is accepted.

        Args:
            accept: the header of the request.
            read: asks the store; where that fails, its figures are left out and
                ``cc_bridge_store_up`` is 0.
            breaker: the state of the circuit breaker.
            version: the program's.

        Returns:
            The text and its content type.
        """
        families = [*self._counted(breaker, version), *_of_the_store(read)]
        encode, kind = choose_encoder(accept)
        return encode(_Told(families)), kind

    def _counted(self, breaker: str, version: str) -> Iterator[Metric]:
        state = GaugeMetricFamily(
            _PREFIX + "gateway_breaker", "1 for the breaker's state", labels=["state"]
        )
        for each in _BREAKER:
            state.add_metric([each], float(each == breaker))
        info = GaugeMetricFamily(_PREFIX + "info", "The program's version", labels=["version"])
        info.add_metric([version], 1)
        for family in (*self._registry.collect(), state, info):
            family.samples = [
                sample
                for sample in family.samples
                if not sample.name.endswith("_created")  # the text format has no use for it
            ]
            yield family

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(_PREFIX + name, what, labels, registry=self._registry)

    def _histogram(self, name: str, what: str, buckets: Iterable[float], *labels: str) -> Histogram:
        return Histogram(
            _PREFIX + name, what, labels, buckets=tuple(buckets), registry=self._registry
        )


class _Told:
    """Families as the encoders want them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def reason(code: str) -> str:
    """A delivery's error code as one of a few: retcodes by their first part, HTTP by its class."""
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
    found: Figures | None = None
    with suppress(BridgeError):
        found = read()
    yield _gauge("store_up", "Whether the store could be read", float(found is not None))
    if found is None:
        return
    oldest = found.oldest_waiting_at
    age = 0.0 if oldest is None else max(0.0, time.time() - oldest)
    yield _gauges("deliveries", "Deliveries that are not settled", found.deliveries)
    yield _gauge("deliveries_oldest_waiting_seconds", "Age of the oldest that waits", age)
    yield _gauge("calls_open", "Calls that are assigned and have not ended", found.open_calls)
    yield _gauges("sessions", "Agents, by their session's state", found.sessions)
    yield _gauge("suggestions_offered", "Suggestions on offer", found.suggestions_offered)
    yield _gauges("errands_kept", "Updates that Rasa is to be told, or never took", found.updates)


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, what, value=value)


def _gauges(name: str, what: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(_PREFIX + name, what, labels=["state"])
    for state, value in values.items():
        family.add_metric([state], value)
    return family
