"""Finds and erases the stored data of one customer, conversation or call.

Rows are found with the indexes of conversations and calls; only the gateway's events, which name a
customer anywhere in their JSON, are scanned in windows. Rows are erased by key, a few at a time.
Only the derived key and the time of each action call are kept, so that a late repeated request
sends nothing again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

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

from bridge.state.calls import READERS_SENDER
from bridge.state.plan import Erase
from bridge.state.records import Erasure, RowKey
from bridge.store import schema
from bridge.store.statements import Transaction

_OPEN = schema.deliveries.c.state.in_([literal_column("'waiting'"), literal_column("'sending'")])

_TABLES = {
    table.name: table
    for table in (
        schema.deliveries,
        schema.suggestions,
        schema.messages,
        schema.assignments,
        schema.rasa_updates,
        schema.call_requests,
        schema.calls,
        schema.turns,
        schema.changes,
        schema.events,
    )
}
TABLES = tuple(_TABLES)  # names of the tables with personal data
_UNAMBIGUOUS = 4  # characters; a shorter user ID may equal any number in an event
_PARTIES = {"caller", "called", "number", "userid", "from", "to"}  # event fields, in lower case
_DEEPEST = 32  # levels of an event's JSON that are searched


@dataclass(frozen=True, slots=True)
class ErasureWindow:
    """A range of a table's rows.

    Attributes:
        keys: primary keys of the matching rows.
        rows: number of rows in the range.
        reached: its last key; None at the end of the table.
    """

    keys: tuple[RowKey, ...]
    rows: int
    reached: RowKey | None


def of_sender(tx: Connection, sender_id: str) -> Erasure:
    """Return the scope of a conversation with all its calls."""
    return _of_senders(tx, {sender_id})


def of_user(tx: Connection, user_id: str) -> Erasure:
    """Return the scope of a customer: all conversations with this user of the gateway."""
    senders = {
        sender
        for table in (schema.assignments, schema.deliveries)
        for sender in tx.execute(
            select(table.c.sender_id).where(table.c.user_id == user_id).distinct()
        ).scalars()
    }
    conversations = _of_senders(tx, senders)
    named = frozenset({user_id})
    rang = tx.execute(select(schema.calls.c.call_id).where(schema.calls.c.caller == user_id))
    return replace(
        conversations,
        calls=conversations.calls | frozenset(rang.scalars()),
        users=conversations.users | named,
        named_users=named,
    )


def of_call(tx: Connection, call_id: str) -> Erasure:
    """Return the scope of one call, without the rest of its conversation."""
    sent, offered = schema.deliveries.c, schema.suggestions.c
    keys = {
        *tx.execute(select(sent.turn_key).where(sent.call_id == call_id)).scalars(),
        *tx.execute(select(offered.candidates).where(offered.call_id == call_id)).scalars(),
    }
    _a, _t = schema.assignments.c, schema.turns.c
    assignments = tx.execute(select(_a.sender_id, _a.user_id).where(_a.call_id == call_id)).all()
    senders = [row.sender_id for row in assignments]
    handed = select(_t.key).where(_t.sender_id.in_(senders), _t.call_id == call_id)
    keys |= set(tx.execute(handed).scalars())
    return Erasure(
        calls=frozenset({call_id}),
        users=frozenset(row.user_id for row in assignments),
        turn_keys=frozenset(key for key in keys if key is not None),
        shadows=_shadows(tx, schema.rasa_updates.c.call_id == call_id),
    )


def _of_senders(tx: Connection, senders: Iterable[str]) -> Erasure:
    calls, users = set(), set()
    _a = schema.assignments.c
    for sender in senders:
        for row in tx.execute(select(_a.call_id, _a.user_id).where(_a.sender_id == sender)):
            calls.add(row.call_id)
            users.add(row.user_id)
    known = sorted(senders)
    shadows = _shadows(tx, schema.rasa_updates.c.sender_id.in_(known))
    return Erasure(frozenset(known), frozenset(calls), frozenset(users), shadows=shadows)


def _shadows(tx: Connection, theirs: ColumnElement[bool]) -> frozenset[str]:
    shadow = schema.rasa_updates.c.shadow
    found = tx.execute(select(shadow).where(theirs, shadow.is_not(None))).scalars()
    return frozenset(map(str, found))


def _stop(tx: Connection, erased: Erasure, now: float) -> dict[str, int]:
    """Delete the open rows in one transaction; return the number of rows erased, by table.

    Nothing is sent, offered or reported to Rasa afterwards; the result of an attempt under way is
    dropped. The calls are only ended here and erased last, because other rows are found by them:
    an interrupted erasure can be repeated.
    """
    _a = schema.assignments.c
    ended = update(schema.assignments).where(_is_theirs(schema.assignments, erased))
    tx.execute(ended.values(ended_at=func.coalesce(_a.ended_at, now), owner="bot", card=None))
    over = update(schema.calls).where(_is_theirs(schema.calls, erased))
    tx.execute(over.values(state="ended", held="[]", apology=None))
    offered = schema.suggestions.c.state == literal_column("'offered'")
    pending_updates = schema.rasa_updates.c.state.in_(
        [literal_column("'waiting'"), literal_column("'sending'")]
    )
    pending_requests = schema.call_requests.c.state.in_(
        [literal_column("'waiting'"), literal_column("'sending'")]
    )
    return {
        table.name: tx.execute(delete(table).where(is_open, _is_theirs(table, erased))).rowcount
        for table, is_open in (
            (schema.deliveries, _OPEN),
            (schema.suggestions, offered),
            (schema.rasa_updates, pending_updates),
            (schema.call_requests, pending_requests),
        )
    }


def matching_keys(tx: Connection, name: str, erased: Erasure) -> tuple[RowKey, ...]:
    """Return the keys of all rows of ``erased`` in a table other than events."""
    table = _TABLES[name]
    keys = tuple(table.primary_key.columns)
    read = tx.execute(select(*keys).where(_is_theirs(table, erased)).order_by(*keys))
    return tuple(tuple(row) for row in read)


def events(tx: Connection, erased: Erasure, after: RowKey | None, rows: int) -> ErasureWindow:
    """Search up to ``rows`` events after the key ``after``."""
    seq, content = schema.events.c.seq, schema.events.c.content
    statement = select(seq, content).order_by(seq).limit(rows)
    if after is not None:
        statement = statement.where(seq > after[0])
    read = tx.execute(statement).all()
    named = tuple((row.seq,) for row in read if _names(row.content, erased))
    return ErasureWindow(named, len(read), (read[-1].seq,) if len(read) == rows else None)


def erase(tx: Transaction, rows: Erase) -> dict[str, int]:
    """Erase rows by key, or all open rows; return the number of rows by table."""
    if rows.erasure is not None:
        return _stop(tx.connection, rows.erasure, rows.now)
    return {rows.table: _erase(tx.connection, rows.table, rows.keys)}


def _erase(tx: Connection, name: str, keys: Sequence[RowKey]) -> int:
    """Erase rows by key; of an action call, keep its key and time."""
    table = _TABLES[name]
    columns: tuple[Column[Any], ...] = tuple(table.primary_key.columns)
    among = (
        columns[0].in_([key[0] for key in keys])
        if len(columns) == 1
        else tuple_(*columns).in_(list(keys))
    )
    if table is schema.turns:
        anonymise = (
            update(table)
            .where(among)
            .values(sender_id="", call_id=None, answer="{}", unavailable=None)
        )
        return int(tx.execute(anonymise).rowcount)
    return int(tx.execute(delete(table).where(among)).rowcount)


def _is_theirs(table: Table, erased: Erasure) -> ColumnElement[bool]:
    if table in (schema.calls, schema.call_requests):  # a call may not have been assigned
        return table.c.call_id.in_(sorted(erased.calls))
    if table in (schema.deliveries, schema.changes):
        # Uses the index of calls: every such row is of a call assigned to its conversation.
        of_calls = table.c.call_id.in_(sorted(erased.calls))
        provisional = {READERS_SENDER + call for call in erased.calls}
        senders = sorted(erased.senders | provisional)
        return and_(of_calls, table.c.sender_id.in_(senders)) if erased.senders else of_calls
    if erased.senders:
        return table.c.sender_id.in_(sorted(erased.senders))
    readers = [READERS_SENDER + call for call in erased.calls]
    return or_(
        false(),
        table.c.sender_id.in_(readers),
        table.c.key.in_(sorted(erased.turn_keys))
        if table is schema.turns
        else table.c.call_id.in_(sorted(erased.calls)),
    )


def _names(content: str, erased: Erasure) -> bool:
    """Return whether an event concerns one of the calls or named users."""
    if not any(name in content for name in (*erased.calls, *erased.named_users)):
        return False
    try:
        return _mentions(json.loads(content), erased, "", _DEEPEST)
    except (ValueError, RecursionError):
        return True  # not readable as JSON, but it contains the ID


def _mentions(value: Any, erased: Erasure, under: str, deeper: int) -> bool:
    if isinstance(value, dict):
        pairs: Iterable[tuple[str, Any]] = value.items()
    elif isinstance(value, list):
        pairs = ((under, item) for item in value)
    else:
        return _is_one(value, erased, under, deeper)
    return not deeper or any(_mentions(item, erased, str(key), deeper - 1) for key, item in pairs)


def _is_one(value: Any, erased: Erasure, under: str, deeper: int) -> bool:
    text = str(value)
    if text in erased.calls:
        return True
    if text in erased.named_users:
        return len(text) >= _UNAMBIGUOUS or under.lower() in _PARTIES
    if isinstance(value, str) and deeper and text.lstrip()[:1] in ("{", "["):  # JSON in a string
        return _names(text, erased)
    return False
