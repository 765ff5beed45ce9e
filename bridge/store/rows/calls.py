"""Convert the rows of readers' calls, and of the requests about them."""

from __future__ import annotations

import json
from dataclasses import replace

from bridge.state.calls import Apology, CallRecord, CallRequest, CallRequestKind, CallState
from bridge.state.records import MessageRecord, UpdateState
from bridge.store import schema
from bridge.store.repair import require_texts, require_times
from bridge.store.rows.converting import (
    Row,
    converted,
    json_object,
    json_text,
    names,
    plain_drafts,
    read_drafts,
    whole,
)

CALL = names(schema.calls, "erased_at")
_HELD = ("message_id", "text", "written_at", "created_at", "attachment")


def call(row: Row) -> CallRecord:
    """Convert a row of ``CALL``."""
    return converted(schema.calls, CALL, _call, row, state=CallState)


def _call(row: Row) -> CallRecord:
    (
        call_id,
        agent_id,
        state,
        begun_at,
        answered_at,
        ended_at,
        event_at,
        caller,
        called,
        media,
        internal,
        nickname,
        skill_id,
        sender_id,
        problem,
        held,
        transfer_to,
        transferred_at,
        transfers,
        apology,
    ) = row
    require_times(begun_at, answered_at, ended_at, event_at, transferred_at)
    require_texts(call_id, agent_id, caller, called, media, skill_id, sender_id, problem)
    require_texts(transfer_to, nickname)
    record = CallRecord(
        call_id,
        agent_id,
        CallState(state),
        begun_at,
        answered_at,
        ended_at,
        event_at,
        caller,
        called,
        media,
        bool(internal),
        nickname,
        skill_id,
        sender_id,
        problem,
        transfer_to=transfer_to,
        transferred_at=transferred_at,
        transfers=whole(transfers),
        apology=None if apology is None else _apology(apology),
    )
    return replace(record, held=_held(record, held))


def _apology(stored: str) -> Apology:
    inquiry, message_id, drafts = json.loads(stored)
    return Apology(inquiry, message_id, read_drafts(drafts))


def _held(record: CallRecord, stored: str) -> tuple[MessageRecord, ...]:
    return tuple(
        MessageRecord(
            record.provisional_sender, record.call_id, **dict(zip(_HELD, each, strict=True))
        )
        for each in json.loads(stored)
    )


def called(record: CallRecord) -> Row:
    """Return the values of ``CALL``."""
    held = [[getattr(message, name) for name in _HELD] for message in record.held]
    apology = record.apology
    said = apology and (apology.inquiry, apology.message_id, plain_drafts(apology.drafts))
    return (
        record.call_id,
        record.agent_id,
        record.state.value,
        record.begun_at,
        record.answered_at,
        record.ended_at,
        record.event_at,
        record.caller,
        record.called,
        record.media,
        record.internal,
        record.nickname,
        record.skill_id,
        record.sender_id,
        record.problem,
        json_text(held),
        record.transfer_to,
        record.transferred_at,
        record.transfers,
        None if apology is None else json_text(said),
    )


CALL_REQUEST = names(schema.call_requests)
CALL_REQUEST_WRITTEN = names(schema.call_requests, "seq")
CALL_REQUEST_MOVED = (
    "state",
    "due_at",
    "expires_at",
    "attempts",
    "lease",
    "lease_until",
    "error_code",
    "error",
    "settled_at",
)


def call_request(row: Row) -> CallRequest:
    """Convert a row of ``CALL_REQUEST``."""
    return converted(
        schema.call_requests,
        CALL_REQUEST,
        _call_request,
        row,
        kind=CallRequestKind,
        state=UpdateState,
    )


def _call_request(row: Row) -> CallRequest:
    (
        seq,
        name,
        line,
        call_id,
        agent_id,
        kind,
        body,
        state,
        created_at,
        due_at,
        expires_at,
        attempts,
        lease,
        lease_until,
        error_code,
        error,
        settled_at,
    ) = row
    require_times(created_at, due_at, expires_at, lease_until, settled_at)
    require_texts(name, line, call_id, agent_id, lease, error_code, error)
    return CallRequest(
        seq,
        name,
        line,
        call_id,
        agent_id,
        CallRequestKind(kind),
        created_at,
        due_at,
        expires_at,
        json_object(body),
        UpdateState(state),
        whole(attempts),
        lease,
        lease_until,
        error_code,
        error,
        settled_at,
    )


def requested(item: CallRequest) -> Row:
    """Return the values of ``CALL_REQUEST_WRITTEN``."""
    return (
        item.id,
        item.line,
        item.call_id,
        item.agent_id,
        item.kind.value,
        json_text(dict(item.body)),
        item.state.value,
        item.created_at,
        item.due_at,
        item.expires_at,
        item.attempts,
        item.lease,
        item.lease_until,
        item.error_code,
        item.error,
        item.settled_at,
    )
