"""Whatever a project's files contain, validation has findings and no exception."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.config import read_yaml
from tests.validation.test_faults import PROJECTS, found

ODD: tuple[Any, ...] = (None, 5, "x", [], {}, [None], {"a": None})
DEEPEST = 6
FILES = [
    ("classic", "config/handoff.yml"),
    ("classic", "domain.yml"),
    ("classic", "data/rules.yml"),
    ("calm", "data/flows/banking.yml"),
    ("silent", "config/media.yml"),
]


def replaced(value: Any, depth: int, odd: Any) -> Any:
    """The value with everything at a depth replaced."""
    if depth == 0:
        return copy.deepcopy(odd)
    if isinstance(value, dict):
        return {key: replaced(below, depth - 1, odd) for key, below in value.items()}
    if isinstance(value, list):
        return [replaced(below, depth - 1, odd) for below in value]
    return value


def odd_files(path: Path) -> Iterator[str]:
    """A file's contents, each time with another depth of it replaced."""
    value = read_yaml(path)
    for depth in range(DEEPEST):
        for odd in ODD:
            yield json.dumps(replaced(value, depth, odd))


@pytest.mark.parametrize(("project", "file"), FILES)
def test_odd_values_are_findings(project: str, file: str, tmp_path: Path) -> None:
    shutil.copytree(PROJECTS / project, tmp_path, dirs_exist_ok=True)
    for content in odd_files(PROJECTS / project / file):
        (tmp_path / file).write_text(content, encoding="utf-8")
        for fault in found(tmp_path):
            assert fault.cure, fault
            assert str(fault)
