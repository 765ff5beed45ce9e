"""Find the forms of a domain that take what the customer asks for as an answer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def swallowed(
    name: str, form: Mapping[str, Any], slots: object, intents: Sequence[str]
) -> tuple[str, str] | None:
    """Return where a form takes a message of one of these intents for an answer.

    Args:
        name: the form.
        form: its value in the domain.
        slots: the domain's slots.
        intents: the intents.

    Returns:
        The slot that the form fills from any text, and the intent; None if it has no such slot.
    """
    ignored = _names(form.get("ignored_intents"))
    for slot in _names(form.get("required_slots")):
        found = slots.get(slot) if isinstance(slots, Mapping) else None
        mappings = found.get("mappings") if isinstance(found, Mapping) else None
        for mapping in mappings if isinstance(mappings, list) else ():
            if not isinstance(mapping, Mapping) or mapping.get("type") != "from_text":
                continue
            if not _applies_in(name, mapping):
                continue
            excluded = (*ignored, *_names(mapping.get("not_intent")))
            taken = _names(mapping.get("intent")) or intents
            for intent in intents:
                if intent in taken and intent not in excluded:
                    return slot, intent
    return None


def _applies_in(form: str, mapping: Mapping[str, Any]) -> bool:
    """Return whether a mapping fills its slot while a form is active."""
    conditions = mapping.get("conditions")
    loops = [
        each["active_loop"]
        for each in (conditions if isinstance(conditions, list) else ())
        if isinstance(each, Mapping) and "active_loop" in each
    ]
    return not loops or form in loops


def _names(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed if isinstance(each, str)]
