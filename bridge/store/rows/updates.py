"""Convert the rows of updates for Rasa."""

from __future__ import annotations

from bridge.state.records import RasaUpdate, UpdateKind, UpdateState
from bridge.store import schema
from bridge.store.repair import require_texts, require_times
from bridge.store.rows.converting import Row, converted, json_object, json_text, names, whole

UPDATE = names(schema.rasa_updates, "erased_at")
UPDATE_WRITTEN = names(schema.rasa_updates, "seq", "erased_at")
UPDATE_MOVED = (
    "body",
    "state",
    "due_at",
    "attempts",
    "lease",
    "lease_until",
    "error",
    "settled_at",
    "shadow",
)


def update(row: Row) -> RasaUpdate:
    """Convert a row of ``UPDATE``."""
    return converted(
        schema.rasa_updates,
        UPDATE,
        _update,
        row,
        kind=UpdateKind,
        state=UpdateState,
    )


def _update(row: Row) -> RasaUpdate:
    (
        seq,
        name,
        sender_id,
        call_id,
        kind,
        body,
        state,
        created_at,
        due_at,
        expires_at,
        attempts,
        lease,
        lease_until,
        error,
        settled_at,
        shadow,
    ) = row
    require_times(created_at, due_at, expires_at, lease_until, settled_at)
    require_texts(name, sender_id, call_id, lease, error, shadow)
    return RasaUpdate(
        seq,
        name,
        sender_id,
        call_id,
        UpdateKind(kind),
        json_object(body),
        created_at,
        due_at,
        expires_at,
        UpdateState(state),
        whole(attempts),
        lease,
        lease_until,
        error,
        settled_at,
        shadow,
    )


def updated(item: RasaUpdate) -> Row:
    """Return the values of ``UPDATE_WRITTEN``."""
    return (
        item.id,
        item.sender_id,
        item.call_id,
        item.kind.value,
        json_text(dict(item.body)),
        item.state.value,
        item.created_at,
        item.due_at,
        item.expires_at,
        item.attempts,
        item.lease,
        item.lease_until,
        item.error,
        item.settled_at,
        item.shadow,
    )
