"""Load agents' sessions: from memory, or from the store under a lock."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.model import DeliveryState
from bridge.state.records import SessionRecord, SessionState
from bridge.state.snapshot import Needs
from bridge.store import rows, schema
from bridge.store.loading.collector import Collector
from bridge.store.loading.locks import Locks
from bridge.store.statements import Select

_SESSIONS = Select(
    f"SELECT {rows.listed(schema.sessions, 's')} FROM {{texts}} CROSS JOIN sessions s"  # noqa: S608
    " WHERE s.agent_id = k.value"
)
_POLLED = Select(
    f"SELECT {rows.listed(schema.sessions, 's')} FROM sessions s"  # noqa: S608
    " WHERE s.ours AND s.state IN ('signed_in', 'doubted')"
)
KnownSessions = Mapping[str, SessionRecord]


class SessionRows:
    """Loads sessions into a collector.

    Args:
        known: sessions that are known to be current, by agent ID.
    """

    def __init__(self, collector: Collector, locks: Locks, known: KnownSessions) -> None:
        self._collector = collector
        self._locks = locks
        self._known = known
        self._tx = collector.tx
        self._now = collector.now
        self._snapshot = collector.snapshot

    def load(self, needs: Needs) -> None:
        """Load the sessions that are named, and those of the agents of the rows loaded before."""
        snapshot = self._snapshot
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
        if self._locks.needed:
            # Lock only sessions that may be changed, so that calls of other agents run in parallel.
            stored = self._changing(stored, needs.stored_agents)
            self._locks.lock_agents(stored)
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
            self._snapshot.agents |= agents

    def _session(self, record: SessionRecord) -> None:
        self._snapshot.sessions[record.agent_id] = record
        self._snapshot.agents.add(record.agent_id)
        self._collector.note_dead(record.signing_in)
        self._collector.note_dead(record.poller)

    def unattended(self, readers: frozenset[str]) -> None:
        """Load the sessions that no process polls, and those of readers that are absent."""
        polled = [rows.session(row) for row in _POLLED.rows(self._tx)]
        for record in polled:
            self._collector.note_dead(record.poller)
        agents = {str(record.agent_id) for record in polled if self._has_no_poller(record)}
        absent = readers - {record.agent_id for record in polled}
        agents |= absent
        if agents and self._locks.needed:
            agents = self._locks.free_keys("agent", agents)
        self._stored_sessions(agents)  # read again, now that they are locked
        self._snapshot.unattended = [
            agent
            for agent, record in self._snapshot.sessions.items()
            if record.ours and record.usable and self._has_no_poller(record)
        ]
        self._snapshot.absent = [
            agent
            for agent in sorted(absent & agents)
            if (found := self._snapshot.sessions.get(agent)) is None or not found.usable
        ]

    def _has_no_poller(self, record: SessionRecord) -> bool:
        return (
            record.poller is None
            or (record.poller_until or 0.0) < self._now
            or record.poller in self._collector.dead
        )


def is_current(record: SessionRecord) -> bool:
    """Return whether a session may be used from memory: signed in, with a GUID."""
    return record.state is SessionState.SIGNED_IN and record.guid is not None
