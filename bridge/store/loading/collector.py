"""Read rows by their keys, convert them, and collect them in a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from bridge.model import Delivery, Origin
from bridge.state.records import TurnRecord
from bridge.state.snapshot import Pair, Process, Snapshot
from bridge.store import questions, repair, rows, schema
from bridge.store.queues import REQUESTS
from bridge.store.statements import Select, Transaction

_D = rows.listed(schema.deliveries, "d")
_A = rows.listed(schema.assignments, "a", "card")
_S = rows.listed(schema.suggestions, "s")
_T = rows.listed(schema.turns, "t")
_C = rows.listed(schema.calls, "c", "erased_at")
_OPEN = "d.state IN ('waiting', 'sending')"
_TURNS = Select(
    f"SELECT {_T} FROM {{texts}} CROSS JOIN turns t"  # noqa: S608
    " WHERE t.key = k.value"
)
_LAST_TURN = Select(
    f"SELECT {_T} FROM turns t"  # noqa: S608
    " WHERE t.sender_id = {value} AND t.call_id = {value} ORDER BY t.made_at DESC LIMIT 1"
)
_OFFERED = Select(
    f"SELECT {_S} FROM {{texts}} CROSS JOIN suggestions s"  # noqa: S608
    " WHERE s.sender_id = k.value AND s.state = 'offered'"
    f" UNION ALL SELECT {_S} FROM {{texts}} CROSS JOIN suggestions s"
    " WHERE s.call_id = k.value AND s.state = 'offered'"
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
_OPEN_OF_CALLS = Select(
    f"SELECT {_D} FROM {{texts}} CROSS JOIN deliveries d {{open}}"  # noqa: S608
    f" WHERE d.call_id = k.value AND {_OPEN}"
)
_SENT = Select(
    f"SELECT {_D} FROM deliveries d WHERE d.call_id = {{value}}"  # noqa: S608
    " AND d.created_at >= {value} AND d.state IN ('delivered', 'uncertain') ORDER BY d.seq"
)
_SWITCHES = Select("SELECT s.name, s.value, s.changed_at FROM switches s")
_PRESENCES = Select(
    "SELECT p.agent_id, p.present_at FROM {texts} CROSS JOIN presences p WHERE p.agent_id = k.value"
)
_CALLS = Select(
    f"SELECT {_C} FROM {{texts}} CROSS JOIN calls c WHERE c.call_id = k.value"  # noqa: S608
)

LEASE_AT = rows.DELIVERY.index("lease")
_WIDTH = len(rows.DELIVERY)
_STATE_AT = rows.DELIVERY.index("state")
_OFFER_STATE_AT = rows.SUGGESTION.index("state")
_UPDATE_STATE_AT = rows.UPDATE.index("state")
_REQUEST_STATE_AT = rows.CALL_REQUEST.index("state")


class Collector:
    """Collects the rows of one batch.

    Attributes:
        tx: the transaction.
        now: the time of the batch.
        snapshot: what was read so far.
        dead: holders of leases that have certainly died, of those that were read.
    """

    def __init__(
        self, tx: Transaction, process: Process, now: float, is_dead: Callable[[str], bool]
    ) -> None:
        self.tx = tx
        self.now = now
        self.snapshot = Snapshot(process)
        self.dead: set[str] = set()
        self._process = process
        self._is_dead = is_dead
        self._unreadable: dict[str, set[int]] = {}  # numbers of open rows, by table

    def finish(self) -> Snapshot:
        """Set aside the open rows that could not be read; return the snapshot."""
        snapshot = self.snapshot
        for table, numbers in self._unreadable.items():
            repair.set_aside(self.tx, table, sorted(numbers), self.now)
        snapshot.loaded = dict(snapshot.assignments)
        snapshot.loaded_turns = set(snapshot.turns)
        if self.dead:
            snapshot.process = replace(snapshot.process, dead=frozenset(self.dead))
        return snapshot

    def note_dead(self, holder: str | None) -> None:
        """Note the holder of a lease if it has certainly died."""
        if holder is None or holder in self.dead or holder == self._process.name:
            return
        if not self._process.owns(holder) and self._is_dead(holder):
            self.dead.add(holder)

    def _note_unreadable(self, table: str, number: int, stored: str, state: str) -> None:
        """Note an open row that was read with replacements, and so is in another state."""
        if stored != state:
            self._unreadable.setdefault(table, set()).add(number)

    # -- action calls and assignments ----------------------------------------------------------

    def turns(self, keys: Iterable[str]) -> None:
        """Load action calls by key."""
        for row in _TURNS.rows(self.tx, list(keys)):
            record = rows.turn(row)
            self.snapshot.turns[record.key] = record

    def last_turn(self, sender: str, call: str) -> TurnRecord | None:
        """Load and return the newest action call of a conversation's call."""
        row = _LAST_TURN.first(self.tx, sender, call)
        if row is None:
            return None
        record = self.snapshot.last_turns[call] = rows.turn(row)
        return record

    def assignments(self, senders: Iterable[str], calls: Iterable[str]) -> None:
        """Load the newest assignment of each conversation, and all assignments of the calls."""
        snapshot = self.snapshot
        newest: list[tuple[str, str]] = []
        for tagged, handed_back_at, *row in _ASSIGNMENTS.rows(self.tx, list(senders), list(calls)):
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

    # -- deliveries ----------------------------------------------------------------------------

    def deliveries(self, loaded: Iterable[rows.Row]) -> None:
        """Add deliveries that were read, in order of their numbers."""
        known = self.snapshot.deliveries
        new = {row[0]: row for row in loaded if row[1] not in known}
        for seq in sorted(new):
            item = rows.delivery(new[seq])
            known[item.message_code] = item
            self._note_unreadable("deliveries", seq, new[seq][_STATE_AT], item.state.value)

    def open_of_calls(self, calls: Iterable[str]) -> None:
        """Load the waiting and sending deliveries of calls."""
        self.deliveries(_OPEN_OF_CALLS.rows(self.tx, list(calls)))

    def of_turns(self, calls: Iterable[str], keys: Iterable[str]) -> None:
        """Load action calls with all their deliveries; ``calls`` are the calls they hand off."""
        self.named_deliveries(calls=calls, turns=keys)

    def named_deliveries(
        self,
        *,
        calls: Iterable[str],
        turns: Iterable[str],
        numbers: Iterable[int] = (),
        opened: Iterable[str] = (),
        calls_of_replies: Iterable[str] = (),
        replies: Iterable[str] = (),
        codes: Iterable[str] = (),
    ) -> None:
        """Load deliveries by several keys in one statement, and those of action calls with them.

        Args:
            calls: the calls that the action calls hand off.
            turns: action calls, by key.
            numbers: deliveries, by number.
            opened: calls whose waiting and sending deliveries are loaded.
            calls_of_replies: the calls of the replies.
            replies: replies, by key.
            codes: deliveries, by message code.
        """
        loaded = _DELIVERIES.rows(
            self.tx,
            list(calls),
            list(turns),
            list(numbers),
            list(opened),
            list(calls_of_replies),
            list(replies),
            list(codes),
        )
        deliveries = []
        for row in loaded:
            deliveries.append(row[:_WIDTH])
            key = row[_WIDTH]
            if key is not None and key not in self.snapshot.turns:
                self.snapshot.turns[key] = rows.turn(row[_WIDTH:])
        self.deliveries(deliveries)

    def sent(self, call: str, since: float) -> None:
        """Load what was sent to the customer on a call since a time."""
        loaded = _SENT.rows(self.tx, call, since)
        self.snapshot.sent_since_handoff[call] = [rows.delivery(row) for row in loaded]

    # -- suggestions ---------------------------------------------------------------------------

    def suggestions(self, loaded: Iterable[rows.Row]) -> None:
        """Add suggestions that were read."""
        for row in loaded:
            item = rows.suggestion(row)
            self.snapshot.suggestions.setdefault(item.id, item)
            self._note_unreadable("suggestions", row[0], row[_OFFER_STATE_AT], item.state.value)

    def offered(self, senders: Iterable[str], calls: Iterable[str]) -> None:
        """Load the offered suggestions of conversations and of calls."""
        self.suggestions(_OFFERED.rows(self.tx, list(senders), list(calls)))

    def question(self, call_id: str, message_id: str) -> None:
        """Load a customer's message with the suggestions that answer it."""
        question = questions.asked(self.tx, call_id, message_id)
        if question is not None:
            self.snapshot.questions[call_id, message_id] = question
            for item in questions.about(self.tx, question):
                self.snapshot.suggestions.setdefault(item.id, item)

    # -- queues, and calls of readers ----------------------------------------------------------

    def updates(self, loaded: Iterable[rows.Row]) -> None:
        """Add updates for Rasa that were read."""
        for row in loaded:
            item = rows.update(row)
            self.snapshot.updates[item.id] = item
            self.note_dead(item.lease)
            self._note_unreadable("rasa_updates", item.seq, row[_UPDATE_STATE_AT], item.state.value)

    def requests(self, loaded: Iterable[rows.Row]) -> None:
        """Add requests about calls that were read."""
        for row in loaded:
            item = rows.call_request(row)
            self.snapshot.requests[item.id] = item
            self.note_dead(item.lease)
            self._note_unreadable(REQUESTS.name, item.seq, row[_REQUEST_STATE_AT], item.state.value)

    def calls(self, call_ids: Iterable[str]) -> None:
        """Load calls at all readers."""
        for row in _CALLS.rows(self.tx, list(call_ids)):
            record = rows.call(row)
            self.snapshot.calls[record.key] = record

    # -- switches and presences ----------------------------------------------------------------

    def switches(self) -> None:
        """Load all switches."""
        for row in _SWITCHES.rows(self.tx):
            switch = rows.switch(row)
            self.snapshot.switches[switch.name] = switch

    def presences(self, agents: Iterable[str]) -> None:
        """Load when agents were last heard of."""
        for row in _PRESENCES.rows(self.tx, list(set(agents))):
            presence = rows.presence(row)
            self.snapshot.presences[presence.agent_id] = presence


def promises(delivery: Delivery) -> bool:
    """Return whether a delivery is part of a handoff, whose answer depends on its outcome."""
    return delivery.origin is Origin.HANDOFF and delivery.turn_key is not None
