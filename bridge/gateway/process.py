"""The sender process: makes the calls that it is handed, and tells what each came to.

Started by ``senders.deliveries.SenderProcess``, with which it talks over the socket whose number it
is given; it ends when that is closed. It knows no deliveries, no store and no settings, and imports
no more than it needs, so that a server is up soon.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
from collections import deque
from typing import Any, TypeAlias

from bridge.errors import GatewayError, UnknownOutcomeError
from bridge.frames import Unpacker, pack
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.model import Guid

# number, agent, request, GUID, cookies, seconds
Call: TypeAlias = tuple[int, str, wire.Request, str, "str | None", float]
# number, GUID and cookies that came with the answer, error (None: it succeeded)
Outcome: TypeAlias = tuple[int, "str | None", tuple[str, ...], "GatewayError | None"]

_RECEIVE = 1 << 18  # bytes at a time


def _make(client: GatewayClient, call: Call) -> Outcome:
    number, agent_id, request, guid, cookies, seconds = call
    try:
        answer = client.call(agent_id, request, guid=Guid(guid), timeout=seconds, cookies=cookies)
    except GatewayError as error:
        return number, None, (), error
    except Exception:  # noqa: BLE001 - the outcome must be told whatever happens
        return number, None, (), UnknownOutcomeError("the bridge failed while sending")
    return number, answer.guid, answer.cookies, None


class Calls:
    """What this process is handed, one thing at a time; any thread may take.

    Whoever waits for the next one reads the socket, too: no thread stands between.
    """

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._lock = threading.Lock()
        self._unpacker = Unpacker()
        self._waiting: deque[Any] = deque()

    def take(self) -> Any:
        """The next one."""
        with self._lock:
            while not self._waiting:
                data = self._link.recv(_RECEIVE)
                if not data:
                    os._exit(0)
                for _, found in self._unpacker.feed(data):
                    self._waiting.extend(found)
            return self._waiting.popleft()


def main() -> None:
    """Serve until the other end is closed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the process that started this one ends it
    link = socket.socket(fileno=int(sys.argv[1]))
    calls = Calls(link)
    settings, workers = calls.take()
    # The cookies come with the calls, and go back with what they came to.
    client = GatewayClient(settings, connections=workers, agents=1)
    outcomes: deque[Outcome] = deque()
    telling = threading.Lock()

    def call() -> None:
        while True:
            outcomes.append(_make(client, calls.take()))
            # Whoever holds the lock tells of all: a thread of its own would be one more to wake.
            while outcomes and telling.acquire(blocking=False):
                try:
                    if outcomes:
                        found = [outcomes.popleft() for _ in range(len(outcomes))]
                        link.sendall(pack(0, found))
                finally:
                    telling.release()

    link.sendall(pack(0, []))  # it can be handed calls from now on
    for _ in range(workers):
        threading.Thread(target=call, daemon=True).start()
    # Every thread may be waiting for the gateway when the other end is closed.
    ended = select.poll()
    ended.register(link, 0)
    ended.poll()
    os._exit(0)  # nobody hears any more what calls come to


if __name__ == "__main__":
    main()
