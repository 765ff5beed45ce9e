"""Prunes data older than ``retention`` allows: erases content first, deletes rows later.

An elected leader does it for all processes, after the start and then periodically, in its own
thread and in small steps. After each step it pauses for several times the step's duration, so that
messages are hardly delayed. ``store.pruning`` finds the rows; this module decides when.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bridge.config.settings import RetentionSettings
from bridge.core.core import Core
from bridge.state.commands import (
    Command,
    DropRevocations,
    ExpireSuggestions,
    LeadTask,
    LeaveTask,
    PruneChanges,
    PruneRows,
)
from bridge.state.records import CHANGES_PRUNED, RowKey
from bridge.store import ReadTransaction, Store, lists, pruning
from bridge.store.pruning import Limit, PrunedTable, PruningWindow
from bridge.unexpected import Unexpected

T = TypeVar("T")

logger = logging.getLogger(__name__)

_TASK = "retention"
_FIRST = 5.0  # seconds after the start, so that waiting deliveries are sent first
_LEASE = 120.0
_SELDOM = 3600.0  # maximum seconds between two rounds
_OFTEN = 60.0  # minimum, if content is kept for less than a day; also the pause after a failure
_ROWS_READ = 2000
_ROWS_WRITTEN = 100  # per command
_RESTS = 4  # pause after a step, in multiples of its duration
_DAY = 86400.0


@dataclass(slots=True)
class Round:
    """Result of one round: pruned rows by table, and whether the round was completed."""

    erased: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    done: bool = False

    @property
    def any(self) -> bool:
        """Whether anything was pruned."""
        return any((*self.erased.values(), *self.dropped.values()))


class _StoppedError(Exception):
    """The process is stopping, or lost the leadership of the task."""


class Retention:
    """The retention thread. Start one per process; close it once.

    Args:
        store: the store to scan.
        core: executes the pruning commands; its clock determines ages.
        settings: ``retention`` of the operators' file.
        first: seconds from the start to the first round.
        rows_read: rows per window.
    """

    def __init__(
        self,
        store: Store,
        core: Core,
        settings: RetentionSettings,
        *,
        first: float = _FIRST,
        rows_read: int = _ROWS_READ,
    ) -> None:
        self._first = first
        self._rows_read = rows_read
        self._store = store
        self._core = core
        self._content = settings.content.total_seconds()
        self._audit = settings.audit.total_seconds()
        self._every = min(_SELDOM, max(_OFTEN, self._content / 24))
        self._clock = core.clock
        self._leased_until = 0.0
        # By table: no content is left to erase up to this key.
        self._finished: dict[str, RowKey] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Start the thread; the first round follows after ``first`` seconds."""
        self._thread.start()

    def stop(self) -> None:
        """Stop before the next step, without waiting."""
        self._closing.set()

    def close(self) -> None:
        """Stop and wait for the current step to end."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        pause = self._first
        while not self._closing.wait(pause):
            with Unexpected(logger, "Records could not be pruned, trying again: %s") as failure:
                pause = self.turn()
            if failure.error is not None:
                pause = _OFTEN

    def turn(self) -> float:
        """Run a round if one is due and this process leads; return seconds until the next check."""
        now = self._clock.now()
        leader = self._store.read(lambda tx: lists.leader(tx, _TASK))
        done_at = leader.done_at if leader is not None else None
        if done_at is not None and now - self._every < done_at <= now:
            return done_at + self._every - now
        if not self._lead():
            return _OFTEN
        pruned = self.round()
        at = self._clock.now() if pruned.done else None
        self._put(LeaveTask(name=_TASK, holder=self._core.name, done_at=at))
        return self._every

    def round(self) -> Round:
        """Scan all tables once and prune what is too old."""
        pruned = Round()
        try:
            self._put(ExpireSuggestions())
            self._put(DropRevocations())
            while self._step(lambda: self._put(PruneChanges())) >= CHANGES_PRUNED:
                pass
            for target in pruning.TABLES:
                if target.words:
                    self._erase(target, pruned)
                self._drop(target, pruned)
        except _StoppedError:
            return pruned
        pruned.done = True
        if pruned.any:
            if not self._store.empty_log():
                logger.warning("What was erased is in the database's log until that is overwritten")
            logger.info(
                "Pruned what was too old erased=%s dropped=%s",
                dict(+pruned.erased),
                dict(+pruned.dropped),
            )
        return pruned

    def _put(self, command: Command) -> Any:
        return self._core.call(command, background=True)

    def _limit(self, seconds: float) -> Limit:
        """Return the limits for an age; an open call may be quiet for at least a day."""
        now = self._clock.now()
        return Limit(now - seconds, now - max(seconds, _DAY))

    def _erase(self, target: PrunedTable, pruned: Round) -> None:
        limit = self._limit(self._content)

        def look(tx: ReadTransaction, after: RowKey | None) -> PruningWindow:
            return pruning.with_words(tx, target, limit, after, self._rows_read)

        unbroken = target.in_order
        for window in self._windows(target, look, self._finished.get(target.name)):
            pruned.erased[target.name] += self._prune(target, limit, window, whole=False)
            unbroken = unbroken and not window.left
            if unbroken and window.reached is not None:
                self._finished[target.name] = window.reached

    def _drop(self, target: PrunedTable, pruned: Round) -> None:
        limit = self._limit(self._audit)

        def look(tx: ReadTransaction, after: RowKey | None) -> PruningWindow:
            return pruning.whole(tx, target, limit, after, self._rows_read)

        for window in self._windows(target, look, None):
            pruned.dropped[target.name] += self._prune(target, limit, window, whole=True)

    def _windows(
        self,
        target: PrunedTable,
        look: Callable[[ReadTransaction, RowKey | None], PruningWindow],
        after: RowKey | None,
    ) -> Iterator[PruningWindow]:
        """Yield the table's windows, as far as rows can be too old."""
        while True:
            window = self._step(lambda after=after: self._read(look, after))  # type: ignore[misc]
            yield window
            after = window.reached
            if after is None or (target.in_order and not window.old):
                return

    def _read(
        self, look: Callable[[ReadTransaction, RowKey | None], PruningWindow], after: RowKey | None
    ) -> PruningWindow:
        return self._store.read(lambda tx: look(tx, after))

    def _prune(
        self, target: PrunedTable, limit: Limit, window: PruningWindow, *, whole: bool
    ) -> int:
        """Prune the window's due rows, a few at a time; return their number."""
        count = 0
        for at in range(0, len(window.due), _ROWS_WRITTEN):
            command = PruneRows(
                table=target.name,
                keys=window.due[at : at + _ROWS_WRITTEN],
                before=limit.before,
                quiet=limit.quiet,
                whole=whole,
            )
            count += int(self._step(lambda command=command: self._put(command)))  # type: ignore[misc]
        return count

    def _step(self, work: Callable[[], T]) -> T:
        """Run one step, pause, and renew the leadership.

        Raises:
            _StoppedError: the process is stopping, or another one leads.
        """
        start = time.monotonic()
        result = work()
        if self._closing.wait((time.monotonic() - start) * _RESTS):
            raise _StoppedError
        if self._clock.now() > self._leased_until - _LEASE / 2 and not self._lead():
            raise _StoppedError
        return result

    def _lead(self) -> bool:
        now = self._clock.now()
        leads = bool(self._put(LeadTask(name=_TASK, holder=self._core.name, seconds=_LEASE)))
        self._leased_until = now + _LEASE if leads else 0.0
        return leads
