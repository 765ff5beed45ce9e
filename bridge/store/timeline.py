"""Reads all that is stored of one conversation, for its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from bridge.model import Card, Delivery, Suggestion
from bridge.state.records import AssignmentRecord, MessageRecord, RasaUpdate, TurnRecord
from bridge.store import rows, schema

_a, _d, _t = schema.assignments.c, schema.deliveries.c, schema.turns.c
_s, _m, _u = schema.suggestions.c, schema.messages.c, schema.rasa_updates.c


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """The rows of one conversation, each kind in the order of storing."""

    assignments: Sequence[tuple[AssignmentRecord, Card | None]]
    turns: Sequence[TurnRecord]
    messages: Sequence[MessageRecord]
    suggestions: Sequence[Suggestion]
    deliveries: Sequence[Delivery]
    updates: Sequence[RasaUpdate]


def conversation(tx: Connection, sender_id: str) -> StoredConversation:
    """Return all that is stored of a conversation."""
    assigned = select(*(_a[name] for name in rows.ASSIGNMENT_READ)).where(_a.sender_id == sender_id)
    assignments = [rows.assignment(row) for row in tx.execute(assigned.order_by(_a.given_at))]
    cards = select(_a.call_id, _a.card).where(_a.sender_id == sender_id)
    card_of = {row.call_id: rows.card(row.card) for row in tx.execute(cards)}
    users = {each.assignment.user_id for each in assignments}
    turns = select(schema.turns).where(_t.sender_id == sender_id).order_by(_t.made_at)
    messages = select(*(_m[name] for name in rows.MESSAGE)).where(_m.sender_id == sender_id)
    suggestions = select(schema.suggestions).where(_s.sender_id == sender_id).order_by(_s.seq)
    deliveries = (
        select(schema.deliveries)
        .where(_d.user_id.in_(sorted(users)), _d.sender_id == sender_id)
        .order_by(_d.seq)
    )
    updates = select(*(_u[name] for name in rows.UPDATE)).where(_u.sender_id == sender_id)
    return StoredConversation(
        [(each, card_of.get(each.assignment.call_id)) for each in assignments],
        [rows.turn(row) for row in tx.execute(turns)],
        [rows.message(row) for row in tx.execute(messages.order_by(_m.seq))],
        [rows.suggestion(row) for row in tx.execute(suggestions)],
        [rows.delivery(row) for row in tx.execute(deliveries)],
        [rows.update(row) for row in tx.execute(updates.order_by(_u.seq))],
    )


def configurations(tx: Connection, sender_id: str) -> dict[str, str]:
    """Return the version of the configuration for each message that suggestions answer."""
    statement = (
        select(_s.message_id, _s.configuration)
        .where(_s.sender_id == sender_id, _s.message_id.is_not(None), _s.configuration.is_not(None))
        .order_by(_s.seq)
    )
    return {row.message_id: row.configuration for row in tx.execute(statement)}
