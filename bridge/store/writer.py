"""The one thread that writes: units of work, many to a transaction.

A commit waits for the disk; under load the units that queued up meanwhile share the next one.
A unit is a function of a connection. It may run twice (when a neighbour in its transaction fails,
each runs again by itself), so it changes nothing but the database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import BridgeError, StoreError

T = TypeVar("T")
Unit = Callable[[Connection], T]

_MOST_PER_COMMIT = 256


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
        try:
            with self._engine.begin() as connection:
                results = [job.unit(connection) for job in batch]
        except Exception as error:  # noqa: BLE001 - whatever a unit raises belongs to its caller
            if len(batch) == 1:
                batch[0].future.set_exception(self._told(error))
                return
            for job in batch:
                self._commit([job])
            return
        for job, result in zip(batch, results, strict=True):
            job.future.set_result(result)

    def _told(self, error: Exception) -> Exception:
        if not isinstance(error, (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error)):
            return error
        # The driver's own text may quote values, which are customers' words.
        reason = type(getattr(error, "orig", None) or error).__name__
        told: BridgeError = StoreError(f"the database did not take it ({reason})")
        told.__cause__ = error
        return told
