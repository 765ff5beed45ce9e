"""Sends deliveries from a separate process: ``POST mediacall/{agentid}/sendmessage``.

The process has some sixty threads that wait for the gateway. In the core's process they would
compete with the core, and with the threads that answer Rasa, for the global interpreter lock.
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

from bridge.config.settings import BridgeSettings
from bridge.errors import GatewayError, UnknownOutcomeError, describe
from bridge.frames import Unpacker, Watch, pack
from bridge.gateway import wire
from bridge.gateway.client import Connecting, GatewayClient
from bridge.gateway.process import Call, CallOutcome
from bridge.model import Delivery, Guid
from bridge.state.commands import Command, SendingResult

logger = logging.getLogger(__name__)

_PROGRAM = "bridge.gateway.process"
_OVERDUE = 1.0  # seconds after a call's deadline at which the process is considered hung
_LOOK = 1.0  # seconds between checks for overdue calls
_STUCK = 2.0  # seconds, the timeout of a write to the process
_PAUSE = 1.0  # seconds before the restart of a process that ended sooner than this
_STARTS_WITHIN = 30.0
_RECEIVE = 1 << 18  # bytes per recv
_ENDS_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class _Sending:
    delivery: Delivery
    guid: Guid
    retried: bool
    request: wire.GatewayRequest
    began: float  # monotonic
    deadline: float  # monotonic


class SenderProcess:
    """The process that makes the calls, with a thread that supervises it. Close it once.

    ``submit`` and ``flush`` may only be called by one thread, the core's.

    Args:
        client: stores the agents' cookies.
        settings: the contents of bridge.yml.
        put: receives the results.
        watch: registers a callback for data from the process.
    """

    def __init__(
        self,
        client: GatewayClient,
        settings: BridgeSettings,
        put: Callable[[Command], None],
        watch: Watch,
    ) -> None:
        self._client = client  # its cookies are shared by all calls, in whatever process
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
        self._broken = threading.Event()  # the current process ended or hangs
        self._idle = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._run, name="sender-process", daemon=True)
        self._thread.start()

    def submit(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        """Queue ``delivery`` for ``flush``, to be sent within ``timeout`` seconds.

        ``put`` receives the result, a ``SendingResult``.
        """
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
        """Write the queued deliveries to the process; while it starts, they stay queued."""
        with self._lock:
            link = self._link
            if link is None or not self._calls:
                return
            calls, self._calls = self._calls, []
        try:
            link.sendall(pack(0, calls))
        except OSError:  # the process is broken; its calls in flight are lost
            self._broken.set()

    def close(self) -> None:
        """Finish the calls in flight within their deadlines, then end the process."""
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
        """Start the process, and restart it when it ends or hangs."""
        while True:
            started = time.monotonic()
            with self._lock:
                broken = self._broken = threading.Event()
                if self._ended:
                    broken.set()
            unwatch = self._try_start(broken)
            if unwatch is not None:
                self.flush()  # deliveries queued during the start
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
            if time.monotonic() < started + _PAUSE:  # it failed to start
                self._give_back()
                time.sleep(_PAUSE)

    def _try_start(self, broken: threading.Event) -> Callable[[], None] | None:
        """Start the process and watch its socket; return None if the start fails."""
        try:
            link, unpacker = self._start()
        except (OSError, EOFError) as error:
            logger.error("The sender process cannot be started: %s", describe(error))  # noqa: TRY400
            return None
        return self._watch(link, lambda: self._receive(link, unpacker, broken))

    def _start(self) -> tuple[socket.socket, Unpacker]:
        """Start the process and wait until it is ready."""
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", _PROGRAM, str(theirs.fileno())]
            process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )
        # A write timeout, because the core must not block on a process that stopped reading.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(_STUCK))
        unpacker = Unpacker()
        try:
            parameters = (Connecting.of(self._settings.gateway), self._settings.delivery.workers)
            ours.sendall(pack(0, [parameters]))
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

    def _receive(self, link: socket.socket, unpacker: Unpacker, broken: threading.Event) -> bool:
        """Process the outcomes that arrived; return False when the connection has ended."""
        try:
            data = link.recv(_RECEIVE, socket.MSG_DONTWAIT)
            if data:
                for _, outcomes in unpacker.feed(data):
                    for outcome in outcomes:
                        self._complete(outcome)
                return True
        except BlockingIOError:
            return True
        except Exception as error:  # noqa: BLE001 - any error breaks the process, see _break_off
            if not broken.is_set():
                logger.error("The sender process's results cannot be read: %s", describe(error))  # noqa: TRY400
        broken.set()
        return False

    def _complete(self, outcome: CallOutcome) -> None:
        number, guid, cookies, error = outcome
        with self._idle:
            sending = self._open.pop(number, None)
            self._idle.notify_all()
        if sending is None:
            return
        if cookies:
            self._client.keep(sending.delivery.envelope.agent_id, sending.request, cookies)
        self._report(sending, Guid(guid) if guid else None, error)

    def _report(self, sending: _Sending, new_guid: Guid | None, error: GatewayError | None) -> None:
        self._put(
            SendingResult(
                delivery=sending.delivery,
                guid=sending.guid,
                error=error,
                new_guid=new_guid,
                retried=sending.retried,
                jitter=random.random(),  # noqa: S311 - spreads retries, not for security
                seconds=time.monotonic() - sending.began,
            )
        )

    def _overdue(self) -> bool:
        with self._lock:
            earliest = min((item.deadline for item in self._open.values()), default=None)
        return earliest is not None and time.monotonic() > earliest + _OVERDUE

    def _break_off(self) -> None:
        """Report an unknown outcome for the calls that were in flight when the process ended."""
        with self._idle:
            waiting = {call[0] for call in self._calls}
            lost = [item for number, item in self._open.items() if number not in waiting]
            self._open = {number: self._open[number] for number in waiting}
            self._idle.notify_all()
        for sending in lost:
            error = UnknownOutcomeError("the process that was sending it ended")
            self._report(sending, None, error)

    def _give_back(self) -> None:
        """Report the deliveries that never reached the process as unsent."""
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
    """Encode seconds as the operating system's ``struct timeval``."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
