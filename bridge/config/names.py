"""Check the names in ``handoff.yml`` against Rasa's domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bridge.config.designers import ANY_INTENT, RESPONSE_SELECTOR, HandoffRules
from bridge.config.domain import Domain
from bridge.config.faults import Fault, KeyPath, printable, suggest
from bridge.config.misspelt import ADD_TO_DOMAIN, unknown
from bridge.config.rasa_names import INTENTS, RESPONSES, SLOTS
from bridge.config.source import Document

_NOT_SAID = ("channel", "condition", "id", "metadata")  # of a variation


def check_names(document: Document, domain: Domain) -> Iterator[Fault]:
    """Yield the faults of the names in ``handoff.yml``; its values need not be valid otherwise.

    What the file names must be in the domain. What is said by default, and responses of which
    nothing may fit, are warnings.
    """
    unread = {each.path for each in document.faults}
    for fault in (
        *_check_intents(document, domain),
        *_check_responses(document, domain),
        *_defaults(document, domain),
        *_without_default(document, domain),
        *_others(document, domain),
    ):
        if fault.path not in unread:
            yield fault


def rules_of(document: Document) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """Yield the items of the ``when`` lists that are mappings."""
    for section in ("handoff", "assist"):
        when = document.get((section, "when"))
        for number, rule in enumerate(when if isinstance(when, list) else ()):
            if isinstance(rule, dict):
                yield (section, "when", number), rule


def named_responses(document: Document) -> Iterator[tuple[KeyPath, str]]:
    """Yield the responses that the file names."""
    for key in HandoffRules.ANNOUNCEMENTS:
        names = document.get(("handoff", key))
        if isinstance(names, str):
            yield ("handoff", key), names
        for language, name in names.items() if isinstance(names, dict) else ():
            if isinstance(name, str):
                yield ("handoff", key, language), name
    disclosed = ("assist", "auto", "disclose")
    if isinstance(name := document.get(disclosed), str):
        yield disclosed, name
    for path, name in _named(document, "reply"):
        if name != RESPONSE_SELECTOR:
            yield path, name


def default_responses(document: Document) -> Iterator[tuple[str, str]]:
    """Yield the keys of ``handoff`` that the file leaves out, and the responses they default to."""
    written = document.get(("handoff",))
    for key in HandoffRules.ANNOUNCEMENTS:
        if key == "closed" and document.get(("handoff", "hours")) is None:
            continue  # it is never said
        if not isinstance(written, dict) or key not in written:
            yield key, HandoffRules.model_fields[key].default


def _check_intents(document: Document, domain: Domain) -> Iterator[Fault]:
    intents = domain.names("intents")
    named = [*_named(document, "intent"), *_listed(document, ("assist", "auto", "intents"))]
    asked = [(path, name.split("/", 1)[0]) for path, name in named if name != ANY_INTENT]
    if not intents and asked:
        yield Fault(
            domain.files[0].place(()) if domain.files else document.place(()),
            wrong=f"{domain.name} names no intents: conditions on intents were not checked",
            hint="name every file of the domain, or the folder that they are in",
            severity="warning",
        )
        return
    for path, base in asked:
        if base not in {*intents, *INTENTS}:
            what = f"an intent of the domain ({domain.name})"
            yield _unknown(document, path, base, intents, what)


def _check_responses(document: Document, domain: Domain) -> Iterator[Fault]:
    responses = domain.names("responses")
    for path, name in named_responses(document):
        if not _known_response(name, responses):
            yield _no_response(document, path, name, responses, domain.name)


def _named(document: Document, key: str) -> Iterator[tuple[KeyPath, str]]:
    for path, rule in rules_of(document):
        if isinstance(rule.get(key), str):
            yield (*path, key), rule[key]


def _listed(document: Document, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    listed = document.get(path)
    for number, name in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(name, str):
            yield (*path, number), name


def _known_response(name: str, responses: list[str]) -> bool:
    if name in responses or name in RESPONSES:
        return True  # of the latter, only the flows tell; see ``bridge.validation``
    base, slash, _ = name.partition("/")
    # Responses of a retrieval intent are often in the training data and not in the domain.
    return bool(slash) and not any(each.startswith(f"{base}/") for each in responses)


def _no_response(
    document: Document, path: KeyPath, name: str, responses: list[str], source: str
) -> Fault:
    if any(each.startswith(f"{name}/") for each in responses):
        return Fault(
            document.place(path),
            path,
            found=f"{printable(name)}, which has one answer for each retrieval intent",
            allowed=f"{RESPONSE_SELECTOR}, or one answer by its full name",
            meant=RESPONSE_SELECTOR if path[-1] == "reply" else suggest(name, responses),
        )
    known = [*responses, RESPONSE_SELECTOR] if path[-1] == "reply" else responses
    return _unknown(document, path, name, known, f"a response of the domain ({source})")


def _unknown(document: Document, path: KeyPath, name: str, known: list[str], what: str) -> Fault:
    return unknown(document, path, name, known, what, hint=ADD_TO_DOMAIN)


def _defaults(document: Document, domain: Domain) -> Iterator[Fault]:
    responses = domain.names("responses")
    for key, name in default_responses(document):
        if name not in responses:
            where, path = domain.section("responses")
            ours = {name for _, name in default_responses(document)}
            close = suggest(name, [each for each in responses if each not in ours])
            yield Fault(
                where.place(path, key=True),
                path,
                wrong=f"handoff.{key} is {name} by default, and {domain.name} has no such response",
                meant=close,
                hint=f"add the response {name}, or set handoff.{key} in handoff.yml",
                severity="warning",
            )


def _without_default(document: Document, domain: Domain) -> Iterator[Fault]:
    """Yield a warning for each response of which, in some situation, no variation fits."""
    named = {name for _, name in (*named_responses(document), *default_responses(document))}
    for entry in domain.entries("responses"):
        if entry.name not in named or not isinstance(entry.value, list):
            continue
        if not any(_is_default(each) for each in entry.value):
            yield Fault(
                entry.place,
                entry.path,
                wrong=(
                    f"{printable(entry.name)} of {domain.name} has no default variation: every one"
                    " has a channel or a condition, or no content, so that elsewhere nothing of it"
                    " is said"
                ),
                hint="add a variation with neither channel nor condition",
                severity="warning",
            )


def _is_default(variation: Any) -> bool:
    """Return whether a variation has content, and fits whatever the channel and the slots are."""
    if not isinstance(variation, dict):
        return False
    choosing = any(variation.get(key) is not None for key in ("channel", "condition"))
    said = [value for key, value in variation.items() if key not in _NOT_SAID]
    return not choosing and any(
        value.strip() if isinstance(value, str) else value is not None for value in said
    )


def _others(document: Document, domain: Domain) -> Iterator[Fault]:
    """Check slots, entities and actions, where the domain has any."""
    source = domain.name
    slots, entities = domain.names("slots"), domain.names("entities")
    in_card = _listed(document, ("handoff", "card", "slots"))
    language = document.get(("language", "slot"))
    of_language = [(("language", "slot"), language)] if isinstance(language, str) else []
    for path, name in (*_named(document, "slot"), *in_card, *of_language):
        known = [*slots, *SLOTS]
        if slots and name not in known:
            yield _logged(_unknown(document, path, name, known, f"a slot of the domain ({source})"))
    runnable = [*domain.names("actions"), *domain.names("forms")]
    for path, name in _listed(document, ("assist", "actions")):
        if runnable and name not in runnable:
            what = f"an action or form of the domain ({source})"
            yield _logged(_unknown(document, path, name, runnable, what))
    for path, name in _named(document, "entity"):
        if entities and name not in entities:
            what = f"an entity of the domain ({source})"
            yield _logged(_unknown(document, path, name, entities, what))


def _logged(fault: Fault) -> Fault:
    """Return a fault that does not stop the server: Rasa may get such names from elsewhere."""
    return replace(fault, stops=False)
