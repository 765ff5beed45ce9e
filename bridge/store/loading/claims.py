"""Load what may be claimed: due deliveries, updates for Rasa and requests about calls."""

from __future__ import annotations

from typing import Any

from bridge.model import Delivery
from bridge.state.commands import ClaimDeliveries, ClaimRequests, ClaimUpdates
from bridge.state.records import UpdateKind
from bridge.store import rows, schema
from bridge.store.loading.collector import LEASE_AT, Collector, promises
from bridge.store.loading.locks import Locks
from bridge.store.queues import INQUIRIES, REQUESTS, UPDATES, LeasedQueue, first_of_each
from bridge.store.statements import Select

_STALE = 256  # expired deliveries per batch
_D = rows.listed(schema.deliveries, "d")
WITHOUT_GUID = "('agent_signed_out', 'signing_in')"
_FREE = first_of_each("deliveries", "d", "call_id")
_DUE = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.state = 'waiting' AND d.due_at <= {{value}}"  # noqa: S608
    f" AND {_FREE} ORDER BY d.due_at, d.seq LIMIT {{value}}"
)
_STALE_DUE = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.state = 'waiting' AND d.expires_at <= {{value}}"  # noqa: S608
    f" AND {_FREE} ORDER BY d.due_at, d.seq LIMIT {_STALE}"
)
# The delivery tried last comes last, so that no single delivery can fail every probe. Deliveries
# that wait for their agent's session are excluded: they would not reach the gateway.
_PROBE = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.state = 'waiting' AND {_FREE}"  # noqa: S608
    f" AND (d.error_code IS NULL OR d.error_code NOT IN {WITHOUT_GUID} OR d.due_at <= {{value}})"
    " ORDER BY d.due_at, d.seq LIMIT 1"
)
_STALLED = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.state = 'sending' AND d.lease_until < {{value}}"  # noqa: S608
)
# The earliest due time, the earliest due time in the future, and the earliest end of a lease.
_TIMES = Select(
    "SELECT (SELECT min(d.due_at) FROM deliveries d WHERE d.state = 'waiting'),"
    " (SELECT min(d.due_at) FROM deliveries d WHERE d.state = 'waiting' AND d.due_at > {value}),"
    " (SELECT min(d.lease_until) FROM deliveries d WHERE d.state = 'sending')"
)


class ClaimableRows:
    """Loads the rows of a claim, with what decides about them, into a collector."""

    def __init__(self, collector: Collector, locks: Locks) -> None:
        self._collector = collector
        self._locks = locks
        self._tx = collector.tx
        self._now = collector.now
        self._snapshot = collector.snapshot

    def deliveries(self, command: ClaimDeliveries) -> None:
        """Load the deliveries that may be claimed, and what a claim does to their calls."""
        tx, now = self._tx, self._now
        candidates: list[tuple[Any, ...]] = []
        stalled: list[tuple[Any, ...]] = []
        first, following, lease = _TIMES.rows(tx, now)[0]
        self._snapshot.next_due = _earliest(following, lease)
        if command.sweep or command.probe:
            candidates += _STALE_DUE.rows(tx, now)
            if command.probe:
                candidates += _PROBE.rows(tx, now)
        elif command.limit > 0 and _is_past(first, now):
            candidates += _DUE.rows(tx, now, command.limit)
            self._snapshot.more = len(candidates) >= command.limit
        if _is_past(lease, now):
            leased = _STALLED.rows(tx, now)
            stalled = [row for row in leased if command.held.get(row[0], "") != row[LEASE_AT]]
        due = self._locks.free_deliveries(candidates)
        self._collector.deliveries([*due, *self._locks.free_deliveries(stalled)])
        self._snapshot.due = list(dict.fromkeys(str(row[1]) for row in due))
        calls = {delivery.envelope.call_id for delivery in self._snapshot.deliveries.values()}
        if calls:
            self._collector.open_of_calls(calls)
            self._collector.assignments((), calls)
            late = [
                delivery
                for delivery in self._snapshot.deliveries.values()
                if promises(delivery) and (delivery.expires_at <= now or self._will_fail(delivery))
            ]
            if late or stalled:
                keys = {
                    str(delivery.turn_key)
                    for delivery in self._snapshot.deliveries.values()
                    if promises(delivery)
                }
                self._collector.of_turns(calls, keys)
                self._collector.offered((), calls)

    def _will_fail(self, delivery: Delivery) -> bool:
        """Return whether a delivery will fail because its call ended or changed its agent."""
        record = self._snapshot.assignments.get((delivery.sender_id, delivery.envelope.call_id))
        if record is None:
            return False
        return not record.open or record.assignment.agent_id != delivery.envelope.agent_id

    def updates(self, command: ClaimUpdates) -> None:
        """Load the updates and inquiries that may be claimed, with their calls."""
        due, self._snapshot.next_update_due = self._due_of(UPDATES, command.limit)
        due += self._due_of(INQUIRIES, command.inquiries)[0]
        self._collector.updates(due)
        self._snapshot.due_updates = [str(row[1]) for row in due]
        updates = [self._snapshot.updates[name] for name in self._snapshot.due_updates]
        needing_call = [item for item in updates if item.kind is not UpdateKind.WRITE_BACK]
        if needing_call:
            calls = {item.call_id for item in needing_call if item.call_id is not None}
            self._collector.assignments({item.sender_id for item in needing_call}, calls)
            self._collector.open_of_calls(calls)
            for item in needing_call:
                if item.call_id is None:
                    continue
                self._collector.last_turn(item.sender_id, item.call_id)
                if item.kind is UpdateKind.INQUIRY:
                    self._collector.switches()
                    self._collector.question(item.call_id, str(item.body.get("message_id")))
                elif item.kind is UpdateKind.RESUME:
                    self._collector.sent(
                        item.call_id, float(item.body.get("since", item.created_at))
                    )

    def requests(self, command: ClaimRequests) -> None:
        """Load the requests about calls that may be claimed, with their calls."""
        due, self._snapshot.next_request_due = self._due_of(REQUESTS, command.limit)
        self._collector.requests(due)
        self._snapshot.due_requests = [str(row[1]) for row in due]
        calls = {self._snapshot.requests[name].call_id for name in self._snapshot.due_requests}
        self._collector.calls(calls)
        if calls:
            self._collector.open_of_calls(calls)

    def _due_of(self, queue: LeasedQueue, limit: int) -> tuple[list[tuple[Any, ...]], float | None]:
        """Return the due rows of a queue, and when the next ones may be due."""
        now = self._now
        first, following, lease = queue.times.rows(self._tx, now)[0]
        due: list[tuple[Any, ...]] = []
        if limit > 0 and (_is_past(first, now) or _is_past(lease, now)):
            due = self._locks.free_of_queue(queue, queue.due.rows(self._tx, now, now, limit))
        return due, _earliest(following, lease)


def _is_past(at: float | None, now: float) -> bool:
    return isinstance(at, (int, float)) and at <= now  # SQLite may hold text in any column


def _earliest(*times: float | None) -> float | None:
    return min((at for at in times if isinstance(at, (int, float))), default=None)
