"""What Rasa sends in the demo: real requests of Rasa Open Source 3.6.21, in ``rasa/``.

They were recorded from a running Rasa (``tests/fixtures/rasa``: ``intent_ranking``, ``callback``).
What was changed since:

- names: intent ``request_human`` is ``human_handoff``, ``action_probe`` is ``action_bridge`` (in
  ``nobody_is_assigned`` ``action_human_handoff``), the sender IDs are first names;
- turns of other subjects were left out, and so was what the recording bot uttered beside them;
- ``not_understood`` is one turn that was really not understood, three times over with a customer's
  words in Chinese, as with a rule that answers ``nlu_fallback`` by ``utter_default``;
- ``domain.json`` is the recorded domain and goes with every request, as it did. It was extended by
  what a bot that uses the bridge has: the three actions, the ``handoff_*`` slots,
  ``utter_handoff_started`` and ``utter_handoff_unavailable``.

Nothing was changed in Ben's (``asks_the_price`` and the four that follow it): they are one
conversation with a bot of that very domain, recorded between it and the bridge of the demo.

Times are moved so that the newest event happened just now.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

from bridge.cli.demo.loopback import Json

_TIMES = ("timestamp", "latest_event_time")


def request(name: str, now: float) -> Json:
    """Return the request ``name`` as Rasa would send it at ``now``."""
    read = _read(name)
    by = now - float(read["tracker"]["latest_event_time"])
    return {**_later(read, by), "domain": domain()}


def domain() -> Json:
    """Return the bot's domain."""
    return _read("domain")


def transcript(payload: Json) -> tuple[tuple[str, str], ...]:
    """Return who (``user`` or ``bot``) said what in this turn and in failed turns before it."""
    turns: list[tuple[str, list[tuple[str, str]]]] = []
    for event in payload["tracker"]["events"]:
        if event["event"] == "user":
            turns.append((event["parse_data"]["intent"]["name"], []))
        if event["event"] in ("user", "bot") and event["text"]:
            turns[-1][1].append((event["event"], event["text"]))
    first = len(turns) - 1
    while first > 0 and turns[first - 1][0] == "nlu_fallback":
        first -= 1
    return tuple(line for _, lines in turns[first:] for line in lines)


def uttered(responses: Sequence[Json]) -> tuple[str, ...]:
    """Return what Rasa says for an action's responses; named ones come from the domain."""
    known = domain()["responses"]
    variations = (known.get(each.get("response") or "") for each in responses)
    named = [found[0]["text"] if found else None for found in variations]
    given = [each.get("text") for each in responses]
    return tuple(text for pair in zip(named, given, strict=True) for text in pair if text)


def _read(name: str) -> Json:
    file = resources.files("bridge.cli.demo") / "rasa" / f"{name}.json"
    found: Json = json.loads(file.read_text(encoding="utf-8"))
    return found


def _later(value: Any, by: float) -> Any:
    if isinstance(value, list):
        return [_later(item, by) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item + by if key in _TIMES and isinstance(item, float) else _later(item, by)
        for key, item in value.items()
    }
