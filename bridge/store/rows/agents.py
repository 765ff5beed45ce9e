"""Convert the rows about agents: their sessions, their presence, and the gateway's events."""

from __future__ import annotations

import json
from typing import Any

from bridge import untrusted
from bridge.model import AgentId, Guid
from bridge.state.records import EventRecord, PresenceRecord, SessionRecord, SessionState
from bridge.store import schema
from bridge.store.repair import require_texts, require_times
from bridge.store.rows.converting import READ_ERRORS, Row, converted, names, whole

SESSION = names(schema.sessions)


def session(row: Row) -> SessionRecord:
    """Convert a row of ``SESSION``."""
    return converted(
        schema.sessions,
        SESSION,
        _session,
        row,
        state=SessionState,
    )


def _session(row: Row) -> SessionRecord:
    (
        agent_id,
        guid,
        state,
        ours,
        generation,
        error_code,
        error_message,
        renewed_at,
        signing_in,
        signing_in_until,
        poller,
        poller_until,
        service_token,
        next_service_token,
        chosen_state,
        agent_state,
        sign_in_failures,
        pushed_digest,
        pushed_at,
        chats,
    ) = row
    require_times(renewed_at, signing_in_until, poller_until, pushed_at)
    require_texts(agent_id, guid, error_code, error_message, signing_in, poller)
    require_texts(service_token, next_service_token, chosen_state, agent_state, pushed_digest)
    return SessionRecord(
        AgentId(agent_id),
        Guid(guid) if guid else None,
        SessionState(state),
        bool(ours),
        whole(generation),
        renewed_at,
        error_code,
        error_message,
        signing_in,
        signing_in_until,
        poller,
        poller_until,
        service_token,
        next_service_token,
        chosen_state,
        agent_state,
        whole(sign_in_failures),
        pushed_digest,
        pushed_at,
        None if chats is None else whole(chats),
    )


def signed(record: SessionRecord) -> Row:
    """Return the values of ``SESSION``."""
    return (
        record.agent_id,
        record.guid,
        record.state.value,
        record.ours,
        record.generation,
        record.error_code,
        record.error_message,
        record.renewed_at,
        record.signing_in,
        record.signing_in_until,
        record.poller,
        record.poller_until,
        record.service_token,
        record.next_service_token,
        record.chosen_state,
        record.agent_state,
        record.sign_in_failures,
        record.pushed_digest,
        record.pushed_at,
        record.chats,
    )


def presence(row: Row) -> PresenceRecord:
    """Convert a row of ``presences``; one that is unreadable is of long ago."""
    agent_id, present_at = row
    return PresenceRecord(agent_id, untrusted.moment(present_at) or 0.0)


def event(row: Any) -> EventRecord:
    """Convert a row of ``events``; unreadable content is None."""
    try:
        content = json.loads(row.content)
    except READ_ERRORS:
        content = None
    return EventRecord(
        row.agent_id, row.event_type, content, row.received_at, row.seq, row.generated_at
    )
