"""A Rasa that records what it is told, where a real one is not the point of the story.

The real one is in tests/e2e. This one keeps trackers of bot, slot and resume events, and can be
down, slow or talk HTML. Its bot understands what ``understood`` lists and follows ``rules``.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from typing_extensions import Self

_UNKNOWN = object()  # the answer about a conversation that was never begun
_REFUSED = object()  # the answer to events that Rasa's schema refuses
_STATUSES = {_UNKNOWN: 404, _REFUSED: 400}


class RasaStub:
    """A context manager; ``url`` is for ``rasa.url``."""

    def __init__(self) -> None:
        self.trackers: dict[str, list[dict[str, Any]]] = {}
        self.pushed: list[dict[str, Any]] = []  # what the customer was sent
        self.domain: dict[str, Any] = {"responses": {}}
        self.understood: dict[str, dict[str, Any]] = {}  # text: what NLU makes of it
        self.rules: dict[str, list[str]] = {}  # intent: the actions after it, in order
        self.effects: dict[str, list[dict[str, Any]]] = {}  # action: the events it returns
        self.ran: list[tuple[str, str]] = []  # conversation and action
        self.asked: list[tuple[str, Any]] = []  # path and body, of every request
        self.bearers: list[str | None] = []  # of every request
        self.seconds = 0.0  # until any answer
        # Each is one request's fate: 500, 403, html, null, cut (half an answer), drop_after (it was
        # done), hold (no answer, and nothing done), or hold_pushed: the customer was sent it, and
        # as the one who asked has gone, nothing stored.
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

            def do_PUT(self) -> None:
                self.do_POST()

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

    def wait_for_request(self, path: str, count: int = 1) -> list[Any]:
        """Wait until a path was requested so often; the bodies."""

        def found() -> list[Any]:
            return [body for each, body in self.asked if each.startswith(path)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, 15), self.asked
            return found()

    def _serve(self, handler: BaseHTTPRequestHandler, body: Any) -> None:
        self._closing.wait(self.seconds)
        with self._changed:
            fate = self.failures.pop(0) if self.failures else ""
            self.asked.append((handler.path, body))
            self.bearers.append(handler.headers.get("Authorization"))
            answer = None
            if fate in ("", "drop_after"):
                answer = self._answer(handler.command, handler.path, body)
            if fate == "hold_pushed":
                self.pushed.extend(body)
            self._changed.notify_all()
        if fate in ("hold", "hold_pushed"):
            self._closing.wait(30)
            return
        if fate == "drop_after":
            handler.close_connection = True
            return
        status = next((each for one, each in _STATUSES.items() if answer is one), 200)
        content = json.dumps(answer if status == 200 else {}).encode()
        if answer is None:
            content = b"null" if fate == "null" else b"<html>busy</html>"
        handler.send_response(int(fate) if fate.isdigit() else status)
        handler.send_header("Content-Length", str(len(content) + (fate == "cut")))
        handler.end_headers()
        handler.wfile.write(content)

    def _answer(self, method: str, path: str, body: Any) -> Any:
        parts = urlsplit(path)
        if isinstance(body, list) and any(_has_nameless_intent(event) for event in body):
            return _REFUSED
        if not parts.path.startswith("/conversations/"):
            return self._of_model(parts.path, body)
        sender = unquote(parts.path.split("/")[2])
        if sender not in self.trackers and parts.path.endswith(("/execute", "/story")):
            return _UNKNOWN
        if sender not in self.trackers and method == "GET":  # as Rasa does
            self.ran.append((sender, "action_session_start"))
        tracker = self.trackers.setdefault(sender, [])
        if parts.path.endswith("/execute"):
            self._run(sender, body["name"])
        elif method == "PUT":
            self.trackers[sender] = list(body)
        elif body is not None:
            tracker.extend(body)
            if "execute_side_effects=true" in parts.query:
                self.pushed.extend(body)
        events = list(self.trackers[sender])
        slots = {each["name"]: each["value"] for each in events if each["event"] == "slot"}
        return {"sender_id": sender, "events": events, "slots": slots}

    # The bot

    def _of_model(self, path: str, body: Any) -> Any:
        if path == "/domain":
            return self.domain
        if path == "/model/parse":
            return self._parsed(body["text"])
        if path == "/model/predict":
            return {"scores": [{"action": self._next(body), "score": 1.0}], "policy": "RulePolicy"}
        return self._said(body)

    def _parsed(self, text: str) -> dict[str, Any]:
        fallback = {"intent": {"name": "nlu_fallback", "confidence": 0.3}, "entities": []}
        return {"text": text, **self.understood.get(text, fallback)}

    def _next(self, events: list[dict[str, Any]]) -> str:
        """The action after these events."""
        places = [at for at, each in enumerate(events) if each["event"] == "user"]
        done = [each for each in events[places[-1] :] if each["event"] == "action"]
        intent = events[places[-1]]["parse_data"]["intent"].get("name")
        return [*self.rules.get(intent, ["action_default_fallback"]), "action_listen"][len(done)]

    def _run(self, sender: str, action: str) -> list[dict[str, Any]]:
        """Run an action in a conversation; what it says."""
        said = [
            {"event": "bot", "text": each.get("text"), "data": {}, "metadata": {}}
            for each in self.domain["responses"].get(action, [])[:1]
        ]
        events = [*said, *self.effects.get(action, [])]
        self.trackers[sender] += [{"event": "action", "name": action}, *events]
        if not action.startswith("utter_"):
            self.ran.append((sender, action))
        return [each for each in events if each["event"] == "bot"]

    def _said(self, body: Any) -> list[dict[str, Any]]:
        sender = body["sender"]
        tracker = self.trackers.setdefault(sender, [])
        heard = self._parsed(body["message"])
        tracker.append(
            {
                "event": "user",
                "text": body["message"],
                "parse_data": heard,
                "metadata": body["metadata"],
            }
        )
        said: list[dict[str, Any]] = []
        while (action := self._next(self.trackers[sender])) != "action_listen":
            said += self._run(sender, action)
        self.trackers[sender].append({"event": "action", "name": "action_listen"})
        return [{"recipient_id": sender, "text": each["text"]} for each in said]


def _has_nameless_intent(event: dict[str, Any]) -> bool:
    parse = event.get("parse_data") or {}
    intents = [parse.get("intent", {}), *parse.get("intent_ranking", [])]
    return any(intent is None or intent.get("name", "") is None for intent in intents)
