"""Prepare a payload for the readers: one spelling of keys, bounded size, nothing for programs.

Every payload passes here once, so no reader has to know two spellings of a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_DEEPEST = 40  # levels of one payload
_MOST_ITEMS = 201  # of one list: one more than the highest `max_items`
_MOST_VALUES = 20_000  # of one reply
_LONGEST_JSON = 100_000  # characters of a text that is parsed as JSON

# No reader sees these keys or anything below them; a row of `shapes` in media.yml can name them.
FOR_PROGRAMS = frozenset(
    {
        *("metadata", "meta_data", "meta", "debug", "debug_info", "error", "errors", "exception"),
        *("traceback", "stack_trace", "stacktrace", "trace", "log", "logs", "prompt", "prompts"),
        *("system_prompt", "query", "queries", "source", "sources", "citations", "chunks"),
        *("context", "contexts", "history", "tracker", "slots", "entities", "intent", "intents"),
        *("parse_data", "nlu", "session", "user", "customer", "profile", "crm", "internal"),
        *("private", "secret", "secrets", "token", "tokens", "access_token", "api_key"),
        *("credentials", "password", "authorization", "headers", "cookies", "config"),
        *("configuration", "settings", "environment", "env", "analytics", "tracking", "telemetry"),
        *("audit", "embedding", "embeddings", "score", "scores", "usage"),
    }
)
# Connectors send the value of these keys as JSON text where the platform's API wants it so.
_STRUCTURES = frozenset(
    {
        *("reply_markup", "inline_keyboard", "keyboard", "buttons", "quick_replies", "options"),
        *("attachment", "attachments", "blocks", "elements", "template", "contents", "cards"),
        *("interactive", "media", "actions", "suggestions"),
    }
)
_VERBATIM = frozenset({"components"})  # of a WhatsApp template: sent as it is
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[-\s]+")


def snake(key: str) -> str:
    """Return a key in snake case: ``image_url`` for ``imageUrl``, ``ImageURL``, ``image-url``."""
    return key if key.islower() and "-" not in key else _BOUNDARY.sub("_", key).lower()


def as_structure(text: str) -> Any:
    """Return the object or list that is written as JSON in ``text``, or None."""
    if not text.lstrip().startswith(("{", "[")) or len(text) >= _LONGEST_JSON:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


class Door:
    """Copies payloads for the readers; one door serves one reply.

    Attributes:
        cut: whether anything exceeded the limits and was left out.
    """

    def __init__(self) -> None:
        self._left = _MOST_VALUES
        self.cut = False

    def admit(self, value: Any) -> Any:
        """Return a copy of any JSON with keys in snake case, without keys for programs."""
        return self._value(value, 0)

    def _value(self, value: Any, deep: int) -> Any:
        if not isinstance(value, (Mapping, list, tuple)):
            return value
        if deep > _DEEPEST or self._left <= 0:
            self.cut = True
            return None
        self._left -= len(value) + 1
        if isinstance(value, Mapping):
            return self._object(value, deep)
        self.cut = self.cut or len(value) > _MOST_ITEMS
        return [self._value(each, deep + 1) for each in value[:_MOST_ITEMS]]

    def _object(self, value: Mapping[Any, Any], deep: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for number, (key, each) in enumerate(value.items()):
            if number >= _MOST_VALUES:
                self.cut = True
                break
            name = snake(key[:100]) if isinstance(key, str) else ""
            if not name or result.get(name) or _is_for_programs(name, each):
                continue
            result[name] = (
                each if name in _VERBATIM else self._value(_decoded(name, each), deep + 1)
            )
        return result


def _is_for_programs(name: str, value: Any) -> bool:
    if name == "prompt" and isinstance(value, Mapping):  # of Google Assistant's response
        return not any(isinstance(key, str) and snake(key) == "first_simple" for key in value)
    return name in FOR_PROGRAMS


def _decoded(name: str, value: Any) -> Any:
    if name not in _STRUCTURES or not isinstance(value, str):
        return value
    found = as_structure(value)
    return value if found is None else found
