"""Rasa's HTTP API as the bridges reach it: through a relay that can fail them.

Rasa keeps its trackers in memory: a Rasa that was stopped would come back having forgotten all.
Where a bridge loses patience, so does the relay: Rasa drops what it has not begun by then.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import unquote, urlsplit

from typing_extensions import Self

_SLOW = 60.0  # seconds; no answer of Rasa takes longer


class Fate(Enum):
    """What becomes of one request."""

    PASSED = "Rasa is asked, and its answer arrives"
    HTML = "a page of HTML comes instead of an answer"
    ERROR = "HTTP 503 comes instead of an answer"
    LOST = "Rasa is asked, and its answer does not arrive"


@dataclass(frozen=True)
class Asked:
    """One request of a bridge."""

    method: str
    path: str  # with its query
    fate: Fate

    @property
    def sender_id(self) -> str | None:
        """Whose conversation it is about."""
        parts = urlsplit(self.path).path.split("/")
        return unquote(parts[2]) if parts[1] == "conversations" else None


class Relay:
    """A server on a free port of loopback before ``rasa_url``; a context manager."""

    def __init__(self, rasa_url: str) -> None:
        self._rasa = urlsplit(rasa_url).netloc
        self._asked: list[Asked] = []
        self._fates: dict[str, list[Fate]] = {}
        self._port = 0
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def url(self) -> str:
        """For ``rasa.url``."""
        return f"http://127.0.0.1:{self._port}"

    def asked(self, sender_id: str) -> list[Asked]:
        """What was asked about a conversation, in order."""
        return [one for one in self._asked if one.sender_id == sender_id]

    def fails(self, sender_id: str, *fates: Fate) -> None:
        """Let the next requests about a conversation meet these fates, one each."""
        self._fates[sender_id] = list(fates)

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Nobody listens meanwhile: connections are refused."""
        self._close()
        try:
            yield
        finally:
            self._open()

    def _open(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def _close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(
        self, method: str, path: str, accept: str, body: bytes, client: socket.socket
    ) -> tuple[int, str, bytes] | None:
        """Status, content type and content of an answer; None where it does not arrive."""
        waiting = self._fates.get(Asked(method, path, Fate.PASSED).sender_id or "", [])
        fate = waiting.pop(0) if waiting else Fate.PASSED
        found = _instead(fate) or self._ask_rasa(method, path, accept, body, client)
        self._asked.append(Asked(method, path, fate))
        return found if fate is not Fate.LOST else None

    def _ask_rasa(
        self, method: str, path: str, accept: str, body: bytes, client: socket.socket
    ) -> tuple[int, str, bytes] | None:
        headers = {"Content-Type": "application/json", "Accept": accept}
        with closing(HTTPConnection(self._rasa, timeout=_SLOW)) as rasa:
            rasa.request(method, path, body, headers)
            answered, _, _ = select.select([rasa.sock, client], [], [], _SLOW)
            if rasa.sock not in answered:  # the client has hung up
                return None
            reply = rasa.getresponse()
            return reply.status, reply.headers["Content-Type"], reply.read()


def _instead(fate: Fate) -> tuple[int, str, bytes] | None:
    if fate is Fate.HTML:
        return 200, "text/html", b"<html><body>We will be back soon.</body></html>"
    if fate is Fate.ERROR:
        return 503, "text/plain", b"no healthy upstream"
    return None


def _handler(relay: Relay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_PUT(self) -> None:
            self._serve()

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            accept = self.headers.get("Accept", "*/*")
            answer = relay.answer(self.command, self.path, accept, body, self.connection)
            if answer is None:
                return
            status, kind, content = answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(ConnectionError):  # who asked may have lost patience
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
