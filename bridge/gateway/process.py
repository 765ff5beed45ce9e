"""The sender process: makes the calls that it is handed, and tells what each came to.

Started by ``senders.deliveries.SenderProcess``, with which it talks over the socket whose number it
is given; it ends when that is closed. It knows no deliveries, no store and no settings, and imports
no more than it needs, so that a server is up soon.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, TypeAlias

from bridge.errors import GatewayError, RetryableError, UnknownOutcomeError
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.model import Guid

Failure: TypeAlias = tuple[str, str, dict[str, Any]]
# number, agent, request, GUID, cookies, seconds
Call: TypeAlias = tuple[int, str, wire.Request, str, "str | None", float]
# number, GUID and cookies that came with the answer, failure (None: it succeeded)
Outcome: TypeAlias = tuple[int, "str | None", tuple[str, ...], "Failure | None"]


def failure(error: GatewayError) -> Failure:
    """An error's class, sentence and details, as they cross between processes."""
    details: dict[str, Any] = {"retcode": error.retcode, "status": error.status}
    if isinstance(error, RetryableError):
        details["retry_after"] = error.retry_after
    return type(error).__name__, error.message, details


def _make(client: GatewayClient, call: Call) -> Outcome:
    number, agent_id, request, guid, cookies, seconds = call
    try:
        answer = client.call(agent_id, request, guid=Guid(guid), timeout=seconds, cookies=cookies)
    except GatewayError as error:
        return number, None, (), failure(error)
    except Exception:  # noqa: BLE001 - the outcome must be told whatever happens
        return number, None, (), failure(UnknownOutcomeError("the bridge failed while sending"))
    return number, answer.guid, answer.cookies, None


def main() -> None:
    """Serve until the other end is closed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the process that started this one ends it
    link = Connection(int(sys.argv[1]))
    settings, workers = link.recv()
    # The cookies come with the calls, and go back with what they came to.
    client = GatewayClient(settings, connections=workers, agents=1)
    calls: SimpleQueue[Call] = SimpleQueue()
    outcomes: deque[Outcome] = deque()
    telling = threading.Lock()

    def call() -> None:
        while True:
            outcomes.append(_make(client, calls.get()))
            # Whoever holds the lock tells of all: a thread of its own would be one more to wake.
            while outcomes and telling.acquire(blocking=False):
                try:
                    if outcomes:
                        link.send([outcomes.popleft() for _ in range(len(outcomes))])
                finally:
                    telling.release()

    for _ in range(workers):
        threading.Thread(target=call, daemon=True).start()
    link.send(os.getpid())  # it can be handed calls from now on
    try:
        while True:
            for each in link.recv():
                calls.put(each)
    except (EOFError, OSError):
        os._exit(0)  # nobody hears any more what calls come to


if __name__ == "__main__":
    main()
