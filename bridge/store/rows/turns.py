"""Convert the rows of action calls."""

from __future__ import annotations

from bridge.state.records import ActionAnswer, TurnRecord
from bridge.store import schema
from bridge.store.repair import require_texts, require_times
from bridge.store.rows.converting import Row, converted, json_object, json_text, names

TURN = names(schema.turns)


def turn(row: Row) -> TurnRecord:
    """Convert a row of ``TURN``."""
    return converted(schema.turns, TURN, _turn, row)


def _turn(row: Row) -> TurnRecord:
    key, sender_id, call_id, made_at, answer, unavailable, pushable = row
    require_times(made_at)
    require_texts(key, sender_id, call_id)
    return TurnRecord(
        key, sender_id, call_id, made_at, _answer(answer), _answer(unavailable), bool(pushable)
    )


def _answer(stored: str | None) -> ActionAnswer | None:
    return ActionAnswer.of_json(json_object(stored)) if stored else None


def answer(record: TurnRecord) -> str | None:
    """Return an action call's answer as JSON for the store."""
    return json_text(record.answer.as_json()) if record.answer is not None else None


def turned(record: TurnRecord) -> Row:
    """Return the values of ``TURN``."""
    unavailable = record.unavailable
    return (
        record.key,
        record.sender_id,
        record.call_id,
        record.made_at,
        answer(record),
        json_text(unavailable.as_json()) if unavailable is not None else None,
        record.pushable,
    )
