"""The JSON Schemas of the files, generated from the models for editors and fault messages.

``python -m bridge.config FOLDER`` writes them; its output is kept in ``config/schema/``.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel

from bridge.config.designers import HandoffSettings
from bridge.config.faults import KeyPath
from bridge.config.media import MediaSettings
from bridge.config.operators import BridgeSettings

Which = Literal["bridge", "handoff", "media"]
Node = Mapping[str, Any]

MODELS: Mapping[Which, type[BaseModel]] = {
    "bridge": BridgeSettings,
    "handoff": HandoffSettings,
    "media": MediaSettings,
}
_WORDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
_REFERRING = ("$ref", "anyOf", "allOf")
_EXPANSION = {"type": "string", "pattern": r"\$\{"}


def schema(which: Which) -> dict[str, Any]:
    """Return the JSON Schema of one file, for editors; it accepts whatever the loader accepts."""
    loose = _loosened(plain(which), expands=which == "bridge")
    loose.pop("title", None)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"{which}.yml of rasa-cc-bridge",
        **loose,
    }


@functools.cache
def plain(which: Which) -> dict[str, Any]:
    """Return the model's own, strict schema; it is cached, so callers must not modify it."""
    return MODELS[which].model_json_schema(by_alias=True)


def _loosened(node: Any, *, expands: bool) -> Any:
    """Accept what the loader does: numbers as text, and ``${NAME}`` anywhere in ``bridge.yml``."""
    if isinstance(node, list):
        return [_loosened(each, expands=expands) for each in node]
    if not isinstance(node, dict):
        return node
    result = {
        _WORDS.get(key, key): _loosened(value, expands=expands)
        for key, value in node.items()
        # `required` is left out, because the environment may set a key that the file lacks
        if key not in ("required", "writeOnly") and not (key == "title" and "type" in node)
    }
    if not isinstance(node.get("type"), str):
        return result
    if result["type"] == "string" and "enum" not in result and "pattern" not in result:
        result["type"] = ["string", "number"]
    elif result["type"] == "object":
        result["type"] = ["object", "null"]
    elif expands and (result["type"] in ("number", "integer", "boolean") or "enum" in result):
        described = {key: result.pop(key) for key in ("description", "default") if key in result}
        return {**described, "anyOf": [result, _EXPANSION]}
    return result


def at(which: Which, path: KeyPath) -> Node | None:
    """Return the schema of one key, or None if there is no such key."""
    node: Node | None = _resolved(which, plain(which))
    for step in path:
        if node is None:
            return None
        node = _below(which, node, step)
    return node


def _below(which: Which, node: Node, step: str | int) -> Node | None:
    for option in (node, *(_resolved(which, each) for each in node.get("anyOf", ()))):
        found: Any = None
        if isinstance(step, int):
            found = option.get("items")
        elif step in option.get("properties", {}):
            found = option["properties"][step]
        elif isinstance(option.get("additionalProperties"), dict):
            found = option["additionalProperties"]
        if isinstance(found, dict):
            return _resolved(which, found)
    return None


def _resolved(which: Which, node: Node) -> Node:
    """Resolve ``$ref``, and remove the null of an optional value."""
    while "$ref" in node or len(_options(node)) == 1:
        if "$ref" in node:
            target = plain(which)["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        else:
            target = _options(node)[0]
        node = {**target, **{k: v for k, v in node.items() if k not in _REFERRING}}
    if options := _options(node):
        return {**node, "anyOf": [_resolved(which, each) for each in options]}
    return node


def _options(node: Node) -> list[Node]:
    either = node.get("anyOf") or node.get("allOf") or ()  # older pydantic: allOf with one $ref
    return [each for each in either if each.get("type") != "null"]


def keys(which: Which, node: Node) -> tuple[str, ...]:
    """Return the keys of a mapping that the schema names."""
    names = _resolved(which, node.get("propertyNames", {}))
    return (*node.get("properties", {}), *names.get("enum", ()))


def is_mapping(node: Node) -> bool:
    """Return whether the key's value is a mapping."""
    return node.get("type") == "object"


def is_open(node: Node) -> bool:
    """Return whether a mapping accepts keys that the schema does not name."""
    return isinstance(node.get("additionalProperties"), dict)


def paths(which: Which, node: Node | None = None, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every key that the schema names, top down."""
    node = at(which, ()) if node is None else node
    for key in (node or {}).get("properties", {}):
        yield (*path, key)
        below = at(which, (*path, key))
        if below is not None and len(path) < 4:  # noqa: PLR2004 - deeper keys are in lists
            yield from paths(which, below, (*path, key))


def describe(node: Node) -> str:
    """Describe the allowed values in words: ``a number from 0 to 45 (seconds; default 2)``."""
    words = _allowed(node)
    about = "" if "properties" in node else node.get("description", "")
    default = node.get("default")
    if isinstance(default, bool) or default in (None, "", [], {}):
        default = json.dumps(default) if isinstance(default, bool) else ""
    elif isinstance(default, float):
        default = f"{default:g}"
    elif isinstance(default, list | dict):
        default = ""
    note = "; ".join(each for each in (about, f"default {default}" if default else "") if each)
    return f"{words} ({note})" if note else words


def _allowed(node: Node) -> str:
    if options := [_allowed(each) for each in _options(node)]:
        return " or ".join(dict.fromkeys(options))
    if "enum" in node:
        return ", ".join(str(each) for each in node["enum"])
    words = _WORDS_OF.get(str(node.get("type")))
    return words(node) if words else "a value"


def _text(node: Node) -> str:
    longest = node.get("maxLength")
    return f"text of at most {longest} characters" if longest else "text"


def _mapping(node: Node) -> str:
    known = ", ".join(node.get("properties", {}))
    return f"a mapping with keys of {known}" if known else "a mapping (key: value)"


def _number(node: Node) -> str:
    noun = "a whole number" if node["type"] == "integer" else "a number"
    said = {_WORDS.get(key, key): value for key, value in node.items()}
    low, high = said.get("minimum"), said.get("maximum")
    above, below = said.get("exclusiveMinimum"), said.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"{noun} from {low:g} to {high:g}"
    bounds = [
        f"of at least {low:g}" if low is not None else "",
        f"above {above:g}" if above is not None else "",
        f"up to {high:g}" if high is not None else "",
        f"below {below:g}" if below is not None else "",
    ]
    return f"{noun} {' and '.join(each for each in bounds if each)}".strip()


_WORDS_OF: Mapping[str, Callable[[Node], str]] = {
    "number": _number,
    "integer": _number,
    "string": _text,
    "object": _mapping,
    "array": lambda _: "a list: [one, two], or a line with - for each",
    "boolean": lambda _: "true or false",
    "null": lambda _: "null",
}


def write(folder: Path) -> None:
    """Write the three schemas to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for which in get_args(Which):
        (folder / f"{which}.json").write_text(spelled(which), encoding="utf-8")


def spelled(which: Which) -> str:
    """Return the text of a schema's file."""
    return json.dumps(schema(which), indent=2, ensure_ascii=False) + "\n"
