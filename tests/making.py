"""Values for tests: each is valid, and a test changes what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.model import (
    AgentId,
    Assignment,
    CallId,
    Channel,
    Delivery,
    DeliveryState,
    Draft,
    Envelope,
    MediaType,
    MessageCode,
    Origin,
    SenderId,
    derive,
)

NOW = 1_800_000_000.0


def assignment(**changes: Any) -> Assignment:
    """Conversation ``sender`` at agent 291, call ``1552524689-16797284``."""
    made = Assignment(
        SenderId("sender"), AgentId("291"), CallId("1552524689-16797284"), "40001", Channel.WEB
    )
    return replace(made, **changes)


def envelope(**changes: Any) -> Envelope:
    """What a message to that call carries."""
    made = Envelope(
        AgentId("291"),
        CallId("1552524689-16797284"),
        "40001",
        Channel.WEB,
        "202301032048582419",
        "Anna",
        "DefaultAvatar",
    )
    return replace(made, **changes)


def delivery(number: int = 1, *, call: str | None = None, **changes: Any) -> Delivery:
    """A waiting delivery whose code is derived from ``number``."""
    made = Delivery(
        seq=0,
        message_code=MessageCode(derive("test", number)),
        sender_id=SenderId("sender"),
        envelope=envelope(call_id=CallId(call)) if call else envelope(),
        draft=Draft(MediaType.TEXT, f"message {number}"),
        origin=Origin.AGENT,
        reply_key=derive("reply", number),
        part=0,
        state=DeliveryState.WAITING,
        created_at=NOW,
        expires_at=NOW + 300,
        due_at=NOW,
    )
    return replace(made, **changes)
