"""The outbox's table: order, leases, fences."""

from __future__ import annotations

from dataclasses import replace

from bridge.model import AgentId, Delivery, DeliveryError, DeliveryState, derive
from bridge.store import Store, deliveries, queue, settlements
from tests.making import NOW, delivery, envelope


def add(store: Store, *batch: Delivery) -> None:
    store.write(lambda tx: queue.add(tx, batch))


def claim(store: Store, lease: str = "a", at: float = NOW, limit: int = 10) -> list[Delivery]:
    return store.write(lambda tx: queue.claim(tx, lease=lease, now=at, until=at + 10, limit=limit))


def settle(store: Store, claimed: Delivery, state: DeliveryState, code: str = "") -> bool:
    error = DeliveryError(code, "") if code else None
    after = replace(claimed, state=state, settled_at=NOW, error=error, lease=None)
    return store.write(lambda tx: settlements.settle(tx, claimed, after))


def contents(batch: list[Delivery]) -> list[str]:
    return [item.draft.content for item in batch]


def states(store: Store) -> list[tuple[str, str | None]]:
    found = store.read(
        lambda tx: deliveries.listing(
            tx, call_id=None, states=(), agent_id=None, after=0, limit=100
        )
    )
    return [(item.state.value, item.error.code if item.error else None) for item in found]


def test_one_of_a_call_is_in_flight_and_calls_do_not_wait_for_each_other(store: Store) -> None:
    add(store, delivery(1, call="A"), delivery(2, call="A"), delivery(3, call="B"))
    first = claim(store)
    assert contents(first) == ["message 1", "message 3"]
    assert claim(store) == []
    settle(store, first[0], DeliveryState.DELIVERED)
    assert contents(claim(store)) == ["message 2"]


def test_a_retry_that_waits_holds_what_comes_after_it(store: Store) -> None:
    add(store, delivery(1, call="A", due_at=NOW + 5), delivery(2, call="A"))
    assert claim(store) == []
    assert store.read(queue.next_due) == NOW + 5
    assert contents(claim(store, at=NOW + 5)) == ["message 1"]


def test_what_is_blocked_is_not_due(store: Store) -> None:
    add(store, delivery(1, call="A"), delivery(2, call="A"))
    claimed = claim(store)
    assert store.read(queue.next_due) == NOW + 10  # the lease's end, not the second's time
    settle(store, claimed[0], DeliveryState.DELIVERED)
    assert store.read(queue.next_due) == NOW


def test_a_code_is_stored_once_and_the_first_wins(store: Store) -> None:
    add(store, delivery(1))
    add(store, replace(delivery(1), draft=replace(delivery(1).draft, content="another")))
    assert contents(claim(store)) == ["message 1"]
    assert len(states(store)) == 1


def test_the_lease_fences_the_settling(store: Store) -> None:
    add(store, delivery(1))
    late = claim(store)[0]
    orphans = store.read(lambda tx: queue.abandoned(tx, now=NOW + 11))
    assert [item.seq for item in orphans] == [late.seq]
    back = replace(late, state=DeliveryState.WAITING, lease=None)
    store.write(lambda tx: settlements.settle(tx, late, back))
    second = claim(store, lease="b", at=NOW + 11)[0]
    assert not settle(store, late, DeliveryState.DELIVERED)
    assert settle(store, second, DeliveryState.FAILED)
    assert not settle(store, second, DeliveryState.DELIVERED)
    assert states(store) == [("failed", None)]


def test_what_fails_takes_the_rest_of_its_reply_and_nothing_else(store: Store) -> None:
    reply = derive("reply", "long")
    add(
        store,
        delivery(1, reply_key=reply, part=0),
        delivery(2, reply_key=reply, part=1),
        delivery(3, reply_key=reply, part=2),
        delivery(4),
    )
    settle(store, claim(store)[0], DeliveryState.DELIVERED)
    settle(store, claim(store)[0], DeliveryState.FAILED, "106-001")
    assert states(store) == [
        ("delivered", None),
        ("failed", "106-001"),
        ("failed", "previous_part"),
        ("waiting", None),
    ]
    assert contents(claim(store)) == ["message 4"]


def test_an_uncertain_one_blocks_nothing(store: Store) -> None:
    add(store, delivery(1), delivery(2))
    settle(store, claim(store)[0], DeliveryState.UNCERTAIN, "unknown_outcome")
    assert contents(claim(store)) == ["message 2"]


def test_withdrawing_spares_what_is_being_sent(store: Store) -> None:
    add(store, delivery(1, call="A"), delivery(2, call="A"), delivery(3, call="B"))
    claim(store, limit=1)
    gone = store.write(
        lambda tx: queue.withdraw(tx, DeliveryError("call_ended", "over"), now=NOW, call_id="A")
    )
    assert contents(gone) == ["message 2"]
    assert states(store) == [("sending", None), ("failed", "call_ended"), ("waiting", None)]


def test_a_new_guid_wakes_what_waits_for_that_agent(store: Store) -> None:
    signed_out = DeliveryError("agent_signed_out", "")
    add(store, delivery(1, call="A"), delivery(2, call="B"))
    add(store, delivery(3, call="C", envelope=envelope(agent_id=AgentId("292"), call_id="C")))

    def wait_for_guid(item: Delivery) -> bool:
        later = replace(
            item, state=DeliveryState.WAITING, due_at=NOW + 300, error=signed_out, lease=None
        )
        return store.write(lambda tx: settlements.settle(tx, item, later))

    assert all(wait_for_guid(item) for item in claim(store))
    assert claim(store) == []
    store.write(lambda tx: queue.wake(tx, "291", now=NOW))
    assert contents(claim(store)) == ["message 1", "message 2"]


def test_an_id_is_never_given_twice(store: Store) -> None:
    add(store, delivery(1), delivery(2))
    first = claim(store)[0]
    assert first.id == str(first.seq)
    assert store.read(lambda tx: deliveries.get(tx, first.seq)) is not None
