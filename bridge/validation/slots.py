"""Check the domain's slots: those that the bridge sets, and the mappings of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bridge.config.domain import Domain, Entry
from bridge.config.faults import Fault, suggest
from bridge.config.misspelt import ADD_TO_DOMAIN, unknown
from bridge.config.names import rules_of
from bridge.config.rasa_names import INTENTS, MAPPINGS, SLOT_TYPES, SLOTS
from bridge.validation.finding import fault, warning
from bridge.validation.our_slots import OURS, VALUES
from bridge.validation.project import Project

_TEXTS = ("text", "any", "categorical")  # the types of slots that take what the bridge sets
_ACTIONS_ALONE = ("custom", "controlled")  # mappings by which only an action sets a slot


def check(project: Project) -> Iterator[Fault]:
    """Yield the faults of the domain's slots."""
    domain = project.domain
    if domain is None:
        return
    entries = {entry.name: entry for entry in domain.entries("slots")}
    if project.wanted:
        yield from _missing(domain, entries)
    # In a bot of flows, a slot needs no mapping; without the rules, nobody knows.
    classic = project.training is not None and not project.training.flows
    asked = {rule["slot"] for _, rule in rules_of(project.handoff) if _is_name(rule.get("slot"))}
    for name, entry in entries.items():
        if not isinstance(entry.value, Mapping):
            yield fault(
                entry.document,
                entry.path,
                f"the slot {name} has no type and no mappings",
                hint="write {type: text, mappings: [{type: custom}]}",
                at_key=True,
            )
            continue
        yield from _type(entry, entry.value)
        if name in OURS:
            yield from _our_type(entry, entry.value)
        yield from _mappings(entry, entry.value, domain, needed=classic or name in OURS)
        if name in OURS:
            yield from _set_by_others(entry, entry.value)
        elif name in asked:
            yield from _empty_values(entry, entry.value)


def _is_name(value: object) -> bool:
    return isinstance(value, str)


def _missing(domain: Domain, entries: Mapping[str, Entry]) -> Iterator[Fault]:
    document, path = domain.section("slots")
    for name in OURS:
        if name in entries:
            continue
        close = suggest(name, [each for each in entries if each not in (*OURS, *SLOTS)])
        entry = entries.get(close)
        if entry is not None and _alike(close, name):
            yield unknown(
                entry.document,
                entry.path,
                close,
                [name],
                "a slot of the bridge, which sets " + name,
                hint=f"rename the slot to {name}",
                at_key=True,
            )
        else:
            yield fault(
                document,
                path,
                f"the domain has no slot {name}, which the bridge sets",
                hint=f"add {name}: {{type: text, influence_conversation: false, mappings:"
                " [{type: custom}]}",
                at_key=True,
            )


def _alike(found: str, name: str) -> bool:
    """Return whether a slot was meant to be one of ours, and not only resembles it."""
    return found.casefold().replace("-", "_")[:5] == name[:5]


def _type(entry: Entry, slot: Mapping[str, object]) -> Iterator[Fault]:
    kind = slot.get("type")
    path = (*entry.path, "type")
    if kind is None:
        yield fault(
            entry.document,
            entry.path,
            f"the slot {entry.name} has no type",
            hint=f"add type: one of {', '.join(SLOT_TYPES)}",
            at_key=True,
        )
    elif isinstance(kind, str) and kind not in SLOT_TYPES and "." not in kind:
        yield unknown(
            entry.document,
            path,
            kind,
            SLOT_TYPES,
            f"a type of slot: {', '.join(SLOT_TYPES)}",
            hint="name one of Rasa's types, or a class of your own by its module",
        )
    if kind == "categorical" and not isinstance(slot.get("values"), list):
        yield fault(
            entry.document,
            path,
            f"the categorical slot {entry.name} has no list of values",
            hint="add values: [one, two]",
        )


def _our_type(entry: Entry, slot: Mapping[str, object]) -> Iterator[Fault]:
    kind, values = slot.get("type"), slot.get("values")
    if isinstance(kind, str) and kind in SLOT_TYPES and kind not in _TEXTS:
        yield fault(
            entry.document,
            (*entry.path, "type"),
            f"the bridge sets the slot {entry.name} to text, and its type is {kind}",
            hint="set the type to text",
        )
    wanted = VALUES.get(entry.name, ())
    if kind == "categorical" and isinstance(values, list) and wanted:
        missing = [each for each in wanted if each not in values]
        if missing:
            yield fault(
                entry.document,
                (*entry.path, "values"),
                f"the bridge also sets the slot {entry.name} to {', '.join(missing)}: Rasa falls"
                " back when a slot takes a value that is not listed",
                hint=f"list all of them: [{', '.join(wanted)}]",
            )


def _mappings(
    entry: Entry, slot: Mapping[str, object], domain: Domain, *, needed: bool
) -> Iterator[Fault]:
    mappings = slot.get("mappings")
    path = (*entry.path, "mappings")
    if not isinstance(mappings, list) or not mappings:
        if needed:
            yield fault(
                entry.document,
                entry.path if mappings is None else path,
                f"the slot {entry.name} has no mapping, so that Rasa does not accept the domain",
                hint="add mappings: [{type: custom}] for a slot that an action sets, or from_entity"
                " and the like",
                at_key=mappings is None,
            )
        return
    for number, mapping in enumerate(mappings):
        kind = mapping.get("type") if isinstance(mapping, Mapping) else None
        here = (*path, number, "type")
        if not isinstance(kind, str):
            yield fault(
                entry.document,
                (*path, number),
                f"a mapping of the slot {entry.name} has no type",
                hint=f"add type: one of {', '.join(MAPPINGS)}",
            )
        elif kind not in MAPPINGS:
            yield unknown(
                entry.document,
                here,
                kind,
                MAPPINGS,
                f"a type of mapping: {', '.join(MAPPINGS)}",
                hint="name one of Rasa's mappings",
            )
        else:
            yield from _sources(entry, (number, mapping), domain)


def _sources(
    entry: Entry, numbered: tuple[int, Mapping[str, object]], domain: Domain
) -> Iterator[Fault]:
    """Check the intents and entities that a mapping takes the slot's value from."""
    number, mapping = numbered
    for key, section in (("entity", "entities"), ("intent", "intents"), ("not_intent", "intents")):
        named = mapping.get(key)
        known = domain.names(section)
        path = (*entry.path, "mappings", number, key)
        listed = list(enumerate(named)) if isinstance(named, list) else [(None, named)]
        for place, name in listed:
            base = name.split("/", 1)[0] if isinstance(name, str) else ""
            if base and known and base not in known and base not in INTENTS:
                yield unknown(
                    entry.document,
                    path if place is None else (*path, place),
                    base,
                    known,
                    f"one of the domain's {section}",
                    hint=ADD_TO_DOMAIN,
                )


def _set_by_others(entry: Entry, slot: Mapping[str, object]) -> Iterator[Fault]:
    """Yield a fault if a customer's words can set one of the bridge's slots."""
    mappings = slot.get("mappings")
    for number, mapping in enumerate(mappings if isinstance(mappings, list) else ()):
        kind = mapping.get("type") if isinstance(mapping, Mapping) else None
        if kind in MAPPINGS and kind not in _ACTIONS_ALONE:
            yield fault(
                entry.document,
                (*entry.path, "mappings", number, "type"),
                f"the mapping {kind} lets a customer's message set {entry.name}, which only the"
                " bridge may set",
                hint="set the mapping's type to custom",
            )


def _empty_values(entry: Entry, slot: Mapping[str, object]) -> Iterator[Fault]:
    if slot.get("type") == "categorical" and slot.get("values") == []:
        yield warning(
            entry.document,
            (*entry.path, "values"),
            f"the categorical slot {entry.name} has no values, so that a condition on it can"
            " never hold",
            hint="list the slot's values",
        )
