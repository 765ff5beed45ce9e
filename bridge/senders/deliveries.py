"""Sends deliveries from a process of its own: ``POST mediacall/{agentid}/sendmessage``.

Some sixty threads that each wait for the gateway would keep taking the interpreter's lock from the
core and from those who answer Rasa; in a process of their own they do not.
"""

from __future__ import annotations

import logging
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bridge.config.settings import BridgeSettings
from bridge.errors import GatewayError, UnknownOutcomeError, describe
from bridge.frames import Unpacker, pack
from bridge.gateway import wire
from bridge.gateway.client import Connecting, GatewayClient
from bridge.gateway.process import Call, Outcome
from bridge.model import Delivery, Guid
from bridge.state.commands import Command, SendingResult

logger = logging.getLogger(__name__)

_PROGRAM = "bridge.gateway.process"
_OVERDUE = 1.0  # seconds after a call's deadline at which the process is given up
_LOOK = 1.0
_STUCK = 2.0  # seconds within which the process must take what it is handed
_PAUSE = 1.0  # seconds before it is started again after it ended
_STARTS_WITHIN = 30.0
_RECEIVE = 1 << 18  # bytes at a time
_ENDS_WITHIN = 5.0

# Calls back while something can be received, until it is answered False, or until what it returns
# is called.
Watch: TypeAlias = Callable[[socket.socket, Callable[[], bool]], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class _Sending:
    delivery: Delivery
    guid: Guid
    retried: bool
    request: wire.Request
    began: float  # monotonic
    deadline: float  # monotonic


class SenderProcess:
    """One process that makes the calls, and a thread that looks after it. Close it once.

    ``submit`` and ``flush`` are the core's: one thread calls them.

    Args:
        client: keeps the agents' cookies.
        settings: as the operators gave them.
        put: takes the results.
        watch: calls back where something came from the process.
    """

    def __init__(
        self,
        client: GatewayClient,
        settings: BridgeSettings,
        put: Callable[[Command], None],
        watch: Watch,
    ) -> None:
        self._client = client  # its cookies are those of all calls, whoever makes them
        self._settings = settings
        self._put = put
        self._watch = watch
        self._lock = threading.Lock()
        self._open: dict[int, _Sending] = {}
        self._number = 0
        self._calls: list[Call] = []
        self._link: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = self._ended = False
        self._broken = threading.Event()  # of the process that is there now
        self._idle = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name="sender-process", daemon=True)
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
            link.sendall(pack(0, calls))
        except OSError:  # it takes nothing: whatever it is making is lost
            self._broken.set()

    def close(self) -> None:
        """Let what is being sent finish, within its deadlines; then end the process."""
        with self._idle:
            self._closing = True
            longest = max((item.deadline for item in self._open.values()), default=0.0)
            until = longest + _OVERDUE
            while self._open and (left := until - time.monotonic()) > 0:
                self._idle.wait(left)
            self._ended = True
            self._broken.set()
        self._thread.join(_ENDS_WITHIN)

    # -- the process -----------------------------------------------------------------------------

    def _run(self) -> None:
        """Start the process, and start it again where it ends or hangs."""
        while True:
            started = time.monotonic()
            with self._lock:
                broken = self._broken = threading.Event()
                if self._ended:
                    broken.set()
            unwatch = self._try_start(broken)
            if unwatch is not None:
                self.flush()  # what was submitted meanwhile
                while not broken.wait(_LOOK) and not self._overdue():
                    pass
                if not self._closing:
                    logger.warning("The sender process ended, another is started")
                unwatch()
            self._end()
            self._break_off()
            if self._closing:
                self._give_back()
                return
            if time.monotonic() < started + _PAUSE:  # it does not even start
                self._give_back()
                time.sleep(_PAUSE)

    def _try_start(self, broken: threading.Event) -> Callable[[], None] | None:
        """Start the process, and hear from it; None where that fails."""
        try:
            link, unpacker = self._start()
        except (OSError, EOFError) as error:
            logger.error("The sender process cannot be started: %s", describe(error))  # noqa: TRY400
            return None
        return self._watch(link, lambda: self._hear(link, unpacker, broken))

    def _start(self) -> tuple[socket.socket, Unpacker]:
        """Start the process, and wait until it can send."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", _PROGRAM, str(theirs.fileno())]
            process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        # A process that takes nothing for so long is broken: the core must not wait for it.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(_STUCK))
        unpacker = Unpacker()
        try:
            told = (Connecting.of(self._settings.gateway), self._settings.delivery.workers)
            ours.sendall(pack(0, [told]))
            ours.settimeout(_STARTS_WITHIN)
            if not list(unpacker.feed(ours.recv(_RECEIVE))):
                raise EOFError(_PROGRAM)
            ours.settimeout(None)
        except BaseException:
            ours.close()
            process.kill()
            process.wait()
            raise
        with self._lock:
            self._process, self._link = process, ours
        return ours, unpacker

    def _hear(self, link: socket.socket, unpacker: Unpacker, broken: threading.Event) -> bool:
        """Take what calls came to, as soon as something is there; False where it is the end."""
        try:
            data = link.recv(_RECEIVE, socket.MSG_DONTWAIT)
            if data:
                for _, outcomes in unpacker.feed(data):
                    for outcome in outcomes:
                        self._came(outcome)
                return True
        except BlockingIOError:
            return True
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            if not broken.is_set():
                logger.error("The sender process cannot be heard: %s", describe(error))  # noqa: TRY400
        broken.set()
        return False

    def _came(self, outcome: Outcome) -> None:
        number, guid, cookies, error = outcome
        with self._idle:
            sending = self._open.pop(number, None)
            self._idle.notify_all()
        if sending is None:
            return
        if cookies:
            self._client.keep(sending.delivery.envelope.agent_id, sending.request, cookies)
        self._tell(sending, Guid(guid) if guid else None, error)

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
            link.close()
        if process is not None:
            try:
                process.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _timeval(seconds: float) -> bytes:
    """A ``struct timeval`` as the operating system takes it."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
