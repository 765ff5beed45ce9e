"""Send the requests of a benchmark, in a process of its own: turns as Rasa sends them, or PUTs.

Read one JSON object on standard input, ``{"port", "streams": [...]}``; a stream has

    name        repeated in the result
    request     method and path; ``POST /webhook`` by default
    headers     more of the request's headers, by name
    template    a request's body; in it and in ``request`` these marks are replaced:
                ``@@SENDER@@`` by the conversation's ID, ``@@MESSAGE@@`` by a new ID of the
                customer's message, ``@@VALUE@@`` by this request's entry of ``values``
    senders     the conversations, one for each request, in this order
    values      as many as ``senders``, prepared beforehand: signed tokens, agents
    lanes       how many requests at a time, each on a connection of its own
    rate        requests a second, each due at its time whether the server keeps up or not;
                without it, a lane sends its next request when its last was answered
    patience    seconds to wait for answers after the last request was due

Print one: ``{"cpu", "wall", "streams": {name: {...}}}`` with seconds (until the last answer),
answers (a count by status; ``none`` for those that did not come), milliseconds (of each request,
from when it was due) and delivered (how many answers say that the customer has the message).
When the streams with a rate end, the others are stopped.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
import time
import uuid
from collections import Counter, deque
from typing import Any

from tests.bench import wire

SENDER, MESSAGE, VALUE = "@@SENDER@@", "@@MESSAGE@@", "@@VALUE@@"
_MARKS = re.compile(f"({SENDER}|{MESSAGE}|{VALUE})")
_DELIVERED = b'"value":"delivered"'
_RUN = uuid.uuid4().hex  # message IDs differ between runs


class _Stream:
    """Requests of one kind."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.name: str = wanted["name"]
        self.patience: float = wanted.get("patience", 60.0)
        self.senders: deque[str] = deque(wanted["senders"])
        self.values: deque[str] = deque(wanted.get("values") or [""] * len(self.senders))
        self.turns = len(self.senders)
        self.lanes: int = wanted["lanes"]
        self.rate: float | None = wanted.get("rate")
        self.took: list[float] = []
        self.codes: Counter[str] = Counter()
        self.delivered = 0
        self.seconds = 0.0
        self.done = asyncio.Event()
        headers = {
            "Host": "localhost",
            "Content-Type": "application/json",
            **wanted.get("headers", {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request = wanted.get("request", "POST /webhook")
        self._head = _MARKS.split(f"{request} HTTP/1.1\r\n{lines}Content-Length: ")
        self._body = _MARKS.split(wanted["template"])
        self._number = 0

    def request(self) -> bytes | None:
        """Build the next request, head and body; None when there is none."""
        if not self.senders:
            return None
        self._number += 1
        marks = {
            SENDER: self.senders.popleft(),
            MESSAGE: f"{_RUN}-{self.name}-{self._number}",
            VALUE: self.values.popleft(),
        }
        head, body = (
            "".join([marks.get(part, part) for part in parts]).encode()
            for parts in (self._head, self._body)
        )
        return b"%b%d\r\n\r\n%b" % (head, len(body), body)

    def answered(self, status: str, body: bytes, took: float) -> None:
        """Count an answer."""
        self.took.append(took)
        self.codes[status] += 1
        self.delivered += _DELIVERED in body
        if len(self.took) == self.turns:
            self.done.set()

    def summary(self) -> dict[str, Any]:
        """Return what is printed of it."""
        return {
            "seconds": self.seconds,
            "answers": dict(self.codes),
            "delivered": self.delivered,
            "milliseconds": [round(each * 1000, 3) for each in self.took],
        }


class _Lane(wire.Messages):
    """One connection, and the request that is under way on it."""

    def __init__(self, stream: _Stream, free: deque[_Lane] | None, due: deque[float]) -> None:
        super().__init__()
        self._stream = stream
        self._free = free  # lanes without a request, where requests come by the clock
        self._due = due  # when the requests were due that wait for a lane
        self.begun: float | None = None

    def begin(self, due: float) -> None:
        """Send the next request, if there is one."""
        request = self._stream.request()
        if request is not None:
            self.begun = due
            self.write(request)

    def took(self, head: bytes, body: bytes) -> None:
        now = time.perf_counter()
        assert self.begun is not None
        self._stream.answered(head[9:12].decode(), body, now - self.begun)
        self.begun = None
        if self._free is None:
            self.begin(now)
        elif self._due:
            self.begin(self._due.popleft())
        else:
            self._free.append(self)


async def _run(stream: _Stream, port: int) -> None:
    running = asyncio.get_running_loop()
    free: deque[_Lane] | None = deque() if stream.rate else None
    due: deque[float] = deque()
    lanes = []
    for _ in range(stream.lanes):
        _, lane = await running.create_connection(
            lambda: _Lane(stream, free, due), "127.0.0.1", port
        )
        lanes.append(lane)
    begun = time.perf_counter()
    try:
        if free is None:
            for lane in lanes:
                lane.begin(begun)
        else:
            free.extend(lanes)
            await _by_the_clock(stream, free, due)
        await asyncio.wait_for(stream.done.wait(), stream.patience)
    except asyncio.TimeoutError:
        pass  # counted below
    finally:
        stream.seconds = time.perf_counter() - begun
        _give_up(stream, lanes, due)


async def _by_the_clock(stream: _Stream, free: deque[_Lane], due: deque[float]) -> None:
    assert stream.rate is not None
    at = time.perf_counter()
    for _ in range(stream.turns):
        await asyncio.sleep(at - time.perf_counter())
        if free:
            free.popleft().begin(at)
        else:
            due.append(at)
        at += 1 / stream.rate


def _give_up(stream: _Stream, lanes: list[_Lane], due: deque[float]) -> None:
    """Count what was not answered with the time that it has waited until now."""
    now = time.perf_counter()
    waiting = [lane.begun for lane in lanes if lane.begun is not None]
    for begun in [*waiting, *due]:
        stream.answered("none", b"", now - begun)
    for lane in lanes:
        if lane.transport is not None:
            lane.transport.abort()


async def _all(wanted: dict[str, Any]) -> dict[str, Any]:
    streams = [_Stream(each) for each in wanted["streams"]]
    begun = time.perf_counter()
    tasks = {asyncio.ensure_future(_run(each, wanted["port"])): each for each in streams}
    leading = [task for task, each in tasks.items() if each.rate] or list(tasks)
    await asyncio.gather(*leading)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu": used.ru_utime + used.ru_stime,
        "wall": time.perf_counter() - begun,
        "streams": {each.name: each.summary() for each in streams},
    }


if __name__ == "__main__":
    chosen = wire.loop()
    try:
        print(json.dumps(chosen.run_until_complete(_all(json.load(sys.stdin)))))
    finally:
        chosen.close()
