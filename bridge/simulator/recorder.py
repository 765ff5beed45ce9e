"""What happened: every request in order of arrival, and every message as the customer sees it.

It keeps and filters; it judges nothing. Times of day (``at``) are the machine's, ``clock`` is the
simulated one.
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
    """One request and what became of it."""

    seq: int
    at: float
    clock: float
    method: str
    path: str
    operation: str
    agent: str
    call: str | None
    peer: int = 0  # the client's port: one per connection
    beside: int = 0  # sendmessages of the same call that were being served on arrival
    query: dict[str, str] | None = None
    headers: dict[str, str] | None = None
    body: Any = None
    verdict: str = "pending"  # then accepted or refused: whether the gateway took it
    reason: str = ""
    fault: str = ""
    answer: dict[str, Any] | None = None  # None: nothing (whole) was sent
    took_ms: float = 0.0

    def shown(self) -> dict[str, Any]:
        """The entry as JSON."""
        return {name: getattr(self, name) for name in Entry.__slots__}


class Recorder:
    """The record; ``level`` says how much is kept."""

    def __init__(self, level: Record) -> None:
        self.level = level
        self.entries: list[Entry] = []
        self.messages: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self._seq = 0
        self._codes: set[str] = set()
        self._serving: Counter[str] = Counter()

    def arrived(self, inbound: Inbound, clock: float, peer: int) -> Entry:
        """Open the entry of a request that was just read."""
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
        """Note whether the gateway took the request."""
        entry.verdict = verdict
        entry.reason = reason
        self.counts[verdict] += 1
        if entry.operation:
            self.counts[f"{entry.operation}.{verdict}"] += 1

    def answered(self, entry: Entry, status: int, body: Any, headers: dict[str, str]) -> None:
        """Note what was said; a request is answered at most once."""
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
        """Note a message that a customer gets, again if it was sent again."""
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
        """Entries that match: ``path`` (a pattern) and any of an entry's own fields."""
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
        """Messages of a ``call`` or an ``agent``, or all, in the order they were taken."""
        return [
            message
            for message in self.messages
            if message["seq"] > after
            and all(message[name] == value for name, value in wanted.items())
        ]


def _text(body: bytes) -> str | None:
    return body.decode("utf-8", "replace") if body else None
