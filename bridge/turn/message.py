"""Read the NLU result of one message (``latest_message`` or an event's ``parse_data``).

Covers intents, commands and response selectors, but not the surrounding events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.turn.coerce import array, mapping, objects, words
from bridge.untrusted import number

NLU_FALLBACK = "nlu_fallback"  # the intent that FallbackClassifier ranks first
_BOOKKEEPING = "all_retrieval_intents"  # a key beside those of the selectors


@dataclass(frozen=True, slots=True)
class Ranked:
    """One entry of a ranking: an intent's name, or a response key such as ``faq/hours``."""

    name: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class CalmCommand:
    """One CALM command."""

    name: str  # with underscores, in lower case: start_flow, human_handoff
    flow: str | None = None  # of start_flow and similar commands


@dataclass(frozen=True, slots=True)
class Selected:
    """The choice of one response selector."""

    intent: str  # the retrieval intent, or "default" for a selector of all of them
    response: str | None  # utter_faq/hours
    confidence: float | None
    responses: tuple[Mapping[str, Any], ...]  # the chosen response's variations
    ranking: tuple[Ranked, ...]  # by response key, best first


def underscored(name: str) -> str:
    """Normalise a command's name: ``Human Handoff`` and ``human_handoff`` are the same."""
    return "_".join(name.replace("-", " ").replace("_", " ").casefold().split())


def intent_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the intent as an object; older trackers store only its name."""
    intent = message.get("intent")
    return {"name": intent} if isinstance(intent, str) else mapping(intent)


def ranking(message: Mapping[str, Any]) -> tuple[Ranked, ...]:
    """Return the intent ranking; empty with keyword classifiers."""
    return _ranked(message.get("intent_ranking"), "name")


def commands(message: Mapping[str, Any]) -> tuple[CalmCommand, ...]:
    """Return CALM's commands for this message."""
    result = []
    for item in objects(message.get("commands")):
        name = words(item.get("command"))
        if name is not None:
            result.append(CalmCommand(underscored(name), words(item.get("flow"))))
    return tuple(result)


def selections(message: Mapping[str, Any]) -> tuple[Selected, ...]:
    """Return the choice of every response selector."""
    result = []
    for intent, choice in mapping(message.get("response_selector")).items():
        if intent == _BOOKKEEPING or not isinstance(choice, Mapping):
            continue
        best = mapping(choice.get("response"))
        key = words(best.get("intent_response_key"))
        result.append(
            Selected(
                intent=str(intent),
                response=words(best.get("utter_action")) or (f"utter_{key}" if key else None),
                confidence=number(best.get("confidence")),
                responses=objects(best.get("responses")),
                ranking=_ranked(choice.get("ranking"), "intent_response_key"),
            )
        )
    return tuple(result)


def understood(message: Mapping[str, Any]) -> bool:
    """Return whether the message was understood: an intent, or in CALM a usable command.

    CALM sets no intent, so only the commands count there.
    """
    name = words(intent_of(message).get("name"))
    if name is not None:
        return name != NLU_FALLBACK
    parsed = commands(message)
    return bool(parsed) and all(item.name not in ("cannot_handle", "error") for item in parsed)


def _ranked(entries: object, key: str) -> tuple[Ranked, ...]:
    result = []
    for entry in array(entries):
        name = words(mapping(entry).get(key))
        if name is not None:
            result.append(Ranked(name, number(entry.get("confidence"))))
    return tuple(result)
