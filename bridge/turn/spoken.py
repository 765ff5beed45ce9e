"""What was said, as replies in Rasa's shape and as lines that a person reads.

Knows one event or message at a time; which of them count is decided in ``events``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.model import Reply
from bridge.turn.coerce import array, blank, mapping, same, words


@dataclass(frozen=True, slots=True)
class Said:
    """One bot event: what it said, and the response's name where it was a response."""

    reply: Reply
    response: str | None


def content(message: Mapping[str, Any]) -> dict[str, Any]:
    """What a message holds, in Rasa's shape, with nothing null, empty or doubled.

    Rasa repeats an image as ``attachment``; sent as both it would reach the customer twice.
    """
    found = {str(key): value for key, value in message.items() if not blank(value)}
    if isinstance(found.get("text"), (int, float)):
        found["text"] = str(found["text"])  # `text: 5` is what a designer's YAML may hold
    if "image" in found and "attachment" in found and same(found["image"], found["attachment"]):
        del found["attachment"]
    return found


def said(event: Mapping[str, Any]) -> Said | None:
    """A bot event as a reply; None where it said nothing."""
    reply = content({**mapping(event.get("data")), "text": event.get("text")})
    if not reply:
        return None
    return Said(reply, words(mapping(event.get("metadata")).get("utter_action")))


def line(event: Mapping[str, Any]) -> str:
    """What a bot's or an agent's event looked like: its text, else a stand-in, else nothing."""
    text = event.get("text")
    if isinstance(text, str) and text.strip():
        return words(text) or ""
    parts = content(mapping(event.get("data")))
    return " ".join(f"[{part.replace('_', ' ')}]" for part in parts)


def titles(event: Mapping[str, Any]) -> dict[str, str]:
    """The buttons of a bot event: what is sent when one is clicked, and what it said."""
    found: dict[str, str] = {}
    shown = mapping(event.get("data"))
    for button in (*array(shown.get("buttons")), *array(shown.get("quick_replies"))):
        payload, title = (words(mapping(button).get(key)) for key in ("payload", "title"))
        if payload and title:
            found[payload] = title
    return found
