"""Read Rasa's domain, and check the names in ``handoff.yml`` against it.

The domain belongs to Rasa: it is read as Rasa reads it, from one file or from a folder, and its
contents are not validated here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bridge.config.designers import ANY_INTENT, RESPONSE_SELECTOR, HandoffRules
from bridge.config.faults import Fault, KeyPath, Place, printable, suggest
from bridge.config.source import Document
from bridge.config.surrogates import join
from bridge.config.syntax import explain
from bridge.errors import ConfigurationError

_LISTS = ("intents", "entities", "actions", "e2e_actions")
_MAPPINGS = ("slots", "responses", "forms", "session_config")
_DOMAIN_KEY = re.compile(rf"^({'|'.join((*_LISTS, *_MAPPINGS))})[ \t]*:", re.MULTILINE)
_DEPTH = 100  # deeper than any real domain, and below Python's recursion limit
_NOT_SAID = ("channel", "condition", "id", "metadata")  # of a variation
_SUFFIXES = (".yml", ".yaml")
_RASAS_INTENTS = ("restart", "back", "out_of_scope", "session_start", "nlu_fallback")


def load_domain(path: Path | str) -> Mapping[str, Any]:
    """Read a domain file, or merge the domain files of a folder.

    Returns:
        The domain in Rasa's format: ``intents`` and ``entities`` as lists, ``slots`` and
        ``responses`` as mappings. Of duplicate names, the first is kept.

    Raises:
        ConfigurationError: the file or folder does not exist, or a file cannot be read as YAML.
    """
    faults: list[Fault] = []
    known = read_domain(Path(path), str(path), faults)
    if known is None:
        raise ConfigurationError([str(fault) for fault in faults])
    return known


def read_domain(start: Path, name: str, faults: list[Fault]) -> dict[str, Any] | None:
    """Read the domain of a file or folder (``name`` in messages); None if there are faults."""
    files = _files(start)
    if files is None:
        faults.append(Fault(Place(name), wrong="there is no such domain file or folder"))
        return None
    read_faults: list[Fault] = []
    whole = files == [start]
    places = [Place(name + str(file).removeprefix(str(start))) for file in files]
    parts = [
        _read(file, place, read_faults, whole=whole)
        for file, place in zip(files, places, strict=True)
    ]
    faults += read_faults
    return None if read_faults else _merge(part for part in parts if part)


def _files(start: Path) -> list[Path] | None:
    try:
        if not start.is_dir():
            return [start] if start.exists() else None
    except OSError:  # an invalid file name, or a folder without permission
        return None
    files: list[Path] = []
    seen: set[str] = set()  # symbolic links may form a cycle
    for folder, below, names in os.walk(start, followlinks=True):
        real = os.path.realpath(folder)
        below[:] = sorted(name for name in below if not name.startswith(".") and real not in seen)
        if real in seen:
            continue
        seen.add(real)
        files += (Path(folder, name) for name in sorted(names) if name.endswith(_SUFFIXES))
    return files


def _read(path: Path, place: Place, faults: list[Fault], *, whole: bool) -> dict[str, Any] | None:
    """Read one file; skip files of a folder that have none of the domain's keys."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        faults.append(Fault(place, wrong="the domain file is not readable as UTF-8"))
        return None
    if not whole and not _DOMAIN_KEY.search(text):
        return None
    yaml = YAML(typ="safe")
    yaml.allow_duplicate_keys = True  # Rasa validates its own file
    try:
        value = yaml.load(text)
    except MarkedYAMLError as error:
        line, column, said, allowed = explain(error, text)
        faults.append(Fault(Place(place.file, line, column), found=said, allowed=allowed))
        return None
    except (YAMLError, ValueError, RecursionError):
        faults.append(Fault(place, wrong="the domain file is not YAML"))
        return None
    if value is None or isinstance(value, dict):
        joined: dict[str, Any] | None = _joined(value)
        return joined
    faults.append(Fault(place, wrong="a domain is a mapping: intents:, responses: and so on"))
    return None


def _joined(value: Any, depth: int = 0) -> Any:
    """Return a YAML value with joined surrogate pairs in all of its texts."""
    if isinstance(value, str):
        return join(value)
    if depth < _DEPTH and isinstance(value, dict):
        return {_joined(key): _joined(item, depth + 1) for key, item in value.items()}
    if depth < _DEPTH and isinstance(value, list):
        return [_joined(item, depth + 1) for item in value]
    return value


def _merge(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            known = merged.get(key)
            if isinstance(known, list) and isinstance(value, list):
                merged[key] = known + [each for each in value if each not in known]
            elif isinstance(known, dict) and isinstance(value, dict):
                merged[key] = {**value, **known}
            elif known is None:
                merged[key] = value
    return merged


def check_names(
    document: Document, domain: Mapping[str, Any], source: str
) -> tuple[list[Fault], list[str]]:
    """Find the names in ``handoff.yml`` that the domain does not define.

    Args:
        document: ``handoff.yml``; its values need not be valid otherwise.
        domain: the result of :func:`load_domain`.
        source: the domain's name in messages.

    Returns:
        Faults for intents and responses that the file names, and warnings for the rest: default
        values, and slots and entities, which Rasa can have from other sources.
    """
    intents, responses = names_of(domain.get("intents")), names_of(domain.get("responses"))
    faults, warnings = [], []
    for path, name in _intents(document):
        base = name.split("/", 1)[0]
        if intents and base not in {*intents, *_RASAS_INTENTS}:
            faults.append(
                _unknown(document, path, base, intents, f"an intent of the domain ({source})")
            )
    if not intents and any(_intents(document)):
        warnings.append(f"{source} names no intents: conditions on intents were not checked")
    for path, name in _responses(document):
        if not _known_response(name, responses):
            faults.append(_no_response(document, path, name, responses, source))
    warnings += _defaults(document, responses, source)
    warnings += _without_default(document, domain, source)
    warnings += _others(document, domain, source)
    unread = {each.path for each in document.faults}
    return [each for each in faults if each.path not in unread], warnings


def names_of(part: Any) -> list[str]:
    """Return the names in a domain's mapping or list (of strings or single-key mappings)."""
    names: list[str] = []
    for each in part if isinstance(part, list | dict) else ():
        names += [str(key) for key in each] if isinstance(each, dict) else [str(each)]
    return names


def _rules(document: Document) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    for section in ("handoff", "assist"):
        when = document.get((section, "when"))
        for number, rule in enumerate(when if isinstance(when, list) else ()):
            if isinstance(rule, dict):
                yield (section, "when", number), rule


def _named(document: Document, key: str) -> Iterator[tuple[KeyPath, str]]:
    for path, rule in _rules(document):
        if isinstance(rule.get(key), str):
            yield (*path, key), rule[key]


def _listed(document: Document, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    listed = document.get(path)
    for number, name in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(name, str):
            yield (*path, number), name


def _intents(document: Document) -> Iterator[tuple[KeyPath, str]]:
    for path, name in (
        *_named(document, "intent"),
        *_listed(document, ("assist", "auto", "intents")),
    ):
        if name != ANY_INTENT:
            yield path, name


def _responses(document: Document) -> Iterator[tuple[KeyPath, str]]:
    for key in HandoffRules.ANNOUNCEMENTS:
        names = document.get(("handoff", key))
        if isinstance(names, str):
            yield ("handoff", key), names
        elif isinstance(names, dict):
            for language, name in names.items():
                if isinstance(name, str):
                    yield ("handoff", key, language), name
    disclosed = ("assist", "auto", "disclose")
    if isinstance(name := document.get(disclosed), str):
        yield disclosed, name
    for at, name in _named(document, "reply"):
        if name != RESPONSE_SELECTOR:
            yield at, name


def _known_response(name: str, responses: list[str]) -> bool:
    if name in responses:
        return True
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
    return _unknown(document, path, name, responses, f"a response of the domain ({source})")


def _unknown(document: Document, path: KeyPath, name: str, known: list[str], what: str) -> Fault:
    return Fault(
        document.place(path),
        path,
        found=f'"{printable(name)}"',
        allowed=what,
        meant=suggest(name, known),
    )


def _defaults(document: Document, responses: list[str], source: str) -> Iterator[str]:
    for key, name in _default_names(document):
        if name not in responses:
            yield f"handoff.{key} is {name} by default, and {source} has no such response"


def _default_names(document: Document) -> Iterator[tuple[str, str]]:
    """Yield the responses that are named by default: the key and the name."""
    written = document.get(("handoff",))
    for key in HandoffRules.ANNOUNCEMENTS:
        if key == "closed" and document.get(("handoff", "hours")) is None:
            continue  # it is never said
        if not isinstance(written, dict) or key not in written:
            yield key, HandoffRules.model_fields[key].default


def _without_default(document: Document, domain: Mapping[str, Any], source: str) -> Iterator[str]:
    """Yield a warning for each response of which, in some situation, no variation fits."""
    known = domain.get("responses")
    named = {name: document.place(path) for path, name in reversed([*_responses(document)])}
    for _, name in _default_names(document):
        named.setdefault(name, Place(document.file))
    for name, place in named.items():
        variations = known.get(name) if isinstance(known, Mapping) else None
        if isinstance(variations, list) and not any(_is_default(each) for each in variations):
            yield (
                f"{place}: {printable(name)} of {source} has no default variation: every one has a"
                " channel or a condition, or no content, so that elsewhere nothing of it is said"
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


def _others(document: Document, domain: Mapping[str, Any], source: str) -> Iterator[str]:
    slots, entities = names_of(domain.get("slots")), names_of(domain.get("entities"))
    for path, name in (*_named(document, "slot"), *_listed(document, ("handoff", "card", "slots"))):
        if slots and name not in slots:
            yield f"{document.place(path)}: {source} has no slot {printable(name)}"
    named = {*names_of(domain.get("actions")), *names_of(domain.get("forms"))}
    for path, name in _listed(document, ("assist", "actions")):
        if named and name not in named:
            yield f"{document.place(path)}: {source} has no action or form {printable(name)}"
    for path, name in _named(document, "entity"):
        if entities and name not in entities:
            yield f"{document.place(path)}: {source} has no entity {printable(name)}"
