"""Queue what was really said on the gateway's channel for Rasa's tracker, as marked events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.model import Delivery, derive
from bridge.planners.changes import Changes
from bridge.state.inquiries import InquiryKind, InquiryStep
from bridge.state.records import UPDATE_MARK, MessageRecord, RasaUpdate, UpdateKind
from bridge.turn import WRITTEN_BACK

_WITHIN = 3600.0  # seconds
_CUSTOMER = "customer"


def agents_words(changes: Changes, item: Delivery) -> None:
    """Queue a message that was delivered under the agent's name."""
    words = changes.rules.composer.plain(item)
    body = {
        "text": words if words is not None else item.draft.content,
        "media_type": item.draft.media_type.value,
        "origin": item.origin.value,
        "agent_id": item.envelope.agent_id,
        "approved_by": item.approved_by,
        "at": item.settled_at,
    }
    _queue(changes, item.message_code, item.sender_id, item.envelope.call_id, body)


def customers_words(
    changes: Changes, message: MessageRecord, *, asked_as: str | None = None
) -> None:
    """Queue a message that a customer wrote on the gateway's channel.

    Args:
        changes: the changes so far.
        message: the message.
        asked_as: the inquiry with which it may have been put into the conversation already.
    """
    body = {
        **({} if asked_as is None else {"asked_as": asked_as}),
        "said_by": _CUSTOMER,
        "text": message.text,
        "message_id": message.message_id,
        "at": message.written_at,
    }
    name = derive("written back", message.call_id, message.message_id)
    _queue(changes, name, message.sender_id, message.call_id, body)


def asked(changes: Changes, inquiry: RasaUpdate) -> None:
    """Queue the message of an inquiry that was not answered in the real conversation.

    Rasa has what a customer writes while an agent owns the call: it is queued when it arrives.
    """
    body = inquiry.body
    if body["kind"] != InquiryKind.CONVERSE.value:
        return
    message = MessageRecord(
        inquiry.sender_id,
        inquiry.call_id or "",
        str(body["message_id"]),
        str(body["text"]),
        float(body["at"]),
        changes.now,
    )
    may_be_put = body.get("step", InquiryStep.ASK.value) != InquiryStep.ASK.value
    customers_words(changes, message, asked_as=inquiry.id if may_be_put else None)


def _queue(
    changes: Changes, name: str, sender_id: str, call_id: str, body: Mapping[str, Any]
) -> None:
    if not changes.rules.asks_rasa:
        return
    changes.update(
        RasaUpdate(
            seq=0,
            id=name,
            sender_id=sender_id,
            call_id=call_id,
            kind=UpdateKind.WRITE_BACK,
            body=body,
            created_at=changes.now,
            due_at=changes.now,
            expires_at=changes.now + _WITHIN,
        )
    )


def written_back(update: RasaUpdate) -> dict[str, Any]:
    """Return the event for Rasa's tracker, marked as what was said elsewhere."""
    body = update.body
    if body.get("said_by") == _CUSTOMER:
        return _customers(update)
    return {
        "event": "bot",
        "text": body["text"],
        "data": {},
        "metadata": {
            WRITTEN_BACK: {
                "said_by": "agent",
                "agent_id": body["agent_id"],
                "origin": body["origin"],
                "approved_by": body["approved_by"],
                "media_type": body["media_type"],
            },
            UPDATE_MARK: update.id,
        },
    }


def _customers(update: RasaUpdate) -> dict[str, Any]:
    """Return a user event without an intent: it calls for no action of the bot."""
    body = update.body
    return {
        "event": "user",
        "text": body["text"],
        "timestamp": body["at"],
        "message_id": body["message_id"],
        "parse_data": {"intent": {}, "entities": []},
        "metadata": {WRITTEN_BACK: {"said_by": _CUSTOMER}, UPDATE_MARK: update.id},
    }
