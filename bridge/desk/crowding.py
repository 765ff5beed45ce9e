"""How much may wait for one call: a flood for one customer must not fill the list of all."""

from __future__ import annotations

from bridge.errors import RefusedError
from bridge.model import DeliveryError
from bridge.store import Tx, deliveries

CROWDED = DeliveryError("too_many_waiting", "too many messages of this call wait already")


def crowded(tx: Tx, call_id: str, more: int, most: int) -> bool:
    """Whether with ``more`` of them, more than ``most`` messages of a call would wait."""
    return deliveries.waiting_of_call(tx, call_id) + more > most


def make_room(tx: Tx, call_id: str, more: int, most: int) -> None:
    """See that ``more`` messages may wait for a call.

    Raises:
        RefusedError: 422 where they are too many by themselves, 429 where too much waits already.
    """
    if more > most:
        message = f"this makes {more} messages, and at most {most} of a call may wait"
        raise RefusedError(422, "too_long", message)
    if crowded(tx, call_id, more, most):
        message = f"at most {most} messages of a call may wait, and others wait already"
        raise RefusedError(429, CROWDED.code, message)
