"""A server that answers some paths, for Rasa and for an action server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Mapping[str, tuple[int, Any]]

DOMAIN = {"actions": ["action_bridge"], "slots": {"handoff_state": {}, "handoff_error": {}}}
HEALTH = {"status": "ok", "version": "0.1.0"}
READY = {"status": "ready", "checks": {"store": "ok"}}
ACTIONS = [
    {"name": name}
    for name in (
        "action_human_handoff",
        "action_agent_assist",
        "action_bridge",
        "action_handback",
        "their_own",
    )
]
# An action server that is in order.
OURS: dict[str, tuple[int, Any]] = {
    "/health": (200, {"status": "ok"}),
    "/bridge/health": (200, HEALTH),
    "/bridge/ready": (200, READY),
    "/actions": (200, ACTIONS),
}


@contextmanager
def answering(answers: Answers, seen: list[str] | None = None) -> Iterator[str]:
    """Answer GET of these paths, any other with 404; yield the base URL."""
    asked = [] if seen is None else seen

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"GET {self.path}")
            status, body = answers.get(self.path.partition("?")[0], (404, {"error": "not found"}))
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
