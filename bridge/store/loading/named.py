"""Load what commands name by key, and what that leads to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bridge.model import DeliveryState
from bridge.state.calls import ARRIVES_WITHIN
from bridge.state.records import COPIED_WITHIN
from bridge.state.snapshot import Needs, Pair
from bridge.store import questions, rows, schema
from bridge.store.loading.collector import Collector
from bridge.store.loading.locks import MAY_GO_ON, Locks
from bridge.store.queues import UPDATES
from bridge.store.statements import Select

_Q = rows.listed(schema.call_requests, "q")
_S = rows.listed(schema.suggestions, "s")
_CARD = Select(
    "SELECT a.card FROM assignments a WHERE a.sender_id = {value} AND a.call_id = {value}"
)
_SUGGESTIONS = Select(
    f"SELECT {_S} FROM {{texts}} CROSS JOIN suggestions o CROSS JOIN suggestions s"  # noqa: S608
    " WHERE o.id = k.value AND s.candidates = o.candidates"
)
_LAST_DELIVERED = Select(
    "SELECT d.call_id, max(d.seq) FROM {texts} CROSS JOIN deliveries d"
    " WHERE d.call_id = k.value AND d.state = 'delivered' GROUP BY d.call_id"
)
_WITH_CALLS = Select(
    "SELECT a.agent_id FROM {texts} CROSS JOIN assignments a"
    " WHERE a.agent_id = k.value AND a.ended_at IS NULL"
    " UNION SELECT c.agent_id FROM {texts} CROSS JOIN calls c"
    " WHERE c.agent_id = k.value AND c.state <> 'ended'"
)
_LEADERS = Select(
    "SELECT l.name, l.holder, l.held_until, l.done_at FROM {texts} CROSS JOIN leaders l"
    " WHERE l.name = k.value"
)
_SHADOWS = Select(
    "SELECT DISTINCT u.shadow FROM {texts} CROSS JOIN rasa_updates u WHERE u.shadow = k.value"
)
_CALLS_OF_USERS = Select(
    "SELECT a.user_id, a.sender_id, a.call_id, a.ended_at FROM {texts} CROSS JOIN assignments a"  # noqa: S608
    " WHERE a.user_id = k.value AND (a.ended_at IS NULL OR a.ended_at >= {value})"
    f" AND {MAY_GO_ON} ORDER BY a.given_at"
)
_CALL_REQUESTS = Select(
    f"SELECT {_Q} FROM {{texts}} CROSS JOIN call_requests q WHERE q.id = k.value"  # noqa: S608
    f" UNION ALL SELECT {_Q} FROM {{texts}} CROSS JOIN call_requests q"
    " WHERE q.call_id = k.value AND q.state IN ('waiting', 'sending')"
)


class NamedRows:
    """Loads the rows that the keys of ``Needs`` name, into a collector."""

    def __init__(self, collector: Collector, locks: Locks) -> None:
        self._collector = collector
        self._locks = locks
        self._tx = collector.tx
        self._now = collector.now
        self._snapshot = collector.snapshot

    def suggestions(self, ids: Iterable[str]) -> None:
        """Load suggestions by ID, with the other candidates."""
        self._collector.suggestions(_SUGGESTIONS.rows(self._tx, list(ids)))

    def reader_calls(self, needs: Needs) -> Needs:
        """Load calls of readers and their requests; return the needs with what they lead to."""
        snapshot = self._snapshot
        self._collector.requests(
            _CALL_REQUESTS.rows(self._tx, list(needs.requests), list(needs.reader_calls))
        )
        named = {
            snapshot.requests[name].call_id for name in needs.requests & snapshot.requests.keys()
        }
        calls = needs.reader_calls | named
        self._collector.calls(calls)
        callers = {call.caller for call in snapshot.calls.values() if call.sender_id is None}
        users = (needs.users | callers) - {""}
        joined: set[str] = set()
        if users:
            latest = self._now - ARRIVES_WITHIN
            for user, sender, call_id, ended_at in _CALLS_OF_USERS.rows(
                self._tx, list(users), latest
            ):
                snapshot.calls_of_users.setdefault(user, []).append((sender, call_id))
                if ended_at is None:
                    snapshot.senders_of_users[user] = sender
                joined.add(call_id)
            self._collector.calls(joined - calls)
        pairs = {pair for found in snapshot.calls_of_users.values() for pair in found}
        senders = frozenset(sender for sender, _ in pairs)
        self._locks.check(joined, senders)
        transferred = {call.call_id for call in snapshot.calls.values() if call.transfer_to}
        for pair in pairs:
            if pair[1] in transferred:
                self._card(pair)
        return replace(
            needs,
            senders=needs.senders | senders,
            conversations=needs.conversations | senders,
            calls=needs.calls | calls,
            open_of_calls=needs.open_of_calls | calls,
        )

    def load(self, needs: Needs) -> None:
        """Load all other rows; suggestions, action calls and readers' calls are loaded before."""
        tx, snapshot = self._tx, self._snapshot
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
            self._collector.assignments(needs.senders, calls)
        own = {snapshot.newest[sender][1] for sender in needs.senders if sender in snapshot.newest}
        self._locks.check(own)
        self._cards(needs)
        opened = needs.open_of_calls | needs.brought_calls | suggested | own
        if opened or needs.deliveries or turned:
            known = needs.of_turns <= snapshot.turns.keys()
            self._collector.named_deliveries(
                calls=turned if known else turned | needs.open_of_calls,
                turns=needs.of_turns,
                numbers=needs.deliveries,
                opened=opened,
                calls_of_replies=opened if needs.replies else (),
                replies=needs.replies,
                codes=needs.codes,
            )
        self._assignments_of_next(needs)
        self._offered(needs)
        if needs.callers:
            self._with_agents(needs)
        if needs.leaders:
            for row in _LEADERS.rows(tx, list(needs.leaders)):
                leader = rows.leader(row)
                snapshot.leaders[leader.name] = leader
                self._collector.note_dead(leader.holder)
        if needs.updates:
            self._collector.updates(UPDATES.numbered.rows(tx, list(needs.updates)))
        if needs.switches:
            self._collector.switches()
        self._agents(needs)
        self._questions(needs)

    def _agents(self, needs: Needs) -> None:
        """Load what is known of agents besides their sessions."""
        if needs.presences:
            self._collector.presences(needs.presences)
        if needs.agents_with_calls:
            agents = list(needs.agents_with_calls)
            found = _WITH_CALLS.rows(self._tx, agents, agents)
            self._snapshot.with_calls = {agent for (agent,) in found}

    def _cards(self, needs: Needs) -> None:
        """Load the cards of conversations that get another call."""
        snapshot = self._snapshot
        for sender in needs.cards:
            pair = snapshot.newest.get(sender)
            if pair is None or pair in needs.pairs or not snapshot.assignments[pair].with_agent:
                continue
            self._card(pair)

    def _card(self, pair: Pair) -> None:
        row = _CARD.first(self._tx, *pair)
        card = rows.card(row[0]) if row is not None else None
        if card is not None:
            self._snapshot.cards[pair] = card

    def _assignments_of_next(self, needs: Needs) -> None:
        """Load the assignments of deliveries that may be claimed next or that a person moves."""
        snapshot = self._snapshot
        if needs.calls_of_deliveries:
            calls = {delivery.envelope.call_id for delivery in snapshot.deliveries.values()}
            self._collector.assignments((), calls)
            self._collector.turns({str(item.turn_key) for item in snapshot.deliveries.values()})
            self._collector.open_of_calls(calls)
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
                self._collector.assignments((), missing)

    def _offered(self, needs: Needs) -> None:
        snapshot = self._snapshot
        senders = {
            sender
            for sender in needs.callers
            if (record := snapshot.latest(sender)) is not None and record.with_agent
        }
        calls = set(needs.calls)
        if needs.suggestions:  # one that is taken supersedes all that answer the same message
            found = needs.suggestions & snapshot.suggestions.keys()
            calls |= {snapshot.suggestions[name].call_id for name in found}
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
            self._collector.offered(senders, calls)

    def _with_agents(self, needs: Needs) -> None:
        """Load what an action call needs about conversations whose owner is an agent."""
        snapshot = self._snapshot
        handed: list[str] = []
        for sender in needs.callers:
            assignment = snapshot.latest(sender)
            if assignment is None or not assignment.with_agent:
                continue
            call = assignment.assignment.call_id
            snapshot.recent_auto[call] = questions.recent_auto(self._tx, call, self._now)
            turn = self._collector.last_turn(sender, call)
            if turn is not None:
                handed.append(turn.key)
            if sender in needs.sent_of_callers and assignment.handed_off_at is not None:
                self._collector.sent(call, assignment.handed_off_at)
        if handed:
            calls = list(snapshot.last_turns)
            self._collector.of_turns(calls, handed)
        if any(
            (assignment := snapshot.latest(sender)) is not None and assignment.with_agent
            for sender in needs.callers
        ):
            self._collector.switches()
            self._collector.presences(
                assignment.assignment.agent_id
                for sender in needs.callers
                if (assignment := snapshot.latest(sender)) is not None and assignment.with_agent
            )

    def _questions(self, needs: Needs) -> None:
        for call_id, message_id in needs.questions:
            self._collector.question(call_id, message_id)
        if needs.shadows:
            shadows = _SHADOWS.rows(self._tx, list(needs.shadows))
            self._snapshot.shadows |= {str(row[0]) for row in shadows}
        if needs.forwarded:
            for message in questions.messages(self._tx, needs.forwarded):
                self._snapshot.messages[message.id] = message
        for call_id in needs.copied:
            copied = questions.copied(self._tx, call_id, self._now - COPIED_WITHIN)
            if copied is not None:
                self._snapshot.copied[call_id] = copied
