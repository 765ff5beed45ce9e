"""How a handoff is judged by what became of its deliveries."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model import Delivery, DeliveryError, DeliveryState
from bridge.planners.outcome import Outcome, judge
from tests.making import delivery

WAITING, SENDING = DeliveryState.WAITING, DeliveryState.SENDING
DELIVERED, FAILED = DeliveryState.DELIVERED, DeliveryState.FAILED
UNCERTAIN, EXPIRED = DeliveryState.UNCERTAIN, DeliveryState.EXPIRED


def one(state: DeliveryState, code: str | None = None, **changes: Any) -> Delivery:
    error = DeliveryError(code, "") if code else None
    return delivery(state=state, error=error, **changes)


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ([], Outcome("none", None, over=True)),
        ([one(DELIVERED)], Outcome("delivered", None, over=True)),
        ([one(UNCERTAIN)], Outcome("delivered", None, over=True)),
        ([one(DELIVERED), one(WAITING)], Outcome("pending", None, over=False)),
        ([one(DELIVERED), one(FAILED, "106-001")], Outcome("failed", None, over=True)),
        ([one(FAILED, "106-001")], Outcome("failed", "rejected", over=True)),
        ([one(EXPIRED, "agent_signed_out")], Outcome("failed", "agent_signed_out", over=True)),
        ([one(SENDING)], Outcome("pending", None, over=False)),
        ([one(WAITING)], Outcome("pending", None, over=False)),
        (
            [one(WAITING, "gateway_unreachable", attempts=2)],
            Outcome("failed", "gateway_unreachable", over=False),
        ),
        (
            [one(WAITING, "gateway_unreachable", attempts=2, connected=True)],
            Outcome("pending", None, over=False),
        ),
        (
            [one(WAITING, "agent_signed_out")],
            Outcome("failed", "agent_signed_out", over=False),
        ),
        ([one(WAITING, "signing_in")], Outcome("pending", None, over=False)),
        ([one(WAITING, "http_503", connected=True)], Outcome("pending", None, over=False)),
        (
            [one(SENDING), one(WAITING, "agent_signed_out")],
            Outcome("pending", None, over=False),
        ),
    ],
)
def test_judging(batch: list[Delivery], expected: Outcome) -> None:
    assert judge(batch) == expected
