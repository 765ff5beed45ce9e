"""The courier's own process: makes the calls that it is handed, and says what they came to.

Started by ``courier.py``, which it talks to over the socket whose number it is given; where that
ends, it ends too. It knows no deliveries, no store and no settings but the gateway's.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
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
# number, GUID and cookies that came with the answer, what it came to (None: it succeeded)
Came: TypeAlias = tuple[int, "str | None", tuple[str, ...], "Failure | None"]

_MOST_AT_ONCE = 256


def told(error: GatewayError) -> Failure:
    """An error's class, sentence and particulars, as they cross between processes."""
    more: dict[str, Any] = {"retcode": error.retcode, "status": error.status}
    if isinstance(error, RetryableError):
        more["retry_after"] = error.retry_after
    return type(error).__name__, error.message, more


def drain(queue: SimpleQueue[Any]) -> list[Any]:
    """Wait for something in the queue; give it and what else is there."""
    found = [queue.get()]
    while len(found) < _MOST_AT_ONCE and not queue.empty():
        found.append(queue.get())
    return found


def _make(client: GatewayClient, call: Call) -> Came:
    number, agent_id, request, guid, cookies, seconds = call
    try:
        answer = client.call(agent_id, request, guid=Guid(guid), timeout=seconds, cookies=cookies)
    except GatewayError as error:
        return number, None, (), told(error)
    except Exception:  # noqa: BLE001 - whoever waits is told, whatever it is
        return number, None, (), told(UnknownOutcomeError("the courier broke off while sending"))
    return number, answer.guid, answer.cookies, None


def main() -> None:
    """Serve until the other end is closed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # whoever started this one ends it
    link = Connection(int(sys.argv[1]))
    settings, workers = link.recv()
    client = GatewayClient(settings, connections=workers)
    calls: SimpleQueue[Call] = SimpleQueue()
    came: SimpleQueue[Came] = SimpleQueue()

    def call() -> None:
        while True:
            came.put(_make(client, calls.get()))

    def tell() -> None:
        while True:
            link.send(drain(came))

    threading.Thread(target=tell, daemon=True).start()
    for _ in range(workers):
        threading.Thread(target=call, daemon=True).start()
    link.send([])
    try:
        while True:
            for each in link.recv():
                calls.put(each)
    except (EOFError, OSError):
        os._exit(0)  # nobody hears any more what calls come to


if __name__ == "__main__":
    main()
