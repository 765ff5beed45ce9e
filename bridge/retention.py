"""Lets go of what is older than ``retention`` says: the words first, in the end the rows.

One process at a time does it for all, at the start and then again and again, in a thread of its
own and in small steps: after each it rests several times as long as that took, so that messages
hardly wait for it. What is too old is asked of ``store.ageing``; when, is decided here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bridge import identity
from bridge.config.settings import RetentionSettings
from bridge.errors import BridgeError, describe
from bridge.store import Store, Tx, ageing, leases, revocations, suggestions
from bridge.store.ageing import Key, Kind, Limit, Window

T = TypeVar("T")
A = TypeVar("A")

logger = logging.getLogger(__name__)

_DUTY = "retention"
_FIRST = 5.0  # seconds after the start: what waits is sent first
_LEASE = 120.0
_SELDOM = 3600.0  # seconds between two rounds, and
_OFTEN = 60.0  # where words are kept for less than a day
_ROWS_READ = 2000
_ROWS_WRITTEN = 50  # in one transaction, which others' writes share or wait for
_RESTS = 4  # times as long as a step took
_DAY = 86400.0


@dataclass(slots=True)
class Round:
    """What one round came to: rows by table, and whether it came to its end."""

    erased: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    done: bool = False

    @property
    def any(self) -> bool:
        """Whether anything was too old."""
        return any((*self.erased.values(), *self.dropped.values()))


class _StoppedError(Exception):
    """The process ends, or somebody else has the duty now."""


class Retention:
    """The duty. Start it once a process; close it once."""

    def __init__(
        self,
        store: Store,
        settings: RetentionSettings,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._content = settings.content.total_seconds()
        self._audit = settings.audit.total_seconds()
        self._every = min(_SELDOM, max(_OFTEN, self._content / 24))
        self._clock = clock
        self._name = identity.name()
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
        rest = _FIRST
        while not self._closing.wait(rest):
            try:
                rest = self.turn()
            except BridgeError as error:
                logger.warning("What is too old was not erased: %s", error)
                rest = _OFTEN
            except Exception as error:  # noqa: BLE001 - what it has to do comes again
                logger.error("Retention stumbled and goes on: %s", describe(error))  # noqa: TRY400
                rest = _OFTEN

    def turn(self) -> float:
        """Do a round if one is due and nobody else is at it; seconds until the next look."""
        now = self._clock()
        done_at = self._store.read(lambda tx: leases.done_at(tx, _DUTY))
        if done_at is not None and now - self._every < done_at <= now:
            return done_at + self._every - now
        if not self._claim():
            return _OFTEN
        found = self.round()
        at = self._clock() if found.done else None
        self._store.write(lambda tx: leases.release(tx, _DUTY, self._name, done_at=at))
        return self._every

    def round(self) -> Round:
        """Look through everything once, and let go of what is too old."""
        found = Round()
        try:
            self._prepare()
            for kind in ageing.KINDS:
                if kind.words:
                    self._erase(kind, found)
                self._drop(kind, found)
        except _StoppedError:
            return found
        found.done = True
        if found.any:
            if not self._store.empty_log():
                logger.warning("What was erased is in the database's log until it is written anew")
            logger.info(
                "Let go of what was too old erased=%s dropped=%s",
                dict(+found.erased),
                dict(+found.dropped),
            )
        return found

    def _prepare(self) -> None:
        now = self._clock()
        if self._store.read(lambda tx: suggestions.any_due(tx, now=now)):
            self._store.write(lambda tx: suggestions.expire(tx, now=now))
        self._store.write(lambda tx: revocations.drop_void(tx, now=now))

    def _limit(self, seconds: float) -> Limit:
        """A call that is open may rest for a day, however soon words are to go."""
        now = self._clock()
        return Limit(now - seconds, now - max(seconds, _DAY))

    def _erase(self, kind: Kind, found: Round) -> None:
        limit = self._limit(self._content)

        def look(tx: Tx, after: Key | None) -> Window:
            return ageing.with_words(tx, kind, limit, after, _ROWS_READ)

        def erase(tx: Tx, keys: Sequence[Key]) -> int:
            return ageing.erase_words(tx, kind, limit, keys, now=self._clock())

        unbroken = kind.in_order
        for window in self._windows(kind, look, self._finished.get(kind.name)):
            found.erased[kind.name] += self._each(window, erase)
            unbroken = unbroken and not window.left
            if unbroken and window.reached is not None:
                self._finished[kind.name] = window.reached

    def _drop(self, kind: Kind, found: Round) -> None:
        limit = self._limit(self._audit)

        def look(tx: Tx, after: Key | None) -> Window:
            return ageing.whole(tx, kind, limit, after, _ROWS_READ)

        def drop(tx: Tx, keys: Sequence[Key]) -> int:
            return ageing.drop(tx, kind, limit, keys)

        for window in self._windows(kind, look, None):
            found.dropped[kind.name] += self._each(window, drop)

    def _windows(
        self, kind: Kind, look: Callable[[Tx, Key | None], Window], after: Key | None
    ) -> Iterator[Window]:
        """Part by part, as far as anything can be too old."""
        while True:
            window = self._step(self._store.read, look, after)
            yield window
            after = window.reached
            if after is None or (kind.in_order and not window.old):
                return

    def _each(self, window: Window, act: Callable[[Tx, Sequence[Key]], int]) -> int:
        """Do it to what is due, a few rows at a time; how many it was done to."""
        count = 0
        for at in range(0, len(window.due), _ROWS_WRITTEN):
            count += self._step(self._store.write, act, window.due[at : at + _ROWS_WRITTEN])
        return count

    def _step(
        self, store: Callable[[Callable[[Tx], T]], T], unit: Callable[[Tx, A], T], given: A
    ) -> T:
        """One statement; then leave the machine to others for a while, and hold on to the duty."""
        start = time.monotonic()
        result = store(lambda tx: unit(tx, given))
        self._rest(start)
        return result

    def _rest(self, start: float) -> None:
        if self._closing.wait((time.monotonic() - start) * _RESTS):
            raise _StoppedError
        if self._clock() > self._leased_until - _LEASE / 2 and not self._claim():
            raise _StoppedError

    def _claim(self) -> bool:
        now = self._clock()
        taken = self._store.write(
            lambda tx: leases.claim(
                tx, _DUTY, self._name, now=now, seconds=_LEASE, dead=identity.is_dead
            )
        )
        self._leased_until = now + _LEASE if taken else 0.0
        return taken
