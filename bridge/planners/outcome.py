"""Derive the outcome of a handoff from its deliveries. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.model import Delivery, DeliveryState
from bridge.state.records import DELIVERED, FAILED, NONE, PENDING

_WHY = ("gateway_unreachable", "agent_signed_out")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a handoff so far.

    Attributes:
        delivery: the slot ``handoff_delivery``.
        error: the slot ``handoff_error`` if the handoff failed, else None.
        over: whether the outcome is final, unless a person retries.
    """

    delivery: str
    error: str | None
    over: bool


def may_have_arrived(delivery: Delivery) -> bool:
    """Return whether the customer has received the message, or may have."""
    return delivery.state in (DeliveryState.DELIVERED, DeliveryState.UNCERTAIN)


def judge(batch: Sequence[Delivery]) -> Outcome:
    """Return the outcome of a handoff from its deliveries, in order.

    A handoff has succeeded as soon as one delivery reached the customer. It has failed if all
    deliveries failed, no attempt could connect, or the agent has no session and gets none.
    """
    if not batch:
        return Outcome(NONE, None, over=True)
    over = all(delivery.state.settled for delivery in batch)
    if any(may_have_arrived(delivery) for delivery in batch):
        return _begun(batch, over=over)
    if over:
        return Outcome(FAILED, _why(batch[0]) or "rejected", over=True)
    if any(delivery.state is DeliveryState.SENDING for delivery in batch):
        return Outcome(PENDING, None, over=False)
    waiting = next(item for item in batch if item.state is DeliveryState.WAITING)
    error = _why(waiting)
    return Outcome(FAILED if error else PENDING, error, over=False)


def _begun(batch: Sequence[Delivery], *, over: bool) -> Outcome:
    if not over:
        return Outcome(PENDING, None, over=False)
    whole = all(may_have_arrived(delivery) for delivery in batch)
    return Outcome(DELIVERED if whole else FAILED, None, over=True)


def _why(delivery: Delivery) -> str | None:
    code = delivery.error.code if delivery.error else None
    if code == "gateway_unreachable" and delivery.connected:
        return None  # an earlier attempt connected: the message may have been sent
    return code if code in _WHY else None
