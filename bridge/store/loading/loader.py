"""Load one batch of commands' needs, in the order in which the rows depend on each other."""

from __future__ import annotations

from collections.abc import Callable

from bridge.state.snapshot import Needs, Process, Snapshot
from bridge.store.loading.claims import ClaimableRows
from bridge.store.loading.collector import Collector
from bridge.store.loading.locks import Locks
from bridge.store.loading.named import NamedRows
from bridge.store.loading.sessions import KnownSessions, SessionRows
from bridge.store.loading.slices import SlicedRows
from bridge.store.statements import Transaction


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
        self._locks = locks = Locks(tx)
        self._collector = collector = Collector(tx, process, now, is_dead)
        self._named = NamedRows(collector, locks)
        self._claimable = ClaimableRows(collector, locks)
        self._sliced = SlicedRows(collector, locks)
        self._sessions = SessionRows(collector, locks, known)

    def load(self, needs: Needs) -> Snapshot:
        """Load everything that ``needs`` names.

        Raises:
            ConflictError: a conversation got another call while its lock was awaited.
        """
        if self._locks.needed:
            self._locks.lock(needs)
        if needs.reader_calls or needs.users or needs.requests:
            needs = self._named.reader_calls(needs)
        if needs.turns:
            self._collector.turns(needs.turns)
        if needs.suggestions:
            self._named.suggestions(needs.suggestions)
        self._timers(needs)
        self._named.load(needs)
        self._sessions.load(needs)
        return self._collector.finish()

    def _timers(self, needs: Needs) -> None:
        """Load what the core's timers need."""
        if needs.due is not None:
            self._claimable.deliveries(needs.due)
        if needs.due_updates is not None:
            self._claimable.updates(needs.due_updates)
        if needs.due_requests is not None:
            self._claimable.requests(needs.due_requests)
        if needs.leased:
            self._sliced.recover()
        if needs.unattended:
            self._sessions.unattended(needs.readers)
        self._sliced.load(needs)
