"""Sends deliveries from a process of its own: ``POST mediacall/{agentid}/sendmessage``.

Some sixty threads that each wait for the gateway would keep taking the interpreter's lock from the
core and from those who answer Rasa; in a process of their own they do not.
"""

from __future__ import annotations

import logging
import os
import random
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from bridge import errors
from bridge.config.settings import BridgeSettings
from bridge.errors import GatewayError, UnknownOutcomeError, describe
from bridge.gateway import wire
from bridge.gateway.client import Connecting, GatewayClient
from bridge.gateway.process import Call, Failure, Outcome
from bridge.model import Delivery, Guid
from bridge.state.commands import Command, SendingResult

logger = logging.getLogger(__name__)

_PROGRAM = "bridge.gateway.process"
_OVERDUE = 1.0  # seconds after a call's deadline at which the process is given up
_LOOK = 1.0
_STUCK = 2.0  # seconds within which the process must take what it is handed
_PAUSE = 1.0  # seconds before it is started again after it ended
_STARTS_WITHIN = 30.0
_ENDS_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class _Sending:
    delivery: Delivery
    guid: Guid
    retried: bool
    request: wire.Request
    began: float  # monotonic
    deadline: float  # monotonic


class SenderProcess:
    """One process that makes the calls, and one thread that hears from it. Close it once.

    ``submit`` and ``flush`` are the core's: one thread calls them.
    """

    def __init__(
        self, client: GatewayClient, settings: BridgeSettings, put: Callable[[Command], None]
    ) -> None:
        self._client = client  # its cookies are those of all calls, whoever makes them
        self._settings = settings
        self._put = put
        self._lock = threading.Lock()
        self._open: dict[int, _Sending] = {}
        self._number = 0
        self._calls: list[Call] = []
        self._link: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = self._ended = False
        self._idle = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name="sender-results", daemon=True)
        self._thread.start()

    def submit(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        """Send ``delivery`` within ``timeout`` seconds; the result is put. See ``flush``."""
        now = time.monotonic()
        request = wire.send_message(delivery, self._settings.gateway)
        agent_id = delivery.envelope.agent_id
        cookies = self._client.cookies(agent_id, request)
        sending = _Sending(delivery, guid, retried, request, now, now + timeout)
        with self._lock:
            self._number += 1
            self._open[self._number] = sending
            self._calls.append((self._number, agent_id, request, guid, cookies, timeout))

    def flush(self) -> None:
        """Hand over what was submitted, in one go; while the process starts, it waits here."""
        with self._lock:
            link = self._link
            if link is None or not self._calls:
                return
            calls, self._calls = self._calls, []
        try:
            link.send(calls)
        except (OSError, ValueError):  # it takes nothing: whatever it is making is lost
            _shut(link)

    def close(self) -> None:
        """Let what is being sent finish, within its deadlines; then end the process."""
        with self._idle:
            self._closing = True
            longest = max((item.deadline for item in self._open.values()), default=0.0)
            until = longest + _OVERDUE
            while self._open and (left := until - time.monotonic()) > 0:
                self._idle.wait(left)
        self._ended = True
        self._end()
        self._thread.join(_ENDS_WITHIN)

    # -- the process -----------------------------------------------------------------------------

    def _try_start(self) -> None:
        """Start the process; where that fails, it is tried again in a while."""
        try:
            self._start()
        except (OSError, EOFError) as error:
            logger.error("The sender process cannot be started: %s", describe(error))  # noqa: TRY400

    def _start(self) -> None:
        """Start the process, and wait until it can send."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", _PROGRAM, str(theirs.fileno())]
            process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        # A process that takes nothing for so long is broken: the core must not wait for it.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(_STUCK))
        link = Connection(ours.detach())
        try:
            link.send((Connecting.of(self._settings.gateway), self._settings.delivery.workers))
            if not link.poll(_STARTS_WITHIN):
                raise TimeoutError(_PROGRAM)
            link.recv()
        except BaseException:
            link.close()
            process.kill()
            process.wait()
            raise
        with self._lock:
            self._process, self._link = process, link

    def _run(self) -> None:
        """Hear what calls came to; start the process again where it ends."""
        while True:
            started = time.monotonic()
            self._try_start()
            self.flush()  # what was submitted meanwhile
            try:
                self._hear()
            except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
                if not self._closing:
                    logger.warning("The sender process ended: %s", describe(error))
            self._end()
            self._break_off()
            if self._closing:
                self._give_back()
                return
            if time.monotonic() < started + _PAUSE:  # it does not even start
                self._give_back()
                time.sleep(_PAUSE)

    def _hear(self) -> None:
        link = self._link
        if link is None:
            return
        with selectors.DefaultSelector() as selector:  # poll() would make one each time
            selector.register(link, selectors.EVENT_READ)
            while not self._ended and not self._overdue():
                if selector.select(_LOOK):
                    for outcome in link.recv():
                        self._came(outcome)
        raise TimeoutError(_PROGRAM)

    def _came(self, outcome: Outcome) -> None:
        number, guid, cookies, failed = outcome
        with self._idle:
            sending = self._open.pop(number, None)
            self._idle.notify_all()
        if sending is None:
            return
        if cookies:
            self._client.keep(sending.delivery.envelope.agent_id, sending.request, cookies)
        self._tell(sending, Guid(guid) if guid else None, _error(failed) if failed else None)

    def _tell(self, sending: _Sending, new_guid: Guid | None, error: GatewayError | None) -> None:
        self._put(
            SendingResult(
                delivery=sending.delivery,
                guid=sending.guid,
                error=error,
                new_guid=new_guid,
                retried=sending.retried,
                jitter=random.random(),  # noqa: S311 - spreads attempts, guards nothing
                seconds=time.monotonic() - sending.began,
            )
        )

    def _overdue(self) -> bool:
        with self._lock:
            earliest = min((item.deadline for item in self._open.values()), default=None)
        return earliest is not None and time.monotonic() > earliest + _OVERDUE

    def _break_off(self) -> None:
        """The process ended: nobody knows what became of the calls that it was making."""
        with self._idle:
            waiting = {call[0] for call in self._calls}
            lost = [item for number, item in self._open.items() if number not in waiting]
            self._open = {number: self._open[number] for number in waiting}
            self._idle.notify_all()
        for sending in lost:
            error = UnknownOutcomeError("the process that was sending it ended")
            self._tell(sending, None, error)

    def _give_back(self) -> None:
        """What could not be handed over was not sent."""
        with self._idle:
            waiting, self._open, self._calls = list(self._open.values()), {}, []
            self._idle.notify_all()
        for sending in waiting:
            self._put(SendingResult(delivery=sending.delivery, guid=None, unsent=True))

    def _end(self) -> None:
        with self._lock:
            link, self._link = self._link, None
            process, self._process = self._process, None
        if link is not None:
            _shut(link)
        if process is not None:
            try:
                process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _shut(link: Connection) -> None:
    """End a connection under whoever reads it; it is closed once nobody does."""
    with suppress(OSError), socket.socket(fileno=os.dup(link.fileno())) as other:
        other.shutdown(socket.SHUT_RDWR)


def _error(failed: Failure) -> GatewayError:
    name, message, details = failed
    kind: type[GatewayError] = getattr(errors, name, UnknownOutcomeError)
    return kind(message, **details)


def _timeval(seconds: float) -> bytes:
    """A ``struct timeval`` as the operating system takes it."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
