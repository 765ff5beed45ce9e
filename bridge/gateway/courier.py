"""Hands calls to a process of their own, so that many at a time do not slow this one.

A hundred threads that wait for a gateway, each for a moment, keep taking Python's lock from the
threads that answer Rasa. Under load the calls are therefore made elsewhere (``courier_process``);
what they came to is told here, in one thread. Few calls at a time need no courier, and none is
started. Which calls may go this way is not decided here.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue

from bridge import errors
from bridge.config.settings import GatewaySettings
from bridge.errors import GatewayError, UnknownOutcomeError, describe
from bridge.gateway import wire
from bridge.gateway.courier_process import Call, Came, Failure, drain
from bridge.model import Guid

logger = logging.getLogger(__name__)

# What a call came to: the GUID and the cookies that came with the answer, or why there is none.
Done = Callable[[Guid | None, tuple[str, ...], GatewayError | None], None]

_OVERDUE = 1.0  # seconds after a call's deadline at which its courier is given up
_STARTS_WITHIN = 30.0
_REST = 10.0  # seconds before another is started after one broke off
_ENDS_WITHIN = 5.0
_PROGRAM = "bridge.gateway.courier_process"


class Courier:
    """One process at most, started when it is first wanted. Thread-safe; close it once.

    Args:
        settings: ``gateway`` of bridge.yml.
        workers: how many calls it makes at a time.
    """

    def __init__(self, settings: GatewaySettings, *, workers: int) -> None:
        self._settings = settings
        self._workers = workers
        self._lock = threading.Lock()
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._open: dict[int, tuple[Done, float]] = {}  # by number: and the deadline
        self._number = 0
        self._link: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = False
        self._closed = False
        self._thread: threading.Thread | None = None
        self._rests_until = 0.0
        self.ready = False  # takes calls

    def start_soon(self) -> None:
        """Start the process in the background, unless it was, or one just broke off."""
        with self._lock:
            if self._starting or self._closed or time.monotonic() < self._rests_until:
                return
            self._starting = True
            self._thread = threading.Thread(target=self._serve, name="courier", daemon=True)
            self._thread.start()

    def take(
        self,
        agent_id: str,
        request: wire.Request,
        guid: Guid,
        *,
        cookies: str | None,
        timeout: float,
        done: Done,
    ) -> bool:
        """Have a call made within ``timeout`` seconds in all; False where it cannot be.

        ``done`` is called in the courier's thread, and must be quick.
        """
        with self._lock:
            if not self.ready:
                return False
            self._number += 1
            number = self._number
            self._open[number] = (done, time.monotonic() + timeout)
            self._calls.put((number, agent_id, request, guid, cookies, timeout))
        return True

    def close(self) -> None:
        """End the process; what it was still making is of unknown outcome."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._break_off()
        if thread is not None:
            thread.join(_ENDS_WITHIN)

    # -- the process -----------------------------------------------------------------------------

    def _serve(self) -> None:
        """Start the process and hear what it says, until either ends."""
        try:
            link = self._start()
            if not link.poll(_STARTS_WITHIN):
                raise TimeoutError(_PROGRAM)
            link.recv()  # it is there
            with self._lock:
                self.ready = not self._closed
                calls = self._calls
            threading.Thread(target=_hand_over, args=(link, calls), daemon=True).start()
            logger.info("Messages are sent by a process of their own from now on")
            while not self._closed and not self._overdue():
                if link.poll(_OVERDUE):
                    self._hear(link.recv())
        except (OSError, EOFError, ValueError) as error:
            if not self._closed:
                logger.warning("The process that sends messages broke off: %s", describe(error))
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            logger.error("The courier stumbled: %s", describe(error))  # noqa: TRY400
        finally:
            self._break_off()

    def _start(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", _PROGRAM, str(theirs.fileno())]
            process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        link = Connection(ours.detach())
        with self._lock:
            self._process, self._link = process, link
        link.send((self._settings, self._workers))
        return link

    def _hear(self, batch: list[Came]) -> None:
        for number, guid, cookies, failed in batch:
            with self._lock:
                done, _ = self._open.pop(number, (None, 0.0))
            if done is not None:
                error = _error(failed) if failed else None
                self._tell(done, Guid(guid) if guid else None, cookies, error)

    def _overdue(self) -> bool:
        with self._lock:
            earliest = min((until for _, until in self._open.values()), default=None)
        late = earliest is not None and time.monotonic() > earliest + _OVERDUE
        if late:
            logger.warning("The process that sends messages does not answer: it is ended")
        return late

    def _break_off(self) -> None:
        with self._lock:
            self.ready = self._starting = False
            self._rests_until = time.monotonic() + _REST
            unknown, self._open = list(self._open.values()), {}
            link, self._link = self._link, None
            process, self._process = self._process, None
            calls, self._calls = self._calls, SimpleQueue()
        calls.put(None)
        for done, _ in unknown:
            error = UnknownOutcomeError("the process that was sending it ended")
            self._tell(done, None, (), error)
        if link is not None:
            _shut(link)
        if process is not None:
            _end(process)

    @staticmethod
    def _tell(
        done: Done, guid: Guid | None, cookies: tuple[str, ...], error: GatewayError | None
    ) -> None:
        try:
            done(guid, cookies, error)
        except Exception as raised:  # noqa: BLE001 - the others are told all the same
            logger.error("Something stumbled over an answer: %s", describe(raised))  # noqa: TRY400


def usable() -> bool:
    """Whether this platform can hand a socket to a process."""
    return os.name == "posix" and bool(sys.executable)


def _hand_over(link: Connection, calls: SimpleQueue[Call | None]) -> None:
    with suppress(OSError):  # the other thread hears of it
        while None not in (batch := drain(calls)):
            link.send(batch)


def _error(failed: Failure) -> GatewayError:
    name, message, more = failed
    kind: type[GatewayError] = getattr(errors, name, UnknownOutcomeError)
    return kind(message, **more)


def _shut(link: Connection) -> None:
    """End a connection under whoever reads it; it is closed once nobody does."""
    with suppress(OSError), socket.socket(fileno=os.dup(link.fileno())) as other:
        other.shutdown(socket.SHUT_RDWR)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
