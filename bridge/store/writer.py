"""The one thread that writes: units of work, many to a transaction.

A commit waits for the disk; under load the units that queued up meanwhile share the next one.
A unit is a function of a connection. It may run twice (when a neighbour in its transaction fails,
each runs again by itself; when the connection is lost, all run again on a new one), so it changes
nothing but the database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine

from bridge.errors import BridgeError, StoreError
from bridge.store.engine import (
    CrossedError,
    DatabaseError,
    LostError,
    UnavailableError,
    transaction,
)

T = TypeVar("T")
Unit = Callable[[Connection], T]

_MOST_PER_COMMIT = 256
_TRIES = 3  # where another transaction was in the way, or the connection was lost


class _Job(Generic[T]):
    __slots__ = ("future", "unit")

    def __init__(self, unit: Unit[T]) -> None:
        self.unit = unit
        self.future: Future[T] = Future()


class Writer:
    """Runs units in the order in which they came, in one thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: SimpleQueue[_Job[Any] | None] = SimpleQueue()
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, unit: Unit[T]) -> Future[T]:
        """Queue ``unit``; the future is done once its transaction is committed.

        The future raises what the unit raised, or StoreError where the database failed.
        """
        job = _Job(unit)
        with self._gate:
            if self._closed:
                message = "the store is closed"
                raise StoreError(message)
            self._jobs.put(job)
        return job.future

    def close(self) -> None:
        """Run what is queued, then end the thread. A second call does nothing."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            last = False
            while len(batch) < _MOST_PER_COMMIT and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    last = True
                    break
                batch.append(following)
            self._commit(batch)
            if last:
                return

    def _commit(self, batch: list[_Job[Any]]) -> None:
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
                job.future.set_exception(self._told(error))
            return
        for job in batch:  # one of them was at fault
            self._commit([job])

    def _run_together(self, batch: list[_Job[Any]]) -> Exception | None:
        """Run the batch in one transaction; what failed it, if anything did."""
        try:
            with transaction(self._engine) as connection:
                results = [job.unit(connection) for job in batch]
        except Exception as error:  # noqa: BLE001 - whatever a unit raises belongs to its caller
            return error
        for job, result in zip(batch, results, strict=True):
            job.future.set_result(result)
        return None

    @staticmethod
    def _told(error: Exception) -> Exception:
        if not isinstance(error, DatabaseError):
            return error
        told: BridgeError = StoreError(str(error))
        told.__cause__ = error
        return told
