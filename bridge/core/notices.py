"""Learn what other processes committed, and notify them of what this one did."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bridge.core.callers import TurnCallers
from bridge.core.claiming import Claiming
from bridge.core.session_cache import SessionCache
from bridge.core.timers import Timers
from bridge.core.watchers import ChangeWatchers
from bridge.model import DeliveryState
from bridge.state.commands import Command, JudgeTurn
from bridge.state.plan import Plan
from bridge.state.records import UpdateState
from bridge.store import EVERYTHING, Notice, Store, notify
from bridge.store.statements import Transaction

_VERSION = 0.25  # seconds between checks for commits of other processes (SQLite)


class Notices:
    """Belongs to the core's thread, except for ``receive``.

    Args:
        sessions: the sessions in memory, from which changed ones are dropped.
        wake: wakes the core.
    """

    def __init__(
        self,
        store: Store,
        timers: Timers[Command],
        *,
        sessions: SessionCache,
        claiming: Claiming,
        callers: TurnCallers,
        changes: ChangeWatchers,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._timers = timers
        self._sessions = sessions
        self._claiming = claiming
        self._callers = callers
        self._changes = changes
        self._wake = wake
        self._polls_version = store.dialect == "sqlite"
        self._version_at = 0.0
        self._received: list[Notice] = []

    @property
    def next(self) -> float | None:
        """When to check for commits of other processes; None if they notify this one."""
        return self._version_at if self._polls_version else None

    def reset(self) -> None:
        """Check at once, because the clock was set back."""
        self._version_at = 0.0

    def receive(self, notice: Notice) -> None:
        """Queue the notification of another process's commit; runs in the notifier's thread."""
        self._received.append(notice)
        self._wake()

    def handle(self, now: float) -> None:
        """Act on what was received; on SQLite, check for commits first."""
        if self._polls_version and now >= self._version_at:
            self._version_at = now + _VERSION
            if self._store.changed_elsewhere():
                self._received.append(EVERYTHING)
        notices, self._received = self._received, []
        for notice in notices:
            self._handle(notice, now)

    def _handle(self, notice: Notice, now: float) -> None:
        if notice.everything:
            self._sessions.clear()
        for agent in notice.agents:
            self._sessions.pop(agent, None)
        if notice.due:
            self._claiming.make_due(now)
        if notice.everything or notice.changes:
            self._changes.announce(notice.changes)
        if notice.everything:
            for command in self._callers.judgements():
                self._timers.add(0.0, command)
        else:
            for key in notice.turns:
                if self._callers.is_awaited(key):
                    self._timers.add(0.0, JudgeTurn(turn_key=key, final=False))


def notify_others(tx: Transaction, name: str, plans: Sequence[Plan], newest: int) -> None:
    """Notify other processes of due work, answers, changed sessions and the last change.

    Args:
        tx: the transaction that commits the plans.
        name: of this process.
        plans: those that are committed.
        newest: the number of the last change in the log.
    """
    waiting = any(item.state is DeliveryState.WAITING for plan in plans for item in plan.deliveries)
    states = {item.state for plan in plans for item in plan.updates}
    states |= {item.state for plan in plans for item in plan.requests}
    notify(
        tx,
        name,
        due=waiting or UpdateState.WAITING in states,
        turns=[key for plan in plans for key in plan.answers],
        agents=[session.agent_id for plan in plans for session in plan.sessions],
        changes=newest,
    )
