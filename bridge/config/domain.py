"""Read Rasa's domain as Rasa does: from one file, or merged from the files of a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from bridge.config.faults import Fault, KeyPath, Place
from bridge.config.misspelt import corrected
from bridge.config.rasa_files import near, no_such, read_files, top_level
from bridge.config.rasa_names import DOMAIN_KEYS
from bridge.config.source import Document
from bridge.errors import ConfigurationError

LISTS = ("intents", "entities", "actions", "e2e_actions")
MAPPINGS = ("slots", "responses", "forms", "session_config")
_WANTED = top_level(*LISTS, *MAPPINGS)


class Entry(NamedTuple):
    """A name that a section of a domain defines, and where."""

    name: str
    value: Any  # what the file says below the name; None for a name in a list
    document: Document
    path: KeyPath

    @property
    def place(self) -> Place:
        """Return the place of the name."""
        return self.document.place(self.path, key=True)


@dataclass(frozen=True)
class Domain:
    """A domain: its merged value, and the files that it comes from.

    The value has Rasa's format: ``intents`` and ``entities`` as lists, ``slots`` and ``responses``
    as mappings. Of names that several files define, the first is kept.
    """

    name: str  # in messages
    files: tuple[Document, ...]
    value: Mapping[str, Any]

    def entries(self, section: str) -> Iterator[Entry]:
        """Yield the names that a section defines, in all files, also if one is there twice."""
        for document in self.files:
            yield from _entries(document, section)

    def names(self, section: str) -> list[str]:
        """Return the names that a section defines."""
        return list(dict.fromkeys(entry.name for entry in self.entries(section)))

    def section(self, section: str) -> tuple[Document, KeyPath]:
        """Return where a section begins, or the first file if none has it."""
        for document in self.files:
            if (section,) in document.keys:
                return document, (section,)
        return (self.files[0] if self.files else Document(self.name)), ()


def load_domain(path: Path | str) -> Mapping[str, Any]:
    """Read a domain file, or merge the domain files of a folder.

    Raises:
        ConfigurationError: the file or folder does not exist, or a file cannot be read as YAML.
    """
    faults: list[Fault] = []
    known = read_domain([(Path(path), str(path))], faults)
    if known is None:
        raise ConfigurationError([str(fault) for fault in faults])
    return known.value


def read_domain(starts: Iterable[tuple[Path, str]], faults: list[Fault]) -> Domain | None:
    """Read the domain of files and folders, each with its name in messages.

    Returns:
        The domain; None, with the reasons added to ``faults``, if a part of it cannot be read.
    """
    documents: list[Document] = []
    names: list[str] = []
    unread: list[Fault] = []
    for start, name in starts:
        names.append(name)
        found = read_files(start, name, _WANTED)
        if found is None:
            unread.append(no_such(name, "domain", near(start)))
        documents += found or ()
    for document in documents:
        unread += document.faults
        if not document.faults and not isinstance(document.value, dict | None):
            wrong = "a domain is a mapping: intents:, responses: and so on"
            hint = "write each section as a key, without a leading -"
            unread.append(Fault(document.place(()), wrong=wrong, hint=hint))
    faults += unread
    if unread:
        return None
    for document in documents:
        renamed = corrected(document, DOMAIN_KEYS, "a key of a domain")
        faults += (replace(each, stops=False) for each in renamed)  # Rasa refuses or ignores it
    merged = _merge(document.value for document in documents if document.value)
    return Domain(", ".join(names), tuple(documents), merged)


def names_of(part: Any) -> list[str]:
    """Return the names in a domain's mapping or list (of strings or single-key mappings)."""
    return [name for name, _ in _named(part)]


def _named(part: Any) -> Iterator[tuple[str, KeyPath]]:
    if isinstance(part, dict):
        yield from ((str(name), (name,)) for name in part)
    for number, each in enumerate(part if isinstance(part, list) else ()):
        if isinstance(each, dict):
            yield from ((str(name), (number, name)) for name in each)
        else:
            yield str(each), (number,)


def _entries(document: Document, section: str) -> Iterator[Entry]:
    for name, below in _named(document.get((section,))):
        path = (section, *below)
        value = document.get(path) if isinstance(below[-1], str) else None
        yield Entry(name, value, document, path)


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
