"""Clocks that are set, and leases that are over: nothing is said twice, nothing waits for ever."""

from __future__ import annotations

from typing import Any

from bridge.errors import RetryableError
from bridge.planners import PLANNERS
from bridge.state.commands import SendReply
from bridge.state.plan import Plan
from bridge.state.records import LEASE
from tests.core.clock import HeldClock
from tests.core.rig import Making, Rig, reply
from tests.making import NOW


def states(rig: Rig) -> list[str]:
    return [item.state.value for item in rig.all()]


def seconds(rig: Rig, number: int) -> None:
    """Let so many seconds go by, and the core work in each."""
    for _ in range(number):
        rig.clock.move(1.0)
        rig.step()


def test_what_this_process_is_sending_is_not_sent_again_when_the_clock_leaps_ahead(
    rig: Rig,
) -> None:
    rig.assign("A")
    rig.assign("B")
    rig.do(reply("A", "one"))
    rig.clock.leap(120)
    rig.step()
    rig.do(reply("B", "two"))  # it looked for what is due, meanwhile
    seconds(rig, 3)
    assert rig.senders.words == ["one", "two"]
    rig.complete()
    rig.complete()
    assert states(rig) == ["delivered", "delivered"]
    assert [item.attempts for item in rig.all()] == [1, 1]


def test_a_clock_that_is_set_back_delays_nothing(rig: Rig) -> None:
    rig.assign("A")
    rig.do(reply("A", "one", "c-1"))
    rig.do(reply("A", "two", "c-2"))
    rig.complete(RetryableError("busy", status=503, retry_after=60))
    rig.clock.leap(-3600)
    seconds(rig, 2)
    assert rig.complete().words == "one"
    assert rig.complete().words == "two"
    assert states(rig) == ["delivered", "delivered"]


def test_a_process_that_slept_after_the_clock_was_set_back_expires_nothing_new(rig: Rig) -> None:
    rig.assign("A")
    rig.clock.leap(-5)
    rig.step()  # it noticed, and is going to correct for ten seconds
    rig.clock.move(400)
    rig.do(reply("A"))
    rig.step()
    (sending,) = rig.all()
    assert sending.expires_at == rig.clock.now() + 300


def test_what_is_stored_with_the_former_time_is_reached_too(make: Making) -> None:
    former = HeldClock(NOW + 3600)
    rig, other = make(), make(clock=former, sends=False)
    rig.assign("A")
    rig.clock.leap(-10)
    rig.step()  # it noticed
    other.do(reply("A"))
    rig.tell()
    seconds(rig, 10)
    assert rig.complete().words == "hello"
    assert states(rig) == ["delivered"]


def test_a_start_after_the_clock_was_set_back_reaches_what_is_there(make: Making) -> None:
    former = make(clock=HeldClock(NOW + 3600), name="elsewhere:1:x")
    for each in "AB":
        former.assign(each)
    former.do(reply("A", "waiting"))
    former.complete(RetryableError("busy", status=503, retry_after=60))
    former.do(reply("B", "sending"))
    make()  # on a clock of an hour before
    waiting, sending = former.all()
    assert waiting.due_at <= NOW + 60
    assert waiting.expires_at <= NOW + 300
    assert sending.lease_until is not None
    assert sending.lease_until <= NOW + LEASE


def test_a_message_whose_lease_is_over_before_it_was_sent_is_claimed_anew(make: Making) -> None:
    clock = HeldClock()
    slow = [True]

    def slowly(snapshot: Any, command: SendReply, *more: Any) -> Plan:
        plan = PLANNERS[SendReply](snapshot, command, *more)
        if slow.pop():
            clock.move(LEASE + 1)  # the commit took so long
        return plan

    rig = make(clock=clock, planners={**PLANNERS, SendReply: slowly})
    rig.assign("A")
    rig.do(reply("A"))
    assert rig.senders.sent == []
    first = rig.all()[0].lease
    rig.step(2)
    sending = rig.complete()
    assert sending.delivery.lease != first
    (done,) = rig.all()
    assert (done.state.value, done.attempts, done.unknowns) == ("delivered", 1, 0)


def test_what_a_claim_took_that_seemed_to_fail_was_not_sent_and_is_not_unknown(
    make: Making,
) -> None:
    """Its lease is this core's own, which is not sending it."""
    claimed, rig = make(name="here:1:x"), make(name="here:1:x")
    claimed.assign("A")
    claimed.do(reply("A"))
    seconds(rig, int(LEASE) + 3)
    rig.complete()
    (done,) = rig.all()
    assert (done.state.value, done.attempts, done.unknowns) == ("delivered", 1, 0)


def test_an_idle_core_takes_over_what_another_one_was_sending_when_it_died(
    make: Making,
) -> None:
    """Nobody tells it of that: it looks by itself."""
    rig, other = make(), make(name="elsewhere:1:x")
    other.assign("A")
    seconds(rig, 3)  # there is nothing to do
    other.do(reply("A"))
    seconds(rig, int(LEASE) + 3)
    assert rig.senders.words == ["hello"]
    rig.complete()
    (done,) = rig.all()
    assert (done.state.value, done.unknowns) == ("delivered", 1)
