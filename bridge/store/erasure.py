"""Finds and erases what the store holds of one customer, conversation or call.

Rows are found by the indexes of conversations and calls; only the gateway's events, which name a
customer somewhere in their JSON, are read in windows. What is found is erased by its keys, a few
rows at a time. Nothing is kept but the derived key of each action call, so that a late repetition
sends nothing again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from bridge.state.plan import Erase
from bridge.state.records import Erasure
from bridge.store import schema
from bridge.store.statements import Transaction

Key: TypeAlias = tuple[Any, ...]
_OPEN = schema.deliveries.c.state.in_([literal_column("'waiting'"), literal_column("'sending'")])

_TABLES = {
    table.name: table
    for table in (
        schema.deliveries,
        schema.suggestions,
        schema.assignments,
        schema.rasa_updates,
        schema.turns,
        schema.events,
    )
}
TABLES = tuple(_TABLES)  # by their names: where people are
_READERS_CALL = "cc-"  # the sender ID of a call that the reader answered begins so
_TOLD_APART = 4  # characters; a shorter user ID may be any number of an event
_PARTIES = {"caller", "called", "number", "userid", "from", "to"}  # of an event, in lower case
_DEEPEST = 32  # levels of an event's JSON


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a table: the keys of what was found, how many rows it has, its last key."""

    found: tuple[Key, ...]
    rows: int
    reached: Key | None


def of_sender(tx: Connection, sender_id: str) -> Erasure:
    """A conversation with all its calls."""
    return _of_senders(tx, {sender_id})


def of_user(tx: Connection, user_id: str) -> Erasure:
    """A customer: every conversation that was with this user of the gateway."""
    senders = {
        sender
        for table in (schema.assignments, schema.deliveries)
        for sender in tx.execute(
            select(table.c.sender_id).where(table.c.user_id == user_id).distinct()
        ).scalars()
    }
    found = _of_senders(tx, senders)
    named = frozenset({user_id})
    return Erasure(found.senders, found.calls, found.users | named, named_users=named)


def of_call(tx: Connection, call_id: str) -> Erasure:
    """One call, and nothing else of its conversation."""
    sent, offered = schema.deliveries.c, schema.suggestions.c
    keys = {
        *tx.execute(select(sent.turn_key).where(sent.call_id == call_id)).scalars(),
        *tx.execute(select(offered.candidates).where(offered.call_id == call_id)).scalars(),
    }
    _a, _t = schema.assignments.c, schema.turns.c
    with_it = tx.execute(select(_a.sender_id, _a.user_id).where(_a.call_id == call_id)).all()
    senders = [row.sender_id for row in with_it]
    handed = select(_t.key).where(_t.sender_id.in_(senders), _t.call_id == call_id)
    keys |= set(tx.execute(handed).scalars())
    return Erasure(
        calls=frozenset({call_id}),
        users=frozenset(row.user_id for row in with_it),
        turn_keys=frozenset(key for key in keys if key is not None),
    )


def _of_senders(tx: Connection, senders: Iterable[str]) -> Erasure:
    calls, users = set(), set()
    _a = schema.assignments.c
    for sender in senders:
        for row in tx.execute(select(_a.call_id, _a.user_id).where(_a.sender_id == sender)):
            calls.add(row.call_id)
            users.add(row.user_id)
    return Erasure(frozenset(senders), frozenset(calls), frozenset(users))


def _stop(tx: Connection, erased: Erasure, now: float) -> dict[str, int]:
    """In one transaction, what is open: nothing of it is sent, offered or told any more.

    An attempt under way finds nothing to settle. The calls are ended, and erased after what is
    found by them: so an erasure that was interrupted can be done once more. Returns how many rows
    were erased, by table.
    """
    _a = schema.assignments.c
    ended = update(schema.assignments).where(_is_theirs(schema.assignments, erased))
    tx.execute(ended.values(ended_at=func.coalesce(_a.ended_at, now), owner="bot", card=None))
    offered = schema.suggestions.c.state == literal_column("'offered'")
    told = schema.rasa_updates.c.state.in_(
        [literal_column("'waiting'"), literal_column("'sending'")]
    )
    return {
        table.name: tx.execute(delete(table).where(which, _is_theirs(table, erased))).rowcount
        for table, which in (
            (schema.deliveries, _OPEN),
            (schema.suggestions, offered),
            (schema.rasa_updates, told),
        )
    }


def found(tx: Connection, name: str, erased: Erasure) -> tuple[Key, ...]:
    """The keys of all that a table, but for events, holds of it."""
    table = _TABLES[name]
    keys = tuple(table.primary_key.columns)
    read = tx.execute(select(*keys).where(_is_theirs(table, erased)).order_by(*keys))
    return tuple(tuple(row) for row in read)


def events(tx: Connection, erased: Erasure, after: Key | None, rows: int) -> Window:
    """Look through ``rows`` events from ``after`` on."""
    seq, content = schema.events.c.seq, schema.events.c.content
    statement = select(seq, content).order_by(seq).limit(rows)
    if after is not None:
        statement = statement.where(seq > after[0])
    read = tx.execute(statement).all()
    named = tuple((row.seq,) for row in read if _names(row.content, erased))
    return Window(named, len(read), (read[-1].seq,) if len(read) == rows else None)


def erase(tx: Transaction, rows: Erase) -> dict[str, int]:
    """Erase rows by their keys, or all that is open; how many, by table."""
    if rows.erasure is not None:
        return _stop(tx.connection, rows.erasure, rows.now)
    return {rows.table: _erase(tx.connection, rows.table, rows.keys)}


def _erase(tx: Connection, name: str, keys: Sequence[Key]) -> int:
    """Erase these rows; of an action call, all but its key and its time."""
    table = _TABLES[name]
    columns: tuple[Column[Any], ...] = tuple(table.primary_key.columns)
    among = (
        columns[0].in_([key[0] for key in keys])
        if len(columns) == 1
        else tuple_(*columns).in_(list(keys))
    )
    if table is schema.turns:
        nobody = (
            update(table)
            .where(among)
            .values(sender_id="", call_id=None, answer="{}", unavailable=None)
        )
        return int(tx.execute(nobody).rowcount)
    return int(tx.execute(delete(table).where(among)).rowcount)


def _is_theirs(table: Table, erased: Erasure) -> ColumnElement[bool]:
    if table is schema.deliveries:
        # By the index of calls: every delivery is of a call that its conversation was assigned.
        of_calls = table.c.call_id.in_(sorted(erased.calls))
        senders = sorted(erased.senders)
        return and_(of_calls, table.c.sender_id.in_(senders)) if senders else of_calls
    if erased.senders:
        return table.c.sender_id.in_(sorted(erased.senders))
    readers = [_READERS_CALL + call for call in erased.calls]
    return or_(
        false(),
        table.c.sender_id.in_(readers),
        table.c.key.in_(sorted(erased.turn_keys))
        if table is schema.turns
        else table.c.call_id.in_(sorted(erased.calls)),
    )


def _names(content: str, erased: Erasure) -> bool:
    """Whether an event is of one of the calls, or of a user who was named."""
    if not any(name in content for name in (*erased.calls, *erased.named_users)):
        return False
    try:
        return _mentions(json.loads(content), erased, "", _DEEPEST)
    except (ValueError, RecursionError):
        return True  # it holds the name, whatever else it is


def _mentions(value: Any, erased: Erasure, under: str, deeper: int) -> bool:
    if isinstance(value, dict):
        pairs: Iterable[tuple[str, Any]] = value.items()
    elif isinstance(value, list):
        pairs = ((under, item) for item in value)
    else:
        return _is_one(value, erased, under, deeper)
    return not deeper or any(_mentions(item, erased, str(key), deeper - 1) for key, item in pairs)


def _is_one(value: Any, erased: Erasure, under: str, deeper: int) -> bool:
    said = str(value)
    if said in erased.calls:
        return True
    if said in erased.named_users:
        return len(said) >= _TOLD_APART or under.lower() in _PARTIES
    if isinstance(value, str) and deeper and said.lstrip()[:1] in ("{", "["):  # JSON in a string
        return _names(said, erased)
    return False
