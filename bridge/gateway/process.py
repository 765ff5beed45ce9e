"""The sender process: makes gateway calls and returns their outcomes.

``senders.deliveries.SenderProcess`` starts it and passes a socket's file descriptor as argument.
Calls and outcomes travel over that socket, and the process ends when it is closed. It knows no
deliveries, store or settings, and imports only what it needs, so that a server starts fast.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import sys
import threading
from collections import deque
from typing import Any, TypeAlias

from bridge import log_records
from bridge.errors import GatewayError, UnknownOutcomeError
from bridge.frames import Unpacker, pack
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.model import Guid
from bridge.unexpected import Unexpected

# number, agent, request, GUID, cookies, seconds
Call: TypeAlias = tuple[int, str, wire.GatewayRequest, str, "str | None", float]
# number, GUID and cookies that came with the answer, error (None: it succeeded)
CallOutcome: TypeAlias = tuple[int, "str | None", tuple[str, ...], "GatewayError | None"]

logger = logging.getLogger(__name__)

_RECEIVE = 1 << 18  # bytes at a time


def _make(client: GatewayClient, call: Call) -> CallOutcome:
    number, agent_id, request, guid, cookies, seconds = call
    with Unexpected(logger, "A message could not be sent: %s"):  # every call must have an outcome
        try:
            answer = client.call(
                agent_id, request, guid=Guid(guid), timeout=seconds, cookies=cookies
            )
        except GatewayError as error:
            return number, None, (), error
        return number, answer.guid, answer.cookies, None
    return number, None, (), UnknownOutcomeError("the bridge failed while sending")


class CallQueue:
    """The queue of objects received over the socket: the settings first, then calls. Thread-safe.

    A thread that finds the queue empty reads the socket itself, which saves a reader thread.
    """

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._lock = threading.Lock()
        self._unpacker = Unpacker()
        self._waiting: deque[Any] = deque()

    def take(self) -> Any:
        """Return the next object, waiting for it; end the process if the socket is closed."""
        with self._lock:
            while not self._waiting:
                data = self._link.recv(_RECEIVE)
                if not data:
                    os._exit(0)
                for _, objects in self._unpacker.feed(data):
                    self._waiting.extend(objects)
            return self._waiting.popleft()


def main() -> None:
    """Make calls until the other end closes the socket."""
    log_records.install()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the process that started this one ends it
    link = socket.socket(fileno=int(sys.argv[1]))
    calls = CallQueue(link)
    settings, workers = calls.take()
    # Cookies come with the calls and go back with the outcomes, so one jar is enough.
    client = GatewayClient(settings, connections=workers, agents=1)
    outcomes: deque[CallOutcome] = deque()
    sending = threading.Lock()

    def call() -> None:
        while True:
            outcomes.append(_make(client, calls.take()))
            # The lock's holder sends all pending outcomes: a sender thread would cost a wake-up.
            while outcomes and sending.acquire(blocking=False):
                try:
                    if outcomes:
                        batch = [outcomes.popleft() for _ in range(len(outcomes))]
                        link.sendall(pack(0, batch))
                finally:
                    sending.release()

    link.sendall(pack(0, []))  # ready for calls
    for _ in range(workers):
        threading.Thread(target=call, daemon=True).start()
    # Watch the socket here: all threads may be blocked in calls when the other end is closed.
    ended = select.poll()
    ended.register(link, 0)
    ended.poll()
    os._exit(0)  # nobody is left to receive outcomes


if __name__ == "__main__":
    main()
