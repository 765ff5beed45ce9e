"""The API's shapes: values of the product into what JSON holds. Pure.

Ids are strings, times ISO 8601 in UTC; a key without a value is left out.
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
    """``2026-03-01T09:30:00.250Z``."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def page(found: Page, shape: Callable[[Any], Json]) -> Json:
    """A list's part: ``{"items", "next"}``."""
    return {"items": [shape(item) for item in found.items], "next": found.next}


def assignment(found: Assignment) -> Json:
    """An assignment, without whose it is."""
    return _present(
        agent_id=found.agent_id,
        call_id=found.call_id,
        user_id=found.user_id,
        channel=found.channel.value,
        channel_config_id=found.channel_config_id,
        agent_nickname=found.agent_nickname,
        agent_avatar=found.agent_avatar,
    )


def call(found: AssignmentRecord) -> Json:
    """A call: its assignment, and how things stand with it."""
    return assignment(found.assignment) | _present(
        sender_id=found.assignment.sender_id,
        owner=found.owner.value,
        state="open" if found.open else "ended",
        source=found.source,
        given_at=time(found.given_at),
        handed_off_at=_time(found.handed_off_at),
        handed_back_at=_time(found.handed_back_at),
        ended_at=_time(found.ended_at),
        untold=found.untold,
    )


def whole_call(view: CallView, offered: Sequence[Suggestion], mode: Mode) -> Json:
    """A call with its card, its history, what is offered to the agent, and how far assist goes."""
    told = [_told(delivery, view.words.get(delivery.seq)) for delivery in view.deliveries]
    turns = [_said(line) for line in view.card.turns] if view.card else []
    history = sorted((*turns, *told), key=lambda pair: pair[0])  # stable: turns before deliveries
    return {
        **call(view.record),
        "card": card(view.card) if view.card else None,
        **_present(card_erased_at=_time(view.record.card_erased_at)),
        "history": [item for _, item in history],
        "suggestions": [suggestion(item) for item in offered],
        "assist": mode.value,
    }


def card(found: Card) -> Json:
    """A handoff card."""
    return {
        "reason": found.reason,
        "slots": _finite(found.slots),
        "turns": [_said(line)[1] for line in found.turns],
    }


def suggestion(found: Suggestion) -> Json:
    """A suggestion: who may say what, what became of it, and what was changed."""
    return _present(
        id=found.id,
        agent_id=found.agent_id,
        call_id=found.call_id,
        sender_id=found.sender_id,
        state=found.state.value,
        created_at=time(found.created_at),
        expires_at=time(found.expires_at),
        source=_finite(asdict(found.source)),
        text=found.text,
        drafts=[_draft(draft) for draft in found.drafts],
        edited_text=found.edited_text,
        reason=found.reason,
        candidate_of=found.group,
        message_id=found.message_id,
        displayed_at=_time(found.displayed_at),
        settled_at=_time(found.settled_at),
        settled_by=found.settled_by,
        erased_at=_time(found.erased_at),
    )


def accepted(found: Suggestion, sent: Sequence[Delivery]) -> Json:
    """A suggestion and the deliveries that it became."""
    return suggestion(found) | {"deliveries": [delivery(item) for item in sent]}


def assist(mode: Mode, ceiling: Mode | None) -> Json:
    """How far assist goes now, and the ceiling that was put, or null."""
    return {"mode": mode.value, "ceiling": ceiling.value if ceiling else None}


def issued(token: str, found: AccessToken) -> Json:
    """A token, the name that revokes it, and whose it is."""
    whose = "agent_id" if found.role is Role.AGENT else "supervisor"
    return {
        "token": token,
        "token_id": found.token_id,
        whose: found.subject,
        "issued_at": time(found.issued_at),
        "expires_at": time(found.expires_at),
    }


def delivery(found: Delivery) -> Json:
    """A delivery."""
    error = found.error
    return _present(
        id=found.id,
        message_code=found.message_code,
        agent_id=found.envelope.agent_id,
        call_id=found.envelope.call_id,
        sender_id=found.sender_id,
        state=found.state.value,
        attempts=found.attempts,
        media_type=found.draft.media_type.value,
        media_file_type=found.draft.media_file_type,
        content=found.draft.content,
        channel=found.envelope.channel.value,
        origin=found.origin.value,
        approved_by=found.approved_by,
        part=found.part,
        error={"code": error.code, "message": error.message} if error else None,
        created_at=time(found.created_at),
        expires_at=time(found.expires_at),
        settled_at=_time(found.settled_at),
        erased_at=_time(found.erased_at),
    )


def session(found: SessionRecord) -> Json:
    """How an agent stands with the gateway; never the GUID, which is a secret."""
    error = {"code": found.error_code, "message": found.error_message or ""}
    return _present(
        agent_id=found.agent_id,
        state=found.state.value,
        held_by="bridge" if found.ours else "desktop",
        renewed_at=time(found.renewed_at),
        error=error if found.error_code else None,
    )


def _said(line: Line) -> tuple[float, Json]:
    return line.at, {"who": line.who, "text": line.text, "at": time(line.at)}


def _told(found: Delivery, words: str | None) -> tuple[float, Json]:
    by_itself = found.origin in (Origin.BOT, Origin.AUTO)
    draft = found.draft
    return found.created_at, _present(
        who="bot" if by_itself else "agent",
        text=words,
        media_type=draft.media_type.value,
        content=draft.content,
        at=time(found.created_at),
        delivery={"id": found.id, "state": found.state.value},
        origin=found.origin.value,
        approved_by=found.approved_by,
        erased_at=_time(found.erased_at),
    )


def _draft(found: Draft) -> Json:
    return _present(
        media_type=found.media_type.value,
        media_file_type=found.media_file_type,
        content=found.content,
    )


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else time(seconds)


def _present(**fields: Any) -> Json:
    return {key: value for key, value in fields.items() if value is not None}


def _finite(value: Any) -> Any:
    """Numbers such as 1e999, which a slot may hold and JSON may not, as null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
