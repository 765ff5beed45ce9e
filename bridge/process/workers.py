"""What Sanic's manager of workers leaves to be done, in the main process.

Told to stop while the workers start, it would wait for ever for those that it has just ended: the
signal waits until they have started. Of a worker that died, killed for its memory perhaps, it
takes no notice, and nobody would answer any more: it is told to start another. How a worker stops
is in ``lifecycle.py``.
"""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from multiprocessing import resource_tracker
from queue import SimpleQueue
from types import FrameType
from typing import Any, Protocol

from sanic import Sanic
from sanic.exceptions import ServerKilled

from bridge.process.supervisor import Supervisor

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LOOK = 0.25  # seconds between looks for a worker that died
_TELL = 12  # times; one that stops already does not hear it


class Worker(Protocol):
    """What is used of Sanic's ``WorkerProcess``."""

    name: str

    @property
    def pid(self) -> int | None:
        """The process that it is now."""

    def is_alive(self) -> bool:
        """Whether that process runs."""


class Publisher(Protocol):
    """Where the manager hears what to do, in its own time."""

    def send(self, message: str, /) -> None:
        """``NAME:`` starts the worker of that name anew."""


class Manager(Protocol):
    """What is used of Sanic's ``WorkerManager``."""

    @property
    def monitor_publisher(self) -> Publisher:
        """Its ear."""

    @property
    def transient_processes(self) -> Iterable[Worker]:
        """The workers that serve."""

    def wait_for_ack(self) -> None:
        """Return once every worker has said that it has started."""

    def shutdown_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop the workers; the second time, kill them."""

    def kill(self) -> None:
        """Kill the workers; raises ServerKilled."""


def hold_signals() -> None:
    """Let signals wait until the workers are about to start; the first thing that a server does.

    What is started meanwhile leaves them alone for good, the process in which Sanic keeps its
    states among it: at a signal to the whole group it would end, and break the main process's stop.
    """
    resource_tracker.ensure_running()  # first: it lets signals through again when it starts
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def install(app: Sanic[Any, Any], core: Supervisor) -> None:
    """Look after the workers and the core of ``app``, in its main process."""
    app.register_listener(partial(_begin, core), "main_process_ready")
    app.register_listener(lambda *_: core.stop(), "main_process_stop")
    atexit.register(core.stop)  # where the server does not even start


def _begin(core: Supervisor, app: Sanic[Any, Any], *_: object) -> None:
    for process in multiprocessing.active_children():  # only Sanic's own, the keeper of states
        if process.pid is not None:
            core.end_with(process.pid)
    Workers(app.manager, core.stop_polling).begin()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


class Workers:
    """Stands between the signals and a manager, and looks after its workers.

    A thread obeys the signals, not their handler: the manager asks another process for its
    workers' states, and a handler that did so in the middle of such a question would take its
    answer.

    Args:
        manager: Sanic's.
        stopping: told as soon as the server is to stop.
    """

    def __init__(self, manager: Manager, stopping: Callable[[], None]) -> None:
        self._manager = manager
        self._tell_stopping = stopping
        self._wait_for_ack = manager.wait_for_ack
        self._signals: SimpleQueue[int] = SimpleQueue()  # a handler may use it at any moment
        self._lock = threading.Lock()
        self._told: int | None = None
        self._started = False
        self._stopping = threading.Event()
        self._replaced: dict[str, int | None] = {}  # the process that died, by its worker's name
        self._nurse = threading.Thread(target=self._look_after, name="workers", daemon=True)

    def begin(self) -> None:
        """Take the signals, before the manager starts its workers."""
        self._manager.wait_for_ack = self._wait  # type: ignore[method-assign]
        threading.Thread(target=self._obey, name="signals", daemon=True).start()
        for number in _SIGNALS:
            signal.signal(number, lambda number, _: self._signals.put(number))

    def _wait(self) -> None:
        self._wait_for_ack()
        with self._lock:
            self._started = True
            told = self._told
        if told is not None:
            self._manager.shutdown_signal(told, None)
            threading.Thread(target=self._tell_again, name="workers", daemon=True).start()
        else:
            self._nurse.start()

    def _tell_again(self) -> None:
        """A worker says that it has started a moment before it hears signals."""
        for _ in range(_TELL):
            time.sleep(_LOOK)
            for worker in tuple(self._manager.transient_processes):
                if worker.pid is not None and worker.is_alive():
                    with suppress(ProcessLookupError):
                        os.kill(worker.pid, signal.SIGINT)

    def _obey(self) -> None:
        while True:
            number = self._signals.get()
            self._stopping.set()
            self._tell_stopping()
            with self._lock:
                started, first = self._started, self._told is None
                self._told = number
            if started:
                self._manager.shutdown_signal(number, None)
            elif first:
                logger.info("The server stops as soon as it has started")
            else:
                with suppress(ServerKilled):  # whoever says it twice does not want to wait
                    self._manager.kill()

    def _look_after(self) -> None:
        while not self._stopping.wait(_LOOK):
            for worker in tuple(self._manager.transient_processes):
                pid = worker.pid
                if worker.is_alive() or self._replaced.get(worker.name) == pid:
                    continue
                if self._stopping.is_set():
                    return
                self._replaced[worker.name] = pid
                logger.error("A worker died, another is started name=%s pid=%s", worker.name, pid)
                self._manager.monitor_publisher.send(f"{worker.name}:")
