"""The requests that Rasa sends in the demo: recorded ones of Rasa Open Source 3.6.21, in ``rasa/``.

They were recorded from a running Rasa (``tests/fixtures/rasa``: ``intent_ranking``, ``callback``).
Changes made since:

- names: intent ``request_human`` is ``human_handoff``, ``action_probe`` is ``action_bridge`` (in
  ``nobody_is_assigned`` ``action_human_handoff``), the sender IDs are first names;
- unrelated turns were removed, together with the recording bot's utterances in them;
- ``not_understood`` is one turn that was really not understood, repeated three times with a
  customer's words in Chinese, as with a rule that answers ``nlu_fallback`` with ``utter_default``;
- ``domain.json`` is the recorded domain, sent with every request as in the recording. It was
  extended by what a bot needs to use the bridge: the three actions, the ``handoff_*`` slots,
  ``utter_handoff_started`` and ``utter_handoff_unavailable``.

Ben's requests (``asks_the_price`` and the four that follow it) are unchanged: they are one
conversation, recorded between a bot with exactly this domain and the bridge of the demo.

Times are shifted so that the newest event has just happened.

What the customer of ``visitor.py`` writes was not recorded: ``written`` and ``turn`` put it into a
recorded request.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from importlib import resources
from typing import Any

from bridge.cli.peers import JsonObject

_TIMES = ("timestamp", "latest_event_time")


def request(name: str, now: float) -> JsonObject:
    """Return the request ``name`` as Rasa would send it at ``now``."""
    recorded = _read(name)
    by = now - float(recorded["tracker"]["latest_event_time"])
    return {**_later(recorded, by), "domain": domain()}


def written(
    text: str, intent: str, confidence: float, answers: Sequence[tuple[str, str, float]]
) -> JsonObject:
    """Return a message as Rasa understands it.

    Args:
        text: what the customer wrote.
        intent: its intent.
        confidence: the confidence in the intent.
        answers: the response selector's ranking for a retrieval intent: key, text, confidence.
    """
    ranking = [
        {"confidence": score, "intent_response_key": f"{intent}/{key}"} for key, _, score in answers
    ]
    selector: JsonObject = {"all_retrieval_intents": [intent] if ranking else []}
    if ranking:
        selector[intent] = {"response": ranking[0], "ranking": ranking}
    others = [{"name": "greet", "confidence": round((1 - confidence) / 2, 2)}]
    return {
        "text": text,
        "message_id": uuid.uuid4().hex,
        "intent": {"name": intent, "confidence": confidence},
        "intent_ranking": [{"name": intent, "confidence": confidence}, *others],
        "entities": [],
        "metadata": {},
        "response_selector": selector,
    }


def turn(
    sender_id: str, message: JsonObject, earlier: Sequence[JsonObject], now: float
) -> JsonObject:
    """Return the request of Rasa for a message, after the events of the conversation so far."""
    payload = request("asks_the_price", now)
    tracker = payload["tracker"]
    events = tracker["events"]
    before, (user, featurization) = events[:-2], events[-2:]
    user = {**user, "text": message["text"], "message_id": message["message_id"]}
    user["parse_data"] = message
    tracker["events"] = [*(earlier or before), {**user, "timestamp": now}, featurization]
    tracker |= {"sender_id": sender_id, "latest_message": message, "latest_event_time": now}
    return {**payload, "sender_id": sender_id}


def domain() -> JsonObject:
    """Return the bot's domain."""
    return _read("domain")


def transcript(payload: JsonObject) -> tuple[tuple[str, str], ...]:
    """Return (``user`` or ``bot``, text) for the lines of this turn and failed turns before it."""
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


def uttered(responses: Sequence[JsonObject]) -> tuple[str, ...]:
    """Return the texts that Rasa sends for an action's responses, the domain's for named ones."""
    known = domain()["responses"]
    variations = (known.get(response.get("response") or "") for response in responses)
    named = [options[0]["text"] if options else None for options in variations]
    direct = [response.get("text") for response in responses]
    return tuple(text for pair in zip(named, direct, strict=True) for text in pair if text)


def _read(name: str) -> JsonObject:
    file = resources.files("bridge.cli.demo") / "rasa" / f"{name}.json"
    value: JsonObject = json.loads(file.read_text(encoding="utf-8"))
    return value


def _later(value: Any, by: float) -> Any:
    if isinstance(value, list):
        return [_later(item, by) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item + by if key in _TIMES and isinstance(item, float) else _later(item, by)
        for key, item in value.items()
    }
