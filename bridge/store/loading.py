"""Loads the rows that a batch of commands needs: resolves IDs to calls, then one query per table.

On PostgreSQL, the keys of everything that a command may change are locked before anything is read:
first conversations and calls, then agents, each set in a fixed order, so that two machines cannot
deadlock. SQLite has a single writer and needs no locks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from bridge.model import Delivery, DeliveryState, Origin
from bridge.state.calls import READERS_SENDER, lines_of
from bridge.state.records import COPIED_WITHIN, LEASE, SessionRecord, SessionState, UpdateKind
from bridge.state.snapshot import Needs, Pair, Process, Snapshot
from bridge.store import questions, repair, rows, schema
from bridge.store.errors import ConflictError
from bridge.store.queues import SLICE, LeasedQueue, first_of_each
from bridge.store.statements import Select, Transaction

_STALE = 256  # expired deliveries per batch
_D = rows.listed(schema.deliveries, "d")
_A = rows.listed(schema.assignments, "a", "card")
_S = rows.listed(schema.suggestions, "s")
_T = rows.listed(schema.turns, "t")
_C = rows.listed(schema.calls, "c", "erased_at")
_Q = rows.listed(schema.call_requests, "q")
_UPDATES, _INQUIRIES = (
    LeasedQueue(schema.rasa_updates, rows.UPDATE, line="sender_id", lock="update", only=only)
    for only in ("q.kind <> 'inquiry'", "q.kind = 'inquiry'")
)
_SHADOWS = Select(
    "SELECT DISTINCT u.shadow FROM {texts} CROSS JOIN rasa_updates u WHERE u.shadow = k.value"
)
_REQUESTS = LeasedQueue(schema.call_requests, rows.CALL_REQUEST, line="line", lock="request")
_OPEN = "d.state IN ('waiting', 'sending')"
_WITHOUT_GUID = "('agent_signed_out', 'signing_in')"
_AWAY = "('gateway_unreachable', 'unknown_outcome', 'http_502', 'http_503', 'http_504')"

_TURNS = Select(
    f"SELECT {_T} FROM {{texts}} CROSS JOIN turns t"  # noqa: S608
    " WHERE t.key = k.value"
)
_LAST_TURN = Select(
    f"SELECT {_T} FROM turns t"  # noqa: S608
    " WHERE t.sender_id = {value} AND t.call_id = {value} ORDER BY t.made_at DESC LIMIT 1"
)
_CARD = Select(
    "SELECT a.card FROM assignments a WHERE a.sender_id = {value} AND a.call_id = {value}"
)
_SUGGESTIONS = Select(
    f"SELECT {_S} FROM {{texts}} CROSS JOIN suggestions o CROSS JOIN suggestions s"  # noqa: S608
    " WHERE o.id = k.value AND s.candidates = o.candidates"
)
_OFFERED = Select(
    f"SELECT {_S} FROM {{texts}} CROSS JOIN suggestions s"  # noqa: S608
    " WHERE s.sender_id = k.value AND s.state = 'offered'"
    f" UNION ALL SELECT {_S} FROM {{texts}} CROSS JOIN suggestions s"
    " WHERE s.call_id = k.value AND s.state = 'offered'"
)
_EXPIRED = Select(
    f"SELECT {_S} FROM suggestions s WHERE s.state = 'offered'"  # noqa: S608
    f" AND s.expires_at <= {{value}} LIMIT {SLICE}"
)
_NUMBERED_SUGGESTIONS = Select(
    f"SELECT {_S} FROM {{numbers}} CROSS JOIN suggestions s WHERE s.seq = k.value"  # noqa: S608
)
_ASSIGNMENTS = Select(
    f"SELECT 1, (SELECT max(b.handed_back_at) FROM assignments b WHERE b.sender_id = k.value),"  # noqa: S608
    f" {_A} FROM {{texts}} CROSS JOIN assignments a WHERE a.sender_id = k.value AND a.call_id ="
    " (SELECT n.call_id FROM assignments n WHERE n.sender_id = k.value"
    " ORDER BY n.given_at DESC LIMIT 1)"
    f" UNION ALL SELECT 0, NULL, {_A} FROM {{texts}} CROSS JOIN assignments a"
    " WHERE a.call_id = k.value"
)
# Action calls with their deliveries, deliveries by number, open deliveries of calls, replies, and
# deliveries by message code.
_NO_TURN = ", ".join(["NULL"] * len(rows.TURN))
_DELIVERIES = Select(
    f"SELECT {_D}, {_T} FROM {{texts}} CROSS JOIN deliveries d"  # noqa: S608
    " LEFT JOIN turns t ON t.key = d.turn_key"
    " WHERE d.call_id = k.value AND d.turn_key IN {among}"
    f" UNION ALL SELECT {_D}, {_NO_TURN} FROM {{numbers}} CROSS JOIN deliveries d"
    " WHERE d.seq = k.value"
    f" UNION ALL SELECT {_D}, {_NO_TURN} FROM {{texts}} CROSS JOIN deliveries d {{open}}"
    f" WHERE d.call_id = k.value AND {_OPEN}"
    f" UNION ALL SELECT {_D}, {_NO_TURN} FROM {{texts}} CROSS JOIN deliveries d"
    " WHERE d.call_id = k.value AND d.reply_key IN {among}"
    f" UNION ALL SELECT {_D}, {_NO_TURN} FROM {{texts}} CROSS JOIN deliveries d"
    " WHERE d.message_code = k.value"
)
_NUMBERED = Select(
    f"SELECT {_D} FROM {{numbers}} CROSS JOIN deliveries d WHERE d.seq = k.value"  # noqa: S608
)
_OPEN_OF_CALLS = Select(
    f"SELECT {_D} FROM {{texts}} CROSS JOIN deliveries d {{open}}"  # noqa: S608
    f" WHERE d.call_id = k.value AND {_OPEN}"
)
_LAST_DELIVERED = Select(
    "SELECT d.call_id, max(d.seq) FROM {texts} CROSS JOIN deliveries d"
    " WHERE d.call_id = k.value AND d.state = 'delivered' GROUP BY d.call_id"
)
_SENT = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.call_id = {{value}}"  # noqa: S608
    " AND d.created_at >= {value} AND d.state IN ('delivered', 'uncertain') ORDER BY d.seq"
)
_SESSIONS = Select(
    f"SELECT {rows.listed(schema.sessions, 's')} FROM {{texts}} CROSS JOIN sessions s"  # noqa: S608
    " WHERE s.agent_id = k.value"
)
_POLLED = Select(
    f"SELECT {rows.listed(schema.sessions, 's')} FROM sessions s"  # noqa: S608
    " WHERE s.ours AND s.state IN ('signed_in', 'doubted')"
)
_WITH_CALLS = Select(
    "SELECT a.agent_id FROM {texts} CROSS JOIN assignments a"
    " WHERE a.agent_id = k.value AND a.ended_at IS NULL"
    " UNION SELECT c.agent_id FROM {texts} CROSS JOIN calls c"
    " WHERE c.agent_id = k.value AND c.state <> 'ended'"
)
_SWITCHES = Select("SELECT s.name, s.value, s.changed_at FROM switches s")
_LEADERS = Select(
    "SELECT l.name, l.holder, l.held_until, l.done_at FROM {texts} CROSS JOIN leaders l"
    " WHERE l.name = k.value"
)
_PRESENCES = Select(
    "SELECT p.agent_id, p.present_at FROM {texts} CROSS JOIN presences p WHERE p.agent_id = k.value"
)

# -- calls of readers ------------------------------------------------------------------------------

_CALLS = Select(
    f"SELECT {_C} FROM {{texts}} CROSS JOIN calls c WHERE c.call_id = k.value"  # noqa: S608
)
_SENDERS_OF_USERS = Select(
    "SELECT a.user_id, a.sender_id, a.call_id FROM {texts} CROSS JOIN assignments a"
    " WHERE a.user_id = k.value AND a.ended_at IS NULL ORDER BY a.given_at"
)
_CALL_REQUESTS = Select(
    f"SELECT {_Q} FROM {{texts}} CROSS JOIN call_requests q WHERE q.id = k.value"  # noqa: S608
    f" UNION ALL SELECT {_Q} FROM {{texts}} CROSS JOIN call_requests q"
    " WHERE q.call_id = k.value AND q.state IN ('waiting', 'sending')"
)

# -- what is due -----------------------------------------------------------------------------------

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
    f" AND (d.error_code IS NULL OR d.error_code NOT IN {_WITHOUT_GUID} OR d.due_at <= {{value}})"
    " ORDER BY d.due_at, d.seq LIMIT 1"
)
_STALLED = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.state = 'sending' AND d.lease_until < {{value}}"  # noqa: S608
)
_LEASED = Select(f"SELECT {_D} FROM deliveries d WHERE d.state = 'sending'")  # noqa: S608
# The earliest due time, the earliest due time in the future, and the earliest end of a lease.
_TIMES = Select(
    "SELECT (SELECT min(d.due_at) FROM deliveries d WHERE d.state = 'waiting'),"
    " (SELECT min(d.due_at) FROM deliveries d WHERE d.state = 'waiting' AND d.due_at > {value}),"
    " (SELECT min(d.lease_until) FROM deliveries d WHERE d.state = 'sending')"
)
_WAITING_FOR_GUID = Select(
    f"SELECT {_D} FROM {{texts}} CROSS JOIN deliveries d WHERE d.agent_id = k.value"  # noqa: S608
    f" AND d.state = 'waiting' AND d.error_code IN {_WITHOUT_GUID} AND d.due_at > {{value}}"
    f" LIMIT {SLICE}"
)
_ALL_WITHOUT_GUID = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.state = 'waiting'"  # noqa: S608
    f" AND d.error_code IN {_WITHOUT_GUID} LIMIT {SLICE}"
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

# -- PostgreSQL's locks ----------------------------------------------------------------------------

_LOCK = "SELECT pg_advisory_xact_lock(k) FROM unnest(%s::bigint[]) AS k"
_TRY_LOCK = "SELECT k, pg_try_advisory_xact_lock(k) FROM unnest(%s::bigint[]) AS k"
_CALLS_OF = Select(
    "SELECT s.sender_id, s.call_id FROM {texts} CROSS JOIN suggestions s WHERE s.id = k.value"
    " UNION SELECT d.sender_id, d.call_id FROM {numbers} CROSS JOIN deliveries d"
    " WHERE d.seq = k.value"
    " UNION SELECT t.sender_id, t.call_id FROM {texts} CROSS JOIN turns t"
    " WHERE t.key = k.value AND t.call_id IS NOT NULL"
    " UNION SELECT a.sender_id, a.call_id FROM {texts} CROSS JOIN assignments a"
    " WHERE a.call_id = k.value"
    " UNION SELECT k.value, (SELECT n.call_id FROM assignments n WHERE n.sender_id = k.value"
    " ORDER BY n.given_at DESC LIMIT 1) FROM {texts}"
    " UNION SELECT u.sender_id, u.call_id FROM {numbers} CROSS JOIN rasa_updates u"
    " WHERE u.seq = k.value AND u.call_id IS NOT NULL"
    " UNION SELECT a.sender_id, a.call_id FROM {texts} CROSS JOIN assignments a"
    " WHERE a.user_id = k.value AND a.ended_at IS NULL"
    " UNION SELECT a.sender_id, a.call_id FROM {texts} CROSS JOIN calls c CROSS JOIN assignments a"
    " WHERE c.call_id = k.value AND a.user_id = c.caller AND a.ended_at IS NULL"
)

KnownSessions = Mapping[str, SessionRecord]


class Loader:
    """Loads one batch of commands' needs into a snapshot.

    Args:
        tx: the transaction in which the batch will be written.
        process: the state of this process, for the planners.
        known: sessions that are known to be current, by agent ID.
        now: the time of the batch.
        is_dead: returns whether the holder of a lease has certainly died.
    """

    def __init__(
        self,
        tx: Transaction,
        process: Process,
        known: KnownSessions,
        now: float,
        is_dead: Callable[[str], bool],
    ) -> None:
        self._tx = tx
        self._known = known
        self._now = now
        self._is_dead = is_dead
        self._locked: set[str] | None = None  # set by ``_lock``, on PostgreSQL
        self._dead: set[str] = set()
        self._unreadable: dict[str, set[int]] = {}  # numbers of open rows, by table
        self._process = process
        self.snapshot = Snapshot(process)

    def load(self, needs: Needs) -> Snapshot:
        """Load everything that ``needs`` names.

        Raises:
            ConflictError: a conversation got another call while its lock was awaited.
        """
        if self._tx.dialect == "postgresql":
            self._lock(needs)
        if needs.reader_calls or needs.users or needs.requests:
            needs = self._reader_calls(needs)
        if needs.turns:
            self._turns(needs.turns)
        if needs.suggestions:
            self._suggestions(_SUGGESTIONS.rows(self._tx, list(needs.suggestions)))
        self._timers(needs)
        if needs.alerts is not None:
            self._alerts(needs.alerts)
        self._rows(needs)
        self._questions(needs)
        self._sessions(needs)
        for table, numbers in self._unreadable.items():
            repair.set_aside(self._tx, table, sorted(numbers), self._now)
        self.snapshot.loaded = dict(self.snapshot.assignments)
        self.snapshot.loaded_turns = set(self.snapshot.turns)
        if self._dead:
            process = self.snapshot.process
            self.snapshot.process = replace(process, dead=frozenset(self._dead))
        return self.snapshot

    # -- calls of readers ------------------------------------------------------------------------

    def _reader_calls(self, needs: Needs) -> Needs:
        """Load calls of readers and their requests; return the needs with what they lead to."""
        snapshot = self.snapshot
        for row in _CALL_REQUESTS.rows(self._tx, list(needs.requests), list(needs.reader_calls)):
            self._request(row)
        named = {
            snapshot.requests[name].call_id for name in needs.requests & snapshot.requests.keys()
        }
        calls = needs.reader_calls | named
        self._calls(calls)
        callers = {call.caller for call in snapshot.calls.values() if call.sender_id is None}
        users = (needs.users | callers) - {""}
        joined: set[str] = set()
        if users:
            for user, sender, call_id in _SENDERS_OF_USERS.rows(self._tx, list(users)):
                snapshot.senders_of_users[user] = sender
                joined.add(call_id)
            self._calls(joined - calls)
        senders = frozenset(snapshot.senders_of_users.values())
        self._check_locked(joined, senders)
        return replace(
            needs,
            senders=needs.senders | senders,
            conversations=needs.conversations | senders,
            calls=needs.calls | calls,
            open_of_calls=needs.open_of_calls | calls,
        )

    def _calls(self, call_ids: Iterable[str]) -> None:
        for row in _CALLS.rows(self._tx, list(call_ids)):
            record = rows.call(row)
            self.snapshot.calls[record.key] = record

    def _request(self, row: rows.Row) -> None:
        item = rows.call_request(row)
        self.snapshot.requests[item.id] = item
        self._note_dead(item.lease)
        self._note_unreadable(_REQUESTS.name, item.seq, row[_REQUEST_STATE_AT], item.state.value)

    # -- rows by key ---------------------------------------------------------------------------

    def _rows(self, needs: Needs) -> None:
        tx, snapshot = self._tx, self.snapshot
        # Resolve IDs to calls.
        suggested = {suggestion.call_id for suggestion in snapshot.suggestions.values()}
        turned = {
            record.call_id
            for key in needs.of_turns
            if (record := snapshot.turns.get(key)) is not None and record.call_id is not None
        }
        calls = needs.calls | suggested | {call for _, call in needs.pairs}
        if needs.calls_of_turns:
            calls |= turned
        if needs.senders or calls:
            self._assignments(needs.senders, calls)
        own = {snapshot.newest[sender][1] for sender in needs.senders if sender in snapshot.newest}
        self._check_locked(own)
        self._cards(needs)
        opened = needs.open_of_calls | needs.brought_calls | suggested | own
        if opened or needs.deliveries or turned:
            known = needs.of_turns <= snapshot.turns.keys()
            loaded = _DELIVERIES.rows(
                tx,
                list(turned if known else turned | needs.open_of_calls),
                list(needs.of_turns),
                list(needs.deliveries),
                list(opened),
                list(opened if needs.replies else ()),
                list(needs.replies),
                list(needs.codes),
            )
            self._deliveries_and_turns(loaded)
        self._assignments_of_next(needs)
        self._offered(needs)
        if needs.callers:
            self._with_agents(needs)
        if needs.leaders:
            for row in _LEADERS.rows(tx, list(needs.leaders)):
                leader = rows.leader(row)
                snapshot.leaders[leader.name] = leader
                self._note_dead(leader.holder)
        if needs.updates:
            self._updates(_UPDATES.numbered.rows(tx, list(needs.updates)))
        if needs.switches:
            self._switches()
        self._agents(needs)

    def _agents(self, needs: Needs) -> None:
        """Load what is known of agents besides their sessions."""
        if needs.presences:
            self._presences(needs.presences)
        if needs.agents_with_calls:
            agents = list(needs.agents_with_calls)
            found = _WITH_CALLS.rows(self._tx, agents, agents)
            self.snapshot.with_calls = {agent for (agent,) in found}

    def _cards(self, needs: Needs) -> None:
        """Load the cards of conversations that get another call."""
        snapshot = self.snapshot
        for sender in needs.cards:
            pair = snapshot.newest.get(sender)
            if pair is None or pair in needs.pairs or not snapshot.assignments[pair].with_agent:
                continue
            row = _CARD.first(self._tx, *pair)
            card = rows.card(row[0]) if row is not None else None
            if card is not None:
                snapshot.cards[pair] = card

    def _assignments_of_next(self, needs: Needs) -> None:
        """Load the assignments of deliveries that may be claimed next or that a person moves."""
        snapshot = self.snapshot
        if needs.calls_of_deliveries:
            calls = {delivery.envelope.call_id for delivery in snapshot.deliveries.values()}
            self._assignments((), calls)
            self._turns({str(item.turn_key) for item in snapshot.deliveries.values()})
            self._deliveries(_OPEN_OF_CALLS.rows(self._tx, list(calls)))
            for call_id, seq in _LAST_DELIVERED.rows(self._tx, list(calls)):
                snapshot.last_delivered[call_id] = seq
        elif needs.next_of_calls:
            waiting = {
                delivery.envelope.call_id
                for delivery in snapshot.deliveries.values()
                if delivery.state is DeliveryState.WAITING
            }
            missing = waiting - set(snapshot.newest_of_call)
            if missing:
                self._assignments((), missing)

    def _offered(self, needs: Needs) -> None:
        snapshot = self.snapshot
        senders = {
            sender
            for sender in needs.callers
            if (record := snapshot.latest(sender)) is not None and record.with_agent
        }
        calls = set(needs.calls)
        if needs.suggestions:  # one that is taken supersedes all that answer the same message
            calls |= {snapshot.suggestions[name].call_id for name in _known(snapshot, needs)}
        if needs.conversations:
            calls |= {
                snapshot.newest[sender][1]
                for sender in needs.conversations
                if sender in snapshot.newest
            }
        calls |= {
            record.assignment.call_id
            for sender in senders
            if (record := snapshot.latest(sender)) is not None
        }
        if senders or calls:
            self._suggestions(_OFFERED.rows(self._tx, list(senders), list(calls)))

    def _with_agents(self, needs: Needs) -> None:
        """Load what an action call needs about conversations whose owner is an agent."""
        snapshot, tx = self.snapshot, self._tx
        handed: list[str] = []
        for sender in needs.callers:
            assignment = snapshot.latest(sender)
            if assignment is None or not assignment.with_agent:
                continue
            call = assignment.assignment.call_id
            snapshot.recent_auto[call] = questions.recent_auto(tx, call, self._now)
            row = _LAST_TURN.first(tx, sender, call)
            if row is not None:
                turn = rows.turn(row)
                snapshot.last_turns[call] = turn
                handed.append(turn.key)
            if sender in needs.sent_of_callers and assignment.handed_off_at is not None:
                self._sent(call, assignment.handed_off_at)
        if handed:
            calls = list(snapshot.last_turns)
            self._of_turns(calls, handed)
        if any(
            (assignment := snapshot.latest(sender)) is not None and assignment.with_agent
            for sender in needs.callers
        ):
            self._switches()
            self._presences(
                assignment.assignment.agent_id
                for sender in needs.callers
                if (assignment := snapshot.latest(sender)) is not None and assignment.with_agent
            )

    def _presences(self, agents: Iterable[str]) -> None:
        for row in _PRESENCES.rows(self._tx, list(set(agents))):
            presence = rows.presence(row)
            self.snapshot.presences[presence.agent_id] = presence

    def _sent(self, call: str, since: float) -> None:
        loaded = _SENT.rows(self._tx, call, since)
        self.snapshot.sent_since_handoff[call] = [rows.delivery(row) for row in loaded]

    def _turns(self, keys: Iterable[str]) -> None:
        for row in _TURNS.rows(self._tx, list(keys)):
            record = rows.turn(row)
            self.snapshot.turns[record.key] = record

    def _assignments(self, senders: Iterable[str], calls: Iterable[str]) -> None:
        snapshot = self.snapshot
        newest: list[tuple[str, str]] = []
        for tagged, handed_back_at, *row in _ASSIGNMENTS.rows(self._tx, list(senders), list(calls)):
            record = rows.assignment(row)
            pair: Pair = (record.assignment.sender_id, record.assignment.call_id)
            snapshot.assignments[pair] = record
            if tagged:
                newest.append(pair)
                if handed_back_at is not None:
                    snapshot.handed_back_at[pair[0]] = handed_back_at
            former = snapshot.newest_of_call.get(pair[1])
            older = former is None or snapshot.assignments[former].given_at <= record.given_at
            if not tagged and older:
                snapshot.newest_of_call[pair[1]] = pair
        for pair in newest:
            snapshot.newest[pair[0]] = pair

    def _deliveries(self, loaded: Iterable[rows.Row]) -> None:
        known = self.snapshot.deliveries
        new = {row[0]: row for row in loaded if row[1] not in known}
        for seq in sorted(new):
            item = rows.delivery(new[seq])
            known[item.message_code] = item
            self._note_unreadable("deliveries", seq, new[seq][_STATE_AT], item.state.value)

    def _of_turns(self, calls: Iterable[str], keys: Iterable[str]) -> None:
        """Load action calls with all their deliveries; ``calls`` are the calls they hand off."""
        loaded = _DELIVERIES.rows(self._tx, list(calls), list(keys), [], [], [], [], [])
        self._deliveries_and_turns(loaded)

    def _deliveries_and_turns(self, loaded: Iterable[rows.Row]) -> None:
        deliveries = []
        for row in loaded:
            deliveries.append(row[:_WIDTH])
            key = row[_WIDTH]
            if key is not None and key not in self.snapshot.turns:
                self.snapshot.turns[key] = rows.turn(row[_WIDTH:])
        self._deliveries(deliveries)

    def _suggestions(self, loaded: Iterable[rows.Row]) -> None:
        for row in loaded:
            item = rows.suggestion(row)
            self.snapshot.suggestions.setdefault(item.id, item)
            self._note_unreadable("suggestions", row[0], row[_OFFER_STATE_AT], item.state.value)

    def _question(self, call_id: str, message_id: str) -> None:
        question = questions.asked(self._tx, call_id, message_id)
        if question is not None:
            self.snapshot.questions[call_id, message_id] = question
            for item in questions.about(self._tx, question):
                self.snapshot.suggestions.setdefault(item.id, item)

    def _questions(self, needs: Needs) -> None:
        for call_id, message_id in needs.questions:
            self._question(call_id, message_id)
        if needs.shadows:
            shadows = _SHADOWS.rows(self._tx, list(needs.shadows))
            self.snapshot.shadows |= {str(row[0]) for row in shadows}
        if needs.forwarded:
            for message in questions.messages(self._tx, needs.forwarded):
                self.snapshot.messages[message.id] = message
        for call_id in needs.copied:
            copied = questions.copied(self._tx, call_id, self._now - COPIED_WITHIN)
            if copied is not None:
                self.snapshot.copied[call_id] = copied

    def _updates(self, loaded: Iterable[rows.Row]) -> None:
        for row in loaded:
            item = rows.update(row)
            self.snapshot.updates[item.id] = item
            self._note_dead(item.lease)
            self._note_unreadable("rasa_updates", item.seq, row[_UPDATE_STATE_AT], item.state.value)

    def _switches(self) -> None:
        for row in _SWITCHES.rows(self._tx):
            switch = rows.switch(row)
            self.snapshot.switches[switch.name] = switch

    # -- sessions ------------------------------------------------------------------------------

    def _sessions(self, needs: Needs) -> None:
        snapshot = self.snapshot
        wanted = set(needs.agents)
        wanted |= {snapshot.requests[name].agent_id for name in snapshot.due_requests}
        wanted |= {
            record.assignment.agent_id for record in snapshot.assignments.values() if record.open
        }
        wanted |= {
            item.envelope.agent_id
            for item in snapshot.deliveries.values()
            if item.state is DeliveryState.WAITING
        }
        stored = set(needs.stored_agents)
        for agent in wanted - stored:
            known = self._known.get(agent)
            if known is None:
                stored.add(agent)
            else:
                snapshot.sessions[agent] = known
                snapshot.agents.add(agent)
        stored -= snapshot.agents
        if self._tx.dialect == "postgresql":
            # Lock only sessions that may be changed, so that calls of other agents run in parallel.
            stored = self._changing(stored, needs.stored_agents)
            self._lock_all(f"agent:{agent}" for agent in stored)
        self._stored_sessions(stored)

    def _changing(self, agents: set[str], changed: frozenset[str]) -> set[str]:
        """Return the agents whose sessions may be changed; load the sessions of the others."""
        looked = agents - changed
        read = _SESSIONS.rows(self._tx, list(looked)) if looked else []
        current = [record for record in map(rows.session, read) if is_current(record)]
        for record in current:
            self._session(record)
        return agents - {record.agent_id for record in current}

    def _stored_sessions(self, agents: set[str]) -> None:
        if agents:
            for row in _SESSIONS.rows(self._tx, list(agents)):
                self._session(rows.session(row))
            self.snapshot.agents |= agents

    def _session(self, record: SessionRecord) -> None:
        self.snapshot.sessions[record.agent_id] = record
        self.snapshot.agents.add(record.agent_id)
        self._note_dead(record.signing_in)
        self._note_dead(record.poller)

    # -- needs of timers -----------------------------------------------------------------------

    def _timers(self, needs: Needs) -> None:
        if needs.due is not None:
            self._due(needs)
        self._queued(needs)
        if needs.leased:
            self._recover()
        if needs.unattended:
            self._unattended(needs.readers)
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
            free = self._free(expired, "call", _OFFER_AT, _NUMBERED_SUGGESTIONS)
            self.snapshot.more = len(expired) >= SLICE or len(free) < len(expired)
            self._suggestions(free)

    def _slice(self, candidates: list[tuple[Any, ...]]) -> None:
        free = self._unlocked(candidates)
        self.snapshot.more = len(candidates) >= SLICE or len(free) < len(candidates)
        self._deliveries(free)
        promised = [
            delivery for delivery in self.snapshot.deliveries.values() if _promises(delivery)
        ]
        if promised:
            calls = {delivery.envelope.call_id for delivery in promised}
            keys = {str(delivery.turn_key) for delivery in promised}
            self._of_turns(calls, keys)
            self._assignments((), calls)

    def _due(self, needs: Needs) -> None:
        tx, now, command = self._tx, self._now, needs.due
        assert command is not None  # noqa: S101 - checked by the caller
        candidates: list[tuple[Any, ...]] = []
        stalled: list[tuple[Any, ...]] = []
        first, following, lease = _TIMES.rows(tx, now)[0]
        self.snapshot.next_due = _earliest(following, lease)
        if command.sweep or command.probe:
            candidates += _STALE_DUE.rows(tx, now)
            if command.probe:
                candidates += _PROBE.rows(tx, now)
        elif command.limit > 0 and _is_past(first, now):
            candidates += _DUE.rows(tx, now, command.limit)
            self.snapshot.more = len(candidates) >= command.limit
        if _is_past(lease, now):
            leased = _STALLED.rows(tx, now)
            stalled = [row for row in leased if command.held.get(row[0], "") != row[_LEASE_AT]]
        due = self._unlocked(candidates)
        self._deliveries([*due, *self._unlocked(stalled)])
        self.snapshot.due = list(dict.fromkeys(str(row[1]) for row in due))
        calls = {delivery.envelope.call_id for delivery in self.snapshot.deliveries.values()}
        if calls:
            self._deliveries(_OPEN_OF_CALLS.rows(tx, list(calls)))
            self._assignments((), calls)
            late = [
                delivery
                for delivery in self.snapshot.deliveries.values()
                if _promises(delivery) and (delivery.expires_at <= now or self._will_fail(delivery))
            ]
            if late or stalled:
                keys = {
                    str(delivery.turn_key)
                    for delivery in self.snapshot.deliveries.values()
                    if _promises(delivery)
                }
                self._of_turns(calls, keys)
                self._suggestions(_OFFERED.rows(tx, [], list(calls)))

    def _will_fail(self, delivery: Delivery) -> bool:
        """Return whether a delivery will fail because its call ended or changed its agent."""
        record = self.snapshot.assignments.get((delivery.sender_id, delivery.envelope.call_id))
        if record is None:
            return False
        return not record.open or record.assignment.agent_id != delivery.envelope.agent_id

    def _due_updates(self, needs: Needs) -> None:
        tx, command = self._tx, needs.due_updates
        assert command is not None  # noqa: S101 - checked by the caller
        due, self.snapshot.next_update_due = self._due_of(_UPDATES, command.limit)
        due += self._due_of(_INQUIRIES, command.inquiries)[0]
        self._updates(due)
        self.snapshot.due_updates = [str(row[1]) for row in due]
        updates = [self.snapshot.updates[name] for name in self.snapshot.due_updates]
        needing_call = [item for item in updates if item.kind is not UpdateKind.WRITE_BACK]
        if needing_call:
            calls = {item.call_id for item in needing_call if item.call_id is not None}
            self._assignments({item.sender_id for item in needing_call}, calls)
            self._deliveries(_OPEN_OF_CALLS.rows(tx, list(calls)))
            for item in needing_call:
                if item.call_id is None:
                    continue
                row = _LAST_TURN.first(tx, item.sender_id, item.call_id)
                if row is not None:
                    self.snapshot.last_turns[item.call_id] = rows.turn(row)
                if item.kind is UpdateKind.INQUIRY:
                    self._switches()
                    self._question(item.call_id, str(item.body.get("message_id")))
                elif item.kind is UpdateKind.RESUME:
                    self._sent(item.call_id, float(item.body.get("since", item.created_at)))

    def _queued(self, needs: Needs) -> None:
        if needs.due_updates is not None:
            self._due_updates(needs)
        if needs.due_requests is not None:
            self._due_requests(needs)

    def _due_requests(self, needs: Needs) -> None:
        assert needs.due_requests is not None  # noqa: S101 - checked by the caller
        due, self.snapshot.next_request_due = self._due_of(_REQUESTS, needs.due_requests.limit)
        for row in due:
            self._request(row)
        self.snapshot.due_requests = [str(row[1]) for row in due]
        calls = {self.snapshot.requests[name].call_id for name in self.snapshot.due_requests}
        self._calls(calls)
        if calls:
            self._deliveries(_OPEN_OF_CALLS.rows(self._tx, list(calls)))

    def _due_of(self, queue: LeasedQueue, limit: int) -> tuple[list[tuple[Any, ...]], float | None]:
        """Return the due rows of a queue, and when the next ones may be due."""
        now = self._now
        first, following, lease = queue.times.rows(self._tx, now)[0]
        due: list[tuple[Any, ...]] = []
        if limit > 0 and (_is_past(first, now) or _is_past(lease, now)):
            due = self._unlocked_of(queue, queue.due.rows(self._tx, now, now, limit))
        return due, _earliest(following, lease)

    def _recover(self) -> None:
        tx = self._tx
        leased = _LEASED.rows(tx)
        for row in leased:
            self._note_dead(row[_LEASE_AT])
        recovered = self._unlocked([row for row in leased if row[_LEASE_AT] in self._dead])
        dead = [rows.delivery(row) for row in recovered]
        self._deliveries([*recovered, *self._unlocked(_ALL_WITHOUT_GUID.rows(tx))])
        self._open_of_queues()
        if dead:
            calls = {item.envelope.call_id for item in dead}
            keys = {str(item.turn_key) for item in dead if _promises(item)}
            self._deliveries(_OPEN_OF_CALLS.rows(tx, list(calls)))
            self._assignments((), calls)
            self._of_turns(calls, keys)

    def _too_late(self, needs: Needs) -> None:
        lease = self._now + LEASE
        first, rest = needs.latest_expiry, needs.latest_rest
        self._slice(_TOO_LATE.rows(self._tx, needs.too_late, first, rest, lease))
        self._open_of_queues()

    def _open_of_queues(self) -> None:
        tx = self._tx
        self._updates(self._unlocked_of(_UPDATES, _UPDATES.open.rows(tx)))
        for row in self._unlocked_of(_REQUESTS, _REQUESTS.open.rows(tx)):
            self._request(row)

    def _alerts(self, latest: float) -> None:
        snapshot = self.snapshot
        due = _DUE_ALERTS.rows(self._tx, self._now, latest)
        snapshot.more = len(due) >= _ALERTS
        if due and self._tx.dialect == "postgresql":
            free = self._try_lock({f"call:{row[_CALL_OF_ALERT]}" for row in due})
            due = [  # read again, now that they are locked
                row
                for row in _DUE_ALERTS.rows(self._tx, self._now, latest)
                if f"call:{row[_CALL_OF_ALERT]}" in free
            ]
            snapshot.more = snapshot.more and bool(due)
        for taken, *row in due:
            record = rows.assignment(row)
            pair: Pair = (record.assignment.sender_id, record.assignment.call_id)
            snapshot.assignments[pair] = record
            snapshot.alerts_due.append(pair)
            if taken:
                snapshot.taken.add(pair)

    def _unattended(self, readers: frozenset[str]) -> None:
        polled = [rows.session(row) for row in _POLLED.rows(self._tx)]
        for record in polled:
            self._note_dead(record.poller)
        agents = {str(record.agent_id) for record in polled if self._has_no_poller(record)}
        absent = readers - {record.agent_id for record in polled}
        agents |= absent
        if agents and self._tx.dialect == "postgresql":
            free = self._try_lock({f"agent:{agent}" for agent in agents})
            agents = {agent for agent in agents if f"agent:{agent}" in free}
        self._stored_sessions(agents)  # read again, now that they are locked
        self.snapshot.unattended = [
            agent
            for agent, record in self.snapshot.sessions.items()
            if record.ours and record.usable and self._has_no_poller(record)
        ]
        self.snapshot.absent = [
            agent
            for agent in sorted(absent & agents)
            if (found := self.snapshot.sessions.get(agent)) is None or not found.usable
        ]

    def _has_no_poller(self, record: SessionRecord) -> bool:
        return (
            record.poller is None
            or (record.poller_until or 0.0) < self._now
            or record.poller in self._dead
        )

    def _note_unreadable(self, table: str, number: int, stored: str, state: str) -> None:
        """Note an open row that was read with replacements, and so is in another state."""
        if stored != state:
            self._unreadable.setdefault(table, set()).add(number)

    def _note_dead(self, holder: str | None) -> None:
        if holder is None or holder in self._dead or holder == self._process.name:
            return
        if not self._process.owns(holder) and self._is_dead(holder):
            self._dead.add(holder)

    # -- locks ---------------------------------------------------------------------------------

    def _lock(self, needs: Needs) -> None:
        """Lock every conversation and call that this batch may change, in a fixed order."""
        keys: set[str] = set()
        pairs = _CALLS_OF.rows(
            self._tx,
            list(needs.suggestions),
            list(needs.deliveries),
            list(needs.turns),
            list(needs.calls | needs.open_of_calls | needs.brought_calls | needs.reader_calls),
            list(needs.senders),
            list(needs.updates),
            list(needs.users),
            list(needs.reader_calls),
        )
        for sender, call in pairs:
            keys.add(f"sender:{sender}")
            if call is not None:
                keys.add(f"call:{call}")
        keys |= {f"sender:{sender}" for sender in needs.senders}
        keys |= {f"call:{call}" for call in needs.calls | needs.open_of_calls | needs.reader_calls}
        for call in needs.reader_calls:
            keys |= {f"sender:{READERS_SENDER}{call}"}
            keys |= {f"{_REQUESTS.lock}:{line}" for line in lines_of(call)}
        keys |= {f"call:{call}" for _, call in needs.pairs}
        keys |= {f"turn:{key}" for key in needs.turns | needs.of_turns}
        keys |= {f"task:{name}" for name in needs.leaders}
        keys |= {f"update:{sender}" for sender, _ in pairs if needs.updates}
        self._locked = keys
        self._lock_all(keys)

    def _check_locked(self, calls: set[str], senders: Iterable[str] = ()) -> None:
        """Check that no conversation got another call while its lock was awaited.

        Raises:
            ConflictError: one did, and the new call is not locked: load and plan again.
        """
        keys = {f"call:{call}" for call in calls} | {f"sender:{sender}" for sender in senders}
        if self._locked is not None and not self._locked >= keys:
            raise ConflictError("a conversation was given another call meanwhile")

    def _lock_all(self, keys: Iterable[str]) -> None:
        numbers = sorted({_lock_number(key) for key in keys})
        if numbers:
            self._tx.execute(_LOCK, [numbers]).fetchall()

    def _unlocked(self, candidates: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Lock the deliveries' calls where no other machine has; return those deliveries."""
        return self._free(candidates, "call", _CALL_AT, _NUMBERED)

    def _unlocked_of(
        self, queue: LeasedQueue, candidates: list[tuple[Any, ...]]
    ) -> list[tuple[Any, ...]]:
        """Lock the lines of queued rows where no other machine has; return those rows."""
        return self._free(candidates, queue.lock, queue.line_at, queue.numbered)

    def _free(
        self, candidates: list[tuple[Any, ...]], kind: str, at: int, numbered: Select
    ) -> list[tuple[Any, ...]]:
        """Lock the rows' keys without waiting; return the locked rows that are still unchanged.

        Rows that another machine changed before the lock are left out; a later load reads them.
        """
        if self._tx.dialect != "postgresql" or not candidates:
            return candidates
        free = self._try_lock({f"{kind}:{row[at]}" for row in candidates})
        locked = [row for row in candidates if f"{kind}:{row[at]}" in free]
        if not locked:
            return locked
        stored = {row[0]: row for row in numbered.rows(self._tx, [row[0] for row in locked])}
        return [row for row in locked if stored.get(row[0]) == row]

    def _try_lock(self, keys: set[str]) -> set[str]:
        numbers = {_lock_number(key): key for key in keys}
        self._tx.execute(_TRY_LOCK, [sorted(numbers)])
        return {numbers[number] for number, locked in self._tx.cursor.fetchall() if locked}


_WIDTH = len(rows.DELIVERY)
_CALL_AT = rows.DELIVERY.index("call_id")
_OFFER_AT = rows.SUGGESTION.index("call_id")
_CALL_OF_ALERT = rows.ASSIGNMENT_READ.index("call_id") + 1  # after whether it was taken
_LEASE_AT = rows.DELIVERY.index("lease")
_STATE_AT = rows.DELIVERY.index("state")
_OFFER_STATE_AT = rows.SUGGESTION.index("state")
_UPDATE_STATE_AT = rows.UPDATE.index("state")
_REQUEST_STATE_AT = rows.CALL_REQUEST.index("state")


def _promises(delivery: Delivery) -> bool:
    return delivery.origin is Origin.HANDOFF and delivery.turn_key is not None


def _lock_number(key: str) -> int:
    """Return the 64-bit number under which PostgreSQL's advisory locks know a key."""
    digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def is_current(record: SessionRecord) -> bool:
    """Return whether a session may be used from memory: signed in, with a GUID."""
    return record.state is SessionState.SIGNED_IN and record.guid is not None


def _is_past(at: float | None, now: float) -> bool:
    return isinstance(at, (int, float)) and at <= now  # SQLite may hold text in any column


def _earliest(*times: float | None) -> float | None:
    return min((at for at in times if isinstance(at, (int, float))), default=None)


def _known(snapshot: Snapshot, needs: Needs) -> frozenset[str]:
    return needs.suggestions & snapshot.suggestions.keys()
