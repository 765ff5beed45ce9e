"""The one thread that writes: units of work, many to a transaction.

A commit waits for the disk; under load the work that queued up meanwhile shares the next one. Work
of the same kind is done together, by one call for all its items. Whatever it is, it may run twice
(when a neighbour in its transaction fails, each runs again by itself; when the connection is lost,
all run again on a new one), so it changes nothing but the database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from bridge.errors import BridgeError, StoreError, describe
from bridge.store.engine import (
    CrossedError,
    DatabaseError,
    LostError,
    UnavailableError,
    transaction,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - an item
Unit = Callable[[Connection], T]
Work = Callable[[Connection, list[I]], Sequence[T]]  # the items' results, in their order
Told = Callable[[Any, Exception | None], None]  # a result, or why there is none

_MOST_PER_COMMIT = 256
_LAZY_SECONDS = 0.05  # that what is lazy waits for a commit of others
_TRIES = 3  # where another transaction was in the way, or the connection was lost


class _Job:
    __slots__ = ("item", "lazy", "told", "work")

    def __init__(self, work: Work[Any, Any], item: Any, told: Told, *, lazy: bool = False) -> None:
        self.work = work
        self.item = item
        self.told = told
        self.lazy = lazy


def _alone(tx: Connection, units: list[Unit[Any]]) -> list[Any]:
    """The work of those that have nothing to share but the transaction."""
    return [unit(tx) for unit in units]


class Writer:
    """Runs work in the order in which it came, in one thread of its own.

    What is in the queue at the same time may run in any order: whoever needs an order waits.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, unit: Unit[T]) -> Future[T]:
        """Queue ``unit``; the future is done once its transaction is committed.

        The future raises what the unit raised, or StoreError where the database failed.
        """
        future: Future[T] = Future()

        def told(result: Any, error: Exception | None) -> None:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        self.post(_alone, unit, told)
        return future

    def post(self, work: Work[I, T], item: I, told: Told, *, lazy: bool = False) -> None:
        """Queue ``item``; ``work`` does it together with the others of its kind.

        ``told`` is called in the writer's thread, with the item's result once that is committed or
        with what ``submit``'s future would raise; it must be quick. What is ``lazy`` makes no
        commit of its own while others come: it shares the next one, or waits a moment.

        Raises:
            StoreError: the store is closed.
        """
        with self._gate:
            if self._closed:
                message = "the store is closed"
                raise StoreError(message)
            self._jobs.put(_Job(work, item, told, lazy=lazy))

    def close(self) -> None:
        """Run what is queued, then end the thread. A second call does nothing."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        lazy: list[_Job] = []
        while True:
            try:
                job = self._jobs.get(timeout=_LAZY_SECONDS if lazy else None)
            except Empty:
                self._commit(lazy)
                lazy = []
                continue
            if job is not None and job.lazy and len(lazy) < _MOST_PER_COMMIT:
                lazy.append(job)
                continue
            batch, last = self._batch(job)
            if lazy or batch:
                self._commit(lazy + batch)
                lazy = []
            if last:
                return

    def _batch(self, job: _Job | None) -> tuple[list[_Job], bool]:
        """``job`` and what else is queued; and whether that was the last."""
        batch: list[_Job] = []
        while job is not None:
            batch.append(job)
            if len(batch) >= _MOST_PER_COMMIT or self._jobs.empty():
                return batch, False
            job = self._jobs.get()
        return batch, True

    def _commit(self, batch: list[_Job]) -> None:
        alone = len(batch) == 1
        tries = 1
        while (error := self._run_together(batch)) is not None:
            again = isinstance(error, LostError) or (alone and isinstance(error, CrossedError))
            if not again or tries == _TRIES:
                break
            tries += 1
        else:
            return
        if alone or isinstance(error, UnavailableError):
            for job in batch:
                _tell(job, None, self._told(error))
            return
        for job in batch:  # one of them was at fault
            self._commit([job])

    def _run_together(self, batch: list[_Job]) -> Exception | None:
        """Run the batch in one transaction; what failed it, if anything did."""
        kinds: dict[Any, list[_Job]] = {}
        for job in batch:
            kinds.setdefault(job.work, []).append(job)
        try:
            with transaction(self._engine) as connection:
                results = [
                    (jobs, work(connection, [job.item for job in jobs]))
                    for work, jobs in kinds.items()
                ]
        except Exception as error:  # noqa: BLE001 - whatever work raises belongs to its caller
            return error
        for jobs, found in results:
            for job, result in zip(jobs, found, strict=True):
                _tell(job, result, None)
        return None

    @staticmethod
    def _told(error: Exception) -> Exception:
        if not isinstance(error, DatabaseError):
            return error
        told: BridgeError = StoreError(str(error))
        told.__cause__ = error
        return told


def _tell(job: _Job, result: Any, error: Exception | None) -> None:
    try:
        job.told(result, error)
    except Exception as raised:  # noqa: BLE001 - the one writer must not die
        logger.error("Something stumbled over an outcome: %s", describe(raised))  # noqa: TRY400 - no customer's words
