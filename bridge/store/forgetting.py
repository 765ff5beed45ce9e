"""What the store holds of one customer, conversation or call; and erasing it.

Rows are looked through in windows along the primary key on a reading connection, since most tables
are not sorted by customer; what is found is erased by its keys, a few at a time. Nothing is kept
of it but the derived code of each action call, so that a late repetition says nothing again.
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
    case,
    delete,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    update,
)

from bridge.store import schema
from bridge.store.delivery_rows import OPEN

Key: TypeAlias = tuple[Any, ...]

_TABLES = {
    table.name: table
    for table in (
        schema.deliveries,
        schema.suggestions,
        schema.assignments,
        schema.errands,
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
class Whose:
    """Whose data it is: what was named, and what the store knows to belong to it.

    Attributes:
        senders: conversations that are forgotten whole.
        calls: their calls; without ``senders``, the one call.
        users: whom the calls are with.
        named_users: of these, whose events are looked for by the user's ID.
        turn_keys: action calls of the one call.
    """

    senders: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    named_users: frozenset[str] = frozenset()
    turn_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a table: the keys of what was found, how many rows it has, its last key."""

    found: tuple[Key, ...]
    rows: int
    reached: Key | None


def of_sender(tx: Connection, sender_id: str) -> Whose:
    """A conversation with all its calls."""
    return _of_senders(tx, {sender_id})


def of_user(tx: Connection, user_id: str) -> Whose:
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
    return Whose(found.senders, found.calls, found.users | named, named_users=named)


def of_call(tx: Connection, call_id: str) -> Whose:
    """One call, and nothing else of its conversation."""
    sent, offered = schema.deliveries.c, schema.suggestions.c
    keys = {
        *tx.execute(select(sent.turn_key).where(sent.call_id == call_id)).scalars(),
        *tx.execute(select(offered.candidates).where(offered.call_id == call_id)).scalars(),
    }
    _a = schema.assignments.c
    users = tx.execute(select(_a.user_id).where(_a.call_id == call_id)).scalars()
    return Whose(
        calls=frozenset({call_id}),
        users=frozenset(users),
        turn_keys=frozenset(key for key in keys if key is not None),
    )


def _of_senders(tx: Connection, senders: Iterable[str]) -> Whose:
    calls, users = set(), set()
    _a = schema.assignments.c
    for sender in senders:
        for row in tx.execute(select(_a.call_id, _a.user_id).where(_a.sender_id == sender)):
            calls.add(row.call_id)
            users.add(row.user_id)
    return Whose(frozenset(senders), frozenset(calls), frozenset(users))


def size(tx: Connection) -> int:
    """How many rows there are to look through."""
    return sum(
        tx.execute(select(func.count()).select_from(table)).scalar_one()
        for table in _TABLES.values()
    )


def stop(tx: Connection, whose: Whose) -> dict[str, int]:
    """In one transaction, what is open: nothing of it is sent, offered, told or shown any more.

    An attempt under way finds nothing to settle. Returns how many rows were erased, by table.
    """
    offered = schema.suggestions.c.state == literal_column("'offered'")
    told = schema.errands.c.state.in_([literal_column("'waiting'"), literal_column("'doing'")])
    return {
        table.name: tx.execute(delete(table).where(which, _is_theirs(table, whose))).rowcount
        for table, which in (
            (schema.deliveries, OPEN),
            (schema.suggestions, offered),
            (schema.errands, told),
            (schema.assignments, true()),
        )
    }


def look(tx: Connection, name: str, whose: Whose, after: Key | None, rows: int) -> Window:
    """Look through ``rows`` rows of a table from ``after`` on."""
    table = _TABLES[name]
    keys = tuple(table.primary_key.columns)
    is_event = table is schema.events
    mark: ColumnElement[Any] = (
        schema.events.c.content if is_event else case((_is_theirs(table, whose), 1), else_=0)
    )
    statement = select(*keys, mark).order_by(*keys).limit(rows)
    if after is not None:
        statement = statement.where(tuple_(*keys) > tuple_(*after))
    read = tx.execute(statement).all()
    found = tuple(
        tuple(row[:-1]) for row in read if (_names(row[-1], whose) if is_event else row[-1])
    )
    return Window(found, len(read), tuple(read[-1][:-1]) if len(read) == rows else None)


def erase(tx: Connection, name: str, keys: Sequence[Key]) -> int:
    """Erase these rows; of an action call, all but its code and its time. How many that were."""
    table = _TABLES[name]
    columns: tuple[Column[Any], ...] = tuple(table.primary_key.columns)
    among = (
        columns[0].in_([key[0] for key in keys])
        if len(columns) == 1
        else tuple_(*columns).in_(list(keys))
    )
    if table is schema.turns:
        nobody = update(table).where(among).values(sender_id="", call_id=None, answer="{}")
        return int(tx.execute(nobody).rowcount)
    return int(tx.execute(delete(table).where(among)).rowcount)


def _is_theirs(table: Table, whose: Whose) -> ColumnElement[bool]:
    if whose.senders:
        return table.c.sender_id.in_(sorted(whose.senders))
    readers = [_READERS_CALL + call for call in whose.calls]
    return or_(
        false(),
        table.c.call_id.in_(sorted(whose.calls)),
        table.c.sender_id.in_(readers),
        *([table.c.key.in_(sorted(whose.turn_keys))] if table is schema.turns else []),
    )


def _names(content: str, whose: Whose) -> bool:
    """Whether an event is of one of the calls, or of a user who was named."""
    if not any(name in content for name in (*whose.calls, *whose.named_users)):
        return False
    try:
        return _mentions(json.loads(content), whose, "", _DEEPEST)
    except (ValueError, RecursionError):
        return True  # it holds the name, whatever else it is


def _mentions(value: Any, whose: Whose, under: str, deeper: int) -> bool:
    if isinstance(value, dict):
        pairs: Iterable[tuple[str, Any]] = value.items()
    elif isinstance(value, list):
        pairs = ((under, item) for item in value)
    else:
        return _is_one(value, whose, under, deeper)
    return not deeper or any(_mentions(item, whose, str(key), deeper - 1) for key, item in pairs)


def _is_one(value: Any, whose: Whose, under: str, deeper: int) -> bool:
    said = str(value)
    if said in whose.calls:
        return True
    if said in whose.named_users:
        return len(said) >= _TOLD_APART or under.lower() in _PARTIES
    if isinstance(value, str) and deeper and said.lstrip()[:1] in ("{", "["):  # JSON in a string
        return _names(said, whose)
    return False
