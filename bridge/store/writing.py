"""Writes the plans of one batch: each row's final state, with one insert and update per table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from operator import attrgetter, itemgetter
from typing import Any

from bridge.model import Delivery, DeliveryState, evolve
from bridge.state.plan import Plan, Written
from bridge.state.records import AssignmentRecord, EventRecord
from bridge.state.snapshot import Pair, Snapshot
from bridge.store import changes, erasure, pruning, rows, schema
from bridge.store.errors import ConflictError
from bridge.store.statements import Rows, Select, Transaction

_ASSIGN = Rows(
    schema.assignments,
    rows.ASSIGNMENT,
    conflict=("sender_id", "call_id"),
    changed=rows.names(schema.assignments, "sender_id", "call_id"),
    expressions={"card": "coalesce(excluded.card, assignments.card)"},
)
# What a handoff, a handback or an alert changes of a known assignment: its key, then columns that
# no index contains, except ``alert_at`` where it is set. An assignment of which anything else
# changed is written whole.
_HANDED = (
    "sender_id",
    "call_id",
    "owner",
    "handed_off_at",
    "handed_back_at",
    "untold",
    "erased_at",
    "command_key",
    "alert_at",
    "alerted_at",
    "alert_attempts",
)
_HANDED_WITH_CARD = (*_HANDED, "card")
_HAND_OVER = Rows(schema.assignments, _HANDED, conflict=("sender_id", "call_id"), only_update=True)
_CARD = Rows(
    schema.assignments, _HANDED_WITH_CARD, conflict=("sender_id", "call_id"), only_update=True
)
_handed = itemgetter(*(rows.ASSIGNMENT.index(name) for name in _HANDED))
_handed_with_card = itemgetter(*(rows.ASSIGNMENT.index(name) for name in _HANDED_WITH_CARD))
_others = attrgetter(
    *(
        field.name
        for field in fields(AssignmentRecord)
        if field.name not in {*_HANDED_WITH_CARD, "card_erased_at"}
    )
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
_MESSAGE = Rows(schema.messages, rows.MESSAGE_WRITTEN, conflict=("id",))
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
_CALL_REQUEST = Rows(
    schema.call_requests,
    rows.CALL_REQUEST_WRITTEN,
    conflict=("id",),
    changed=rows.CALL_REQUEST_MOVED,
    returning=("seq", "id"),
)
_CALL = Rows(
    schema.calls,
    rows.CALL,
    conflict=("call_id", "agent_id"),
    changed=tuple(name for name in rows.CALL if name not in ("call_id", "agent_id")),
)
_EVENT = Rows(schema.events, ("agent_id", "event_type", "content", "received_at", "generated_at"))
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
_PRESENT = Rows(
    schema.presences, ("agent_id", "present_at"), conflict=("agent_id",), changed=("present_at",)
)
# Records of which only the final state matters: the plan's field, the key, statement, row maker.
_OTHERS: tuple[tuple[str, str, Rows, Callable[[Any], rows.Row]], ...] = (
    ("calls", "key", _CALL, rows.called),
    ("suggestions", "id", _SUGGEST, rows.suggested),
    ("messages", "id", _MESSAGE, rows.messaged),
    ("sessions", "agent_id", _SIGN, rows.signed),
    ("switches", "name", _SWITCH, attrgetter("name", "value", "changed_at")),
    ("leaders", "name", _LEAD, attrgetter("name", "holder", "held_until", "done_at")),
    ("presences", "agent_id", _PRESENT, attrgetter("agent_id", "present_at")),
    ("revocations", "subject", _REVOKE, attrgetter("subject", "revoked_at", "expires_at")),
)
_DROP_REVOCATIONS = Select("DELETE FROM revocations WHERE expires_at < {value}")
_TOUCH = Select("UPDATE alembic_version SET version_num = version_num")
_EVENT_TYPE = 128  # characters


def write(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> Written:
    """Write the changes of ``plans``; return the deliveries with their numbers, and row counts.

    Args:
        tx: the transaction in which the snapshot was loaded.
        snapshot: the snapshot after all plans of the batch.
        plans: all plans of the batch, in order.

    Raises:
        ConflictError: another process stored the same row in the meantime.
    """
    _assignments(tx, snapshot, plans)
    _turns(tx, snapshot, plans)
    stored = _deliveries(tx, snapshot, plans)
    _updates(tx, snapshot, plans)
    _requests(tx, snapshot, plans)
    _events(tx, plans)
    for kind, key, statement, row in _OTHERS:
        if records := _last(plans, kind, key):
            statement.run(tx, [row(item) for item in records])
    return Written(stored, _cleaned(tx, plans))


def _last(plans: Iterable[Plan], kind: str, key: str) -> list[Any]:
    """Return the final state of each record in the plans' field ``kind``."""
    records: dict[Any, Any] = {}
    for plan in plans:
        for record in getattr(plan, kind):
            records[getattr(record, key)] = record
    return list(records.values())


def _updates(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    if updates := _last(plans, "updates", "id"):
        for seq, name in _UPDATE.stored(tx, [rows.updated(item) for item in updates]):
            snapshot.updates[name] = replace(snapshot.updates[name], seq=seq)


def _requests(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    if requests := _last(plans, "requests", "id"):
        for seq, name in _CALL_REQUEST.stored(tx, [rows.requested(item) for item in requests]):
            snapshot.requests[name] = replace(snapshot.requests[name], seq=seq)


def _events(tx: Transaction, plans: Sequence[Plan]) -> None:
    if events := [event for plan in plans for event in plan.events]:
        _EVENT.run(tx, [_event(record) for record in events])


def _event(record: EventRecord) -> rows.Row:
    content = json.dumps(record.content, ensure_ascii=False)
    return (
        record.agent_id,
        record.event_type[:_EVENT_TYPE],
        content,
        record.received_at,
        record.generated_at,
    )


def _cleaned(tx: Transaction, plans: Sequence[Plan]) -> dict[str, int]:
    """Execute the deletions of set-wide commands; return the number of rows by table."""
    counts: dict[str, int] = {}
    for plan in plans:
        if plan.drop_revocations_before is not None:
            _DROP_REVOCATIONS.run(tx, plan.drop_revocations_before)
        if plan.prune_changes_before is not None:
            counts["changes"] = changes.prune(tx, plan.prune_changes_before)
        if plan.prune is not None:
            counts[plan.prune.table] = pruning.prune(tx, plan.prune)
        if plan.erase is not None:
            counts |= erasure.erase(tx, plan.erase)
        if plan.touch:
            _TOUCH.run(tx)
    return counts


def _assignments(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    records: dict[Pair, AssignmentRecord] = {}
    cards: dict[Pair, Any] = {}
    for plan in plans:
        for record in plan.assignments:
            pair: Pair = (record.assignment.sender_id, record.assignment.call_id)
            records[pair] = record
            if record.card is not None:
                cards[pair] = record.card
    if not records:
        return
    whole, handed, carded = [], [], []
    for pair, record in records.items():
        loaded = snapshot.loaded.get(pair)
        row = rows.assigned(evolve(record, card=cards.get(pair)))
        if loaded is None or _others(loaded) != _others(record):
            whole.append(row)
            continue
        if pair in cards:
            carded.append(_handed_with_card(row))
        else:
            handed.append(_handed(row))
    for statement, batch in ((_ASSIGN, whole), (_HAND_OVER, handed), (_CARD, carded)):
        if batch:
            statement.run(tx, batch)


def _turns(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> None:
    records = {record.key: record for plan in plans for record in plan.turns}
    new = [rows.turned(item) for key, item in records.items() if key not in snapshot.loaded_turns]
    if new and len(_CALLED.stored(tx, new)) != len(new):
        raise ConflictError("another process stored the same action call")
    answered = [
        (item.key, rows.answer(item))
        for key, item in records.items()
        if key in snapshot.loaded_turns
    ]
    if answered:
        _ANSWERED.run(tx, answered)


def _deliveries(tx: Transaction, snapshot: Snapshot, plans: Sequence[Plan]) -> dict[str, Delivery]:
    deliveries: dict[str, Delivery] = {}
    for plan in plans:
        for delivery in plan.deliveries:
            deliveries[delivery.message_code] = delivery
    if not deliveries:
        return deliveries
    changed = [delivery for delivery in deliveries.values() if delivery.seq]
    if changed:
        # Deliveries that leave "sending" go first: a unique index allows one such row per call.
        freed = [delivery for delivery in changed if delivery.state is not DeliveryState.SENDING]
        started = [delivery for delivery in changed if delivery.state is DeliveryState.SENDING]
        for batch in (freed, started):
            if batch:
                _MOVE.run(tx, [rows.moved_delivery(delivery) for delivery in batch])
    new = [delivery for delivery in deliveries.values() if not delivery.seq]
    if new:
        numbers = _STORE.stored(tx, [rows.new_delivery(delivery) for delivery in new])
        if len(numbers) != len(new):
            raise ConflictError("another process stored the same message")
        for seq, code in numbers:
            deliveries[code] = evolve(deliveries[code], seq=seq)
    snapshot.deliveries.update(deliveries)
    return deliveries
