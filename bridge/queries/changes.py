"""The log of changes with the current rows that it refers to, for the event stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from bridge.model import Delivery, Suggestion
from bridge.planners.offering import SWITCH
from bridge.queries.calls import unassigned, with_details
from bridge.state.records import AssignmentRecord, Change, ChangeKind, MessageRecord
from bridge.state.snapshot import Pair
from bridge.store import Reader, ReadTransaction, changes, lists
from bridge.store.changes import Bounds

Changed: TypeAlias = AssignmentRecord | MessageRecord | Suggestion | Delivery | None


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A change with the row as it is now.

    Attributes:
        value: the row; None for the assist mode, which is not one.
        call: its call, if there is one.
    """

    change: Change
    value: Changed
    call: AssignmentRecord | None = None


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """ChangeLog in order.

    Attributes:
        rows: the last change of each row; rows that were erased meanwhile are left out.
        position: the number up to which the log was read.
        full: whether there may be more.
    """

    rows: tuple[ChangedRow, ...]
    position: int
    full: bool


class ChangeLog:
    """Queries on the log of changes. Thread-safe; blocking."""

    def __init__(self, store: Reader) -> None:
        self._store = store

    def bounds(self) -> Bounds:
        """Return the first and the last number of the log."""
        return self._store.read(changes.bounds)

    def after(self, position: int, *, limit: int) -> ChangesPage:
        """Return the changes after a position, from up to ``limit`` entries of the log."""

        def query(tx: ReadTransaction) -> ChangesPage:
            found = changes.after(tx, position, limit=limit)
            latest = changes.newest_of_each(found)
            pairs = {_pair(item) for item in latest}
            calls = lists.assignments_by_pair(tx, sorted(pairs))
            shown = {_pair_of(record): record for record in with_details(tx, [*calls.values()])}
            shown |= _ringing(tx, latest, shown)
            values = {
                kind: _values(tx, kind, latest, shown) for kind in {item.kind for item in latest}
            }
            rows = tuple(
                ChangedRow(item, values[item.kind][_key(item)], shown.get(_pair(item)))
                for item in latest
                if _key(item) in values[item.kind]
            )
            reached = found[-1].seq if found else position
            return ChangesPage(rows, reached, len(found) == limit)

        return self._store.read(query)


def _pair(change: Change) -> Pair:
    return change.sender_id, change.call_id


def _pair_of(record: AssignmentRecord) -> Pair:
    return record.assignment.sender_id, record.assignment.call_id


def _ringing(
    tx: ReadTransaction, latest: Sequence[Change], known: Mapping[Pair, AssignmentRecord]
) -> dict[Pair, AssignmentRecord]:
    """Return the calls of readers that belong to no conversation, as they are shown."""
    calls = {
        item.call_id for item in latest if item.kind is ChangeKind.CALL and _pair(item) not in known
    }
    found = lists.reader_calls(tx, sorted(calls)) if calls else {}
    provisional = [unassigned(call) for call in found.values() if call.sender_id is None]
    return {_pair_of(record): record for record in provisional}


def _key(change: Change) -> Any:
    if change.kind is ChangeKind.CALL:
        return _pair(change)
    return int(change.item) if change.kind is ChangeKind.DELIVERY else change.item


def _values(
    tx: ReadTransaction,
    kind: ChangeKind,
    latest: Sequence[Change],
    calls: Mapping[Pair, AssignmentRecord],
) -> Mapping[Any, Changed]:
    """Return the current rows of the changes of one kind, by key."""
    keys = [_key(item) for item in latest if item.kind is kind]
    if kind is ChangeKind.CALL:
        return calls
    if kind is ChangeKind.MESSAGE:
        return lists.messages_by_id(tx, keys)
    if kind is ChangeKind.SUGGESTION:
        return lists.suggestions_by_id(tx, keys)
    if kind is ChangeKind.DELIVERY:
        return lists.deliveries_by_number(tx, keys)
    return {SWITCH: None}
