"""Rasa's side of a benchmark, in a process of its own: conversations that call the action server.

Reads one JSON object on standard input, ``{"port", "streams": [...]}``; a stream is

    name        told again in the answer
    template    a request's body, with ``@@SENDER@@`` and ``@@MESSAGE@@`` where the IDs of the
                conversation and of the customer's message come
    senders     the conversations, one for each turn, in this order
    lanes       how many turns at a time, each on a connection of its own
    rate        turns a second, each due at its time whether the server keeps up or not; without
                it, a lane begins its next turn when its last was answered
    patience    seconds to wait for answers after the last turn was due

Prints one: ``{"cpu", "wall", "streams": {name: {...}}}`` with seconds (until the last answer),
answers (a count by status; ``none`` for those that did not come), milliseconds (of each turn, from
when it was due) and delivered (how many answers say that the customer has the message). Streams
with a rate end the others.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
import uuid
from collections import Counter, deque
from typing import Any

from tests.bench import wire

SENDER, MESSAGE = "@@SENDER@@", "@@MESSAGE@@"
_DELIVERED = b'"value":"delivered"'
_RUN = uuid.uuid4().hex  # no message of one run is one of another's


class _Stream:
    """Turns of one kind."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        self.name: str = wanted["name"]
        self.patience: float = wanted.get("patience", 60.0)
        self.senders: deque[str] = deque(wanted["senders"])
        self.turns = len(self.senders)
        self.lanes: int = wanted["lanes"]
        self.rate: float | None = wanted.get("rate")
        self.took: list[float] = []
        self.codes: Counter[str] = Counter()
        self.delivered = 0
        self.seconds = 0.0
        self.done = asyncio.Event()
        self._parts = [part.split(MESSAGE) for part in wanted["template"].split(SENDER)]
        self._number = 0

    def request(self) -> bytes | None:
        """The next turn's request, ready to be sent; None when there is none."""
        if not self.senders:
            return None
        sender = self.senders.popleft()
        self._number += 1
        message = f"{_RUN}-{self.name}-{self._number}"
        body = sender.join([message.join(part) for part in self._parts]).encode()
        return (
            b"POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    def answered(self, status: str, body: bytes, took: float) -> None:
        """Count an answer."""
        self.took.append(took)
        self.codes[status] += 1
        self.delivered += _DELIVERED in body
        if len(self.took) == self.turns:
            self.done.set()

    def told(self) -> dict[str, Any]:
        """What is printed of it."""
        return {
            "seconds": self.seconds,
            "answers": dict(self.codes),
            "delivered": self.delivered,
            "milliseconds": [round(each * 1000, 3) for each in self.took],
        }


class _Lane(wire.Messages):
    """One connection, and the turn that is under way on it."""

    def __init__(self, stream: _Stream, free: deque[_Lane] | None, due: deque[float]) -> None:
        super().__init__()
        self._stream = stream
        self._free = free  # lanes without a turn, where turns come by the clock
        self._due = due  # when the turns were due that wait for a lane
        self.begun: float | None = None

    def begin(self, due: float) -> None:
        """Send the next turn, if there is one."""
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
        "streams": {each.name: each.told() for each in streams},
    }


if __name__ == "__main__":
    chosen = wire.loop()
    try:
        print(json.dumps(chosen.run_until_complete(_all(json.load(sys.stdin)))))
    finally:
        chosen.close()
