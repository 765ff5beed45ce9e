"""Commands that come together: one commit, in their order, and each one's fault is its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.core.batches import BATCH
from bridge.core.command_queue import CAPACITY, FullError
from bridge.core.planning import PlanningError
from bridge.errors import FinalError, RefusedError, StoreError
from bridge.model import Delivery, DeliveryState, Guid, Owner
from bridge.planners import PLANNERS
from bridge.state.commands import (
    AssignCall,
    CheckStore,
    Command,
    ContinuePolling,
    EndCall,
    PushGuid,
    SendingResult,
)
from bridge.state.plan import Plan
from bridge.store import Store
from tests.core.rig import Asked, Making, Rig, call, given, reply
from tests.core.senders import NotingSenders


def broken(*_: object) -> Plan:
    raise TypeError


def states(rig: Rig) -> list[str]:
    return [item.state.value for item in rig.all()]


def test_commands_of_one_batch_are_planned_in_their_order(rig: Rig) -> None:
    rig.assign("A")
    asked = rig.submit(
        reply("A", "one", "c-1"),
        reply("A", "two", "c-2"),
        EndCall(sender_id="customer-A"),
        reply("A", "three", "c-3"),
        AssignCall(assignment=given("A"), owner=Owner.AGENT),
        reply("A", "four", "c-4"),
    )
    rig.step()
    assert isinstance(asked[3].error, RefusedError)
    assert asked[3].error.code == "call_ended"
    assert [each.error for each in asked if each is not asked[3]] == [None] * 5
    words = [item.draft.content for item in rig.all()]
    assert words == ["one", "two", "four"]
    assert [item.error.code if item.error else None for item in rig.all()[1:]] == [
        "call_ended",
        None,
    ]
    rig.complete()
    rig.step()
    assert rig.senders.words == ["four"]


@pytest.mark.parametrize("first", ["reply", "hand over to the bot"])
def test_the_order_of_two_kinds_of_command_decides(rig: Rig, first: str) -> None:
    rig.assign("A")
    commands: list[Command] = [
        reply("A"),
        AssignCall(assignment=given("A"), owner=Owner.BOT),
    ]
    if first != "reply":
        commands.reverse()
    rig.submit(*commands)
    rig.step()
    assert states(rig) == (["sending"] if first == "reply" else [])


def test_a_planner_that_raises_is_that_commands_error_and_nobody_elses(make: Making) -> None:
    rig = make(planners={**PLANNERS, EndCall: broken})
    for each in "ABC":
        rig.assign(each)
    one, two, three = rig.submit(reply("A"), EndCall(sender_id="customer-B"), reply("C"))
    rig.step()
    assert [len(each.value.value) for each in (one, three)] == [1, 1]
    assert isinstance(two.error, PlanningError)
    assert two.error.message == "the request failed; the log says where"
    assert rig.record("B").open
    assert sorted(item.delivery.envelope.call_id for item in rig.senders.sent) == ["A", "C"]


def test_an_answer_that_cannot_be_made_undoes_nothing_and_is_nobody_elses_error(
    make: Making,
) -> None:
    def end(snapshot: Any, command: EndCall, *more: Any) -> Plan:
        return replace(PLANNERS[EndCall](snapshot, command, *more), finish=broken)

    rig = make(planners={**PLANNERS, EndCall: end})
    for each in "AB":
        rig.assign(each)
    one, two = rig.submit(reply("A"), EndCall(sender_id="customer-B"))
    rig.step()
    assert len(one.value.value) == 1
    assert isinstance(two.error, PlanningError)
    assert not rig.record("B").open
    assert rig.senders.words == ["hello"]


def test_a_result_that_no_planner_understands_parks_its_delivery(make: Making) -> None:
    def complete(snapshot: Any, command: SendingResult, *more: Any) -> Plan:
        if command.delivery.draft.content == "one":
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "an undecodable retcode")
        return PLANNERS[SendingResult](snapshot, command, *more)

    rig = make(planners={**PLANNERS, SendingResult: complete})
    rig.assign("A")
    rig.assign("B")
    for number, words in enumerate(("one", "two")):
        rig.do(reply("A", words, f"c-{number}"))
    rig.do(reply("B", "three"))
    rig.step()  # nothing is due any more
    rig.complete(FinalError("refused", retcode="\ud800"))
    parked = rig.all()[0]
    assert parked.state is DeliveryState.UNCERTAIN
    assert parked.error is not None
    assert parked.error.code == "internal"
    assert rig.complete().words == "three"  # nothing else is in the way
    rig.clock.move(1.0)
    rig.step()
    assert rig.complete().words == "two"
    assert states(rig) == ["uncertain", "delivered", "delivered"]


def test_a_sender_that_raises_undoes_nothing_that_is_committed(make: Making) -> None:
    class Faulty(NotingSenders):
        def send(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
            if delivery.draft.content == "one" and not self.polls_stopped:
                raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "it cannot be sent like that")
            super().send(delivery, guid, timeout, retried=retried)

    senders = Faulty()
    rig = make(senders=senders)
    rig.assign("A")
    rig.assign("B")
    one, two = rig.submit(reply("A", "one"), reply("B", "two"))
    rig.step(2)
    assert [len(each.value.value) for each in (one, two)] == [1, 1]  # answered, and once
    assert senders.words == ["two"]
    held, sending = rig.all()
    assert sending.state is DeliveryState.SENDING
    assert held.state is DeliveryState.WAITING
    assert held.error is not None
    assert held.error.code == "internal"
    senders.stop_polling()  # by now it can be sent
    rig.clock.move(1.0)
    rig.step()
    assert senders.words == ["two", "one"]


def test_an_answer_that_cannot_be_given_keeps_nobody_else_from_theirs(rig: Rig) -> None:
    rig.assign("A")
    rig.assign("B")

    def gone(_value: object, _error: object) -> None:
        raise RuntimeError

    rig.core.submit(reply("A"), gone)
    assert len(rig.do(reply("B")).value) == 1
    assert states(rig) == ["sending", "sending"]


def test_more_than_a_batch_is_done_in_several(rig: Rig) -> None:
    rig.assign("A")
    asked = rig.submit(*(reply("A", f"{number}", f"c-{number}") for number in range(BATCH + 3)))
    rig.step()
    assert [each.answered for each in asked] == [True] * BATCH + [False] * 3
    rig.step()
    assert [item.draft.content for item in rig.all()] == [str(n) for n in range(BATCH + 3)]


def test_what_is_stored_by_another_core_meanwhile_is_planned_again(
    make: Making, store_url: str
) -> None:
    """Whoever is second finds what the first one stored: the same message is stored once."""
    elsewhere = Store(store_url)
    try:
        one, two = make(), make(on=elsewhere)
        one.assign("A")
        first, second = one.ask(reply("A")), two.ask(reply("A"))
        assert [item.seq for item in first.value.value] == [item.seq for item in second.value.value]
        assert len(one.all()) == 1
    finally:
        elsewhere.close()


@pytest.mark.parametrize("stop", [True, False])
def test_whoever_waits_when_the_core_ends_is_told(make: Making, *, stop: bool) -> None:
    rig = make()
    rig.assign("A", owner=None)
    asked = rig.submit(call("customer-A"))[0]
    if stop:
        rig.core.stop()
    rig.core.close(within=1.0)
    assert isinstance(asked.error, StoreError)
    with pytest.raises(StoreError):
        rig.core.submit(call("customer-A"), asked)
    rig.core.put(PushGuid(agent_id="291", guid=Guid("g")))  # a result that comes late harms nobody


def test_with_too_much_waiting_results_are_still_taken(rig: Rig) -> None:
    asked = rig.submit(*(CheckStore() for _ in range(CAPACITY)))
    with pytest.raises(FullError):
        rig.core.submit(CheckStore(), Asked())
    for _ in range(100):
        rig.core.put(ContinuePolling(agent_id="291"))
    rig.step((CAPACITY + 100) // 16 + 1)
    assert {each.value for each in asked} == {True}


class Failing(NotingSenders):
    """Senders that take deliveries and cannot hand them over."""

    def flush(self) -> None:
        raise OSError


def test_what_cannot_be_handed_over_is_committed_once_all_the_same(make: Making) -> None:
    rig = make(senders=Failing())
    rig.assign("A")
    asked = rig.ask(reply("A"))
    assert asked.error is None
    assert [item.message_code for item in rig.all()] == [asked.value.value[0].message_code]
    assert states(rig) == ["sending"]
    assert len(rig.senders.sent) == 1
