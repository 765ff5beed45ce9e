"""Read the YAML files of a Rasa project, and change entries of one without reformatting it.

The files belong to somebody else: comments, order and style stay as they are. Only text is
returned; the caller decides what becomes of it.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from bridge.config.syntax import explain
from bridge.errors import ConfigurationError

Entries: TypeAlias = Sequence[str]  # each in block style: a list's item, or ``key: value``

_MARK = "\ufeff"  # of the byte order
_LISTS = {"intents", "actions"}  # of a domain; all other sections are mappings
_NEXT = re.compile(r"[ \t]*\r?\n|#.*\n")  # a blank line, or a comment that is not indented


def read_mapping(path: Path) -> Mapping[str, Any] | None:
    """Return the mapping in a file, which may be empty; None if the file does not exist.

    Raises:
        ConfigurationError: it cannot be read, or contains no mapping.
    """
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
        value = _load(text)
    except MarkedYAMLError as error:
        line, column, said, allowed = explain(error, text)
        fault = f"{path}:{line}:{column}: {said}" + (f", expected {allowed}" if allowed else "")
        raise ConfigurationError([fault]) from None
    except (OSError, UnicodeDecodeError, YAMLError, ValueError, RecursionError):
        raise ConfigurationError([f"{path}: the file cannot be read as YAML"]) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigurationError([f"{path}: the file is not a mapping of keys to values"])
    return value


def insert(text: str, additions: Mapping[str, Entries]) -> str | None:
    """Add entries at the end of top-level sections; return the new text of the file.

    A missing section is added at the end of the file. Everything else stays as it is.

    Returns:
        None if the file's style does not allow it; the result is checked by reading it again.
    """
    if text.startswith(_MARK):
        return None
    try:
        wanted = _load(text) or {}
        for section, entries in additions.items():
            wanted = _merged(wanted, section, entries)
            text = _with_section(text, section, entries)
        return text if _load(text) == wanted else None
    except (YAMLError, ValueError, TypeError, RecursionError):
        return None


def remove(text: str, section: str, key: str) -> str | None:
    """Remove a key of a top-level section. Everything else stays as it is.

    Returns:
        None if the file's style does not allow it; the result is checked by reading it again.
    """
    try:
        wanted = copy.deepcopy(_load(text))
        del wanted[section][key]
        found = _section(YAML().compose(text), section)
        text = _without(text, found[1], key) if found else text
        left = _load(text)
        left[section] = left[section] or {}  # a section without a value
    except (YAMLError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return text if left == wanted else None


def _without(text: str, mapping: Node, key: str) -> str:
    """Return the text without a key of a mapping, and without the key's own comment."""
    if not isinstance(mapping, MappingNode):
        raise TypeError(key)
    names = [each.value for each, _ in mapping.value]
    place = names.index(key)
    first, value = mapping.value[place]
    if mapping.flow_style:
        if place + 1 < len(names):
            return (
                text[: first.start_mark.index]
                + text[mapping.value[place + 1][0].start_mark.index :]
            )
        begin = mapping.value[place - 1][1].end_mark.index if place else first.start_mark.index
        return text[:begin] + text[value.end_mark.index :]
    lines = text.splitlines(keepends=True)
    if (
        "".join(lines[: first.start_mark.line])
        != text[: first.start_mark.index - first.start_mark.column]
    ):
        raise ValueError(key)  # a line end that YAML does not count
    return "".join(lines[: first.start_mark.line] + lines[value.end_mark.line + 1 :])


def _load(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def _merged(value: Mapping[str, Any], section: str, entries: Entries) -> dict[str, Any]:
    merged = copy.deepcopy(dict(value))
    added = [_load(entry) for entry in entries]
    known = merged.get(section)
    if isinstance(known, list):
        merged[section] = known + added
    elif isinstance(known, dict) and all(isinstance(each, dict) for each in added):
        merged[section] = {**known, **{key: item for each in added for key, item in each.items()}}
    elif known is None:
        block = _load("\n".join(section_lines(section, entries)))
        merged.update(block)
    else:
        raise TypeError(section)
    return merged


def section_lines(section: str, entries: Entries) -> list[str]:
    """Return the lines of a section with its entries, in block style."""
    return [f"{section}:", *_indented(entries, "  ", as_list=section in _LISTS)]


def _indented(entries: Entries, indent: str, *, as_list: bool) -> Iterator[str]:
    first, others = (f"{indent}- ", f"{indent}  ") if as_list else (indent, indent)
    for entry in entries:
        for number, line in enumerate(entry.splitlines()):
            yield f"{others if number else first}{line}"


def _with_section(text: str, section: str, entries: Entries) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    root = YAML().compose(text)
    if text and not text.endswith("\n"):
        text += end
    found = _section(root, section)
    if found is None:
        gap = end if text.strip() else ""
        return text + gap + end.join([*section_lines(section, entries), ""])
    key, node = found
    if isinstance(node, CollectionNode) and node.value:
        if node.flow_style:
            return _in_flow(text, node, ", " + ", ".join(_in_braces(node, entries)))
        return _in_block(text, node, entries, end)
    if isinstance(node, CollectionNode):  # [] or {}
        return _in_flow(text, node, ", ".join(_in_braces(node, entries)))
    stop = text.index("\n", key.end_mark.index) + 1  # a section without a value
    return text[:stop] + end.join([*section_lines(section, entries)[1:], ""]) + text[stop:]


def _section(root: Node | None, section: str) -> tuple[Node, Node] | None:
    """Return the key and the value of a section."""
    if root is None:
        return None
    if not isinstance(root, MappingNode) or root.flow_style:
        raise TypeError(section)
    for key, value in root.value:
        if isinstance(key, ScalarNode) and key.value == section:
            return key, value
    return None


def _in_braces(node: Node, entries: Entries) -> list[str]:
    """Return entries as they are written inside brackets or braces."""
    found = [json.dumps(_load(entry), ensure_ascii=False) for entry in entries]  # JSON is YAML
    return found if isinstance(node, SequenceNode) else [each[1:-1] for each in found]


def _in_flow(text: str, node: Node, added: str) -> str:
    place = node.end_mark.index - 1  # before the bracket
    return text[:place].rstrip() + added + text[place:]


def _in_block(text: str, node: Node, entries: Entries, end: str) -> str:
    indent = " " * node.start_mark.column
    stop = node.end_mark.index if node.end_mark.column == 0 else len(text)
    lines = text[:stop].splitlines(keepends=True)
    kept = len(lines)
    while kept and _NEXT.fullmatch(lines[kept - 1]):
        kept -= 1  # blank lines and comments belong to what follows
    added = [
        line + end for line in _indented(entries, indent, as_list=isinstance(node, SequenceNode))
    ]
    return "".join([*lines[:kept], *added, *lines[kept:]]) + text[stop:]
