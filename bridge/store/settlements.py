"""What became of deliveries, stored under the lease that they were sent by.

The lease fences: what was taken over meanwhile is not touched.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Connection,
    Float,
    Integer,
    Subquery,
    Text,
    Update,
    bindparam,
    true,
    update,
)

from bridge.model import Delivery, DeliveryState
from bridge.store.bulk import Bulk
from bridge.store.delivery_rows import SENDING, WAITING
from bridge.store.prepared import Prepared
from bridge.store.schema import deliveries

_d = deliveries.c

_SETTLE = Prepared(
    update(deliveries)
    .where(_d.seq == bindparam("b_seq"), _d.lease == bindparam("b_lease"), _d.state == SENDING)
    .values(
        state=bindparam("b_state"),
        due_at=bindparam("b_due"),
        attempts=bindparam("b_attempts"),
        unknowns=bindparam("b_unknowns"),
        connected=bindparam("b_connected"),
        error_code=bindparam("b_code"),
        error_message=bindparam("b_message"),
        settled_at=bindparam("b_settled"),
        lease=None,
        lease_until=None,
    )
)


def settle(tx: Connection, claimed: Delivery, after: Delivery) -> bool:
    """Store what an attempt came to; False where the lease was lost meanwhile.

    What fails or expires takes the waiting rest of its reply with it.
    """
    error = after.error
    taken = _SETTLE.run(
        tx,
        b_seq=claimed.seq,
        b_lease=claimed.lease,
        b_state=after.state.value,
        b_due=after.due_at,
        b_attempts=after.attempts,
        b_unknowns=after.unknowns,
        b_connected=after.connected,
        b_code=error.code if error else None,
        b_message=error.message if error else None,
        b_settled=after.settled_at,
    )
    if taken and after.state in (DeliveryState.FAILED, DeliveryState.EXPIRED):
        _fail_rest(tx, after)
    return bool(taken)


_DELIVERED = Bulk(
    {"seq": BigInteger(), "lease": Text(), "attempts": Integer(), "settled": Float()},
    lambda given, _dialect: _settle_delivered(given.table()),
)


def _settle_delivered(given: Subquery) -> Update:
    return (
        update(deliveries)
        .where(_d.seq == given.c.seq, _d.lease == given.c.lease, _d.state == SENDING)
        .values(
            state=DeliveryState.DELIVERED.value,
            attempts=given.c.attempts,
            connected=true(),
            error_code=None,
            error_message=None,
            settled_at=given.c.settled,
            lease=None,
            lease_until=None,
        )
    )


def settle_delivered(tx: Connection, claimed: Sequence[Delivery], after: Sequence[Delivery]) -> int:
    """Store that all of these were delivered; of how many the lease was not lost meanwhile."""
    rows = [
        (before.seq, before.lease, now.attempts, now.settled_at)
        for before, now in zip(claimed, after, strict=True)
    ]
    return _DELIVERED.run(tx, rows)


def _fail_rest(tx: Connection, failed: Delivery) -> None:
    expired = failed.state is DeliveryState.EXPIRED
    tx.execute(
        update(deliveries)
        .where(
            _d.reply_key == failed.reply_key,
            _d.part > failed.part,
            _d.state == WAITING,
        )
        .values(
            state=failed.state.value,
            error_code="expired" if expired else "previous_part",
            error_message="the part before it was not delivered",
            settled_at=failed.settled_at,
        )
    )
