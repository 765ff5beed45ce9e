"""Load the rows that set-wide commands work through in slices."""

from __future__ import annotations

from typing import Any

from bridge.state.records import LEASE
from bridge.state.snapshot import Needs, Pair
from bridge.store import rows, schema
from bridge.store.loading.claims import WITHOUT_GUID
from bridge.store.loading.collector import LEASE_AT, Collector, promises
from bridge.store.loading.locks import Locks
from bridge.store.queues import EXPIRED_INQUIRIES, INQUIRIES, REQUESTS, SLICE, UPDATES
from bridge.store.statements import Select

_A = rows.listed(schema.assignments, "a", "card")
_D = rows.listed(schema.deliveries, "d")
_S = rows.listed(schema.suggestions, "s")
_AWAY = "('gateway_unreachable', 'unknown_outcome', 'http_502', 'http_503', 'http_504')"
_EXPIRED = Select(
    f"SELECT {_S} FROM suggestions s WHERE s.state = 'offered'"  # noqa: S608
    f" AND s.expires_at <= {{value}} LIMIT {SLICE}"
)
_LEASED = Select(f"SELECT {_D} FROM deliveries d WHERE d.state = 'sending'")  # noqa: S608
_WAITING_FOR_GUID = Select(
    f"SELECT {_D} FROM {{texts}} CROSS JOIN deliveries d WHERE d.agent_id = k.value"  # noqa: S608
    f" AND d.state = 'waiting' AND d.error_code IN {WITHOUT_GUID} AND d.due_at > {{value}}"
    f" LIMIT {SLICE}"
)
_ALL_WITHOUT_GUID = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.state = 'waiting'"  # noqa: S608
    f" AND d.error_code IN {WITHOUT_GUID} LIMIT {SLICE}"
)
_AFTER_AWAY = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.state = 'waiting' AND d.due_at > {{value}}"  # noqa: S608
    f" AND d.error_code IN {_AWAY} LIMIT {SLICE}"
)
_AUTO = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.state = 'waiting' AND d.origin = 'auto'"  # noqa: S608
    f" LIMIT {SLICE}"
)
_TOO_LATE = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.state = 'waiting'"  # noqa: S608
    " AND (d.due_at > {value} OR (d.part = 0 AND d.expires_at > {value})"
    " OR (d.part > 0 AND d.expires_at > {value}))"
    f" UNION ALL SELECT {_D} FROM deliveries d WHERE d.state = 'sending'"
    f" AND d.lease_until > {{value}} LIMIT {SLICE}"
)
_ALERTS = 100  # alerts per batch
_TAKEN = (
    "EXISTS (SELECT 1 FROM deliveries d WHERE d.call_id = a.call_id"
    " AND d.created_at >= a.handed_off_at AND d.origin IN ('agent', 'suggestion'))"
    " OR EXISTS (SELECT 1 FROM suggestions s WHERE s.call_id = a.call_id"
    " AND s.settled_at >= a.handed_off_at AND s.state = 'copied')"
    " OR EXISTS (SELECT 1 FROM messages m WHERE m.call_id = a.call_id"
    " AND m.created_at >= a.handed_off_at AND m.author = 'agent')"
)
_DUE_ALERTS = Select(
    f"SELECT {_TAKEN}, {_A} FROM assignments a WHERE a.alert_at IS NOT NULL"  # noqa: S608
    f" AND (a.alert_at <= {{value}} OR a.alert_at > {{value}}) ORDER BY a.alert_at LIMIT {_ALERTS}"
)
_CALL_OF_ALERT = rows.ASSIGNMENT_READ.index("call_id") + 1  # after whether it was taken


class SlicedRows:
    """Loads slices of open rows that a condition selects, into a collector."""

    def __init__(self, collector: Collector, locks: Locks) -> None:
        self._collector = collector
        self._locks = locks
        self._tx = collector.tx
        self._now = collector.now
        self._snapshot = collector.snapshot

    def load(self, needs: Needs) -> None:
        """Load a slice of each kind that is asked for."""
        tx, now = self._tx, self._now
        if needs.waiting_for_guid:
            self._slice(_WAITING_FOR_GUID.rows(tx, list(needs.waiting_for_guid), now))
        if needs.waiting_for_gateway:
            self._slice(_AFTER_AWAY.rows(tx, now))
        if needs.waiting_auto:
            self._slice(_AUTO.rows(tx))
        if needs.too_late is not None:
            self._too_late(needs)
        if needs.expired_suggestions:
            expired = _EXPIRED.rows(tx, now)
            free = self._locks.free_suggestions(expired)
            self._snapshot.more = len(expired) >= SLICE or len(free) < len(expired)
            self._collector.suggestions(free)
        if needs.expired_inquiries:
            late = EXPIRED_INQUIRIES.rows(tx, now)
            self._collector.updates(self._locks.free_of_queue(INQUIRIES, late))
        if needs.alerts is not None:
            self._alerts(needs.alerts)

    def recover(self) -> None:
        """Load what dead processes left in progress, and what waits for an agent's GUID."""
        tx = self._tx
        leased = _LEASED.rows(tx)
        for row in leased:
            self._collector.note_dead(row[LEASE_AT])
        recovered = self._locks.free_deliveries(
            [row for row in leased if row[LEASE_AT] in self._collector.dead]
        )
        dead = [rows.delivery(row) for row in recovered]
        self._collector.deliveries(
            [*recovered, *self._locks.free_deliveries(_ALL_WITHOUT_GUID.rows(tx))]
        )
        self._open_of_queues()
        if dead:
            calls = {item.envelope.call_id for item in dead}
            keys = {str(item.turn_key) for item in dead if promises(item)}
            self._collector.open_of_calls(calls)
            self._collector.assignments((), calls)
            self._collector.of_turns(calls, keys)

    def _too_late(self, needs: Needs) -> None:
        lease = self._now + LEASE
        first, rest = needs.latest_expiry, needs.latest_rest
        self._slice(_TOO_LATE.rows(self._tx, needs.too_late, first, rest, lease))
        self._open_of_queues()

    def _open_of_queues(self) -> None:
        tx = self._tx
        self._collector.updates(self._locks.free_of_queue(UPDATES, UPDATES.open.rows(tx)))
        self._collector.requests(self._locks.free_of_queue(REQUESTS, REQUESTS.open.rows(tx)))

    def _slice(self, candidates: list[tuple[Any, ...]]) -> None:
        free = self._locks.free_deliveries(candidates)
        self._snapshot.more = len(candidates) >= SLICE or len(free) < len(candidates)
        self._collector.deliveries(free)
        promised = [
            delivery for delivery in self._snapshot.deliveries.values() if promises(delivery)
        ]
        if promised:
            calls = {delivery.envelope.call_id for delivery in promised}
            keys = {str(delivery.turn_key) for delivery in promised}
            self._collector.of_turns(calls, keys)
            self._collector.assignments((), calls)

    def _alerts(self, latest: float) -> None:
        snapshot = self._snapshot
        due = _DUE_ALERTS.rows(self._tx, self._now, latest)
        snapshot.more = len(due) >= _ALERTS
        if due and self._locks.needed:
            free = self._locks.free_keys("call", [row[_CALL_OF_ALERT] for row in due])
            due = [  # read again, now that they are locked
                row
                for row in _DUE_ALERTS.rows(self._tx, self._now, latest)
                if row[_CALL_OF_ALERT] in free
            ]
            snapshot.more = snapshot.more and bool(due)
        for taken, *row in due:
            record = rows.assignment(row)
            pair: Pair = (record.assignment.sender_id, record.assignment.call_id)
            snapshot.assignments[pair] = record
            snapshot.alerts_due.append(pair)
            if taken:
                snapshot.taken.add(pair)
