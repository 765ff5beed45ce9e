"""Check the names that the domain itself uses: in forms, conditions and placeholders."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.config.domain import Domain, Entry
from bridge.config.faults import Fault, KeyPath
from bridge.config.rasa_names import INTENTS, SLOTS
from bridge.config.source import Document
from bridge.validation.finding import fault, unknown, warning
from bridge.validation.our_slots import VALUES
from bridge.validation.project import Project

_ADD = "add it to the domain, or name one that the domain has"
_PLACEHOLDER = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?!\})")
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
    for entry in domain.entries("forms"):
        yield from _form(entry, domain, slots)
    for entry in domain.entries("responses"):
        for number, variation in enumerate(entry.value if isinstance(entry.value, list) else ()):
            if isinstance(variation, Mapping):
                path = (*entry.path, number)
                yield from _conditions(entry.document, path, variation, slots)
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
                yield unknown(entry.document, path, name, known, what, hint=_ADD)


def _conditions(
    document: Document, path: KeyPath, variation: Mapping[str, Any], slots: list[str]
) -> Iterator[Fault]:
    conditions = variation.get("condition")
    for number, row in enumerate(conditions if isinstance(conditions, list) else ()):
        name = row.get("name") if isinstance(row, Mapping) else None
        here = (*path, "condition", number)
        if not isinstance(name, str):
            continue
        if name not in slots:
            yield unknown(document, (*here, "name"), name, slots, "a slot of the domain", hint=_ADD)
        elif isinstance(row.get("value"), str):
            yield from our_value(document, (*here, "value"), name, row["value"])


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
        close = difflib.get_close_matches(name, slots, n=1, cutoff=_ALIKE)
        if name not in slots and close:
            yield warning(
                document,
                (*path, "text"),
                f"the domain has no slot {name}, so that the text is sent with {{{name}}} in it",
                meant=f"{{{close[0]}}}",
                hint="name a slot of the domain, unless an action fills this placeholder",
            )
