"""The record: requests in order of arrival, and messages as the customer sees them.

``at`` is the machine's time, ``clock`` the simulated one.
"""

from __future__ import annotations

import fnmatch
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bridge.simulator.checks import Message
from bridge.simulator.inbound import Inbound
from bridge.simulator.options import Record


@dataclass(slots=True, eq=False)
class Entry:
    """A request, its verdict and its response."""

    seq: int
    at: float
    clock: float
    method: str
    path: str
    operation: str
    agent: str
    call: str | None
    peer: int = 0  # the client's port: one per connection
    beside: int = 0  # sendmessages of the same call in progress on arrival
    query: dict[str, str] | None = None
    headers: dict[str, str] | None = None
    body: Any = None
    verdict: str = "pending"  # then accepted or refused
    reason: str = ""
    fault: str = ""
    answer: dict[str, Any] | None = None  # None: no complete response was sent
    took_ms: float = 0.0

    def shown(self) -> dict[str, Any]:
        """Return the entry as a JSON object."""
        return {name: getattr(self, name) for name in Entry.__slots__}


class Recorder:
    """Records requests and messages; ``level`` determines how much of them."""

    def __init__(self, level: Record) -> None:
        self.level = level
        self.entries: list[Entry] = []
        self.messages: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self._seq = 0
        self._codes: set[str] = set()
        self._serving: Counter[str] = Counter()

    def arrived(self, inbound: Inbound, clock: float, peer: int) -> Entry:
        """Create the entry of a request that just arrived."""
        self._seq += 1
        entry = Entry(
            self._seq,
            time.time(),
            clock,
            inbound.method,
            inbound.path,
            inbound.operation,
            inbound.agent,
            inbound.call,
            peer,
        )
        if inbound.operation == "send_message" and inbound.call:
            entry.beside = self._serving[inbound.call]
            self._serving[inbound.call] += 1
        if self.level is Record.FULL:
            entry.query = {key: ",".join(values) for key, values in inbound.query.items()}
            entry.headers = dict(inbound.headers)
            entry.body = inbound.read if inbound.read is not None else _text(inbound.body)
        if self.level is not Record.NONE:
            self.entries.append(entry)
        return entry

    def judged(self, entry: Entry, verdict: str, reason: str = "") -> None:
        """Record whether the gateway accepted the request."""
        entry.verdict = verdict
        entry.reason = reason
        self.counts[verdict] += 1
        if entry.operation:
            self.counts[f"{entry.operation}.{verdict}"] += 1

    def answered(self, entry: Entry, status: int, body: Any, headers: dict[str, str]) -> None:
        """Record the response; a request has at most one."""
        if self.level is Record.FULL:
            entry.answer = {"status": status, "body": body, "headers": headers}
        elif self.level is Record.SUMMARY:
            entry.answer = {"status": status}

    def left(self, entry: Entry) -> None:
        """Close the entry: the request is no longer being served."""
        entry.took_ms = (time.time() - entry.at) * 1000
        if entry.operation == "send_message" and entry.call:
            self._serving[entry.call] -= 1
            if self._serving[entry.call] <= 0:
                del self._serving[entry.call]

    def delivered(self, entry: Entry, message: Message) -> None:
        """Record a message that a customer receives; a retried one is recorded again."""
        self.counts["messages"] += 1
        if self.level is Record.NONE:
            return
        again = message.code is not None and message.code in self._codes
        if message.code is not None:
            self._codes.add(message.code)
        self.messages.append(
            {
                "seq": len(self.messages) + 1,
                "request": entry.seq,
                "at": time.time(),
                "agent": entry.agent,
                "call": message.call_id,
                "userid": message.user_id,
                "code": message.code,
                "repeated": again,
                "text": message.text,
                "data": message.fields,
            }
        )

    def requests(self, wanted: dict[str, str], after: int = 0) -> list[dict[str, Any]]:
        """Return matching entries: ``path`` is a pattern, other filters are exact."""
        path = wanted.get("path")
        rest = [(name, value) for name, value in wanted.items() if name != "path"]
        return [
            entry.shown()
            for entry in self.entries
            if entry.seq > after
            and (path is None or fnmatch.fnmatchcase(entry.path, path))
            and all(str(getattr(entry, name)) == value for name, value in rest)
        ]

    def received(self, wanted: dict[str, str], after: int = 0) -> list[dict[str, Any]]:
        """Return matching messages in the order they were accepted."""
        return [
            message
            for message in self.messages
            if message["seq"] > after
            and all(message[name] == value for name, value in wanted.items())
        ]


def _text(body: bytes) -> str | None:
    return body.decode("utf-8", "replace") if body else None
