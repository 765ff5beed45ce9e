"""Read a YAML file into plain values with their line numbers; limited in size, without tags.

YAML 1.2 is used, in which ``no`` and ``off`` are text. Scalars keep their original text, for
fields where a number was meant as text (``phone: 007``). File contents are never printed, and this
module has no knowledge of the keys that a file may have.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, ReusedAnchorWarning, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from bridge.config.faults import Fault, KeyPath, Place, printable
from bridge.config.surrogates import join
from bridge.config.syntax import explain


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits on one file."""

    largest: int = 1_000_000  # bytes
    nodes: int = 20_000  # an alias counts at each use, which stops "billion laughs" documents
    deepest: int = 40


OURS = Limits()  # of our own files

_CORE = "tag:yaml.org,2002:"
_MERGE = "tag:yaml.org,2002:merge"
_KNOWN = {"null", "bool", "int", "float", "str", "timestamp", "map", "seq", "value", "merge"}
_YAML = 'write "key: value" lines, and lists of "- item"'
_NOT_UTF8 = "UTF-8; save the file in that encoding"


@dataclass
class Document:
    """A file being read: its values and the place of each."""

    file: str
    exists: bool = True
    value: Any = None
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    texts: dict[KeyPath, str] = field(default_factory=dict)  # the original text of numbers
    sources: dict[KeyPath, str] = field(default_factory=dict)  # the original text with ${NAME}
    quoted: set[KeyPath] = field(default_factory=set)  # of the texts with ${, those in quotes
    faults: list[Fault] = field(default_factory=list)
    repeated: list[Fault] = field(default_factory=list)  # keys that a mapping has twice

    def place(self, path: KeyPath, *, key: bool = False) -> Place:
        """Return the place of ``path``, or of its nearest ancestor that has a place."""
        for end in range(len(path), -1, -1):
            here = path[:end]
            first, second = (self.keys, self.values) if key else (self.values, self.keys)
            if place := first.get(here) or second.get(here):
                return place
            key = True
        return Place(self.file)

    def get(self, path: KeyPath) -> Any:
        """Return the value of ``path``, or None if there is none."""
        value = self.value
        try:
            for step in path:
                value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
        return value

    def put(self, path: KeyPath, value: Any) -> None:
        """Set the value of ``path``; its parents must exist."""
        if path:
            self.get(path[:-1])[path[-1]] = value
        else:
            self.value = value

    def rename(self, key: str, name: str) -> None:
        """Rename a key at the top, with all that is known of what is below it."""
        self.value[name] = self.value.pop(key)

        def moved(path: KeyPath) -> KeyPath:
            return (name, *path[1:]) if path[:1] == (key,) else path

        self.keys = {moved(path): place for path, place in self.keys.items()}
        self.values = {moved(path): place for path, place in self.values.items()}
        self.texts = {moved(path): text for path, text in self.texts.items()}
        self.sources = {moved(path): text for path, text in self.sources.items()}
        self.quoted = {moved(path) for path in self.quoted}

    def forget(self, path: KeyPath) -> None:
        """Remove the places and original texts of ``path`` and all below it, but not the values."""
        for table in (self.keys, self.values, self.texts, self.sources):
            for known in [each for each in table if each[: len(path)] == path]:
                del table[known]

    def scalars(self) -> Iterator[tuple[KeyPath, Any]]:
        """Yield every scalar with its path."""
        yield from _scalars(self.value, ())


def _scalars(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _scalars(below, (*path, key))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _scalars(below, (*path, number))
    else:
        yield path, value


def read(path: Path) -> Document | None:
    """Read one of our files; return None if it does not exist.

    All faults, also keys that are there twice, are in the document's ``faults``.
    """
    document = read_file(path, str(path))
    if document is not None:
        document.faults += document.repeated
    return document


def read_file(path: Path, name: str, limits: Limits = OURS) -> Document | None:
    """Read a file (``name`` in messages); return None if it does not exist."""
    document = Document(name)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        if not path.is_symlink():
            return None
        document.faults.append(
            Fault(
                Place(document.file),
                wrong="the link leads nowhere",
                hint="create the file that it leads to, or remove the link",
            )
        )
        return document
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        hint = "it must be a file that this user may read"
        fault = Fault(Place(document.file), wrong=f"not readable: {reason}", hint=hint)
        document.faults.append(fault)
        return document
    text = decode(raw, document, limits)
    if text is not None:
        compose(text, document, limits=limits)
    return document


def decode(raw: bytes, document: Document, limits: Limits = OURS) -> str | None:
    """Decode the text of a file; return None and add a fault if that fails."""
    if len(raw) > limits.largest:
        found, allowed = f"{len(raw):,} bytes", f"at most {limits.largest:,} bytes"
        document.faults.append(Fault(Place(document.file), found=found, allowed=allowed))
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        found = f"a byte that is not UTF-8 (0x{raw[error.start]:02x})"
        place = Place(document.file, line, column)
        document.faults.append(Fault(place, found=found, allowed=_NOT_UTF8))
        return None


def compose(
    text: str, document: Document, origin: Place | None = None, limits: Limits = OURS
) -> None:
    """Fill ``document`` from YAML.

    Args:
        text: the YAML.
        document: is filled; faults are added to it.
        origin: the place of everything, where ``text`` is not the file's.
        limits: the limits on values and levels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ReusedAnchorWarning)
            top = YAML(typ="safe", pure=True).compose(text)
        if top is not None:
            document.value = _Walk(document, origin, limits).value(top, ())
    except MarkedYAMLError as error:
        line, column, found, allowed = explain(error, text)
        place = origin or Place(document.file, line, column)
        document.faults.append(Fault(place, found=found, allowed=allowed))
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        place = origin or Place(document.file, line, column)
        found = f"a control character (0x{ord(text[error.position]):02x})"
        document.faults.append(Fault(place, found=found, allowed="text without control characters"))
    except (RecursionError, _TooMuch):
        most = f"{limits.nodes:,} values, {limits.deepest} levels"
        wrong = f"too much in it, or too deep: at most {most}"
        document.faults.append(
            Fault(origin or Place(document.file), wrong=wrong, hint="split or shorten it")
        )
    except (YAMLError, ValueError):
        document.faults.append(Fault(origin or Place(document.file), wrong="not YAML", hint=_YAML))


class _TooMuch(Exception):  # noqa: N818 - never leaves this module
    """The document exceeds the limit on nodes or levels."""


class _Walk:
    """Converts nodes to values and records their places."""

    def __init__(self, document: Document, origin: Place | None, limits: Limits) -> None:
        self._document = document
        self._origin = origin
        self._limits = limits
        self._nodes = 0

    def _place(self, node: Node) -> Place:
        mark = node.start_mark
        return self._origin or Place(self._document.file, mark.line + 1, mark.column + 1)

    def value(self, node: Node, path: KeyPath) -> Any:
        """Return the value of the node at ``path``."""
        self._nodes += 1
        if self._nodes > self._limits.nodes or len(path) > self._limits.deepest:
            raise _TooMuch
        self._document.values[path] = place = self._place(node)
        if str(node.tag).removeprefix(_CORE) not in _KNOWN:
            allowed = "no tags; text that begins with ! goes in quotes"
            fault = Fault(place, path, found="a YAML tag (!name)", allowed=allowed)
            self._document.faults.append(fault)
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(each, (*path, number)) for number, each in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: Node, path: KeyPath) -> Any:
        value = scalar(str(node.tag).removeprefix(_CORE), node.value)
        if value is not None and not isinstance(value, str | bool):
            self._document.texts[path] = node.value
        if isinstance(node, ScalarNode) and node.style and "${" in node.value:
            self._document.quoted.add(path)
        return value

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[Node] = []
        for key, below in node.value:
            if str(key.tag) == _MERGE:
                merged += below.value if isinstance(below, SequenceNode) else [below]
            elif not isinstance(key, ScalarNode):
                allowed = 'one word as the key; text with { or [ in quotes: "{{ name }}"'
                found = "brackets or braces as a key"
                fault = Fault(self._place(key), path, found=found, allowed=allowed)
                self._document.faults.append(fault)
            elif key.value in result:
                self._twice(key, (*path, key.value))
            else:
                here = (*path, key.value)
                self._document.keys[here] = self._place(key)
                result[key.value] = self.value(below, here)
        for each in merged:
            self._merge(each, path, result)
        return result

    def _merge(self, node: Node, path: KeyPath, result: dict[str, Any]) -> None:
        """Merge ``<<: *anchor``: add the anchor's keys that the mapping does not have itself."""
        if not isinstance(node, MappingNode):
            fault = Fault(
                self._place(node),
                path,
                found="<< with a value that is no mapping",
                allowed="<< with the alias (*name) of a mapping, or a list of them",
            )
            self._document.faults.append(fault)
            return
        if len(path) >= self._limits.deepest:
            raise _TooMuch
        for key, below in node.value:
            if isinstance(key, ScalarNode) and key.value not in result:
                here = (*path, key.value)
                self._document.keys[here] = self._place(key)
                result[key.value] = self.value(below, here)

    def _twice(self, key: ScalarNode, path: KeyPath) -> None:
        first = self._document.keys[path]
        where = f"it is already on line {first.line}" if first.line else "it was there before"
        found = f"the key {printable(key.value)} a second time; {where}"
        fault = Fault(
            self._place(key),
            path,
            found=found,
            allowed="each key once",
            hint="remove one of the two, or merge them",
        )
        self._document.repeated.append(fault)


def scalar(tag: str, text: str) -> Any:
    """Convert a scalar by its tag; return its text if it cannot be parsed as a number."""
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() in ("true", "yes", "on", "y")
    number = text.replace("_", "").lower()
    try:
        if tag == "int" and len(number) < 64:  # noqa: PLR2004 - int() slows down with length
            return int(number, 0 if re.match(r"[-+]?0[box]", number) else 10)
        if tag == "float":
            return float(number.replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        pass
    return join(text)


def read_yaml(path: Path) -> Any:
    """Read the values of another program's YAML file.

    Raises:
        OSError, YAMLError: the file cannot be read.
    """
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
