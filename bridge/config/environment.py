"""Set operators' keys from the environment: ``BRIDGE__GATEWAY__URL`` sets ``gateway.url``.

Two underscores separate the keys, and case is ignored. A value is text that its field converts; if
the key is a mapping, the value is JSON and replaces the whole mapping. This is the only module that
reads ``os.environ``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace

from bridge.config import schema
from bridge.config.faults import Fault, KeyPath, Place, printable, suggest
from bridge.config.source import Document, compose

FOLDER = "BRIDGE_CONFIG"
PREFIX = "BRIDGE__"
WORKERS = "ACTION_SERVER_SANIC_WORKERS"  # rasa-sdk's
_PART = "__"


def current() -> Mapping[str, str]:
    """Return the environment of this process."""
    return os.environ


def workers() -> int:
    """Return the number of Sanic's workers that rasa-sdk would start; 1 by default."""
    value = os.environ.get(WORKERS, "")
    return int(value) if value.isdecimal() and int(value) > 0 else 1


def for_child(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for an action server that this process starts.

    Only ``variables`` configure it: variables of this process that configure a bridge, rasa-sdk
    or Sanic are left out.
    """
    foreign = ("BRIDGE_", "SANIC_", "ACTION_SERVER_")
    kept = {
        name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)
    }
    return {**kept, **variables}


def variable(path: KeyPath) -> str:
    """Return the name of the variable that sets ``path``."""
    return PREFIX + _PART.join(str(step).upper() for step in path)


def overlay(document: Document, environ: Mapping[str, str]) -> None:
    """Override the values of ``bridge.yml`` with the variables; add faults to the document."""
    taken: dict[KeyPath, str] = {}
    ours = [name for name in environ if name.upper().startswith(PREFIX)]
    for name in sorted(ours, key=lambda each: (each.count(_PART), each)):  # parents first
        path = _path(name)
        if isinstance(path, Fault):
            document.faults.append(path)
        elif path in taken:
            wrong = f"the same key as {taken[path]}: set one of them"
            document.faults.append(Fault(Place(variable=name), path, wrong=wrong))
        else:
            taken[path] = name
            _set(document, name, path, environ[name])


def _path(name: str) -> KeyPath | Fault:
    """Return the path of the key that a variable sets, or a fault if there is none."""
    path, rest = _follow(name[len(PREFIX) :].split(_PART))
    return _unknown(name, path, rest) if rest else path


def _follow(parts: list[str], path: KeyPath = ()) -> tuple[KeyPath, list[str]]:
    """Resolve ``parts`` as keys below ``path``; return the path reached and the remaining parts."""
    for number, part in enumerate(parts):
        node = schema.at("bridge", path) or {}
        known = schema.keys("bridge", node)
        step = next((key for key in known if key.casefold() == part.casefold()), None)
        if step is None and part and not known and schema.is_open(node):
            step = part
        if step is None:
            return path, parts[number:]
        path = (*path, step)
    return path, []


def _unknown(name: str, path: KeyPath, rest: list[str]) -> Fault:
    known = schema.keys("bridge", schema.at("bridge", path) or {})
    if close := suggest(rest[0], known):
        meant, _ = _follow(rest[1:], (*path, close))
    else:
        meant = _anywhere(name)
    return Fault(
        Place(variable=printable(name)),
        found="a variable that sets no key",
        allowed=", ".join(variable((*path, key)) for key in known) or f"{variable(path)} itself",
        meant=variable(meant) if meant else "",
    )


def _anywhere(name: str) -> KeyPath:
    """Return the key whose variable resembles ``name``, for example without its section."""
    words = name[len(PREFIX) :].upper()
    variables = {variable(each).removeprefix(PREFIX): each for each in schema.paths("bridge")}
    for known, path in variables.items():
        if known.split(_PART)[-1] == words.split(_PART)[-1]:
            return path
    return variables.get(suggest(words, variables), ())


def _set(document: Document, name: str, path: KeyPath, text: str) -> None:
    place = Place(variable=name)
    below = Document("")
    node = schema.at("bridge", path)
    if node is not None and schema.is_mapping(node):
        if _is_json(text):
            compose(text, below, place)  # JSON is YAML; numbers keep their text
        if not isinstance(below.value, dict):
            example = variable((*path, next(iter(schema.keys("bridge", node)), "291")))
            allowed = f'JSON: {{"key": "value"}}, or a variable for each key, as {example}'
            found = "text that is no JSON mapping"
            document.faults.append(Fault(place, path, found=found, allowed=allowed))
            return
        found_below = (*below.faults, *below.repeated)
        document.faults += [replace(each, path=(*path, *each.path)) for each in found_below]
    else:
        below.value = text
    if not _make_room(document, path, place):
        return  # the file has no mapping there, which is reported as a fault of its own
    document.forget(path)
    document.put(path, below.value)
    document.values[path] = document.keys[path] = place
    document.texts.update({(*path, *each): said for each, said in below.texts.items()})


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _make_room(document: Document, path: KeyPath, place: Place) -> bool:
    """Create the missing parents of ``path``; return whether every parent is a mapping."""
    if document.value is None:
        document.value = {}
    here = document.value
    for end, step in enumerate(path[:-1], 1):
        if not isinstance(here, dict):
            return False
        if here.get(step) is None:
            here[step] = {}
            document.values[path[:end]] = document.keys[path[:end]] = place
        here = here[step]
    return isinstance(here, dict)
