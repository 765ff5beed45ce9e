"""Convert the rows of deliveries."""

from __future__ import annotations

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
from bridge.store import schema
from bridge.store.repair import require_texts, require_times
from bridge.store.rows.converting import Row, converted, names, whole

DELIVERY = names(schema.deliveries)
DELIVERY_NEW = names(schema.deliveries, "seq", "attempts", "unknowns", "connected", "erased_at")
DELIVERY_MOVED = (
    "seq",
    "state",
    "expires_at",
    "due_at",
    "attempts",
    "unknowns",
    "connected",
    "lease",
    "lease_until",
    "error_code",
    "error_message",
    "settled_at",
    "approved_by",
    "command_key",
)


def delivery(row: Row) -> Delivery:
    """Convert a row of ``DELIVERY``."""
    return converted(
        schema.deliveries,
        DELIVERY,
        _delivery,
        row,
        channel=Channel,
        media_type=MediaType,
        origin=Origin,
        state=DeliveryState,
    )


def _delivery(row: Row) -> Delivery:
    (
        seq,
        message_code,
        sender_id,
        call_id,
        agent_id,
        user_id,
        channel,
        channel_config_id,
        nickname,
        avatar,
        media_type,
        media_file_type,
        content_type,
        content,
        origin,
        turn_key,
        suggestion_id,
        reply_key,
        part,
        state,
        created_at,
        expires_at,
        due_at,
        attempts,
        unknowns,
        connected,
        lease,
        lease_until,
        error_code,
        error_message,
        settled_at,
        approved_by,
        command_key,
        erased_at,
    ) = row
    require_times(created_at, expires_at, due_at, lease_until, settled_at, erased_at)
    require_texts(message_code, sender_id, call_id, agent_id, user_id, channel_config_id)
    require_texts(nickname, avatar, content, reply_key, media_file_type, content_type, turn_key)
    require_texts(suggestion_id, lease, error_code, error_message, approved_by, command_key)
    return Delivery(
        seq=seq,
        message_code=MessageCode(message_code),
        sender_id=SenderId(sender_id),
        envelope=Envelope(
            AgentId(agent_id),
            CallId(call_id),
            user_id,
            Channel(channel),
            channel_config_id,
            nickname,
            avatar,
        ),
        draft=Draft(MediaType(media_type), content, media_file_type, content_type),
        origin=Origin(origin),
        reply_key=reply_key,
        part=whole(part),
        state=DeliveryState(state),
        created_at=created_at,
        expires_at=expires_at,
        due_at=due_at,
        attempts=whole(attempts),
        unknowns=whole(unknowns),
        connected=bool(connected),
        lease=lease,
        lease_until=lease_until,
        error=DeliveryError(error_code, error_message or "") if error_code else None,
        settled_at=settled_at,
        turn_key=turn_key,
        suggestion_id=suggestion_id,
        command_key=command_key,
        approved_by=approved_by,
        erased_at=erased_at,
    )


def new_delivery(item: Delivery) -> Row:
    """Return the values of ``DELIVERY_NEW``."""
    envelope, draft, error = item.envelope, item.draft, item.error
    return (
        item.message_code,
        item.sender_id,
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
        item.origin.value,
        item.turn_key,
        item.suggestion_id,
        item.reply_key,
        item.part,
        item.state.value,
        item.created_at,
        item.expires_at,
        item.due_at,
        item.lease,
        item.lease_until,
        error.code if error else None,
        error.message if error else None,
        item.settled_at,
        item.approved_by,
        item.command_key,
    )


def moved_delivery(item: Delivery) -> Row:
    """Return the values of ``DELIVERY_MOVED``."""
    error = item.error
    return (
        item.seq,
        item.state.value,
        item.expires_at,
        item.due_at,
        item.attempts,
        item.unknowns,
        item.connected,
        item.lease,
        item.lease_until,
        error.code if error else None,
        error.message if error else None,
        item.settled_at,
        item.approved_by,
        item.command_key,
    )
