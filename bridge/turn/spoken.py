"""Convert bot events to replies in Rasa's format and to readable lines.

Each function handles one event or message; ``events`` decides which of them count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.model import Reply
from bridge.turn.coerce import array, blank, mapping, same, words


@dataclass(frozen=True, slots=True)
class Said:
    """A bot event: its reply, and the name of the response if it was one."""

    reply: Reply
    response: str | None


def content(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a message in Rasa's format, without null, empty or repeated values.

    Rasa repeats an image as ``attachment``; if both were sent, the customer would get it twice.
    """
    result = {str(key): value for key, value in message.items() if not blank(value)}
    text = result.get("text")
    if isinstance(text, (int, float)):
        result["text"] = str(text)  # a designer's YAML may contain `text: 5`
    elif isinstance(text, str) and not text.strip():
        del result["text"]
    if "image" in result and "attachment" in result and same(result["image"], result["attachment"]):
        del result["attachment"]
    return result


def said(event: Mapping[str, Any]) -> Said | None:
    """Return a bot event as a reply; None if it has no content."""
    reply = content({**mapping(event.get("data")), "text": event.get("text")})
    if not reply:
        return None
    return Said(reply, words(mapping(event.get("metadata")).get("utter_action")))


def line(event: Mapping[str, Any]) -> str:
    """Return the text of a bot's or agent's event, else placeholders for its content, or ``""``."""
    text = event.get("text")
    if isinstance(text, str) and text.strip():
        return words(text) or ""
    parts = content(mapping(event.get("data")))
    return " ".join(f"[{part.replace('_', ' ')}]" for part in parts)


def titles(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the buttons of a bot event: the titles by payload."""
    result: dict[str, str] = {}
    shown = mapping(event.get("data"))
    for button in (*array(shown.get("buttons")), *array(shown.get("quick_replies"))):
        payload, title = (words(mapping(button).get(key)) for key in ("payload", "title"))
        if payload and title:
            result[payload] = title
    return result
