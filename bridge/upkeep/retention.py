"""Prunes what is older than ``retention`` says: the words first, the rows in the end.

One process at a time does it for all, at the start and then again and again, in a thread of its
own and in small steps: after each it pauses several times as long as that took, so that messages
hardly wait for it. What is too old is found by ``store.pruning``; when to look is decided here.
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
from bridge.errors import BridgeError, describe
from bridge.state.commands import (
    Command,
    DropRevocations,
    ExpireSuggestions,
    LeadTask,
    LeaveTask,
    PruneRows,
)
from bridge.store import Reading, Store, lists, pruning
from bridge.store.pruning import Kept, Key, Limit, Window

T = TypeVar("T")

logger = logging.getLogger(__name__)

_TASK = "retention"
_FIRST = 5.0  # seconds after the start: what waits is sent first
_LEASE = 120.0
_SELDOM = 3600.0  # seconds between two rounds, and
_OFTEN = 60.0  # where words are kept for less than a day
_ROWS_READ = 2000
_ROWS_WRITTEN = 100  # in one command
_RESTS = 4  # times as long as a step took
_DAY = 86400.0


@dataclass(slots=True)
class Round:
    """What one round pruned: rows by table, and whether it came to its end."""

    erased: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    done: bool = False

    @property
    def any(self) -> bool:
        """Whether anything was too old."""
        return any((*self.erased.values(), *self.dropped.values()))


class _StoppedError(Exception):
    """The process is stopping, or another one has the task now."""


class Retention:
    """The task. Start it once a process; close it once.

    Args:
        store: to find rows in.
        core: prunes them; its clock says what is too old.
        settings: ``retention`` of the operators' file.
        first: seconds from the start to the first round.
        rows_read: in one window.
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
        self._finished: dict[str, Key] = {}  # by table: up to here, no words are left to erase
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin in a moment."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no other step."""
        self._closing.set()

    def close(self) -> None:
        """Stop after the step that is under way."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        pause = self._first
        while not self._closing.wait(pause):
            try:
                pause = self.turn()
            except BridgeError as error:
                logger.warning("What is too old could not be pruned: %s", error)
                pause = _OFTEN
            except Exception as error:  # noqa: BLE001 - what it has to do comes again
                logger.error("Unexpected error in retention, continuing: %s", describe(error))  # noqa: TRY400
                pause = _OFTEN

    def turn(self) -> float:
        """Do a round if one is due and no other process does it; seconds until the next look."""
        now = self._clock.now()
        found = self._store.read(lambda tx: lists.leader(tx, _TASK))
        done_at = found.done_at if found is not None else None
        if done_at is not None and now - self._every < done_at <= now:
            return done_at + self._every - now
        if not self._lead():
            return _OFTEN
        pruned = self.round()
        at = self._clock.now() if pruned.done else None
        self._put(LeaveTask(name=_TASK, holder=self._core.name, done_at=at))
        return self._every

    def round(self) -> Round:
        """Look through everything once, and prune what is too old."""
        pruned = Round()
        try:
            self._put(ExpireSuggestions())
            self._put(DropRevocations())
            for kept in pruning.TABLES:
                if kept.words:
                    self._erase(kept, pruned)
                self._drop(kept, pruned)
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
        """A call that is open may be quiet for a day, however soon words are to go."""
        now = self._clock.now()
        return Limit(now - seconds, now - max(seconds, _DAY))

    def _erase(self, kept: Kept, pruned: Round) -> None:
        limit = self._limit(self._content)

        def look(tx: Reading, after: Key | None) -> Window:
            return pruning.with_words(tx, kept, limit, after, self._rows_read)

        unbroken = kept.in_order
        for window in self._windows(kept, look, self._finished.get(kept.name)):
            pruned.erased[kept.name] += self._prune(kept, limit, window, whole=False)
            unbroken = unbroken and not window.left
            if unbroken and window.reached is not None:
                self._finished[kept.name] = window.reached

    def _drop(self, kept: Kept, pruned: Round) -> None:
        limit = self._limit(self._audit)

        def look(tx: Reading, after: Key | None) -> Window:
            return pruning.whole(tx, kept, limit, after, self._rows_read)

        for window in self._windows(kept, look, None):
            pruned.dropped[kept.name] += self._prune(kept, limit, window, whole=True)

    def _windows(
        self, kept: Kept, look: Callable[[Reading, Key | None], Window], after: Key | None
    ) -> Iterator[Window]:
        """Part by part, as far as anything can be too old."""
        while True:
            window = self._step(lambda after=after: self._read(look, after))  # type: ignore[misc]
            yield window
            after = window.reached
            if after is None or (kept.in_order and not window.old):
                return

    def _read(self, look: Callable[[Reading, Key | None], Window], after: Key | None) -> Window:
        return self._store.read(lambda tx: look(tx, after))

    def _prune(self, kept: Kept, limit: Limit, window: Window, *, whole: bool) -> int:
        """Prune what is due, a few rows at a time; how many were."""
        count = 0
        for at in range(0, len(window.due), _ROWS_WRITTEN):
            command = PruneRows(
                table=kept.name,
                keys=window.due[at : at + _ROWS_WRITTEN],
                before=limit.before,
                quiet=limit.quiet,
                whole=whole,
            )
            count += int(self._step(lambda command=command: self._put(command)))  # type: ignore[misc]
        return count

    def _step(self, work: Callable[[], T]) -> T:
        """One statement; then leave the machine to others for a while, and keep the task."""
        start = time.monotonic()
        result = work()
        if self._closing.wait((time.monotonic() - start) * _RESTS):
            raise _StoppedError
        if self._clock.now() > self._leased_until - _LEASE / 2 and not self._lead():
            raise _StoppedError
        return result

    def _lead(self) -> bool:
        now = self._clock.now()
        taken = bool(self._put(LeadTask(name=_TASK, holder=self._core.name, seconds=_LEASE)))
        self._leased_until = now + _LEASE if taken else 0.0
        return taken
