"""Clocks that are set, and leases that are over: nothing is said twice, nothing waits for ever."""

from __future__ import annotations

import threading
from dataclasses import replace

from bridge.errors import RetryableError
from bridge.model import CallId, Delivery, DeliveryState
from bridge.store import Store, queue
from tests.making import envelope
from tests.outbox.room import OutboxRoom, at_work


def test_what_this_process_is_sending_is_not_sent_again_when_the_clock_leaps_ahead(
    store: Store,
) -> None:
    finish = threading.Event()
    with at_work(store) as room:
        room.gateway.does = lambda item: None if item.part else finish.wait(10)
        room.add(room.fresh(1))
        room.until(lambda: room.gateway.words == ["message 1"])
        room.clock.leap(120)
        # The claimer has looked once the other call's was sent.
        room.add(room.fresh(2, part=1, envelope=envelope(call_id=CallId("other"))))
        room.until(lambda: "message 2" in room.gateway.words)
        finish.set()
        assert [item.state for item in room.settled()] == [DeliveryState.DELIVERED] * 2
        assert room.gateway.words == ["message 1", "message 2"]


def test_a_clock_that_is_set_back_delays_nothing(store: Store) -> None:
    def busy(item: Delivery) -> None:
        if item.attempts == 0 and item.draft.content == "message 1":
            raise RetryableError("busy", status=503, retry_after=60)

    with at_work(store) as room:
        room.gateway.does = busy
        room.add(room.fresh(1), room.fresh(2))
        room.until(lambda: room.all()[0].attempts == 1)
        room.clock.leap(-3600)
        assert [item.state for item in room.settled()] == [DeliveryState.DELIVERED] * 2
        assert room.gateway.words == ["message 1", "message 1", "message 2"]


def test_what_is_stored_with_the_former_time_is_reached_too(store: Store) -> None:
    with at_work(store) as room:
        room.clock.leap(-3600)
        room.add(room.fresh(1))
        room.until(lambda: room.gateway.words == ["message 1"])  # the leap was seen by now
        former = room.clock() + 3600
        times = {"created_at": former, "due_at": former, "expires_at": former + 300}
        room.add(room.fresh(2, **times))
        assert [item.state for item in room.settled()] == [DeliveryState.DELIVERED] * 2


def test_a_start_after_the_clock_was_set_back_reaches_what_is_there(store: Store) -> None:
    room = OutboxRoom(store)
    later = room.clock() + 3600
    room.add(room.fresh(1, due_at=later, expires_at=later + 300))
    room.add(
        room.fresh(
            2,
            envelope=envelope(call_id=CallId("other")),
            state=DeliveryState.SENDING,
            lease="elsewhere:1:x",
            lease_until=later,
        )
    )
    room.outbox.start()
    room.outbox.close()
    now = room.clock()
    waiting, sending = room.all()
    assert waiting.due_at <= now + 60
    assert waiting.expires_at <= now + 300
    assert sending.lease_until is not None
    assert sending.lease_until <= now + 10


def test_a_message_whose_lease_is_over_before_it_was_sent_is_claimed_anew(store: Store) -> None:
    with at_work(store) as room:
        reserved = room.outbox.reserve()
        assert reserved is not None
        late = replace(
            room.fresh(1),
            state=DeliveryState.SENDING,
            lease=reserved.lease,
            lease_until=reserved.until,
        )
        store.write(lambda tx: queue.add(tx, [late]))
        room.clock.leap(11)  # the commit took so long
        room.outbox.launch(replace(late, seq=1))
        (done,) = room.settled()
        assert (done.state, done.attempts, done.unknowns) == (DeliveryState.DELIVERED, 1, 0)
        assert [item.lease != reserved.lease for item in room.gateway.sent] == [True]


def test_what_a_claim_took_that_seemed_to_fail_was_not_sent_and_is_not_unknown(
    store: Store,
) -> None:
    with at_work(store) as room:
        reserved = room.outbox.reserve()
        assert reserved is not None
        claimed = {"state": DeliveryState.SENDING, "lease": reserved.lease}
        room.add(room.fresh(1, lease_until=room.clock() - 1, **claimed))
        (done,) = room.settled()
        assert (done.state, done.attempts, done.unknowns) == (DeliveryState.DELIVERED, 1, 0)
        room.outbox.launch(None)
