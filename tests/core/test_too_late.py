"""Whoever asked is told in time: what comes later is not done, or is undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bridge.errors import StoreError
from bridge.model import Owner
from bridge.planners import PLANNERS
from bridge.state.commands import CallAction, Command
from bridge.state.plan import Plan
from tests.core.clock import HeldClock
from tests.core.rig import Making, Rig, call, reply
from tests.making import NOW


def test_a_command_that_is_planned_after_its_time_is_refused(rig: Rig) -> None:
    sender = rig.assign("A", owner=None)
    (asked,) = rig.submit(call(sender, answer_by=NOW + 2.5))
    rig.clock.move(2.6)
    rig.step()
    assert isinstance(asked.error, StoreError)
    assert rig.all() == []
    assert rig.record("A").owner is Owner.BOT


def test_one_that_is_planned_in_time_is_done(rig: Rig) -> None:
    sender = rig.assign("A", owner=None)
    (asked,) = rig.submit(call(sender, answer_by=NOW + 2.5))
    rig.clock.move(2.4)
    rig.step()
    rig.complete()
    assert asked.value.delivery == "delivered"


@pytest.fixture
def slow(make: Making) -> Rig:
    """A core whose commits of action calls take three seconds."""
    clock = HeldClock()

    def slowly(snapshot: Any, command: CallAction, *more: Any) -> Plan:
        plan = PLANNERS[CallAction](snapshot, command, *more)
        if not seen:
            clock.move(3.0)
            seen.append(command)
        return plan

    seen: list[Command] = []
    return make(clock=clock, planners={**PLANNERS, CallAction: slowly})


def test_one_whose_commit_came_too_late_sends_nothing_and_is_withdrawn(slow: Rig) -> None:
    sender = slow.assign("A", owner=None)
    command = call(sender, answer_by=NOW + 2.5)
    asked = slow.ask(command)
    assert slow.senders.sent == []
    slow.step()
    (withdrawn,) = slow.all()
    assert withdrawn.state.value == "failed"
    assert withdrawn.error is not None
    assert withdrawn.error.code == "withdrawn"
    record = slow.record("A")
    assert (record.owner, record.handed_off_at) == (Owner.BOT, None)
    assert asked.value.error == "store_unavailable"
    assert asked.value.state == "bot"
    assert slow.senders.sent == []
    # The same request once more is told what the first one was.
    assert slow.do(replace(command, answer_by=None)) == asked.value


def test_what_comes_after_a_withdrawn_handoff_goes(slow: Rig) -> None:
    sender = slow.assign("A", owner=None)
    slow.ask(call(sender, answer_by=NOW + 2.5))
    slow.step()
    slow.clock.move(60.0)
    asked = slow.ask(call(sender, number=2, at=slow.clock.now()))
    slow.complete()
    assert asked.value.delivery == "delivered"


def _by_the_judge(rig: Rig) -> None:
    rig.clock.move(2.0)
    rig.step()


def _by_the_sender(rig: Rig) -> None:
    rig.complete()


@pytest.mark.parametrize(
    ("how", "delivery"), [(_by_the_judge, "pending"), (_by_the_sender, "delivered")]
)
def test_a_handoff_is_answered_at_its_wait_or_when_it_is_delivered(
    rig: Rig, how: Callable[[Rig], None], delivery: str
) -> None:
    asked = rig.ask(call(rig.assign("A", owner=None), answer_by=NOW + 2.5))
    rig.clock.move(1.9)
    rig.step()
    assert not asked.answered
    how(rig)
    assert asked.value.delivery == delivery


def test_a_reply_is_answered_at_once(rig: Rig) -> None:
    rig.assign("A")
    assert rig.do(reply("A", answer_by=NOW + 1))


@pytest.mark.parametrize("wait", [float("inf"), float("nan"), float("-inf"), 1e300])
def test_nobody_waits_for_ever(rig: Rig, wait: float) -> None:
    asked = rig.ask(call(rig.assign("A", owner=None), wait=wait))
    other = rig.ask(call(rig.assign("B", owner=None), wait=2.0))
    rig.clock.move(61.0)
    rig.step(2)
    assert [asked.value.delivery, other.value.delivery] == ["pending", "pending"]
