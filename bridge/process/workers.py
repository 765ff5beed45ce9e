"""Signal handling and worker restarts for Sanic's worker manager, in the main process.

Sanic's manager has two gaps. Stopped while the workers start, it waits forever for workers that it
has just ended; therefore signals are held until the workers have started. It also ignores a worker
that dies (killed by the OOM killer, for example), so the server would stop answering; therefore it
is instructed to restart that worker. ``lifecycle.py`` covers how a worker stops.
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
_LOOK = 0.25  # seconds between checks for dead workers
_REPETITIONS = 12  # repetitions of the signal; a worker that is already stopping ignores it


class Worker(Protocol):
    """The part of Sanic's ``WorkerProcess`` that is used here."""

    name: str

    @property
    def pid(self) -> int | None:
        """The ID of the current process."""

    def is_alive(self) -> bool:
        """Return True if that process is running."""


class Publisher(Protocol):
    """The pipe through which the manager receives asynchronous instructions."""

    def send(self, message: str, /) -> None:
        """Send an instruction; ``NAME:`` restarts the worker of that name."""


class Manager(Protocol):
    """The part of Sanic's ``WorkerManager`` that is used here."""

    @property
    def monitor_publisher(self) -> Publisher:
        """The pipe to the manager."""

    @property
    def transient_processes(self) -> Iterable[Worker]:
        """The workers that serve requests."""

    def wait_for_ack(self) -> None:
        """Wait until every worker has reported its start."""

    def shutdown_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop the workers; the second time, kill them."""

    def kill(self) -> None:
        """Kill the workers.

        Raises:
            ServerKilled: always.
        """


def hold_signals() -> None:
    """Block signals until the workers are about to start. A server calls this first.

    Processes started in between inherit the blocked signals for good. That includes Sanic's state
    process, which would otherwise end at a signal to the process group and break the main
    process's shutdown.
    """
    resource_tracker.ensure_running()  # first, because its start unblocks the signals
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def install(app: Sanic[Any, Any], core: Supervisor) -> None:
    """Supervise the workers and the core of ``app`` in its main process."""
    app.register_listener(partial(_begin, core), "main_process_ready")
    app.register_listener(lambda *_: core.stop(), "main_process_stop")
    atexit.register(core.stop)  # in case the server fails to start


def _begin(core: Supervisor, app: Sanic[Any, Any], *_: object) -> None:
    for process in multiprocessing.active_children():  # only Sanic's state process
        if process.pid is not None:
            core.end_with(process.pid)
    Workers(app.manager, core.stop_polling).begin()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


class Workers:
    """Passes signals to a worker manager, and restarts its dead workers.

    A thread processes the signals, not the signal handler. The manager queries its workers' states
    from another process, and a handler that interrupted such a query with its own would receive
    the wrong answer.

    Args:
        manager: Sanic's worker manager.
        stopping: called as soon as a signal to stop arrives.
    """

    def __init__(self, manager: Manager, stopping: Callable[[], None]) -> None:
        self._manager = manager
        self._on_stopping = stopping
        self._wait_for_ack = manager.wait_for_ack
        self._signals: SimpleQueue[int] = SimpleQueue()  # reentrant: a signal handler puts
        self._lock = threading.Lock()
        self._signal: int | None = None  # the last one received
        self._started = False
        self._stopping = threading.Event()
        self._replaced: dict[str, int | None] = {}  # IDs of dead processes, by worker name
        self._monitor = threading.Thread(target=self._restart_dead, name="workers", daemon=True)

    def begin(self) -> None:
        """Install the signal handlers; call this before the manager starts its workers."""
        self._manager.wait_for_ack = self._wait  # type: ignore[method-assign]
        threading.Thread(target=self._obey, name="signals", daemon=True).start()
        for number in _SIGNALS:
            signal.signal(number, lambda number, _: self._signals.put(number))

    def _wait(self) -> None:
        self._wait_for_ack()
        with self._lock:
            self._started = True
            received = self._signal
        if received is not None:
            self._manager.shutdown_signal(received, None)
            threading.Thread(target=self._repeat_signal, name="workers", daemon=True).start()
        else:
            self._monitor.start()

    def _repeat_signal(self) -> None:
        """Repeat the signal, because a worker reports its start just before it handles signals."""
        for _ in range(_REPETITIONS):
            time.sleep(_LOOK)
            for worker in tuple(self._manager.transient_processes):
                if worker.pid is not None and worker.is_alive():
                    with suppress(ProcessLookupError):
                        os.kill(worker.pid, signal.SIGINT)

    def _obey(self) -> None:
        while True:
            number = self._signals.get()
            self._stopping.set()
            self._on_stopping()
            with self._lock:
                started, first = self._started, self._signal is None
                self._signal = number
            if started:
                self._manager.shutdown_signal(number, None)
            elif first:
                logger.info("The server stops as soon as it has started")
            else:
                with suppress(ServerKilled):  # a second signal skips the wait
                    self._manager.kill()

    def _restart_dead(self) -> None:
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
