"""A bridge that a test plays: the real page of a real server, and an API that says what it is told.

For what a real server cannot be brought to say on demand: a thousand suggestions, hostile texts, a
stream that breaks at a given moment. The stories of ``test_stories.py`` use the real server.
"""

from __future__ import annotations

import json
import queue
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from typing_extensions import Self

from tests.browser.site import QuietServer

Json = dict[str, Any]
TOKEN = "e30.eyJhdWQiOiJhZ2VudCIsInN1YiI6IjI5MSJ9.c2ln"  # claims: agent 291
SETTLED = {"accept": "accepted", "reject": "rejected", "copy": "copied"}
HEARTBEAT = 0.5


def iso(seconds: float) -> str:
    """A time as the API writes it."""
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class FakeBridge:
    """One fake on a free port; a context manager.

    Args:
        page: the URL of the server whose page is shown.
    """

    def __init__(self, page: str) -> None:
        self.page = page
        self.calls: dict[str, Json] = {}
        self.details: dict[str, Json] = {}
        self.suggestions: dict[str, Json] = {}
        self.tokens = {TOKEN}
        self.requests: list[tuple[str, str, Any]] = []
        self.failing: dict[str, int] = {}  # a status by the end of a path
        self.failing_code = "failed"
        self.deaf = False  # the stream refuses connections
        self.opened = 0  # streams so far
        self.slow: threading.Event | None = None  # set: what was written is answered
        self.agent: Json | None = None  # as the API shows agent 291
        self._events: list[tuple[str, Any]] = []
        self._streams: set[queue.Queue[int | None]] = set()
        self._lock = threading.RLock()
        self._number = 0
        handler = type("Handler", (_Handler,), {"bridge": self})
        self._server = QuietServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.drop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    # What there is

    def call(self, call_id: str, **changes: Any) -> Json:
        """Add a call, or change one; windows hear of it."""
        base = {
            "call_id": call_id,
            "sender_id": f"s-{call_id}",
            "agent_id": "291",
            "user_id": f"u-{call_id}",
            "channel": "WEB",
            "owner": "agent",
            "state": "open",
            "given_at": iso(time.time()),
        }
        found = {**base, **self.calls.get(call_id, {}), **changes}
        self.calls[call_id] = {key: value for key, value in found.items() if value is not None}
        self.details.setdefault(call_id, {"card": None, "history": [], "assist": "suggest"})
        self.emit("call", self.calls[call_id])
        return self.calls[call_id]

    def message(self, call_id: str, text: str, sender: str = "customer", **changes: Any) -> Json:
        """Say something in a call."""
        found = {
            "id": self._next("m"),
            "call_id": call_id,
            "from": sender,
            "text": text,
            "at": iso(time.time()),
            **({"agent_id": "291"} if "delivery" in changes else {}),
            **changes,
        }
        self.details[call_id]["history"].append(found)
        self.emit("message", found)
        return found

    def suggest(self, call_id: str, text: str, **changes: Any) -> Json:
        """Offer a suggestion."""
        now = time.time()
        found = {
            "id": self._next("s"),
            "agent_id": "291",
            "call_id": call_id,
            "sender_id": f"s-{call_id}",
            "state": "offered",
            "created_at": iso(now),
            "expires_at": iso(now + 300),
            "source": {
                "kind": "assist",
                "intent": "ask_price",
                "confidence": 0.87,
                "margin": 0.46,
                "runner_up": "ask_hours",
            },
            "text": text,
            "drafts": [{"media_type": "TEXT", "content": text}],
            **changes,
        }
        self.suggestions[found["id"]] = found
        self.emit("suggestion", found)
        return found

    def settle(self, suggestion_id: str, state: str) -> None:
        """Change a suggestion's state, as the core would."""
        found = self.suggestions[suggestion_id]
        found["state"] = state
        found["settled_at"] = iso(time.time())
        self.emit("suggestion", found)

    def deliver(self, call_id: str, text: str, state: str = "delivered", **changes: Any) -> Json:
        """Make a delivery; windows hear of it."""
        now = iso(time.time())
        found = {
            "id": self._next(""),
            "message_code": "c",
            "agent_id": "291",
            "call_id": call_id,
            "state": state,
            "attempts": 1,
            "media_type": "TEXT",
            "content": text,
            "origin": "agent",
            "created_at": now,
            **changes,
        }
        if state not in ("waiting", "sending"):
            found["settled_at"] = now
        said = {
            "id": f"d{found['id']}",
            "call_id": call_id,
            "from": "agent",
            "agent_id": found["agent_id"],
            "text": text,
            "at": found["created_at"],
            "origin": found["origin"],
            "delivery": {key: found[key] for key in ("id", "state", "error") if key in found},
        }
        self.details[call_id]["history"].append(said)
        self.emit("delivery", found)
        return found

    def emit(self, event: str, data: Any) -> None:
        """Send an event to every window."""
        with self._lock:
            self._events.append((event, json.loads(json.dumps(data))))
            for stream in self._streams:
                stream.put(len(self._events))

    def drop(self) -> None:
        """Break every stream."""
        with self._lock:
            for stream in self._streams:
                stream.put(None)

    @property
    def streams(self) -> int:
        """The streams that are open now."""
        return len(self._streams)

    def asked(self, end: str) -> list[Any]:
        """The bodies of the requests to paths with this end, but for reading."""
        return [
            body for method, path, body in self.requests if method != "GET" and path.endswith(end)
        ]

    def _next(self, kind: str) -> str:
        with self._lock:
            self._number += 1
            return f"{kind}{self._number}"


class _Handler(BaseHTTPRequestHandler):
    bridge: FakeBridge
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        if self.path.startswith("/inbox"):
            self._proxy()
        elif self._admit():
            self._get()

    def do_POST(self) -> None:
        if self.path.startswith("/inbox"):
            self._proxy()
        elif self._admit():
            self._write("POST")

    def do_PUT(self) -> None:
        if self._admit():
            self._write("PUT")

    def _admit(self) -> bool:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token in self.bridge.tokens:
            return True
        self._body()
        self._json({"error": {"code": "unauthorized", "message": "no"}}, 401)
        return False

    def _get(self) -> None:
        url = urlsplit(self.path)
        parts = [unquote(each) for each in url.path.split("/")[2:]]
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        bridge = self.bridge
        bridge.requests.append(("GET", url.path, None))
        if parts == ["stream"]:
            self._stream()
        elif parts == ["calls"]:
            self._list([call for call in bridge.calls.values() if "ended_at" not in call])
        elif parts == ["assist"]:
            self._json({"mode": "suggest", "configured": "suggest"})
        elif parts == ["suggestions"]:
            self._list(self._suggestions(query))
        elif parts[0] == "suggestions":
            self._json(bridge.suggestions[parts[1]])
        elif parts[0] == "agents" and bridge.agent:
            self._json(bridge.agent)
        elif parts[0] == "calls" and parts[1] in bridge.calls:
            offered = self._suggestions({"call_id": parts[1], "state": "offered"})[:50]
            detail = {**bridge.calls[parts[1]], **bridge.details[parts[1]], "suggestions": offered}
            self._json(detail)
        else:
            self._json({"error": {"code": "not_found", "message": "no such call"}}, 404)

    def _suggestions(self, query: dict[str, str]) -> list[Json]:
        return [
            each
            for each in self.bridge.suggestions.values()
            if query.get("call_id") in (None, each["call_id"])
            and query.get("state") in (None, each["state"])
        ]

    def _write(self, method: str) -> None:
        body = self._body()
        path = urlsplit(self.path).path
        bridge = self.bridge
        bridge.requests.append((method, path, body))
        for end, status in bridge.failing.items():
            if path.endswith(end):
                self._json({"error": {"code": bridge.failing_code, "message": "it failed"}}, status)
                return
        parts = [unquote(each) for each in path.split("/")[2:]]
        if parts[0] == "suggestions":
            found, status = self._decide(parts, body)
        elif parts[0] == "agents" and bridge.agent:
            bridge.agent = {**bridge.agent, **body}
            found, status = bridge.agent, 200
        else:
            found, status = self._call(parts, body) if parts[0] == "calls" else ({}, 200)
        if bridge.slow is not None:
            bridge.slow.wait(10)
        self._json(found, status)

    def _decide(self, parts: list[str], body: Any) -> tuple[Any, int]:
        found, action = self.bridge.suggestions[parts[1]], parts[2]
        if action == "displayed":
            found.setdefault("displayed_at", iso(time.time()))
            return found, 200
        adds_reason = action == "reject" and found["state"] == "rejected"
        if found["state"] != "offered" and not adds_reason:
            return {"error": {"code": "settled", "message": "it is settled"}}, 409
        state = "edited" if action == "accept" and body.get("text") else SETTLED[action]
        self.bridge.settle(found["id"], state)
        if action != "accept":
            return found, 200
        text = body.get("text") or found["text"]
        sent = self.bridge.deliver(found["call_id"], text, origin="suggestion")
        return {**found, "deliveries": [sent]}, 200

    def _call(self, parts: list[str], body: Any) -> tuple[Any, int]:
        if parts[2] == "replies":
            sent = self.bridge.deliver(parts[1], body["text"])
            return {"call_id": parts[1], "client_id": body["client_id"], "deliveries": [sent]}, 201
        if parts[2] == "assist":
            self.bridge.call(parts[1], assist_hidden=body["hidden"] or None)
            return body, 200
        if parts[2] == "handback":
            return self.bridge.call(parts[1], owner="bot"), 200
        return {}, 200

    def _stream(self) -> None:
        bridge = self.bridge
        if bridge.deaf:
            self._json({"error": {"code": "unavailable", "message": "no"}}, 503)
            return
        last = int(self.headers.get("Last-Event-ID") or len(bridge._events))
        mine: queue.Queue[int | None] = queue.Queue()
        with bridge._lock:
            bridge.opened += 1
            bridge._streams.add(mine)
            for number in range(last + 1, len(bridge._events) + 1):
                mine.put(number)
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self._feed(mine)
        except OSError:
            pass
        finally:
            with bridge._lock:
                bridge._streams.discard(mine)

    def _feed(self, mine: queue.Queue[int | None]) -> None:
        self.wfile.write(b": hello\n\n")
        while True:
            try:
                number = mine.get(timeout=HEARTBEAT)
            except queue.Empty:
                self.wfile.write(b": beat\n\n")
                continue
            if number is None:
                return
            event, data = self.bridge._events[number - 1]
            written = f"id: {number}\nevent: {event}\ndata: {json.dumps(data)}\n\n"
            self.wfile.write(written.encode())

    def _proxy(self) -> None:
        kept = {key: value for key, value in self.headers.items() if key.lower() != "host"}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with requests.Session() as http:
            http.trust_env = False
            answer = http.request(
                self.command, self.bridge.page + self.path, headers=kept, data=body, timeout=10
            )
        self.send_response(answer.status_code)
        for key, value in answer.headers.items():
            if key.lower() not in (
                "content-length",
                "content-encoding",
                "connection",
                "keep-alive",
            ):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def _body(self) -> Any:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return json.loads(data) if data else {}

    def _list(self, items: list[Json]) -> None:
        query = parse_qs(urlsplit(self.path).query)
        start = int(query.get("cursor", ["0"])[0])
        end = start + int(query.get("limit", ["50"])[0])
        following = str(end) if end < len(items) else None
        self._json({"items": items[start:end], "next": following})

    def _json(self, value: Any, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
