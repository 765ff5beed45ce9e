"""JSON over HTTP to another server: the simulator, or a running bridge."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

JsonObject = dict[str, Any]

LOCALHOST = "127.0.0.1"
_TIMEOUT = 15.0  # seconds for a response; longer than an action waits
_SILENCE = 40.0  # seconds; a stream sends a comment every 15
_REDIRECT = 300


class PeerError(Exception):
    """There was no answer, or not the expected one; the message says why."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A status and a JSON body; anything but a JSON object reads as an empty one."""

    status: int
    body: JsonObject

    @property
    def ok(self) -> bool:
        """Return whether the request succeeded."""
        return self.status < _REDIRECT

    @property
    def fault(self) -> str:
        """Return why a request failed: the API's message, the simulator's, or the status."""
        error = self.body.get("error")
        message = error.get("message") if isinstance(error, dict) else error
        return str(message or f"status {self.status}")


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """An event of a stream of server-sent events; ``kind`` is "" if it has an ID alone."""

    kind: str
    data: JsonObject


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that a command sends requests to.

    Attributes:
        name: as errors call it.
        url: its address, to which paths are appended.
    """

    name: str
    url: str
    token: str | None = field(default=None, repr=False)

    def ask(
        self, method: str, path: str, body: object = None, *, timeout: float = _TIMEOUT
    ) -> HttpAnswer:
        """Send a request and return the answer, whatever its status.

        Raises:
            PeerError: there was no answer.
        """
        headers = {"Content-Type": "application/json"} | self._authorization()
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        try:
            with closing(self._connect(timeout)) as connection:
                connection.request(method, self._path(path), data, headers)
                answer = connection.getresponse()
                return HttpAnswer(answer.status, as_object(answer.read()))
        except (OSError, http.client.HTTPException) as error:
            raise self._error(method, path, error) from error

    def expect(
        self, method: str, path: str, body: object = None, *, timeout: float = _TIMEOUT
    ) -> JsonObject:
        """Send a request and return the answer's body; raise PeerError unless it succeeded."""
        reply = self.ask(method, path, body, timeout=timeout)
        if not reply.ok:
            raise PeerError(
                f"the {self.name} answered {method} {path} with {reply.status}: {reply.body}"
            )
        return reply.body

    def follow(self, path: str) -> Iterator[StreamEvent]:
        """Yield the events of a stream until the server ends it.

        Raises:
            PeerError: there was no answer, or the stream was refused or broke.
        """
        headers = {"Accept": "text/event-stream"} | self._authorization()
        try:
            with closing(self._connect(_SILENCE)) as connection:
                connection.request("GET", self._path(path), headers=headers)
                answer = connection.getresponse()
                if answer.status >= _REDIRECT:
                    refused = HttpAnswer(answer.status, as_object(answer.read()))
                    raise PeerError(f"the {self.name} refuses {path}: {refused.fault}")
                yield from _events(iter(answer.readline, b""))
        except (OSError, http.client.HTTPException) as error:
            raise self._error("GET", path, error) from error

    def refuses(self) -> bool:
        """Return whether connections are refused now."""
        try:
            with closing(self._connect(timeout=1)) as connection:
                connection.connect()
        except OSError:
            return True
        return False

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        parts = self._parts()
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=timeout)

    def _path(self, path: str) -> str:
        return self._parts().path.rstrip("/") + path

    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    def _error(self, method: str, path: str, error: Exception) -> PeerError:
        reason = str(error) or type(error).__name__
        return PeerError(f"the {self.name} did not answer {method} {path}: {reason}")


def local(name: str, port: int, token: str | None = None) -> Peer:
    """Return a server on this machine."""
    return Peer(name, f"http://{LOCALHOST}:{port}", token)


def as_object(raw: bytes | str) -> JsonObject:
    """Decode a JSON object; anything else reads as an empty one."""
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _events(lines: Iterator[bytes]) -> Iterator[StreamEvent]:
    kind, data, is_block = "", "", False
    for raw in lines:
        name, _, value = raw.decode("utf-8", "replace").rstrip("\r\n").partition(": ")
        if name:
            is_block |= name in ("id", "data")
            kind = value if name == "event" else kind
            data += value if name == "data" else ""
        elif is_block:
            yield StreamEvent(kind, as_object(data))
            kind, data, is_block = "", "", False
