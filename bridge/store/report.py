"""Reads what became of suggestions, for the report; no words are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from bridge.model import Suggestion
from bridge.store import lists, rows, schema

_s = schema.suggestions.c
_ROWS = 2000  # per statement
_ASKED = func.coalesce(_s.asked_at, _s.created_at)


@dataclass(frozen=True, slots=True)
class SuggestionOutcome:
    """One suggestion without its words.

    Attributes:
        question: names the customer's message; the same for all candidates.
        asked_at: when the customer wrote it.
    """

    question: str
    asked_at: float
    state: str
    displayed: bool
    settled_at: float | None
    settled_by: str | None
    edit_distance: float | None
    configuration: str | None
    kind: str
    intent: str | None
    response: str | None
    names: tuple[str, ...]


def outcomes(tx: Connection, start: float, end: float) -> Iterator[SuggestionOutcome]:
    """Yield the suggestions for questions from ``start`` to before ``end``."""
    statement = (
        select(
            _s.seq,
            _s.call_id,
            _s.message_id,
            _s.candidates,
            _ASKED.label("asked_at"),
            _s.state,
            _s.displayed_at,
            _s.settled_at,
            _s.settled_by,
            _s.edit_distance,
            _s.configuration,
            _s.source,
        )
        .where(start <= _ASKED, end > _ASKED)
        .order_by(_s.seq)
        .limit(_ROWS)
    )
    after = 0
    while True:
        found = tx.execute(statement.where(_s.seq > after)).all()
        for row in found:
            source = json.loads(row.source)
            yield SuggestionOutcome(
                f"{row.call_id} {row.message_id or row.candidates}",
                row.asked_at,
                row.state,
                row.displayed_at is not None,
                row.settled_at,
                row.settled_by,
                row.edit_distance,
                row.configuration,
                source["kind"],
                source.get("intent"),
                source.get("response"),
                tuple(source.get("names", ())),
            )
        if len(found) < _ROWS:
            return
        after = found[-1].seq


def edits(tx: Connection, start: float, end: float) -> Iterator[tuple[Suggestion, str, list[str]]]:
    """Yield the suggestions that agents edited, the response, and the conversation's values.

    The values are the names and slots that the call's assignment and card hold.
    """
    statement = select(schema.suggestions).where(
        start <= _ASKED, end > _ASKED, _s.state == "edited", _s.erased_at.is_(None)
    )
    for row in tx.execute(statement.order_by(_s.seq)):
        item = rows.suggestion(row)
        if item.source.response is not None:
            yield item, item.source.response, _values(tx, item)


def _values(tx: Connection, item: Suggestion) -> list[str]:
    record = lists.assignment_of_call(tx, item.call_id)
    card = lists.card(tx, item.call_id)
    slots = card.slots.values() if card is not None else ()
    found = [str(value) for value in slots if isinstance(value, (str, int, float))]
    if record is not None:
        assigned = record.assignment
        found += [name for name in (assigned.user_id, assigned.agent_nickname) if name]
    return found
