"""What pyproject.toml declares: the pages say the same, and the wheel holds what it needs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DEPENDENCIES = {
    canonicalize_name(each.name): each for each in map(Requirement, PROJECT["dependencies"])
}
PYTHONS = SpecifierSet(PROJECT["requires-python"])
PAGES = ("README.md", "docs/deployer.md")
# Installed with one that is declared, which pins its version or works without it.
BROUGHT = {"pydantic-core", "ujson", "uvloop", "psycopg"}


def listed(series: str, first: int, last: int) -> str:
    """Every release of a series as a page lists them: 3.10, 3.11 or 3.12."""
    *others, newest = [f"{series}.{minor}" for minor in range(first, last + 1)]
    return f"{', '.join(others)} or {newest}" if others else newest


def span(specifiers: SpecifierSet) -> tuple[int, int]:
    """The first and the last minor release of ``>=3.A,<3.B``."""
    bounds = {each.operator: int(each.version.split(".")[1]) for each in specifiers}
    return bounds[">="], bounds["<"] - 1


@pytest.mark.parametrize("page", PAGES)
def test_the_page_says_which_versions_are_supported(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.findall(r"needs? Python ([\d., or]+\d)", text)[:1] == [listed("3", *span(PYTHONS))]
    sdks = listed("3", *span(DEPENDENCIES[canonicalize_name("rasa-sdk")].specifier))
    assert re.findall(r"rasa-sdk ((?:\d|, | or |\.(?=\d))+)", text)[:1] == [sdks]


def test_the_classifiers_name_the_interpreters_of_requires_python() -> None:
    first, last = span(PYTHONS)
    named = re.findall(r"Python :: 3\.(\d+)", "\n".join(PROJECT["classifiers"]))
    assert [int(minor) for minor in named] == list(range(first, last + 1))


def test_the_constraints_are_within_the_bounds() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    for pinned in map(Requirement, lines):
        declared = DEPENDENCIES.get(canonicalize_name(pinned.name))
        if declared is not None:
            (pin,) = pinned.specifier
            assert declared.specifier.contains(pin.version), pinned


@pytest.mark.parametrize("each", DEPENDENCIES.values(), ids=str)
def test_a_dependency_has_a_lower_bound(each: Requirement) -> None:
    assert any(bound.operator == ">=" for bound in each.specifier)


def imported() -> Iterator[str]:
    """The distributions of which the program imports a module."""
    distributions = packages_distributions()
    for file in (*(ROOT / "bridge").rglob("*.py"), *(ROOT / "actions").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in {"bridge", "actions"}:
                    yield from map(canonicalize_name, distributions.get(top, [top])[:1])


def test_what_is_imported_is_declared() -> None:
    assert set(imported()) - BROUGHT <= DEPENDENCIES.keys()


def test_the_wheel_holds_the_licence_and_the_defaults(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        (licence,) = (name for name in names if name.endswith(".dist-info/licenses/LICENSE"))
        assert opened.read(licence) == (ROOT / "LICENSE").read_bytes()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        assert "\nLicense-Expression: Apache-2.0\n" in opened.read(metadata).decode()
    assert {"bridge/__init__.py", "actions/__init__.py", "bridge/defaults/bridge.yml"} <= {*names}
    assert {
        "bridge/cli/init/templates/bridge.yml",
        "bridge/cli/init/templates/cc_bridge_channel.py.txt",
    } <= {*names}
