"""Suggestions with their whole life: offered once, settled once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, literal_column, select, update

from bridge.model import (
    AgentId,
    CallId,
    Draft,
    MediaType,
    SenderId,
    Source,
    Suggestion,
    SuggestionState,
)
from bridge.store.prepared import Prepared, Row
from bridge.store.schema import suggestions
from bridge.store.sql import insert_or_ignore

_s = suggestions.c
_GET = Prepared(select(suggestions).where(_s.id == bindparam("b_id")))
_OFFERED: ColumnElement[str] = literal_column("'offered'")
_SUPERSEDE = Prepared(
    update(suggestions)
    .where(_s.state == _OFFERED, _s.sender_id == bindparam("b_sender"))
    .where(_s.message_id.is_distinct_from(bindparam("b_message")))
    .values(state=SuggestionState.SUPERSEDED.value, settled_at=bindparam("b_now"))
)
_DUE = Prepared(
    select(_s.seq)
    .where(_s.state == _OFFERED, _s.expires_at <= bindparam("b_now"))
    .limit(literal_column("1"))
)
_OFFER = insert_or_ignore(
    suggestions,
    "id",
    "candidates",
    "sender_id",
    "agent_id",
    "call_id",
    "message_id",
    "state",
    "created_at",
    "expires_at",
    "source",
    "text",
    "drafts",
    "kept",
    "settled_at",
    "settled_by",
)


def offer(tx: Connection, batch: Sequence[Suggestion]) -> None:
    """Store suggestions in this order; one that is stored already is left as it is."""
    _OFFER.many(tx, [_values(item) for item in batch])


def get(tx: Connection, suggestion_id: str) -> Suggestion | None:
    """One suggestion."""
    row = _GET.first(tx, b_id=suggestion_id)
    return _suggestion(row)[1] if row else None


def settle(
    tx: Connection,
    suggestion_id: str,
    state: SuggestionState,
    *,
    by: str,
    now: float,
    edited_text: str | None = None,
    reason: str | None = None,
) -> bool:
    """The agent's word; False where somebody was quicker, or its time was up."""
    statement = (
        update(suggestions)
        .where(_s.id == suggestion_id, _s.state == SuggestionState.OFFERED.value)
        .where(_s.expires_at > now)
        .values(
            state=state.value,
            settled_at=now,
            settled_by=by,
            edited_text=edited_text,
            reason=reason,
        )
    )
    return bool(tx.execute(statement).rowcount)


def supersede(tx: Connection, sender_id: str, message_id: str, *, now: float) -> None:
    """The customer wrote ``message_id``: what was offered for earlier messages is stale."""
    _SUPERSEDE.run(tx, b_sender=sender_id, b_message=message_id, b_now=now)


def supersede_others(tx: Connection, chosen: Suggestion, *, now: float) -> None:
    """One candidate was taken: the others of its action call are not offered any more."""
    tx.execute(
        update(suggestions)
        .where(_s.state == _OFFERED, _s.candidates == chosen.group, _s.id != chosen.id)
        .values(state=SuggestionState.SUPERSEDED.value, settled_at=now)
    )


def expire(tx: Connection, *, now: float, call_id: str | None = None) -> None:
    """Expire what is offered on a call (it ended, or went elsewhere), or whose time is up."""
    statement = update(suggestions).where(_s.state == SuggestionState.OFFERED.value)
    if call_id is not None:
        statement = statement.where(_s.call_id == call_id)
    else:
        statement = statement.where(_s.expires_at <= now)
    tx.execute(statement.values(state=SuggestionState.EXPIRED.value, settled_at=now))


def any_due(tx: Connection, *, now: float) -> bool:
    """Whether something is still offered whose time is up."""
    return _DUE.scalar(tx, b_now=now) is not None


def display(tx: Connection, suggestion_id: str, *, now: float) -> None:
    """The agent saw it; the first time counts."""
    tx.execute(
        update(suggestions)
        .where(_s.id == suggestion_id, _s.displayed_at.is_(None))
        .values(displayed_at=now)
    )


def listing(
    tx: Connection,
    *,
    call_id: str | None,
    states: Iterable[SuggestionState],
    agent_id: str | None,
    after: int,
    limit: int,
) -> list[tuple[int, Suggestion]]:
    """Suggestions in the order of storing, each with the cursor that goes on after it."""
    statement = select(suggestions).where(_s.seq > after).order_by(_s.seq).limit(limit)
    if call_id is not None:
        statement = statement.where(_s.call_id == call_id)
    if agent_id is not None:
        statement = statement.where(_s.agent_id == agent_id)
    wanted = [state.value for state in states]
    if wanted:
        statement = statement.where(_s.state.in_(wanted))
    return [_suggestion(row) for row in tx.execute(statement)]


def _values(item: Suggestion) -> dict[str, Any]:
    return {
        "id": item.id,
        "candidates": item.group,
        "sender_id": item.sender_id,
        "agent_id": item.agent_id,
        "call_id": item.call_id,
        "message_id": item.message_id,
        "state": item.state.value,
        "created_at": item.created_at,
        "expires_at": item.expires_at,
        "source": json.dumps(asdict(item.source)),
        "text": item.text,
        "drafts": _dump(item.drafts),
        "kept": _dump(item.kept),
        "settled_at": item.settled_at,
        "settled_by": item.settled_by,
    }


def _dump(drafts: Sequence[Draft]) -> str:
    rows = [{**asdict(draft), "media_type": draft.media_type.value} for draft in drafts]
    return json.dumps(rows, ensure_ascii=False)


def _load(stored: str) -> tuple[Draft, ...]:
    return tuple(
        Draft(**{**row, "media_type": MediaType(row["media_type"])}) for row in json.loads(stored)
    )


def _suggestion(row: Row) -> tuple[int, Suggestion]:
    return row.seq, Suggestion(
        id=row.id,
        group=row.candidates,
        sender_id=SenderId(row.sender_id),
        agent_id=AgentId(row.agent_id),
        call_id=CallId(row.call_id),
        state=SuggestionState(row.state),
        created_at=row.created_at,
        expires_at=row.expires_at,
        source=Source(**json.loads(row.source)),
        text=row.text,
        drafts=_load(row.drafts),
        kept=_load(row.kept),
        message_id=row.message_id,
        edited_text=row.edited_text,
        reason=row.reason,
        displayed_at=row.displayed_at,
        settled_at=row.settled_at,
        settled_by=row.settled_by,
        erased_at=row.erased_at,
    )
