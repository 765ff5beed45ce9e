"""What Rasa calls on this machine: the front end of the callback channel, and the action server.

Rasa's webhooks pass through here to the action server unchanged, so that a story can say the same
one twice.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import requests
from typing_extensions import Self

from tests.e2e.programs import eventually

JsonObject = dict[str, Any]

_PASSED_ON = ("Content-Type", "Content-Encoding", "Authorization")
_SLOW = 60.0  # seconds; slower than any action may be


@dataclass(frozen=True)
class Webhook:
    """One of Rasa's requests to the action server, and what it was answered."""

    path: str  # with its query
    headers: dict[str, str]
    body: bytes
    status: int
    answer: Any

    @property
    def payload(self) -> JsonObject:
        found: JsonObject = json.loads(self.body)
        return found


class Loopback:
    """A server on a free port of loopback; a context manager."""

    def __init__(self) -> None:
        self._action_servers: dict[str, str] = {}  # of each conversation
        self._held: dict[str, threading.Event] = {}  # conversations without answers
        self._pushed: list[JsonObject] = []
        self._webhooks: list[Webhook] = []
        self._http = requests.Session()
        self._http.trust_env = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._taken))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._http.close()

    @property
    def url(self) -> str:
        """Where Rasa finds it: ``/webhook`` and ``/customer`` are below."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def passes_on(self, sender_id: str, action_server: str) -> None:
        """Let a conversation's webhooks go to this action server."""
        self._action_servers[sender_id] = action_server

    @contextmanager
    def holding(self, sender_id: str) -> Iterator[None]:
        """Rasa gets no answer about this conversation meanwhile: it is busy with it."""
        released = self._held[sender_id] = threading.Event()
        try:
            yield
        finally:
            del self._held[sender_id]
            released.set()

    def pushed(self, sender_id: str, at_least: int = 0, seconds: float = 10.0) -> list[str]:
        """The texts that the callback channel brought a customer, waited for."""

        def found() -> list[str]:
            mine = [one for one in self._pushed if one.get("recipient_id") == sender_id]
            return [str(one.get("text")) for one in mine]

        eventually(lambda: len(found()) >= at_least, seconds)
        return found()

    def webhooks(self, sender_id: str, action: str) -> list[Webhook]:
        """What Rasa asked of an action in a conversation."""
        return [
            one
            for one in self._webhooks
            if (one.payload["sender_id"], one.payload["next_action"]) == (sender_id, action)
        ]

    def say_again(self, webhook: Webhook) -> requests.Response:
        """Send a webhook to the action server, as Rasa sent it."""
        url = self._action_servers[webhook.payload["sender_id"]] + webhook.path
        return self._http.post(url, data=webhook.body, headers=webhook.headers, timeout=_SLOW)

    def _hold(self, sender_id: str) -> None:
        released = self._held.get(sender_id)
        if released is not None:
            released.wait(_SLOW)

    def _taken(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if path.startswith("/customer"):
            pushed = json.loads(body)
            self._pushed.append(pushed)
            self._hold(pushed["recipient_id"])
            return 200, b"{}"
        asked = Webhook(path, headers, body, 0, None)
        reply = self.say_again(asked)
        self._webhooks.append(Webhook(path, headers, body, reply.status_code, reply.json()))
        self._hold(asked.payload["sender_id"])
        return reply.status_code, reply.content


def _handler(
    taken: Callable[[str, dict[str, str], bytes], tuple[int, bytes]],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
            status, answer = taken(self.path, headers, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            with suppress(ConnectionError):  # who asked may have lost patience
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
