"""What is told to Prometheus: the format, few label values, and the page that names them all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bridge.errors import (
    FinalError,
    GatewayError,
    RetryableError,
    SigningInError,
    StoreError,
    UnknownOutcomeError,
    UnreachableError,
)
from bridge.metrics import Figures, Metrics, reason
from bridge.model import DeliveryError, DeliveryState
from tests.making import NOW, delivery
from tests.unit.test_the_deployers_page import table

FIGURES = Figures(
    deliveries={"waiting": 3, "sending": 1},
    oldest_waiting_at=1.0,
    open_calls=7,
    sessions={"signed_in": 2, "gone": 0},
    suggestions_offered=4,
    updates={"open": 5, "failed": 6},
)


def told(metrics: Metrics, breaker: str = "closed") -> str:
    text, kind = metrics.render("", read=lambda: FIGURES, breaker=breaker, version="1.2.3")
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    return text.decode()


def samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        yield from family.samples


def value(text: str, name: str, **labels: str) -> float:
    (found,) = (
        each.value
        for each in samples(text)
        if each.name == name and labels.items() <= each.labels.items()
    )
    return found


def every_kind() -> Metrics:
    """Each metric with something in it."""
    metrics = Metrics()
    metrics.moved(delivery(1, state=DeliveryState.DELIVERED, settled_at=NOW + 2))
    metrics.attempted(None, 0.2)
    metrics.handoff("delivered")
    metrics.not_taken()
    metrics.alert("delivered")
    metrics.suggestions("offered", 3)
    metrics.sign_in("accepted")
    metrics.event_read("AgentState_Ready")
    metrics.event_unexpected()
    metrics.call_request("answer", "done")
    metrics.update("resume", "done")
    metrics.asked_bot("suggest", "answered")
    metrics.breaker_opened()
    return metrics


def test_a_delivery_that_arrived() -> None:
    text = told(every_kind())
    settled = "cc_bridge_deliveries_settled_total"
    assert value(text, settled, state="delivered", reason="none") == 1
    assert value(text, "cc_bridge_delivery_seconds_sum") == 2
    assert value(text, "cc_bridge_attempt_seconds_bucket", outcome="delivered", le="0.25") == 1


def test_what_is_moved_without_being_settled_is_not_counted() -> None:
    metrics = Metrics()
    metrics.moved(delivery(1))
    assert "cc_bridge_deliveries_settled_total{" not in told(metrics)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (UnreachableError(""), "unreachable"),
        (RetryableError("", status=503), "not_taken"),
        (SigningInError("", status=401), "session_gone"),
        (UnknownOutcomeError(""), "unknown"),
        (FinalError(""), "refused"),
    ],
)
def test_what_attempts_come_to(error: GatewayError, outcome: str) -> None:
    metrics = Metrics()
    metrics.attempted(error, 0.1)
    assert value(told(metrics), "cc_bridge_attempt_seconds_count", outcome=outcome) == 1


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("", "none"),
        ("call_ended", "call_ended"),
        ("106-001", "retcode_106"),
        ("107-001", "other"),
        ("http_404", "http_4xx"),
        ("http_999", "other"),
        ("whatever a gateway makes up", "other"),
    ],
)
def test_reasons_are_few_whatever_the_gateway_says(code: str, word: str) -> None:
    assert reason(code) == word
    metrics = Metrics()
    error = DeliveryError(code, "a sentence") if code else None
    metrics.moved(delivery(1, state=DeliveryState.FAILED, error=error, settled_at=NOW))
    name = "cc_bridge_deliveries_settled_total"
    assert value(told(metrics), name, state="failed", reason=word) == 1


def test_no_label_tells_processes_apart_since_one_counts_for_all() -> None:
    labels = {name for sample in samples(told(every_kind())) for name in sample.labels}
    assert "process" not in labels


def test_the_breaker_is_in_one_state() -> None:
    text = told(Metrics(), breaker="open")
    states = {state: value(text, "cc_bridge_gateway_breaker", state=state) for state in BREAKER}
    assert states == {"closed": 0, "open": 1, "half_open": 0}


BREAKER = ("closed", "open", "half_open")


def test_a_store_that_cannot_be_read_leaves_its_figures_out() -> None:
    def broken() -> Figures:
        raise StoreError("away")

    text = every_kind().render("", read=broken, breaker="closed", version="1")[0].decode()
    assert value(text, "cc_bridge_store_up") == 0
    assert "cc_bridge_calls_open" not in text
    assert value(text, "cc_bridge_events_read_total", type="AgentState_Ready") == 1


def test_openmetrics_for_those_who_accept_it() -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    text, kind = every_kind().render(
        accept, read=lambda: FIGURES, breaker="closed", version="1.2.3"
    )
    assert kind.startswith("application/openmetrics-text")
    families = openmetrics_families(text.decode())  # type: ignore[no-untyped-call]
    assert any(each.name == "cc_bridge_calls_open" for each in families)


def test_the_page_names_each_metric_with_its_labels() -> None:
    shown = {
        name: set(filter(None, labels.replace(" ", "").split(",")))
        for line in table("metrics", "monitoring.md")
        for name, labels in re.findall(r"^\| `(\w+)` \| ([^|]*)\|", line)
    }
    found: dict[str, set[str]] = {}
    for sample in samples(told(every_kind())):
        if sample.name.startswith("cc_bridge_"):
            name = re.sub(r"_(bucket|count|sum)$", "", sample.name)
            found[name] = found.get(name, set()) | (sample.labels.keys() - {"le"})
    assert shown == found
