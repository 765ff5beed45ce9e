"""Handoffs that nobody takes: found once, reported until the webhook has them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from bridge.model import Owner
from bridge.planners.alerts import ATTEMPTS, LEASE
from bridge.planners.rules import Rules
from bridge.state.commands import (
    AcceptSuggestion,
    ActionKind,
    AlertResult,
    AssignCall,
    CopySuggestion,
    EndCall,
    ForwardMessage,
    HandBackCall,
    RejectSuggestion,
)
from bridge.store import Store, lists
from tests.core.rig import Making, Rig, call, given, reply, rules

AFTER = 60.0
LINE = "Nobody took a handoff"
DESIGNER: dict[str, Any] = {
    "handoff": {"alert_after": AFTER},
    "assist": {"when": [{"intent": "ask_hours", "reply": "utter_hours"}]},
}
WEBHOOK = {"url": "https://ops.example/", "secret": "x" * 32}


def chosen(**webhook: str) -> Rules:
    return rules(DESIGNER, alerts=webhook, rasa={"url": "http://127.0.0.1:9"})


@pytest.fixture
def handed(make: Making) -> Rig:
    """A call that was handed off a moment ago, with a suggestion on offer."""
    return hand_off(make(chosen=chosen(**WEBHOOK)))


def hand_off(rig: Rig) -> Rig:
    rig.assign("A", owner=None)
    rig.ask(call("customer-A", at=rig.clock.now()))
    rig.complete()
    asks = call("customer-A", action=ActionKind.ASSIST, number=2, intent="ask_hours")
    rig.do(asks)
    return rig


def wait(rig: Rig, seconds: float = AFTER + 5.0) -> None:
    """Let time go by; the core looks for alerts."""
    rig.clock.move(seconds)
    rig.step(3)


def lines(caplog: pytest.LogCaptureFixture, text: str = LINE) -> list[str]:
    return [record.getMessage() for record in caplog.records if text in record.getMessage()]


def name(rig: Rig) -> str:
    ((_, found),) = rig.store.read(lambda tx: lists.suggestions(tx, limit=5))
    return found.id


def metric(rig: Rig, line: str) -> bool:
    text, _ = rig.core.render_metrics("", version="1")
    return line in text.decode().splitlines()


def test_one_that_nobody_takes_is_reported_once(
    handed: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    wait(handed, AFTER - 1.0)
    assert handed.senders.alerts == []
    wait(handed, 6.0)
    (alert,) = handed.senders.alerts
    record = handed.record("A")
    assert (alert.call_id, alert.agent_id, alert.attempt) == ("A", "291", 1)
    assert (alert.handed_off_at, alert.raised_at) == (record.handed_off_at, record.alerted_at)
    handed.core.put(AlertResult(alert=alert))
    for _ in range(3):
        wait(handed)
    assert handed.senders.alerts == [alert]
    assert lines(caplog) == [f"{LINE}: call_id=A agent_id=291 waiting=65s"]
    assert metric(handed, "cc_bridge_handoffs_not_taken_total 1.0")
    assert metric(handed, 'cc_bridge_alerts_total{outcome="delivered"} 1.0')


TAKEN: dict[str, Callable[[Rig], Any]] = {
    "a reply": lambda _: reply("A"),
    "an accept": lambda rig: AcceptSuggestion(suggestion_id=name(rig), agent_id="291"),
    "a copy": lambda rig: CopySuggestion(suggestion_id=name(rig), agent_id="291"),
    "a forwarded message": lambda _: ForwardMessage(
        call_id="A", author="agent", text="hello", message_id="m-1", agent_id="291"
    ),
}
OVER: dict[str, Callable[[Rig], Any]] = {
    "it ended": lambda _: EndCall(sender_id="customer-A"),
    "it was handed back": lambda _: HandBackCall(call_id="A", agent_id="291"),
    "the conversation has another call": lambda _: AssignCall(
        assignment=given("B", sender="customer-A")
    ),
}
STILL_OPEN: dict[str, Callable[[Rig], Any]] = {
    "a rejection": lambda rig: RejectSuggestion(suggestion_id=name(rig), agent_id="291"),
    "the customer's message": lambda _: ForwardMessage(
        call_id="A", author="customer", text="hello?", message_id="m-1", agent_id="291"
    ),
    "a transfer": lambda _: AssignCall(
        assignment=given("A", sender="customer-A", agent="305"), owner=Owner.AGENT
    ),
}


@pytest.mark.parametrize("what", [*TAKEN, *OVER])
def test_one_that_is_taken_or_over_raises_nothing(
    handed: Rig, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    handed.clock.move(AFTER - 1.0)
    handed.do((TAKEN | OVER)[what](handed))
    for _ in range(3):
        wait(handed)
    assert handed.senders.alerts == []
    assert lines(caplog) == []
    assert handed.record("A").alert_at is None


@pytest.mark.parametrize("what", STILL_OPEN)
def test_what_answers_nobody_takes_nothing(handed: Rig, what: str) -> None:
    handed.do(STILL_OPEN[what](handed))
    wait(handed)
    (alert,) = handed.senders.alerts
    assert alert.agent_id == handed.record("A").assignment.agent_id


def test_what_was_said_before_the_handoff_does_not_count(handed: Rig) -> None:
    handed.do(reply("A"))
    handed.do(HandBackCall(call_id="A", agent_id="291"))
    handed.clock.move(120.0)
    handed.ask(call("customer-A", number=3, at=handed.clock.now()))
    wait(handed)
    assert len(handed.senders.alerts) == 1


def test_a_call_that_is_given_to_an_agent_counts(make: Making) -> None:
    rig = make(chosen=chosen(**WEBHOOK))
    rig.assign("A")
    wait(rig)
    assert [alert.call_id for alert in rig.senders.alerts] == ["A"]


@pytest.mark.parametrize("webhook", [{}, WEBHOOK])
def test_without_a_webhook_it_is_logged_and_stored(
    make: Making, webhook: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    rig = hand_off(make(chosen=chosen(**webhook)))
    wait(rig)
    assert len(lines(caplog)) == 1
    assert rig.record("A").alerted_at == rig.clock.now()
    assert len(rig.senders.alerts) == len(webhook) / 2


def test_by_default_nothing_is_raised(make: Making) -> None:
    rig = hand_off(make())
    wait(rig)
    assert rig.record("A").alert_at is None
    assert rig.senders.alerts == []


def test_a_webhook_that_fails_is_tried_a_number_of_times(
    handed: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    wait(handed)
    for _ in range(2 * ATTEMPTS):
        for alert in handed.senders.alerts[-1:]:
            handed.core.put(AlertResult(alert=alert, error="it answered HTTP 500", jitter=1.0))
        handed.step()
        wait(handed, 130.0)
    assert [alert.attempt for alert in handed.senders.alerts] == list(range(1, ATTEMPTS + 1))
    assert len({alert.id for alert in handed.senders.alerts}) == 1
    assert len(lines(caplog)) == 1
    failures = lines(caplog, "An alert did not reach the webhook")
    assert len(failures) == ATTEMPTS
    (last,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "giving up: it answered HTTP 500 call_id=A" in last.getMessage()
    assert metric(handed, 'cc_bridge_alerts_total{outcome="failed"} 1.0')


def test_a_restart_loses_none(make: Making, store: Store) -> None:
    first = hand_off(make(chosen=chosen(**WEBHOOK)))
    second = make(store, chosen=chosen(**WEBHOOK), clock=first.clock)  # before it was due
    wait(second)
    assert len(second.senders.alerts) == 1  # and its process dies before it is reported
    third = make(store, chosen=chosen(**WEBHOOK), clock=first.clock)
    wait(third, 10.0)
    assert third.senders.alerts == []
    wait(third, LEASE)
    (again,) = third.senders.alerts
    assert (again.id, again.attempt) == (second.senders.alerts[0].id, 2)
    third.core.put(AlertResult(alert=second.senders.alerts[0]))  # a result of the first attempt
    third.step()
    assert third.record("A").alert_at is not None
    third.core.put(AlertResult(alert=again))
    third.step()
    assert third.record("A").alert_at is None


def test_of_two_replicas_one_raises_it(
    make: Making, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    first = hand_off(make(chosen=chosen(**WEBHOOK)))
    second = make(store, chosen=chosen(**WEBHOOK), clock=first.clock)
    wait(first)
    second.step(3)
    assert len(first.senders.alerts) + len(second.senders.alerts) == 1
    assert len(lines(caplog)) == 1


def test_a_clock_that_is_set_back_does_not_delay_it(handed: Rig) -> None:
    handed.clock.leap(-3600.0)
    handed.step(3)
    wait(handed, 6.0)
    wait(handed)
    assert len(handed.senders.alerts) == 1
