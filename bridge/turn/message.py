"""One message as Rasa's understanding left it (``latest_message``, an event's ``parse_data``).

Intents, commands and the response selector's choice; nothing of the events around it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.turn.coerce import array, mapping, number, objects, words

NLU_FALLBACK = "nlu_fallback"  # the intent that FallbackClassifier puts before all others
_BOOKKEEPING = "all_retrieval_intents"  # beside the selectors, in the same object


@dataclass(frozen=True, slots=True)
class Ranked:
    """One entry of a ranking: an intent's name, or a response key such as ``faq/hours``."""

    name: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Command:
    """One CALM command."""

    name: str  # with underscores, in lower case: start_flow, human_handoff
    flow: str | None = None  # of start_flow and its like


@dataclass(frozen=True, slots=True)
class Selected:
    """What one response selector chose."""

    intent: str  # the retrieval intent, or "default" for a selector of all
    response: str | None  # utter_faq/hours
    confidence: float | None
    responses: tuple[Mapping[str, Any], ...]  # the chosen response's variations
    ranking: tuple[Ranked, ...]  # by response key, best first


def underscored(name: str) -> str:
    """A command's name in one spelling: ``Human Handoff`` and ``human_handoff`` are the same."""
    return "_".join(name.replace("-", " ").replace("_", " ").casefold().split())


def intent_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The intent's object; older trackers write its name alone."""
    intent = message.get("intent")
    return {"name": intent} if isinstance(intent, str) else mapping(intent)


def ranking(message: Mapping[str, Any]) -> tuple[Ranked, ...]:
    """The intent ranking, which keyword classifiers do not give."""
    return _ranked(message.get("intent_ranking"), "name")


def commands(message: Mapping[str, Any]) -> tuple[Command, ...]:
    """CALM's commands for this message."""
    found = []
    for item in objects(message.get("commands")):
        name = words(item.get("command"))
        if name is not None:
            found.append(Command(underscored(name), words(item.get("flow"))))
    return tuple(found)


def selections(message: Mapping[str, Any]) -> tuple[Selected, ...]:
    """Every response selector's choice."""
    found = []
    for intent, choice in mapping(message.get("response_selector")).items():
        if intent == _BOOKKEEPING or not isinstance(choice, Mapping):
            continue
        best = mapping(choice.get("response"))
        key = words(best.get("intent_response_key"))
        found.append(
            Selected(
                intent=str(intent),
                response=words(best.get("utter_action")) or (f"utter_{key}" if key else None),
                confidence=number(best.get("confidence")),
                responses=objects(best.get("responses")),
                ranking=_ranked(choice.get("ranking"), "intent_response_key"),
            )
        )
    return tuple(found)


def understood(message: Mapping[str, Any]) -> bool:
    """Whether the message got an intent, or in CALM a command that leads somewhere.

    CALM names no intent at all, so there the commands alone tell.
    """
    name = words(intent_of(message).get("name"))
    if name is not None:
        return name != NLU_FALLBACK
    given = commands(message)
    return bool(given) and all(item.name not in ("cannot_handle", "error") for item in given)


def _ranked(entries: object, key: str) -> tuple[Ranked, ...]:
    found = []
    for entry in array(entries):
        name = words(mapping(entry).get(key))
        if name is not None:
            found.append(Ranked(name, number(entry.get("confidence"))))
    return tuple(found)
