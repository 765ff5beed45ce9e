"""JSON over HTTP to a server on this machine."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]

HOST = "127.0.0.1"
_TIMEOUT = 15.0  # seconds for a response; longer than an action waits
_REDIRECT = 300


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A status and a JSON body; anything but a JSON object reads as an empty one."""

    status: int
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that the demo sends requests to."""

    name: str
    port: int
    token: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Return scheme, host and port."""
        return f"http://{HOST}:{self.port}"

    def ask(self, method: str, path: str, body: object = None) -> HttpAnswer:
        """Send a request and return the answer, whatever its status.

        Raises:
            DemoError: there was no answer.
        """
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_TIMEOUT)
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            return HttpAnswer(answer.status, as_object(answer.read()))
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise DemoError(f"the {self.name} did not answer {method} {path}: {reason}") from error
        finally:
            connection.close()

    def expect(self, method: str, path: str, body: object = None) -> JsonObject:
        """Send a request and return the answer's body; raise DemoError unless it succeeded."""
        reply = self.ask(method, path, body)
        if reply.status >= _REDIRECT:
            raise DemoError(
                f"the {self.name} answered {method} {path} with {reply.status}: {reply.body}"
            )
        return reply.body

    def refuses(self) -> bool:
        """Return whether connections are refused now."""
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return True
        return False


def as_object(raw: bytes | str) -> JsonObject:
    """Decode a JSON object; anything else reads as an empty one."""
    try:
        value = json.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
