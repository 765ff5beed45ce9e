"""Loads customers' questions, to which suggestions from outside are anchored."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.model import Suggestion
from bridge.state.records import MessageRecord
from bridge.state.snapshot import Question
from bridge.store import rows, schema
from bridge.store.statements import Select, Transaction

_M = ", ".join(f"m.{name}" for name in rows.MESSAGE)
_S = rows.listed(schema.suggestions, "s")
_ASKED = Select(
    f"SELECT {_M} FROM messages m WHERE m.call_id = {{value}}"  # noqa: S608 - constants of ours
    " AND (m.message_id = {value} OR m.id = {value}) AND m.author = 'customer'"
)
_BY_ID = Select(f"SELECT {_M} FROM {{texts}} CROSS JOIN messages m WHERE m.id = k.value")  # noqa: S608
_LATER = Select(
    "SELECT m.id FROM messages m WHERE m.call_id = {value} AND m.author = 'customer'"
    " AND m.created_at > {value} LIMIT 1"
)
_ANSWERED = Select(
    "SELECT d.seq FROM deliveries d WHERE d.call_id = {value} AND d.created_at >= {value}"
    " AND d.origin IN ('agent', 'suggestion', 'auto') AND d.state NOT IN ('failed', 'expired')"
    " LIMIT 1"
)
_FORWARDED = Select(
    "SELECT m.id FROM messages m WHERE m.call_id = {value} AND m.author = 'agent'"
    " AND m.created_at >= {value} LIMIT 1"
)
_ABOUT = Select(
    f"SELECT {_S} FROM suggestions s"  # noqa: S608 - as above
    " WHERE s.call_id = {value} AND s.message_id = {value}"
)
_COPIED = Select(
    f"SELECT {_S} FROM suggestions s WHERE s.call_id = {{value}}"  # noqa: S608 - as above
    " AND s.state = 'copied' AND s.settled_at >= {value} ORDER BY s.seq DESC LIMIT 1"
)

_AUTO = Select(
    "SELECT count(*) FROM suggestions s WHERE s.call_id = {value}"
    " AND s.settled_by = 'auto' AND s.state = 'accepted' AND s.settled_at >= {value}"
)
_AUTO_PERIOD = 60.0  # seconds


def recent_auto(tx: Transaction, call_id: str, now: float) -> int:
    """Return the number of automatic replies on a call in the last minute."""
    row = _AUTO.first(tx, call_id, now - _AUTO_PERIOD)
    return int(row[0]) if row is not None else 0


def asked(tx: Transaction, call_id: str, message_id: str) -> Question | None:
    """Return a customer's message of a call, by Rasa's ID or by its own; None if unknown."""
    row = _ASKED.first(tx, call_id, message_id, message_id)
    if row is None:
        return None
    message: MessageRecord = rows.message(row)
    since = message.created_at
    answered = _ANSWERED.first(tx, call_id, since) or _FORWARDED.first(tx, call_id, since)
    later = _LATER.first(tx, call_id, since)
    return Question(message, answered=answered is not None, outdated=later is not None)


def messages(tx: Transaction, ids: frozenset[str]) -> Iterator[MessageRecord]:
    """Yield the messages with these IDs."""
    for row in _BY_ID.rows(tx, list(ids)):
        yield rows.message(row)


def about(tx: Transaction, question: Question) -> Iterator[Suggestion]:
    """Yield all suggestions that answer a question."""
    message = question.message
    for row in _ABOUT.rows(tx, message.call_id, message.message_id):
        yield rows.suggestion(row)


def copied(tx: Transaction, call_id: str, since: float) -> Suggestion | None:
    """Return the suggestion of a call that its agent copied last, since a time."""
    row = _COPIED.first(tx, call_id, since)
    return rows.suggestion(row) if row is not None else None
