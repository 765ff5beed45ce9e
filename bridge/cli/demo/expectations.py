"""Compare the record of a demo run with the expectations in ``expected/``.

Each scene has a YAML file there, and ``whole_run.yml`` covers the record as a whole. A file maps
sentences to the values that the record must contain. An object may have further keys; a list must
have the same length and order. Two kinds of text are patterns:

- ``/pattern/`` is a regular expression for the whole value;
- ``<uuid name>`` is a UUID: one name stands for one UUID in all files, two names for two.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from bridge.cli.demo.faults import DemoError
from bridge.cli.demo.scenes import SCENES
from bridge.cli.peers import JsonObject
from bridge.config import source

FOLDER = Path(__file__).with_name("expected")
WHOLE_RUN = "whole_run"

_PATTERN = re.compile(r"/(.+)/", re.DOTALL)
_NAMED_UUID = re.compile(r"<uuid (.+)>")
_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_NOTHING = object()  # stands for a key that is missing
_LONGEST, _CONTEXT = 70, 20  # characters of a value in a mismatch, and of those before it differs


@dataclass(frozen=True, slots=True)
class Checked:
    """An expectation, how many values were compared for it, and those that differ."""

    sentence: str
    values: int
    mismatches: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Return whether there was something to compare and all of it was as expected."""
        return self.values > 0 and not self.mismatches


def load(folder: Path = FOLDER) -> dict[str, Any]:
    """Read the expectations of every scene and of the whole run; None where a file is missing.

    Raises:
        DemoError: a file is not valid YAML.
    """
    expected = {}
    for name in (*(scene.key for scene in SCENES), WHOLE_RUN):
        document = source.read(folder / f"{name}.yml")
        if document is not None and document.faults:
            raise DemoError(str(document.faults[0]))
        expected[name] = document and document.value
    return expected


def compare(record: JsonObject, expected: Mapping[str, Any]) -> list[Checked]:
    """Compare every expectation with the record.

    Args:
        record: what ``Stage.record`` returns.
        expected: what ``load`` returns.
    """
    comparison = _Comparison()
    checked = []
    for name, sentences in expected.items():
        recorded = record if name == WHOLE_RUN else record.get("scenes", {}).get(name, _NOTHING)
        if not sentences:
            checked.append(Checked(f"{name}.yml has expectations", 0, ("found none",)))
        for sentence, values in (sentences or {}).items():
            results = list(comparison.results(values, recorded, name))
            mismatches = tuple(result for result in results if result)
            checked.append(Checked(sentence, len(results), mismatches))
    return checked


class _Comparison:
    """Compares values; remembers which UUID each name stands for."""

    def __init__(self) -> None:
        self._uuids: dict[str, str] = {}

    def results(self, expected: Any, actual: Any, path: str) -> Iterator[str | None]:
        """Yield one result per value: None if it is as expected, otherwise a sentence."""
        if isinstance(expected, dict) and isinstance(actual, dict) and expected:
            for key, value in expected.items():
                yield from self.results(value, actual.get(key, _NOTHING), f"{path}.{key}")
        elif isinstance(expected, list) and isinstance(actual, list) and expected:
            if len(expected) != len(actual):
                yield f"{path}: expected {_items(expected)}, found {_items(actual)}"
                return
            for number, pair in enumerate(zip(expected, actual, strict=True)):
                yield from self.results(*pair, f"{path}[{number}]")
        else:
            yield None if self._is_expected(expected, actual) else _mismatch(path, expected, actual)

    def _is_expected(self, expected: Any, actual: Any) -> bool:
        if isinstance(expected, str):
            if named := _NAMED_UUID.fullmatch(expected):
                return self._is_uuid(named[1], actual)
            if pattern := _PATTERN.fullmatch(expected):
                text = str(actual) if isinstance(actual, str | int | float) else ""
                return re.fullmatch(pattern[1], text, re.DOTALL) is not None
        return type(expected) is type(actual) and bool(expected == actual)

    def _is_uuid(self, name: str, actual: Any) -> bool:
        if not isinstance(actual, str) or not _UUID.fullmatch(actual):
            return False
        known = self._uuids.setdefault(name, actual)
        return known == actual and list(self._uuids.values()).count(actual) == 1


def _mismatch(path: str, expected: Any, actual: Any) -> str:
    """Describe a mismatch; of long values, show the part where they differ."""
    texts = [_text(expected), _text(actual)]
    same = takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False))
    start = max(len(list(same)) - _CONTEXT, 0)
    wanted, got = (
        f"{'...' if start else ''}{text[start : start + _LONGEST]}"
        f"{'...' if len(text) > start + _LONGEST else ''}"
        for text in texts
    )
    return f"{path}: expected {wanted}, found {got}"


def _text(value: Any) -> str:
    return "nothing" if value is _NOTHING else json.dumps(value, ensure_ascii=False)


def _items(values: list[Any]) -> str:
    return f"{len(values)} item{'' if len(values) == 1 else 's'}"
