"""One thread that takes in the action calls that came meanwhile, with one look at the store.

Only what is ordinary is done here, without asking or awaiting anybody: a handoff to the assigned
agent, a turn in which nothing is to be done. All else is handed back, to be done at leisure.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeAlias

from bridge.desk.answers import Answer, Step
from bridge.desk.handoff import Handoffs
from bridge.desk.storing import Plan
from bridge.desk.turns import Seen, look_at_all
from bridge.errors import describe
from bridge.store import Store
from bridge.turn import Turn

logger = logging.getLogger(__name__)

_MOST_AT_A_TIME = 64

Quick: TypeAlias = "Callable[[Seen, Turn], Plan | Answer | None]"


class Called:
    """An action call that was taken in.

    Args:
        turn: what Rasa sent.
        quick: does the call without asking anybody, or gives None.
        moved: called, from any thread, whenever there is news for whoever waits.

    Attributes:
        answer: the action's answer, once it is known.
        step: how far a handoff has come.
        leisurely: the call is not an ordinary one, and nothing was done.
        stored: the handoff is; told only to those who are ``impatient``.
        told: the customer has all of it.
        error: why it cannot be done, or ``MovedError``.
    """

    __slots__ = (
        "answer",
        "error",
        "impatient",
        "leisurely",
        "moved",
        "quick",
        "step",
        "stored",
        "told",
        "turn",
    )

    def __init__(self, turn: Turn, quick: Quick, moved: Callable[[], None]) -> None:
        self.turn = turn
        self.quick = quick
        self.moved = moved
        self.answer: Answer | None = None
        self.step: Step | None = None
        self.leisurely = False
        self.stored = False
        self.impatient = False
        self.told = False
        self.error: BaseException | None = None

    def is_stored(self, error: Exception | None) -> None:
        """The store's word on the handoff."""
        if error is not None:
            self.fail(error)
            return
        self.stored = True
        if self.impatient:
            self.moved()

    def is_settled(self, settled: Future[bool]) -> None:
        """The outbox's word on the handoff."""
        error = settled.exception()
        if error is not None:
            self.error = error
        else:
            self.told = settled.result()
        self.moved()

    def put_off(self) -> None:
        """Nothing was done: it is for who has leisure."""
        self.leisurely = True
        self.moved()

    def fail(self, error: BaseException) -> None:
        """It cannot be done."""
        self.error = error
        self.moved()


class Intake:
    """The queue and its thread. Start it once; close it once."""

    def __init__(self, store: Store, handoffs: Handoffs) -> None:
        self._store = store
        self._handoffs = handoffs
        self._closed = False
        self._queue: SimpleQueue[Called | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        """Begin to take calls in."""
        self._thread.start()

    def close(self) -> None:
        """Do what was put, then stop."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def put(self, called: Called) -> None:
        """Take a call in; costs nothing."""
        if self._closed:
            called.put_off()
        else:
            self._queue.put(called)

    def _run(self) -> None:
        while (called := self._queue.get()) is not None:
            batch = [called]
            last = False
            while len(batch) < _MOST_AT_A_TIME and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    last = True
                    break
                batch.append(following)
            self._serve(batch)
            if last:
                return

    def _serve(self, batch: list[Called]) -> None:
        try:
            seen = look_at_all(self._store, [called.turn for called in batch])
        except Exception as error:  # noqa: BLE001 - each by itself meets what is wrong, or does not
            logger.debug("The store could not be looked at: %s", describe(error))
            for called in batch:
                called.put_off()
            return
        for called, found in zip(batch, seen, strict=True):
            try:
                self._do(called, found)
            except Exception as error:  # noqa: BLE001 - whoever waits is told, and the thread lives
                logger.debug("Not taken in: %s", describe(error))
                called.fail(error)

    def _do(self, called: Called, seen: Seen) -> None:
        found = called.quick(seen, called.turn)
        if isinstance(found, Plan):
            called.step = self._handoffs.put(found, called.is_stored)
            if called.step.settled is not None:
                called.step.settled.add_done_callback(called.is_settled)
            return
        if found is None:
            called.put_off()
            return
        called.answer = found
        called.moved()
