"""The outbox's table: order, leases, fences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bridge.errors import SessionGoneError
from bridge.model import (
    AgentId,
    CallId,
    Delivery,
    DeliveryError,
    DeliveryState,
    Guid,
    Owner,
    derive,
)
from bridge.state.commands import (
    ClaimDeliveries,
    EndCall,
    EraseRows,
    SendingResult,
    WakeAgent,
)
from bridge.state.plan import Put
from bridge.state.records import LEASE, AssignmentRecord
from bridge.store import ConflictError, Store, lists
from tests.making import NOW, assignment, delivery, envelope
from tests.store.machine import GUID, Machine, keep, rules, signed_in

WAITS = DeliveryError("agent_signed_out", "its desktop has given no GUID that is good")


@pytest.fixture
def machine(store: Store) -> Machine:
    """One whose agents are signed in, and that claims only when it is asked to."""
    keep(store, sessions=[signed_in("291"), signed_in("292")])
    return Machine(store, backlog=True)


def contents(batch: list[Delivery]) -> list[str]:
    return [item.draft.content for item in batch]


def stored(store: Store) -> list[Delivery]:
    return store.read(lambda tx: lists.deliveries(tx, limit=10_000))


def states(store: Store) -> list[tuple[str, str | None]]:
    return [(item.state.value, item.error.code if item.error else None) for item in stored(store)]


def test_one_of_a_call_is_in_flight_and_calls_do_not_wait_for_each_other(
    store: Store, machine: Machine
) -> None:
    keep(store, deliveries=[delivery(1, call="A"), delivery(2, call="A"), delivery(3, call="B")])
    first = machine.claim()
    assert contents(first) == ["message 1", "message 3"]
    assert machine.claim() == []
    assert machine.complete(first[0], DeliveryState.DELIVERED) == []
    assert contents(machine.claim()) == ["message 2"]


def test_what_comes_next_is_claimed_by_the_commit_that_completes(store: Store) -> None:
    keep(store, sessions=[signed_in("291")])
    keep(store, deliveries=[delivery(1, call="A"), delivery(2, call="A"), delivery(3, call="B")])
    machine = Machine(store)
    first, _other_call = machine.claim()
    assert contents(machine.complete(first, DeliveryState.DELIVERED)) == ["message 2"]
    assert states(store) == [("delivered", None), ("sending", None), ("sending", None)]


def test_a_retry_that_waits_holds_what_comes_after_it(store: Store, machine: Machine) -> None:
    keep(store, deliveries=[delivery(1, call="A", due_at=NOW + 5), delivery(2, call="A")])
    assert machine.claim() == []
    assert machine.next_due == NOW + 5
    assert contents(machine.claim(at=NOW + 5)) == ["message 1"]


def test_what_is_blocked_is_not_due(store: Store, machine: Machine) -> None:
    keep(store, deliveries=[delivery(1, call="A"), delivery(2, call="A")])
    (claimed,) = machine.claim()
    assert machine.claim() == []
    assert machine.next_due == NOW + LEASE  # the lease's end, not the second's time
    machine.complete(claimed, DeliveryState.DELIVERED)
    assert machine.next_due == NOW


def test_a_code_is_stored_once_and_the_first_wins(store: Store, machine: Machine) -> None:
    keep(store, deliveries=[delivery(1)])
    other = replace(delivery(1), draft=replace(delivery(1).draft, content="another"))
    with pytest.raises(ConflictError):  # whoever planned it loads and plans again
        keep(store, deliveries=[other, delivery(2)])
    assert contents(machine.claim()) == ["message 1"]
    assert len(states(store)) == 1


def test_the_lease_fences_the_completion(store: Store) -> None:
    keep(store, deliveries=[delivery(1)], sessions=[signed_in("291")])
    here = Machine(store, "here", backlog=True)
    there = Machine(store, "there", backlog=True, chosen=rules())
    (late,) = here.claim()
    assert there.claim(at=NOW + LEASE) == []  # it still holds
    assert there.claim(at=NOW + LEASE + 1) == []  # nobody knows what became of it: it waits
    assert states(store) == [("waiting", "unknown_outcome")]
    (second,) = there.claim(at=NOW + LEASE + 1)
    here.complete(late, DeliveryState.DELIVERED, at=NOW + LEASE + 2)
    assert states(store) == [("sending", "unknown_outcome")]
    there.complete(second, DeliveryState.FAILED, "106-001", at=NOW + LEASE + 2)
    there.complete(second, DeliveryState.DELIVERED, at=NOW + LEASE + 3)
    assert states(store) == [("failed", "106-001")]


def test_what_a_process_sends_itself_is_not_taken_from_it_late_as_it_may_be(
    store: Store, machine: Machine
) -> None:
    keep(store, deliveries=[delivery(1)])
    (claimed,) = machine.claim()
    held = {claimed.seq: claimed.lease}
    assert machine.claim(at=NOW + LEASE + 1, held=held) == []
    assert states(store) == [("sending", None)]
    # One that it does not know of was claimed in a transaction that seemed to fail.
    machine.claim(at=NOW + LEASE + 1)
    assert states(store) == [("waiting", None)]
    assert stored(store)[0].unknowns == 0


def test_what_a_dead_process_was_sending_is_of_unknown_outcome(store: Store) -> None:
    keep(store, deliveries=[delivery(1)], sessions=[signed_in("291")])
    Machine(store, "dead").claim()
    after = Machine(store, "alive", backlog=True, chosen=rules())
    for _ in range(2):
        after.claim(at=NOW + LEASE + 1)
    (found,) = stored(store)
    assert (found.state, found.unknowns) == (DeliveryState.SENDING, 1)


def test_what_fails_takes_the_rest_of_its_reply_and_nothing_else(
    store: Store, machine: Machine
) -> None:
    reply = derive("reply", "long")
    parts = [delivery(number, reply_key=reply, part=number - 1) for number in (1, 2, 3)]
    keep(store, deliveries=[*parts, delivery(4)])
    machine.complete(machine.claim()[0], DeliveryState.DELIVERED)
    machine.complete(machine.claim()[0], DeliveryState.FAILED, "106-001")
    assert states(store) == [
        ("delivered", None),
        ("failed", "106-001"),
        ("failed", "previous_part"),
        ("waiting", None),
    ]
    assert contents(machine.claim()) == ["message 4"]


def test_an_uncertain_one_blocks_nothing(store: Store, machine: Machine) -> None:
    keep(store, deliveries=[delivery(1), delivery(2)])
    machine.complete(machine.claim()[0], DeliveryState.UNCERTAIN)
    assert states(store)[0] == ("uncertain", "unknown_outcome")
    assert contents(machine.claim()) == ["message 2"]


def test_withdrawing_spares_what_is_being_sent(store: Store, machine: Machine) -> None:
    keep(store, deliveries=[delivery(1, call="A"), delivery(2, call="A"), delivery(3, call="B")])
    of_call = AssignmentRecord(assignment(call_id=CallId("A")), Owner.AGENT, "http", NOW)
    keep(store, assignments=[of_call])
    machine.claim(limit=1)
    assert machine.do(EndCall(sender_id="sender"))
    assert states(store) == [("sending", None), ("failed", "call_ended"), ("waiting", None)]


def test_a_new_guid_wakes_what_waits_for_that_agent(store: Store, machine: Machine) -> None:
    of_another = delivery(3, envelope=envelope(agent_id=AgentId("292"), call_id=CallId("C")))
    keep(store, deliveries=[delivery(1, call="A"), delivery(2, call="B"), of_another])
    for sent in machine.claim():
        gone = SessionGoneError("its GUID is no longer good", retcode="100-006")
        machine.do(SendingResult(delivery=sent, guid=GUID, error=gone))
    assert {code for _, code in states(store)} == {"agent_signed_out"}
    assert machine.claim() == []
    keep(store, sessions=[signed_in("291", guid=Guid("new.AgentGateway0"), generation=2)])
    machine.do(WakeAgent(agent_id="291"))
    assert contents(machine.claim()) == ["message 1", "message 2"]


def test_a_set_wide_command_goes_on_slice_by_slice(store: Store, machine: Machine) -> None:
    """Five hundred rows at a time: no transaction is long, and none is left out."""
    waiting = [
        delivery(number, call=f"call-{number}", due_at=NOW + 60, error=WAITS)
        for number in range(1001)
    ]
    keep(store, deliveries=waiting)
    slices = 0
    command: WakeAgent | None = WakeAgent(agent_id="291")
    while command is not None:
        machine.do(command)
        slices += 1
        again = [item.command for item in machine.plan.effects if isinstance(item, Put)]
        command = again[0] if again else None
    assert slices == 3
    assert {item.due_at for item in stored(store)} == {NOW}


def test_an_id_is_never_given_twice(store: Store, machine: Machine) -> None:
    keep(store, deliveries=[delivery(1), delivery(2)])
    first = machine.claim()[0]
    assert first.id == str(first.seq)
    assert store.read(lambda tx: lists.delivery(tx, first.seq)) is not None
    last = stored(store)[-1]
    machine.do(EraseRows(table="deliveries", keys=[(first.seq,), (last.seq,)]))
    keep(store, deliveries=[delivery(3)])
    assert [item.seq > last.seq for item in stored(store)] == [True]


def test_no_more_is_claimed_than_asked_for_and_the_rest_is_due(
    store: Store, machine: Machine
) -> None:
    keep(store, deliveries=[delivery(number, call=f"call-{number}") for number in range(5)])
    machine.do(ClaimDeliveries(limit=3))
    assert contents(machine.begun) == ["message 0", "message 1", "message 2"]
    assert machine.snapshot.more
    assert contents(machine.claim()) == ["message 3", "message 4"]
    assert not machine.snapshot.more


@pytest.mark.parametrize("born", [True, False])
def test_the_database_itself_lets_one_of_a_call_be_sent_at_a_time(
    store: Store, *, born: bool
) -> None:
    """Whatever any process thinks; and an insert does not swallow what it may not store."""
    sending: dict[str, Any] = {
        "state": DeliveryState.SENDING,
        "lease": "x",
        "lease_until": NOW + LEASE,
    }
    keep(store, deliveries=[delivery(1, call="A", **sending), delivery(2, call="A")])
    second = delivery(3, call="A", **sending) if born else replace(stored(store)[1], **sending)
    with pytest.raises(ConflictError):
        keep(store, deliveries=[delivery(4, call="B"), second])
    assert states(store) == [("sending", None), ("waiting", None)]
    # In one commit, what ends makes room for what begins.
    first, following = stored(store)
    done = replace(first, state=DeliveryState.DELIVERED, lease=None, lease_until=None)
    keep(store, deliveries=[replace(following, **sending), done])
    assert states(store) == [("delivered", None), ("sending", None)]
