"""Validate a document against its model and convert pydantic's errors into our faults.

A fault states its place in the file and uses our wording instead of pydantic's.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.config import schema
from bridge.config.environment import variable
from bridge.config.expansion import names
from bridge.config.faults import Fault, KeyPath, kind, printable, shown, spell, suggest
from bridge.config.source import Document
from bridge.config.values import CONFLICT, UNKNOWN_NAME

Model = TypeVar("Model", bound=BaseModel)

_KEY = "[key]"  # pydantic's mark for an error of the key, not of its value
_CONTAINERS = {"array", "object"}
_MAPPING_ERRORS = ("model_type", "model_attributes_type", "dict_type", "mapping_type")
_ABSENT = ("missing", CONFLICT)  # errors of a key that may not be there
_OWN_WORDS = ("value_error", "assertion_error", UNKNOWN_NAME)
_ABSENT_KEY = "nothing: the key is missing"
_MENDINGS = 2  # the most rounds, because mending may uncover further errors


def check(
    document: Document, model: type[Model], which: schema.Which
) -> tuple[Model | None, list[Fault]]:
    """Return the settings of a file, or all their faults; ``document`` may be mended."""
    if document.value is None:
        document.value = {}
    errors: list[ErrorDetails] = []
    for _ in range(_MENDINGS + 1):
        try:
            return model.model_validate(document.value), []
        except ValidationError as error:
            errors = error.errors(include_url=False)
        if not _mend(document, errors):
            break
    # A value that could not be read or expanded needs no second fault for its type.
    unread = {fault.path for fault in document.faults if fault.place == document.place(fault.path)}
    faults: dict[tuple[KeyPath, str], Fault] = {}
    for path, details in _meant(document, errors):
        if path not in unread:
            faults.setdefault((path, details["type"]), _fault(document, details, path, which))
    return None, list(faults.values())


def _meant(document: Document, errors: list[ErrorDetails]) -> list[tuple[KeyPath, ErrorDetails]]:
    """Return the errors with their paths, without those that another error explains.

    Where a name or a mapping may stand, a fault within the mapping also fails as a name. A list
    is too short if its only item is wrong.
    """
    located = [(locate(document.value, error), error) for error in errors]
    within = {
        path[:end] for path, error in located for end in range(len(path) + (not _of_type(error)))
    }
    return [(path, error) for path, error in located if not (_of_type(error) and path in within)]


def _of_type(error: ErrorDetails) -> bool:
    return error["type"].endswith("_type") or error["type"] == "too_short"


def _mend(document: Document, errors: list[ErrorDetails]) -> bool:
    """Replace numbers with their text where text is wanted, and remove empty sections.

    Returns:
        Whether anything was changed.
    """
    mended = False
    for error in errors:
        path = locate(document.value, error)
        if error["type"] == "string_type" and path in document.texts:
            document.put(path, document.texts[path])
            mended = True
        elif error["type"] in _MAPPING_ERRORS and error["input"] is None and path:
            parent = document.get(path[:-1])
            if isinstance(parent, dict) and parent.pop(path[-1], 0) is None:
                mended = True
    return mended


def locate(value: Any, error: ErrorDetails) -> KeyPath:
    """Convert pydantic's ``loc`` to a path in the file, without the steps internal to pydantic."""
    path: list[int | str] = []
    loc = error["loc"]
    for number, step in enumerate(loc):
        if step in _steps(value):
            value = value[step]
        elif number < len(loc) - 1 or error["type"] not in _ABSENT or not isinstance(value, dict):
            continue  # the name of a validator or of a member of a union
        path.append(step)
    return tuple(path)


def _steps(value: Any) -> Container[Any]:
    """Return the keys of a mapping or the indexes of a list."""
    if isinstance(value, list):
        return range(len(value))
    return value if isinstance(value, dict) else ()


def _fault(document: Document, error: ErrorDetails, path: KeyPath, which: schema.Which) -> Fault:
    of_key = error["loc"][-1:] == (_KEY,)
    if error["type"] == "extra_forbidden":
        return _unknown_key(document, path, which)
    if error["type"] == CONFLICT:
        return _conflict(document, error, path, which)
    node = schema.at(which, path[:-1] if of_key else path)
    if of_key:
        return _wrong_key(document, error, path, node, which)
    if error["type"] == "missing":
        return _missing(document, path, node, which)
    value = error["input"]
    options = [str(option) for option in (node or {}).get("enum", ())]
    meant = suggest(value, options) if isinstance(value, str) else ""
    meant = error.get("ctx", {}).get("meant", meant)
    if path in document.sources:
        meant = ""  # it would show a part of the variable
    return Fault(
        document.place(path),
        path,
        found=found_at(document, path, value, which),
        allowed=_allowed(error, node),
        meant=meant,
    )


def _conflict(document: Document, error: ErrorDetails, path: KeyPath, which: schema.Which) -> Fault:
    said = error.get("ctx", {})
    parent = document.get(path[:-1])
    if said["found"]:
        found = said["found"]
    elif path and isinstance(parent, dict) and path[-1] not in parent:
        found = _ABSENT_KEY
    else:
        found = found_at(document, path, document.get(path), which)
    return Fault(
        document.place(path, key=True),
        path,
        found=found,
        allowed=said["allowed"],
        meant=said["meant"],
        hint=said["hint"],
    )


def _missing(
    document: Document, path: KeyPath, node: schema.Node | None, which: schema.Which
) -> Fault:
    allowed = schema.describe(node or {})
    if which == "bridge":
        allowed += f"; or the variable {variable(path)}"
    return Fault(
        document.place(path, key=True),
        path,
        found=_ABSENT_KEY if document.exists else "nothing: there is no such file",
        allowed=allowed,
        hint=f"add the key {path[-1]}" if document.exists else f"create {document.file}",
    )


def _wrong_key(
    document: Document,
    error: ErrorDetails,
    path: KeyPath,
    node: schema.Node | None,
    which: schema.Which,
) -> Fault:
    word = str(path[-1]) if path else ""
    options = schema.keys(which, node or {})
    return Fault(
        document.place(path, key=True),
        path,
        found=f"the key {printable(word)}",
        allowed=", ".join(options) or _allowed(error, None),
        meant=error.get("ctx", {}).get("meant") or suggest(word, options),
    )


def _unknown_key(document: Document, path: KeyPath, which: schema.Which) -> Fault:
    word = str(path[-1])
    options = schema.keys(which, schema.at(which, path[:-1]) or {})
    meant = suggest(word, options) or _elsewhere(word, which)
    return Fault(
        document.place(path, key=True),
        path,
        found="a key that is not known here",
        allowed=", ".join(options),
        meant=meant,
        hint="" if meant else "remove the key, or rename it",
    )


def _elsewhere(word: str, which: schema.Which) -> str:
    """Return the path where a key of that name belongs, in this file or another, or ``""``."""
    for other in (which, *(each for each in schema.MODELS if each != which)):
        for path in schema.paths(other):
            if path[-1] == word:
                return spell(path) + ("" if other == which else f" in {other}.yml")
    for other in schema.MODELS:
        if close := suggest(word, schema.keys(other, schema.at(other, ()) or {})):
            return f"{close} in {other}.yml"
    return ""


def found_at(document: Document, path: KeyPath, value: Any, which: schema.Which) -> str:
    """Describe the value at ``path`` for a fault, without revealing secrets."""
    if path in document.sources:
        return f"what {names(document.sources[path])} came to, which is not shown here"
    node = schema.at(which, path) or {}
    if which == "bridge" and node.get("type") in _CONTAINERS:
        return kind(value)  # a misplaced secret, where a mapping is wanted
    return shown(value, path, document.texts.get(path))


def _allowed(error: ErrorDetails, node: schema.Node | None) -> str:
    if error["type"] in _OWN_WORDS:
        return error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if node is None:
        return error["msg"].removeprefix("Input should be ")
    if error["type"] == "string_too_short":
        return "text that is not empty"
    return schema.describe(node)
