"""Writes the plans of one batch: each row's final state, one insert and one update a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

from bridge.model import Delivery, DeliveryState, evolve
from bridge.state.plan import Plan, Written
from bridge.state.records import AssignmentRecord, EventRecord
from bridge.state.snapshot import Pair, Snapshot
from bridge.store import erasure, pruning, rows, schema
from bridge.store.errors import ConflictError
from bridge.store.statements import Rows, Select, Transaction

_ASSIGN = Rows(
    schema.assignments,
    rows.ASSIGNMENT,
    conflict=("sender_id", "call_id"),
    changed=rows.names(schema.assignments, "sender_id", "call_id"),
    expressions={"card": "coalesce(excluded.card, assignments.card)"},
)
# The columns that no index has: what every handoff changes.
_HANDED = (
    "sender_id",
    "call_id",
    "owner",
    "handed_off_at",
    "handed_back_at",
    "untold",
    "erased_at",
    "command_key",
)
_HAND_OVER = Rows(schema.assignments, _HANDED, conflict=("sender_id", "call_id"), only_update=True)
_CARD = Rows(
    schema.assignments, (*_HANDED, "card"), conflict=("sender_id", "call_id"), only_update=True
)
_CALLED = Rows(schema.turns, rows.TURN, conflict=("key",), returning=("key",))
_ANSWERED = Rows(schema.turns, ("key", "answer"), conflict=("key",), only_update=True)
_STORE = Rows(
    schema.deliveries,
    rows.DELIVERY_NEW,
    conflict=("message_code",),
    returning=("seq", "message_code"),
)
_MOVE = Rows(schema.deliveries, rows.DELIVERY_MOVED, conflict=("seq",), only_update=True)
_SUGGEST = Rows(
    schema.suggestions,
    rows.SUGGESTION_WRITTEN,
    conflict=("id",),
    changed=rows.SUGGESTION_MOVED,
)
_SIGN = Rows(
    schema.sessions,
    rows.SESSION,
    conflict=("agent_id",),
    changed=rows.names(schema.sessions, "agent_id"),
)
_UPDATE = Rows(
    schema.rasa_updates,
    rows.UPDATE_WRITTEN,
    conflict=("id",),
    changed=rows.UPDATE_MOVED,
    returning=("seq", "id"),
)
_EVENT = Rows(schema.events, ("agent_id", "event_type", "content", "received_at"))
_SWITCH = Rows(
    schema.switches,
    ("name", "value", "changed_at"),
    conflict=("name",),
    changed=("value", "changed_at"),
)
_REVOKE = Rows(
    schema.revocations,
    ("subject", "revoked_at", "expires_at"),
    conflict=("subject",),
    changed=("revoked_at", "expires_at"),
)
_LEAD = Rows(
    schema.leaders,
    ("name", "holder", "held_until", "done_at"),
    conflict=("name",),
    changed=("holder", "held_until", "done_at"),
)
# Kinds of which nothing but the final state matters: a plan's field, the key, how they are stored.
_OTHERS: tuple[tuple[str, str, Rows, Callable[[Any], rows.Row]], ...] = (
    ("suggestions", "id", _SUGGEST, rows.suggested),
    ("sessions", "agent_id", _SIGN, rows.signed),
    ("switches", "name", _SWITCH, attrgetter("name", "value", "changed_at")),
    ("leaders", "name", _LEAD, attrgetter("name", "holder", "held_until", "done_at")),
    ("revocations", "subject", _REVOKE, attrgetter("subject", "revoked_at", "expires_at")),
)
_DROP_REVOCATIONS = Select("DELETE FROM revocations WHERE expires_at < {value}")
_TOUCH = Select("UPDATE alembic_version SET version_num = version_num")
_EVENT_TYPE = 128  # characters


def write(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> Written:
    """Write what ``plans``, all of one batch, change; deliveries come back with their numbers.

    Args:
        tx: the transaction in which the snapshot was loaded.
        snapshot: with all plans of the batch in it.
        plans: the plans, in their order.

    Raises:
        ConflictError: another process stored the same meanwhile.
    """
    _assignments(tx, snapshot, plans)
    _turns(tx, snapshot, plans)
    stored = _deliveries(tx, snapshot, plans)
    _updates(tx, snapshot, plans)
    _events(tx, plans)
    for kind, key, statement, row in _OTHERS:
        if found := _last(plans, kind, key):
            statement.run(tx, [row(item) for item in found])
    return Written(stored, _cleaned(tx, plans))


def _last(plans: Iterable[Plan], kind: str, key: str) -> list[Any]:
    """The final state of each row of a kind."""
    found: dict[Any, Any] = {}
    for plan in plans:
        for item in getattr(plan, kind):
            found[getattr(item, key)] = item
    return list(found.values())


def _updates(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    if found := _last(plans, "updates", "id"):
        for seq, name in _UPDATE.stored(tx, [rows.updated(item) for item in found]):
            snapshot.updates[name] = replace(snapshot.updates[name], seq=seq)


def _events(tx: Transaction, plans: Sequence[Plan]) -> None:
    if found := [event for plan in plans for event in plan.events]:
        _EVENT.run(tx, [_event(each) for each in found])


def _event(record: EventRecord) -> rows.Row:
    content = json.dumps(record.content, ensure_ascii=False)
    return (record.agent_id, record.event_type[:_EVENT_TYPE], content, record.received_at)


def _cleaned(tx: Transaction, plans: Sequence[Plan]) -> dict[str, int]:
    """Do what set-wide commands delete; how many rows, by table."""
    counts: dict[str, int] = {}
    for plan in plans:
        if plan.drop_revocations_before is not None:
            _DROP_REVOCATIONS.run(tx, plan.drop_revocations_before)
        if plan.prune is not None:
            counts[plan.prune.table] = pruning.prune(tx, plan.prune)
        if plan.erase is not None:
            counts |= erasure.erase(tx, plan.erase)
        if plan.touch:
            _TOUCH.run(tx)
    return counts


def _assignments(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    found: dict[Pair, AssignmentRecord] = {}
    cards: dict[Pair, Any] = {}
    for plan in plans:
        for record in plan.assignments:
            pair: Pair = (record.assignment.sender_id, record.assignment.call_id)
            found[pair] = record
            if record.card is not None:
                cards[pair] = record.card
    if not found:
        return
    whole, handed, carded = [], [], []
    for pair, record in found.items():
        loaded = snapshot.loaded.get(pair)
        row = rows.assigned(evolve(record, card=cards.get(pair)))
        if loaded is None or _moved(loaded, record):
            whole.append(row)
            continue
        *names, owner, _source, _given, off, back, _ended, shown, untold, erased, key = row
        part = (names[0], names[1], owner, off, back, untold, erased, key)
        if shown is None:
            handed.append(part)
        else:
            carded.append((*part, shown))
    for statement, some in ((_ASSIGN, whole), (_HAND_OVER, handed), (_CARD, carded)):
        if some:
            statement.run(tx, some)


def _moved(loaded: AssignmentRecord, record: AssignmentRecord) -> bool:
    """Whether a column changed that an index has."""
    return (
        loaded.assignment != record.assignment
        or loaded.given_at != record.given_at
        or loaded.ended_at != record.ended_at
        or loaded.source != record.source
    )


def _turns(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    found = {record.key: record for plan in plans for record in plan.turns}
    new = [rows.turned(item) for key, item in found.items() if key not in snapshot.loaded_turns]
    if new and len(_CALLED.stored(tx, new)) != len(new):
        raise ConflictError("another process stored the same action call")
    answered = [
        (item.key, rows.answer(item)) for key, item in found.items() if key in snapshot.loaded_turns
    ]
    if answered:
        _ANSWERED.run(tx, answered)


def _deliveries(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> dict[str, Delivery]:
    found: dict[str, Delivery] = {}
    for plan in plans:
        for item in plan.deliveries:
            found[item.message_code] = item
    if not found:
        return found
    moved = [item for item in found.values() if item.seq]
    if moved:
        # What stops being sent goes first: one delivery of a call is being sent at a time.
        freed = [item for item in moved if item.state is not DeliveryState.SENDING]
        begun = [item for item in moved if item.state is DeliveryState.SENDING]
        for some in (freed, begun):
            if some:
                _MOVE.run(tx, [rows.moved_delivery(item) for item in some])
    new = [item for item in found.values() if not item.seq]
    if new:
        numbers = _STORE.stored(tx, [rows.new_delivery(item) for item in new])
        if len(numbers) != len(new):
            raise ConflictError("another process stored the same message")
        for seq, code in numbers:
            found[code] = evolve(found[code], seq=seq)
    snapshot.deliveries.update(found)
    return found
