"""Convert the rows of suggestions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from bridge.model import AgentId, CallId, Draft, SenderId, Source, Suggestion, SuggestionState
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
)

SUGGESTION = names(schema.suggestions)
SUGGESTION_WRITTEN = names(schema.suggestions, "seq", "erased_at")
SUGGESTION_MOVED = (
    "state",
    "edited_text",
    "reason",
    "displayed_at",
    "settled_at",
    "settled_by",
    "command_key",
    "source",
    "edit_distance",
)


def suggestion(row: Row) -> Suggestion:
    """Convert a row of ``SUGGESTION``."""
    return converted(
        schema.suggestions,
        SUGGESTION,
        _suggestion,
        row,
        state=SuggestionState,
    )


def _suggestion(row: Row) -> Suggestion:
    (
        _seq,
        name,
        candidates,
        sender_id,
        agent_id,
        call_id,
        message_id,
        state,
        created_at,
        expires_at,
        source,
        question,
        text,
        drafts,
        kept,
        edited_text,
        reason,
        displayed_at,
        settled_at,
        settled_by,
        command_key,
        erased_at,
        asked_at,
        edit_distance,
        configuration,
    ) = row
    require_times(created_at, expires_at, displayed_at, settled_at, erased_at, asked_at)
    require_texts(configuration, question)
    require_texts(name, candidates, sender_id, agent_id, call_id, text, message_id)
    require_texts(edited_text, reason, settled_by, command_key)
    return Suggestion(
        id=name,
        group=candidates,
        sender_id=SenderId(sender_id),
        agent_id=AgentId(agent_id),
        call_id=CallId(call_id),
        state=SuggestionState(state),
        created_at=created_at,
        expires_at=expires_at,
        source=_source(source),
        text=text,
        drafts=_drafts(drafts),
        kept=_drafts(kept),
        message_id=message_id,
        question=question,
        edited_text=edited_text,
        reason=reason,
        displayed_at=displayed_at,
        settled_at=settled_at,
        settled_by=settled_by,
        command_key=command_key,
        erased_at=erased_at,
        asked_at=asked_at,
        edit_distance=edit_distance,
        configuration=configuration,
    )


def _source(stored: str) -> Source:
    value = json_object(stored)
    return Source(**{**value, "names": tuple(value.get("names", ()))})


def suggested(item: Suggestion) -> Row:
    """Return the values of ``SUGGESTION_WRITTEN``."""
    return (
        item.id,
        item.group,
        item.sender_id,
        item.agent_id,
        item.call_id,
        item.message_id,
        item.state.value,
        item.created_at,
        item.expires_at,
        json.dumps(asdict(item.source)),
        item.question,
        item.text,
        _dumped(item.drafts),
        _dumped(item.kept),
        item.edited_text,
        item.reason,
        item.displayed_at,
        item.settled_at,
        item.settled_by,
        item.command_key,
        item.asked_at,
        item.edit_distance,
        item.configuration,
    )


def _dumped(drafts: Sequence[Draft]) -> str:
    return json_text(plain_drafts(drafts))


def _drafts(stored: str) -> tuple[Draft, ...]:
    return read_drafts(json.loads(stored))
