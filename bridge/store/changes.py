"""The log of changes: what the event stream tells its readers, in the order of the commits.

Each row refers to a call, a message, a suggestion, a delivery or a switch; it repeats none of its
content. Readers follow the log by its numbers, on every machine, and look up the current rows.

The order of the numbers is the order of the commits: a reader that has seen a number never sees a
lower one appear later. SQLite has one writer. On PostgreSQL, a transaction takes an advisory lock
before it draws its numbers and holds it until its commit is visible; nothing else is locked after
it, so that it causes no deadlock. Numbers may be missing (an aborted commit), but none is late.

The log is bounded by age and by length. A reader whose position it does not have starts afresh.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from bridge.state.plan import Plan, Written
from bridge.state.records import CHANGES_PRUNED, AssignmentRecord, Change, ChangeKind
from bridge.state.snapshot import Pair, Snapshot
from bridge.store import schema
from bridge.store.statements import Rows, Select, Transaction

KEPT_ROWS = 200_000

_LOCK = 0x63636368  # "ccch": PostgreSQL advisory lock of those who draw numbers
_IN_ORDER = f"SELECT pg_advisory_xact_lock({_LOCK})"
_COLUMNS = ("kind", "item", "sender_id", "call_id", "agent_id", "at")
_APPEND = Rows(schema.changes, _COLUMNS, returning=("seq",))
_PRUNE = Select(
    "DELETE FROM changes WHERE seq IN (SELECT seq FROM changes"  # noqa: S608 - constants of ours
    f" WHERE at < {{value}} OR seq <= (SELECT max(seq) FROM changes) - {KEPT_ROWS}"
    f" ORDER BY seq LIMIT {CHANGES_PRUNED})"
)
_c = schema.changes.c


@dataclass(frozen=True, slots=True)
class Bounds:
    """The first and the last number of the log; both 0 while it is empty."""

    oldest: int
    newest: int

    def covers(self, position: int) -> bool:
        """Return whether the log contains every change after ``position``."""
        return self.oldest - 1 <= position <= self.newest


# -- writing, in the core's transaction ------------------------------------------------------------


def of_plans(plans: Sequence[Plan], snapshot: Snapshot, written: Written) -> list[Change]:
    """Return the changes of a batch's plans that readers learn of, one for each row.

    A call that another agent gets is a change for the former agent too.
    """
    changes: dict[tuple[object, ...], Change] = {}
    for plan in plans:
        for change in _of_plan(plan, snapshot, written):
            changes[change.kind, change.item, change.call_id, change.agent_id] = change
    return list(changes.values())


def _of_plan(plan: Plan, snapshot: Snapshot, written: Written) -> Iterator[Change]:
    for call in plan.calls:
        sender = call.sender_id or call.provisional_sender
        yield Change(ChangeKind.CALL, call.call_id, sender, call.call_id, call.agent_id)
    for record in plan.assignments:
        yield from _of_call(record, snapshot)
    for message in plan.messages:
        pair = (message.sender_id, message.call_id)
        if (known := snapshot.assignments.get(pair)) is not None:
            yield Change(ChangeKind.MESSAGE, message.id, *pair, known.assignment.agent_id)
    for item in plan.deliveries:
        delivery = written.deliveries.get(item.message_code, item)
        envelope = delivery.envelope
        where = (delivery.sender_id, envelope.call_id, envelope.agent_id)
        yield Change(ChangeKind.DELIVERY, delivery.id, *where)
    for suggestion in plan.suggestions:
        where = (suggestion.sender_id, suggestion.call_id, suggestion.agent_id)
        yield Change(ChangeKind.SUGGESTION, suggestion.id, *where)
    for switch in plan.switches:
        yield Change(ChangeKind.ASSIST, switch.name)


def _of_call(record: AssignmentRecord, snapshot: Snapshot) -> Iterator[Change]:
    assigned = record.assignment
    pair: Pair = (assigned.sender_id, assigned.call_id)
    stored = snapshot.loaded.get(pair)
    if stored is not None and stored.assignment.agent_id != assigned.agent_id:
        yield Change(ChangeKind.CALL, pair[1], *pair, stored.assignment.agent_id)
    yield Change(ChangeKind.CALL, pair[1], *pair, assigned.agent_id)


def append(tx: Transaction, changes: Sequence[Change], now: float) -> int:
    """Append changes to the log; return the last number, or 0 if there are no changes.

    Call it after everything else of the transaction is written.
    """
    if not changes:
        return 0
    if tx.dialect == "postgresql":
        tx.execute(_IN_ORDER)
    given = [
        (item.kind.value, item.item, item.sender_id, item.call_id, item.agent_id, now)
        for item in changes
    ]
    return max(int(seq) for (seq,) in _APPEND.stored(tx, given))


def prune(tx: Transaction, before: float) -> int:
    """Delete the oldest rows that are from before a time, or too many; return their number."""
    return _PRUNE.run(tx, before)


# -- reading ---------------------------------------------------------------------------------------


def bounds(tx: Connection) -> Bounds:
    """Return the first and the last number of the log."""
    oldest, newest = tx.execute(select(func.min(_c.seq), func.max(_c.seq))).one()
    return Bounds(oldest or 0, newest or 0)


def after(tx: Connection, position: int, *, limit: int) -> list[Change]:
    """Return up to ``limit`` changes after ``position``, in order."""
    statement = select(schema.changes).where(_c.seq > position).order_by(_c.seq).limit(limit)
    return [
        Change(
            ChangeKind(row.kind),
            row.item,
            row.sender_id,
            row.call_id,
            row.agent_id,
            at=row.at,
            seq=row.seq,
        )
        for row in tx.execute(statement)
    ]


def newest_of_each(changes: Iterable[Change]) -> list[Change]:
    """Return the last change of each item for each agent, in order."""
    last: dict[tuple[object, ...], Change] = {}
    for change in changes:
        key = (change.kind, change.item, change.sender_id, change.agent_id)
        last.pop(key, None)
        last[key] = change
    return list(last.values())
