"""What is claimed while the gateway does not serve: a probe now and then, and what is too old.

Everything else waits, whatever time its last attempt was to be repeated at.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, bindparam, literal_column, or_, select, update

from bridge.model import Delivery
from bridge.store import queue
from bridge.store.delivery_rows import WAITING
from bridge.store.prepared import Prepared
from bridge.store.schema import deliveries

_d = deliveries.c
AWAY = ("gateway_unreachable", "unknown_outcome", "http_502", "http_503", "http_504")
_SWEPT = 256  # at a time


def _candidates(*those: Any) -> Select[Any]:
    return (
        select(_d.seq, _d.call_id)
        .where(queue.claimable(None), *those)
        .order_by(_d.due_at, _d.seq)
        .limit(bindparam("b_limit"))
    )


_STALE = Prepared(_candidates(_d.expires_at <= bindparam("b_now")))
# Whoever was tried last comes last: no single delivery can fail every probe. What waits for its
# agent's session would ask the gateway nothing.
_PROBE = Prepared(
    _candidates(
        or_(
            _d.error_code.is_(None),
            _d.error_code.not_in([literal_column(f"'{code}'") for code in queue.WITHOUT_GUID]),
            _d.due_at <= bindparam("b_now"),
        )
    )
)


def claim(tx: Connection, *, lease: str, now: float, until: float, probe: bool) -> list[Delivery]:
    """Take what is too old to be begun, and with ``probe`` one delivery more."""
    found = _STALE.all(tx, b_now=now, b_limit=_SWEPT)
    if probe:
        found += _PROBE.all(tx, b_now=now, b_limit=1)
    taken = [
        queue.claim_one(tx, seq, call_id, lease=lease, until=until)
        for seq, call_id in dict.fromkeys((row.seq, row.call_id) for row in found)
    ]
    return [item for item in taken if item is not None]


def release(tx: Connection, *, now: float) -> None:
    """The gateway serves again: what met one that did not is due at once."""
    tx.execute(
        update(deliveries)
        .where(_d.state == WAITING, _d.due_at > now, _d.error_code.in_(AWAY))
        .values(due_at=now)
    )
