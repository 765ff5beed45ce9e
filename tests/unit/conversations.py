"""Conversations for tests: real requests by name, and small ones written event by event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bridge.turn import Turn, read

FIXTURES = Path(__file__).parent.parent / "fixtures" / "rasa"


def request(name: str) -> dict[str, Any]:
    """A webhook body as a real Rasa 3.6.21 sent it."""
    body: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return body


def real_turn(name: str, action_name: str | None = None) -> Turn:
    body = request(name)
    return read(body["tracker"], body.get("domain"), action_name or body["next_action"])


def user(text: str | None, intent: str | None = None, **more: Any) -> dict[str, Any]:
    """A user event; ``at`` and ``id`` are short for timestamp and message_id."""
    message_id = more.pop("id", None)
    parse = {
        "intent": {"name": intent, "confidence": more.pop("confidence", 0.9 if intent else 0.0)},
        "entities": [],
        "text": text,
        "message_id": message_id,
        "metadata": more.get("metadata", {}),
        **more.pop("parse", {}),
    }
    return {
        "event": "user",
        "timestamp": more.pop("at", 1.0),
        "text": text,
        "message_id": message_id,
        "parse_data": parse,
        **more,
    }


def bot(text: str | None, utter: str | None = None, **data: Any) -> dict[str, Any]:
    event: dict[str, Any] = {"event": "bot", "timestamp": 2.0, "text": text, "data": data}
    event["metadata"] = {"utter_action": utter} if utter else {}
    return event


def action(name: str) -> dict[str, Any]:
    return {"event": "action", "timestamp": 2.0, "name": name}


def slot(name: str, value: Any, at: float = 2.0) -> dict[str, Any]:
    return {"event": "slot", "timestamp": at, "name": name, "value": value}


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"event": kind, "timestamp": 2.0, **more}


def state(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A tracker whose latest message is that of the last user event, as if nothing was reverted."""
    messages = [one["parse_data"] for one in events if one["event"] == "user"]
    return {
        "sender_id": "kim",
        "slots": {},
        "latest_message": messages[-1] if messages else {},
        "paused": False,
        "events": list(events),
        "latest_input_channel": "rest",
        "active_loop": {},
        **more,
    }


def turn(*events: dict[str, Any], **more: Any) -> Turn:
    domain = more.pop("domain", None)
    action_name = more.pop("action_name", "action_bridge")
    return read(state(*events, **more), domain, action_name)
