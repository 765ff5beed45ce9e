"""Convert the rows of messages."""

from __future__ import annotations

from bridge.state.inquiries import Via
from bridge.state.records import MessageRecord
from bridge.store import schema
from bridge.store.repair import require_texts, require_times
from bridge.store.rows.converting import Row, converted, json_object, json_text, names

MESSAGE = names(schema.messages, "seq", "id")
MESSAGE_WRITTEN = names(schema.messages, "seq", "erased_at")


def message(row: Row) -> MessageRecord:
    """Convert a row of ``MESSAGE``."""
    return converted(schema.messages, MESSAGE, _message, row, via=Via)


def _message(row: Row) -> MessageRecord:
    (
        sender_id,
        call_id,
        message_id,
        text,
        written_at,
        created_at,
        erased_at,
        author,
        attachment,
        via,
    ) = row
    require_times(written_at, created_at, erased_at)
    require_texts(sender_id, call_id, message_id, text, author)
    return MessageRecord(
        sender_id,
        call_id,
        message_id,
        text,
        written_at,
        created_at,
        erased_at,
        author,
        json_object(attachment) if attachment else None,
        Via(via),
    )


def messaged(item: MessageRecord) -> Row:
    """Return the values of ``MESSAGE_WRITTEN``."""
    return (
        item.id,
        item.sender_id,
        item.call_id,
        item.message_id,
        item.text,
        item.written_at,
        item.created_at,
        item.author,
        json_text(item.attachment) if item.attachment is not None else None,
        item.via.value,
    )
