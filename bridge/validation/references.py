"""Check the names that the domain itself uses: in forms, conditions and placeholders."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bridge.config.domain import Domain, Entry
from bridge.config.faults import Fault, KeyPath
from bridge.config.forms import swallowed
from bridge.config.misspelt import ADD_TO_DOMAIN, misspelt_keys, unknown
from bridge.config.names import rules_of
from bridge.config.rasa_names import CONDITION_KEYS, INTENTS, SLOTS
from bridge.config.source import Document
from bridge.validation.finding import fault, warning
from bridge.validation.our_slots import VALUES
from bridge.validation.project import Project
from bridge.validation.slot_values import check_value

_PLACEHOLDER = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")
_INTENT = re.compile(r"/([A-Za-z_][\w-]*)(?:/[\w-]+)?\s*(?:\{.*\})?", re.DOTALL)
_SET_SLOTS = re.compile(r"/SetSlots\((.*)\)", re.DOTALL)
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)\s*=")
_SHORTEST = 4  # the length of a name from which on a resemblance is no accident
_ALIKE = 0.85  # how similar a placeholder is to the slot that was probably meant


def check(project: Project) -> Iterator[Fault]:
    """Yield the faults of names within the domain."""
    domain = project.domain
    if domain is None:
        return
    for section in ("intents", "entities", "actions"):
        for document in domain.files:
            yield from _repeated(document, section)
    slots = [*domain.names("slots"), *SLOTS]
    asked = _asked(project.handoff, domain)
    for entry in domain.entries("forms"):
        yield from _form(entry, domain, slots)
        yield from _swallowed(entry, domain, asked)
    for entry in domain.entries("responses"):
        for number, variation in enumerate(entry.value if isinstance(entry.value, list) else ()):
            if isinstance(variation, Mapping):
                path = (*entry.path, number)
                yield from _conditions(
                    entry, (*path, "condition"), variation.get("condition"), domain
                )
                yield from _payloads(entry, path, variation, domain)
                yield from _placeholders(entry.document, path, variation, slots)


def _repeated(document: Document, section: str) -> Iterator[Fault]:
    """Yield a fault for each name that a list has twice: Rasa refuses it."""
    listed = document.get((section,))
    seen: set[str] = set()
    for number, item in enumerate(listed if isinstance(listed, list) else ()):
        name = next(iter(item), "") if isinstance(item, dict) else str(item)
        if name in seen:
            yield fault(
                document,
                (section, number),
                f"{name} is in the list of {section} a second time",
                hint="remove one of the two",
            )
        seen.add(name)


def _form(entry: Entry, domain: Domain, slots: list[str]) -> Iterator[Fault]:
    form = entry.value if isinstance(entry.value, Mapping) else {}
    intents = [*domain.names("intents"), *INTENTS]
    for key, known, what in (
        ("required_slots", slots, "a slot of the domain"),
        ("ignored_intents", intents, "an intent of the domain"),
    ):
        named = form.get(key)
        listed = named if isinstance(named, list) else [named]
        for number, name in enumerate(listed):
            path: KeyPath = (*entry.path, key, *((number,) if named is listed else ()))
            if isinstance(name, str) and name not in known:
                yield unknown(entry.document, path, name, known, what, hint=ADD_TO_DOMAIN)


def _asked(handoff: Document, domain: Domain) -> list[str]:
    """Return the intents by which customers ask for a person."""
    named = [rule.get("intent") for path, rule in rules_of(handoff) if path[0] == "handoff"]
    return [name for name in domain.names("intents") if name in named]


def _swallowed(entry: Entry, domain: Domain, asked: Sequence[str]) -> Iterator[Fault]:
    """Warn of a form that takes a request for a person as the answer to its question."""
    form = entry.value if isinstance(entry.value, Mapping) else {}
    found = swallowed(entry.name, form, domain.value.get("slots"), asked)
    if found is None:
        return
    slot, intent = found
    yield warning(
        entry.document,
        entry.path,
        f"the form {entry.name} takes a message of the intent {intent} as the answer to"
        f" its question for {slot}, which is filled from any text",
        hint=f"add {intent} to ignored_intents of the form",
        at_key=True,
    )


def _conditions(entry: Entry, path: KeyPath, condition: Any, domain: Domain) -> Iterator[Fault]:
    """Check a variation's condition: a list; in Rasa Pro, a text as in the flows."""
    document = entry.document
    if isinstance(condition, Mapping):
        yield fault(
            document,
            path,
            f"the condition of a variation of {entry.name} is no list",
            hint="write it as an item: - {type: slot, name: ..., value: ...}",
        )
    slots = [*domain.names("slots"), *SLOTS]
    for number, row in enumerate(condition if isinstance(condition, list) else ()):
        here = (*path, number)
        if not isinstance(row, Mapping):
            continue
        yield from misspelt_keys(document, here, CONDITION_KEYS, "a key of a condition")
        kind, name = row.get("type"), row.get("name")
        if isinstance(kind, str) and kind != "slot":
            yield unknown(
                document,
                (*here, "type"),
                kind,
                ["slot"],
                "slot, the only type of condition",
                hint="set the type to slot",
            )
        if not isinstance(name, str):
            continue
        if name not in slots:
            yield unknown(
                document, (*here, "name"), name, slots, "a slot of the domain", hint=ADD_TO_DOMAIN
            )
        else:
            value = row.get("value")
            yield from check_value(document, (*here, "value"), value, name, domain, any_case=True)


def _payloads(
    entry: Entry, path: KeyPath, variation: Mapping[str, Any], domain: Domain
) -> Iterator[Fault]:
    """Check the intents and slots that the buttons of a variation name."""
    buttons = variation.get("buttons")
    intents = domain.names("intents")
    slots = [*domain.names("slots"), *SLOTS]
    for number, button in enumerate(buttons if isinstance(buttons, list) else ()):
        payload = button.get("payload") if isinstance(button, Mapping) else None
        here = (*path, "buttons", number, "payload")
        if not isinstance(payload, str):
            continue
        if match := _SET_SLOTS.fullmatch(payload.strip()):
            for name in _ASSIGNED.findall(match[1]):
                if name not in slots:
                    yield _in_payload(entry.document, here, name, slots, "a slot")
            continue
        intent = _INTENT.fullmatch(payload.strip())
        if intents and intent and intent[1] not in (*intents, *INTENTS):
            yield _in_payload(entry.document, here, intent[1], intents, "an intent")


def _in_payload(
    document: Document, path: KeyPath, name: str, known: Sequence[str], what: str
) -> Fault:
    found = unknown(document, path, name, known, f"{what} of the domain", hint=ADD_TO_DOMAIN)
    return found if found.meant else replace(found, severity="warning")


def our_value(document: Document, path: KeyPath, slot: str, value: str) -> Iterator[Fault]:
    """Yield a fault if the bridge never sets one of its slots to a value."""
    values = VALUES.get(slot)
    if values and value.casefold() not in values:
        yield unknown(
            document,
            path,
            value,
            values,
            f"a value of {slot}: {', '.join(values)}",
            hint=f"name a value that the bridge sets {slot} to",
        )


def _placeholders(
    document: Document, path: KeyPath, variation: Mapping[str, Any], slots: list[str]
) -> Iterator[Fault]:
    """Warn of placeholders that resemble a slot; actions can fill others."""
    text = variation.get("text")
    for name in _PLACEHOLDER.findall(text) if isinstance(text, str) else ():
        close = _near(name, slots)
        if name not in slots and close:
            yield warning(
                document,
                (*path, "text"),
                f"the domain has no slot {name}, so that the text is sent with {{{name}}} in it",
                meant=f"{{{close}}}",
                hint="name a slot of the domain, unless an action fills this placeholder",
            )


def _near(name: str, slots: list[str]) -> str:
    """Return the slot that a placeholder was probably meant to be, or ``""``.

    In a short name, one other letter or two that changed places make much of a difference, so
    these count apart, unless the names begin differently: {date} is not the slot rate.
    """
    for slot in slots:
        if len(slot) == len(name) >= _SHORTEST and slot[0] == name[0]:
            other = [(one, two) for one, two in zip(slot, name, strict=True) if one != two]
            if len(other) == 1 or (len(other) == 2 and other[0] == other[1][::-1]):  # noqa: PLR2004
                return slot
    return next(iter(difflib.get_close_matches(name, slots, n=1, cutoff=_ALIKE)), "")
