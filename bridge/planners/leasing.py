"""Lease the rows of a queue for an attempt, and put them back if none was made."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from bridge.planners.changes import Changes
from bridge.state.calls import CallRequest
from bridge.state.records import RasaUpdate, UpdateState

Queued = TypeVar("Queued", CallRequest, RasaUpdate)


def leased(changes: Changes, item: Queued, seconds: float) -> Queued:
    """Return an item as this process holds it for its next attempt."""
    return replace(
        item,
        state=UpdateState.SENDING,
        attempts=item.attempts + 1,
        lease=f"{changes.snapshot.process.name}:{changes.now:.6f}:{item.attempts}",
        lease_until=changes.now + seconds,
    )


def put_back(item: Queued, now: float) -> Queued:
    """Return an item that is due again at once, because no attempt was made."""
    return replace(
        item,
        state=UpdateState.WAITING,
        due_at=now,
        attempts=item.attempts - 1,
        lease=None,
        lease_until=None,
    )
