"""A delivery as a row of its table and back, and the conditions that both its modules use."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, literal_column

from bridge.model import (
    AgentId,
    CallId,
    Channel,
    Delivery,
    DeliveryError,
    DeliveryState,
    Draft,
    Envelope,
    MediaType,
    MessageCode,
    Origin,
    SenderId,
)
from bridge.store.prepared import Row
from bridge.store.schema import deliveries

# Spelt out, not bound, and word for word as the partial indexes have it: only then do both engines
# see that they apply.
WAITING: ColumnElement[str] = literal_column("'waiting'")
SENDING: ColumnElement[str] = literal_column("'sending'")
OPEN = deliveries.c.state.in_([WAITING, SENDING])


COLUMNS = (  # of a new delivery, as ``values`` gives them
    "message_code",
    "sender_id",
    "call_id",
    "agent_id",
    "user_id",
    "channel",
    "channel_config_id",
    "nickname",
    "avatar",
    "media_type",
    "media_file_type",
    "content_type",
    "content",
    "origin",
    "turn_key",
    "approved_by",
    "reply_key",
    "part",
    "state",
    "created_at",
    "expires_at",
    "due_at",
    "lease",
    "lease_until",
)


def values(delivery: Delivery) -> tuple[Any, ...]:
    """What is stored of a new delivery."""
    envelope, draft = delivery.envelope, delivery.draft
    return (
        delivery.message_code,
        delivery.sender_id,
        envelope.call_id,
        envelope.agent_id,
        envelope.user_id,
        envelope.channel.value,
        envelope.channel_config_id,
        envelope.nickname,
        envelope.avatar,
        draft.media_type.value,
        draft.media_file_type,
        draft.content_type,
        draft.content,
        delivery.origin.value,
        delivery.turn_key,
        delivery.approved_by,
        delivery.reply_key,
        delivery.part,
        delivery.state.value,
        delivery.created_at,
        delivery.expires_at,
        delivery.due_at,
        delivery.lease,
        delivery.lease_until,
    )


def delivery(row: Row) -> Delivery:
    """The delivery of a whole row."""
    error = DeliveryError(row.error_code, row.error_message or "") if row.error_code else None
    return Delivery(
        seq=row.seq,
        message_code=MessageCode(row.message_code),
        sender_id=SenderId(row.sender_id),
        envelope=Envelope(
            agent_id=AgentId(row.agent_id),
            call_id=CallId(row.call_id),
            user_id=row.user_id,
            channel=Channel(row.channel),
            channel_config_id=row.channel_config_id,
            nickname=row.nickname,
            avatar=row.avatar,
        ),
        draft=Draft(MediaType(row.media_type), row.content, row.media_file_type, row.content_type),
        origin=Origin(row.origin),
        reply_key=row.reply_key,
        part=row.part,
        state=DeliveryState(row.state),
        created_at=row.created_at,
        expires_at=row.expires_at,
        due_at=row.due_at,
        attempts=row.attempts,
        unknowns=row.unknowns,
        connected=bool(row.connected),
        lease=row.lease,
        lease_until=row.lease_until,
        error=error,
        settled_at=row.settled_at,
        turn_key=row.turn_key,
        approved_by=row.approved_by,
        erased_at=row.erased_at,
    )


def every(tx: Connection, statement: Any) -> list[Delivery]:
    """The deliveries that a SELECT of whole rows finds."""
    return [delivery(row) for row in tx.execute(statement)]
