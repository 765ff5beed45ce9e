"""A Rasa that records what it is told, where a real one is not the point of the story.

The real one is in tests/e2e. This one keeps trackers of bot, slot and resume events, and can be
down, slow or talk HTML.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from typing_extensions import Self


class RasaStub:
    """A context manager; ``url`` is for ``rasa.url``."""

    def __init__(self) -> None:
        self.trackers: dict[str, list[dict[str, Any]]] = {}
        self.pushed: list[dict[str, Any]] = []  # what the customer was sent
        self.domain: dict[str, Any] = {"responses": {}}
        # Each is one request's fate: 500, html, cut (half an answer), drop_after (it was done),
        # hold (no answer, and nothing done), or hold_pushed: the customer was sent it, and as the
        # one who asked has gone, nothing stored.
        self.failures: list[str] = []
        self._changed = threading.Condition()
        self._closing = threading.Event()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stub._serve(self, None)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                stub._serve(self, json.loads(self.rfile.read(length) or b"null"))

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Answer nobody any more; to close it twice is nothing."""
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def events(self, sender: str = "sender") -> list[dict[str, Any]]:
        """A conversation's events."""
        with self._changed:
            return list(self.trackers.get(sender, []))

    def wait_for(self, kind: str, sender: str = "sender", count: int = 1) -> list[dict[str, Any]]:
        """Wait until the tracker has so many events of a kind."""

        def found() -> list[dict[str, Any]]:
            return [e for e in self.trackers.get(sender, []) if e["event"] == kind]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, 15), self.trackers
            return found()

    def _serve(self, handler: BaseHTTPRequestHandler, body: Any) -> None:
        with self._changed:
            fate = self.failures.pop(0) if self.failures else ""
            answer = self._answer(handler.path, body) if fate in ("", "drop_after") else None
            if fate == "hold_pushed":
                self.pushed.extend(body)
            self._changed.notify_all()
        if fate in ("hold", "hold_pushed"):
            self._closing.wait(30)
            return
        if fate == "drop_after":
            handler.close_connection = True
            return
        content = json.dumps(answer).encode() if answer is not None else b"<html>busy</html>"
        handler.send_response(500 if fate == "500" else 200)
        handler.send_header("Content-Length", str(len(content) + (fate == "cut")))
        handler.end_headers()
        handler.wfile.write(content)

    def _answer(self, path: str, body: Any) -> Any:
        parts = urlsplit(path)
        if parts.path == "/domain":
            return self.domain
        sender = unquote(parts.path.split("/")[2])
        tracker = self.trackers.setdefault(sender, [])
        if body is not None:
            tracker.extend(body)
            if "execute_side_effects=true" in parts.query:
                self.pushed.extend(body)
        return {"sender_id": sender, "events": list(tracker)}
