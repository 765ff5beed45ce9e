"""Validate a webhook body and describe the fault in words, for the edge's 400.

Strict only where a wrong type would change the meaning of the turn. A message names the field, its
type and the expected one, never a value, because values may be customer text.
"""

from __future__ import annotations

from collections.abc import Mapping

_MISSING = object()
_STRING = "a string that is not empty"


def fault(payload: object) -> str | None:
    """Return what is wrong with a webhook body; None if it is valid."""
    if not isinstance(payload, Mapping):
        return _say("the body", payload, "an object with next_action, sender_id and tracker")
    for key in ("next_action", "sender_id"):
        if not _is_name(payload.get(key, _MISSING)):
            return _say(key, payload.get(key, _MISSING), _STRING)
    domain = payload.get("domain")
    if domain is not None and not isinstance(domain, Mapping):
        return _say("domain", domain, "an object or null")
    tracker = payload.get("tracker", _MISSING)
    if not isinstance(tracker, Mapping):
        return _say("tracker", tracker, "an object")
    return _tracker_fault(tracker)


def _tracker_fault(tracker: Mapping[object, object]) -> str | None:
    if not _is_name(tracker.get("sender_id", _MISSING)):
        return _say("tracker.sender_id", tracker.get("sender_id", _MISSING), _STRING)
    slots = tracker.get("slots", {})
    if not isinstance(slots, Mapping):
        return _say("tracker.slots", slots, "an object")
    for key in ("latest_message", "active_loop"):
        value = tracker.get(key)
        if value is not None and not isinstance(value, Mapping):
            return _say(f"tracker.{key}", value, "an object or null")
    events = tracker.get("events", [])
    if not isinstance(events, list):
        return _say("tracker.events", events, "a list of events")
    for index, event in enumerate(events):
        if not isinstance(event, Mapping):
            return _say(f"tracker.events[{index}]", event, "an object")
    return None


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _say(field: str, value: object, expected: str) -> str:
    return f"{field} is {_kind(value)}; expected {expected}"


def _kind(value: object) -> str:
    if value is _MISSING:
        return "missing"
    if value is None:
        return "null"
    if isinstance(value, bool):  # before numbers, because Python's bool is an int
        return "true or false"
    if isinstance(value, str):
        return "a string" if value else "an empty string"
    if isinstance(value, (int, float)):
        return "a number"
    return "an object" if isinstance(value, Mapping) else "a list"
