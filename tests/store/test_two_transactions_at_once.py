"""PostgreSQL, where two replicas' transactions overlap: each is stopped where it hurts most."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import pytest

from bridge.model import AgentId, Delivery, DeliveryState, Owner
from bridge.store import Store, Tx, assignments, deliveries, errands, queue, settlements, turns
from bridge.store.errands import Errand, Kind
from bridge.store.queue import Reservation
from tests.making import NOW, assignment, delivery

T = TypeVar("T")
RESERVED = Reservation("here:1:x:1", NOW + 10)
SECONDS = 15.0


@pytest.fixture
def here(postgres_url: str) -> Iterator[Store]:
    opened = Store(postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def there(postgres_url: str, here: Store) -> Iterator[Store]:
    """Another replica; ``here`` has made the tables."""
    assert here
    opened = Store(postgres_url)
    yield opened
    opened.close()


@contextmanager
def halted(store: Store, unit: Callable[[Tx], T]) -> Iterator[Future[T]]:
    """``unit`` is done and its transaction is not over; it is committed at the end."""
    done, go = threading.Event(), threading.Event()

    def halting(tx: Tx) -> T:
        result = unit(tx)
        done.set()
        assert go.wait(SECONDS)
        return result

    future = store.submit(halting)
    assert done.wait(SECONDS)
    try:
        yield future
    finally:
        go.set()
        future.result(SECONDS)


def add(tx: Tx, *batch: Delivery) -> Delivery | None:
    return queue.add(tx, batch)


def claim(store: Store, lease: str = "there") -> list[str]:
    taken = store.write(lambda tx: queue.claim(tx, lease=lease, now=NOW, until=NOW + 10, limit=10))
    return [item.draft.content for item in taken]


def test_two_that_are_stored_for_one_call_at_once_are_not_both_claimed_at_birth(
    here: Store, there: Store
) -> None:
    with halted(here, lambda tx: queue.add(tx, [delivery(1)], RESERVED)) as first:
        second = there.write(lambda tx: queue.add(tx, [delivery(2)], RESERVED))
        other_call = there.write(lambda tx: queue.add(tx, [delivery(3, call="B")], RESERVED))
        assert second is None
        assert other_call is not None
        assert claim(there) == []  # it is due, and somebody is at its call
    assert first.result() is not None
    assert claim(there) == []


def test_what_was_stored_meanwhile_is_not_claimed_beside_one_that_is_born_in_flight(
    here: Store, there: Store
) -> None:
    with halted(here, lambda tx: queue.add(tx, [delivery(1)], RESERVED)):
        there.write(lambda tx: add(tx, delivery(2)))
        assert claim(there) == []
    assert claim(there) == []


def test_what_one_claims_the_other_passes_over_and_takes_the_next(
    here: Store, there: Store
) -> None:
    here.write(lambda tx: add(tx, delivery(1, call="A"), delivery(2, call="A")))
    here.write(lambda tx: add(tx, delivery(3, call="B")))

    def one(tx: Tx) -> list[Delivery]:
        return queue.claim(tx, lease="here", now=NOW, until=NOW + 10, limit=1)

    with halted(here, one) as first:
        assert claim(there) == ["message 3"]
    assert [item.draft.content for item in first.result()] == ["message 1"]
    assert claim(there) == []


def test_a_persons_retry_while_the_next_is_being_claimed_waits_for_it(
    here: Store, there: Store
) -> None:
    failed = delivery(1, state=DeliveryState.FAILED)
    here.write(lambda tx: add(tx, failed, delivery(2)))

    def one(tx: Tx) -> list[Delivery]:
        return queue.claim(tx, lease="here", now=NOW, until=NOW + 10, limit=1)

    with halted(here, one) as first:
        again = delivery(1)
        assert there.write(lambda tx: deliveries.move(tx, 1, again, among=[DeliveryState.FAILED]))
        assert claim(there) == []
    assert [item.draft.content for item in first.result()] == ["message 2"]
    assert claim(there) == []


def test_the_same_request_at_two_replicas_is_stored_once(here: Store, there: Store) -> None:
    def begin(tx: Tx) -> bool:
        return turns.begin(tx, "key", sender_id="anna", call_id="A", now=NOW)

    with halted(here, begin) as first:
        second = there.submit(begin)
        assert not second.done()
    assert first.result()
    assert second.result(SECONDS) is False


def test_a_code_at_two_replicas_is_stored_once_and_both_go_on(here: Store, there: Store) -> None:
    with halted(here, lambda tx: add(tx, delivery(1))):
        second = there.submit(lambda tx: add(tx, delivery(1), delivery(2)))
    second.result(SECONDS)
    assert claim(there) == ["message 1"]


def test_an_answer_is_given_once(here: Store, there: Store) -> None:
    here.write(lambda tx: turns.begin(tx, "key", sender_id="anna", call_id="A", now=NOW))
    with halted(here, lambda tx: turns.settle(tx, "key", {"said": "here"})) as first:
        second = there.submit(lambda tx: turns.settle(tx, "key", {"said": "there"}))
    assert first.result() == second.result(SECONDS) == {"said": "here"}


def test_what_a_transaction_is_about_to_write_by_is_read_as_it_is_then(
    here: Store, there: Store
) -> None:
    def give(tx: Tx, agent_id: str) -> None:
        made = assignment(agent_id=AgentId(agent_id))
        assignments.give(tx, made, Owner.BOT, "http", now=NOW)

    here.write(lambda tx: give(tx, "291"))
    with halted(there, lambda tx: give(tx, "292")):
        looked = here.read(lambda tx: assignments.latest(tx, "sender"))
        of_sender = here.submit(lambda tx: assignments.latest(tx, "sender", hold=True))
        of_call = here.submit(lambda tx: assignments.of_call(tx, assignment().call_id, hold=True))
        assert not of_sender.done()
    assert looked is not None
    assert looked.assignment.agent_id == "291"
    for held in (of_sender.result(SECONDS), of_call.result(SECONDS)):
        assert held is not None
        assert held.assignment.agent_id == "292"


def errand(number: int) -> Errand:
    return Errand(
        seq=0,
        id=f"errand {number}",
        sender_id="anna",
        call_id="A",
        kind=Kind.WRITE_BACK,
        body={},
        made_at=NOW,
        due_at=NOW,
        give_up_at=NOW + 60,
    )


def test_errands_of_a_conversation_are_claimed_one_at_a_time(here: Store, there: Store) -> None:
    def one(tx: Tx) -> list[Errand]:
        return errands.claim(tx, lease="here", now=NOW, until=NOW + 10, limit=4)

    for number in (1, 2):
        here.write(lambda tx, number=number: errands.add(tx, errand(number)))  # type: ignore[misc]
    with halted(here, one) as first:
        assert there.write(one) == []
    assert [item.id for item in first.result()] == ["errand 1"]
    assert there.write(one) == []


def test_a_claim_of_errands_keeps_to_its_limit(here: Store) -> None:
    for number in range(6):
        other = replace(errand(number), sender_id=f"customer {number}")
        here.write(lambda tx, other=other: errands.add(tx, other))  # type: ignore[misc]

    def claim_two(tx: Tx) -> list[Errand]:
        return errands.claim(tx, lease="here", now=NOW, until=NOW + 10, limit=2)

    assert [item.id for item in here.write(claim_two)] == ["errand 0", "errand 1"]


def test_a_promise_is_judged_by_what_is_not_moved_any_more(here: Store, there: Store) -> None:
    """Else one would find it still under way while the other finds nobody who was told so."""
    here.write(lambda tx: add(tx, delivery(1, turn_key="turn")))
    (claimed,) = here.write(
        lambda tx: queue.claim(tx, lease="here", now=NOW, until=NOW + 10, limit=1)
    )
    failed = replace(claimed, state=DeliveryState.FAILED, settled_at=NOW, lease=None)
    with halted(here, lambda tx: settlements.settle(tx, claimed, failed)):
        judged = there.submit(lambda tx: deliveries.hold_turn(tx, "turn"))
        assert not wait([judged], 0.3).done
    assert [item.state for item in judged.result(SECONDS)] == [DeliveryState.FAILED]
