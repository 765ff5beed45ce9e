"""JSON schemas of the API: convert domain values to JSON objects. Pure.

IDs are strings, times ISO 8601 in UTC; a key without a value is omitted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from bridge.access_tokens import AccessToken, Role
from bridge.model import (
    Assignment,
    Card,
    Delivery,
    Draft,
    Line,
    Mode,
    Origin,
    Suggestion,
)
from bridge.queries import CallView, Page
from bridge.state.records import AssignmentRecord, SessionRecord

Json = dict[str, Any]


def time(seconds: float) -> str:
    """Format epoch seconds as ``2026-03-01T09:30:00.250Z``."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def page(result: Page, schema: Callable[[Any], Json]) -> Json:
    """Return one page of a list: ``{"items", "next"}``."""
    return {"items": [schema(item) for item in result.items], "next": result.next}


def assignment(value: Assignment) -> Json:
    """Return an assignment without its sender ID."""
    return _present(
        agent_id=value.agent_id,
        call_id=value.call_id,
        user_id=value.user_id,
        channel=value.channel.value,
        channel_config_id=value.channel_config_id,
        agent_nickname=value.agent_nickname,
        agent_avatar=value.agent_avatar,
    )


def call(record: AssignmentRecord) -> Json:
    """Return a call: its assignment, owner, state and times."""
    return assignment(record.assignment) | _present(
        sender_id=record.assignment.sender_id,
        owner=record.owner.value,
        state="open" if record.open else "ended",
        source=record.source,
        given_at=time(record.given_at),
        handed_off_at=_time(record.handed_off_at),
        handed_back_at=_time(record.handed_back_at),
        ended_at=_time(record.ended_at),
        untold=record.untold,
    )


def whole_call(view: CallView, offered: Sequence[Suggestion], mode: Mode) -> Json:
    """Return a call with its card, history, offered suggestions and the assist mode in force."""
    sent = [_sent(delivery, view.words.get(delivery.seq)) for delivery in view.deliveries]
    turns = [_line(line) for line in view.card.turns] if view.card else []
    history = sorted((*turns, *sent), key=lambda pair: pair[0])  # stable: turns before deliveries
    return {
        **call(view.record),
        "card": card(view.card) if view.card else None,
        **_present(card_erased_at=_time(view.record.card_erased_at)),
        "history": [item for _, item in history],
        "suggestions": [suggestion(item) for item in offered],
        "assist": mode.value,
    }


def card(value: Card) -> Json:
    """Return a handoff card."""
    return {
        "reason": value.reason,
        "slots": _finite(value.slots),
        "turns": [_line(line)[1] for line in value.turns],
    }


def suggestion(value: Suggestion) -> Json:
    """Return a suggestion: its agent, drafts, state, and the agent's decision and edits."""
    return _present(
        id=value.id,
        agent_id=value.agent_id,
        call_id=value.call_id,
        sender_id=value.sender_id,
        state=value.state.value,
        created_at=time(value.created_at),
        expires_at=time(value.expires_at),
        source=_finite(asdict(value.source)),
        text=value.text,
        drafts=[_draft(draft) for draft in value.drafts],
        edited_text=value.edited_text,
        reason=value.reason,
        candidate_of=value.group,
        message_id=value.message_id,
        displayed_at=_time(value.displayed_at),
        settled_at=_time(value.settled_at),
        settled_by=value.settled_by,
        erased_at=_time(value.erased_at),
    )


def accepted(value: Suggestion, sent: Sequence[Delivery]) -> Json:
    """Return an accepted suggestion with its deliveries."""
    return suggestion(value) | {"deliveries": [delivery(item) for item in sent]}


def assist(mode: Mode, ceiling: Mode | None) -> Json:
    """Return the assist mode in force and the ceiling that was set, or null."""
    return {"mode": mode.value, "ceiling": ceiling.value if ceiling else None}


def issued(token: str, record: AccessToken) -> Json:
    """Return a new token, the ID to revoke it by, its subject and its times."""
    subject = "agent_id" if record.role is Role.AGENT else "supervisor"
    return {
        "token": token,
        "token_id": record.token_id,
        subject: record.subject,
        "issued_at": time(record.issued_at),
        "expires_at": time(record.expires_at),
    }


def delivery(value: Delivery) -> Json:
    """Return a delivery."""
    error = value.error
    return _present(
        id=value.id,
        message_code=value.message_code,
        agent_id=value.envelope.agent_id,
        call_id=value.envelope.call_id,
        sender_id=value.sender_id,
        state=value.state.value,
        attempts=value.attempts,
        media_type=value.draft.media_type.value,
        media_file_type=value.draft.media_file_type,
        content=value.draft.content,
        channel=value.envelope.channel.value,
        origin=value.origin.value,
        approved_by=value.approved_by,
        part=value.part,
        error={"code": error.code, "message": error.message} if error else None,
        created_at=time(value.created_at),
        expires_at=time(value.expires_at),
        settled_at=_time(value.settled_at),
        erased_at=_time(value.erased_at),
    )


def session(record: SessionRecord) -> Json:
    """Return an agent's session state; never the GUID, which is a secret."""
    error = {"code": record.error_code, "message": record.error_message or ""}
    return _present(
        agent_id=record.agent_id,
        state=record.state.value,
        held_by="bridge" if record.ours else "desktop",
        renewed_at=time(record.renewed_at),
        error=error if record.error_code else None,
    )


def _line(line: Line) -> tuple[float, Json]:
    return line.at, {"who": line.who, "text": line.text, "at": time(line.at)}


def _sent(value: Delivery, words: str | None) -> tuple[float, Json]:
    by_itself = value.origin in (Origin.BOT, Origin.AUTO)
    draft = value.draft
    return value.created_at, _present(
        who="bot" if by_itself else "agent",
        text=words,
        media_type=draft.media_type.value,
        content=draft.content,
        at=time(value.created_at),
        delivery={"id": value.id, "state": value.state.value},
        origin=value.origin.value,
        approved_by=value.approved_by,
        erased_at=_time(value.erased_at),
    )


def _draft(value: Draft) -> Json:
    return _present(
        media_type=value.media_type.value,
        media_file_type=value.media_file_type,
        content=value.content,
    )


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else time(seconds)


def _present(**fields: Any) -> Json:
    return {key: value for key, value in fields.items() if value is not None}


def _finite(value: Any) -> Any:
    """Replace infinities and NaN, which slots may contain but JSON cannot, by null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
