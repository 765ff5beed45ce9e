"""Seeded faults: each is found in the right file, line and column, with a cure."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.config import read_yaml
from bridge.config.faults import Fault, spell
from bridge.validation import find_faults, read_project
from bridge.validation.connection import CREDENTIALS, ENDPOINTS

FIXTURES = Path(__file__).parents[1] / "fixtures" / "validate"
PROJECTS = FIXTURES / "projects"


@dataclass(frozen=True)
class Case:
    """A change to a project without faults, and what is to be found."""

    fault: str
    project: str
    change: str  # the file that is changed, or created
    old: str
    new: str
    key: str
    at: str  # the text that the finding's line and column point to
    hint: str
    file: str = ""  # of the finding
    remove: str = ""  # a file
    also: dict[str, str] = field(default_factory=dict)  # further files

    def seed(self, folder: Path) -> None:
        """Write the project with its fault to a folder."""
        shutil.copytree(PROJECTS / self.project, folder, dirs_exist_ok=True)
        path = folder / self.change
        text = path.read_text(encoding="utf-8") if self.old else ""
        assert self.old in text
        path.write_text(text.replace(self.old, self.new) if text else self.new, encoding="utf-8")
        for name, content in self.also.items():
            (folder / name).write_text(content, encoding="utf-8")
        if self.remove:
            (folder / self.remove).unlink()


CASES = [Case(**each) for each in read_yaml(FIXTURES / "faults.yml")]


FORMS = ((), ("domain",), ("domain", "rules"))


def found(folder: Path, named: Sequence[str] = FORMS[-1]) -> tuple[Fault, ...]:
    """Return what is wrong with a project of which these parts are named."""
    domain = folder / "domain" if (folder / "domain").is_dir() else folder / "domain.yml"
    project = read_project(
        folder / "config",
        {},
        domain=[domain] if "domain" in named else [],
        rules=[folder / "data"] if "rules" in named else [],
        endpoints=folder / ENDPOINTS,
        credentials=folder / CREDENTIALS,
        pipeline=folder / "config.yml",
    )
    return find_faults(project)


def pointed_at(fault: Fault) -> str:
    """Return the rest of the file from the place of a fault."""
    place = fault.place
    lines = Path(place.file).read_text(encoding="utf-8").splitlines(keepends=True)
    rest = lines[max(place.line, 1) - 1 :]
    return "".join(rest)[max(place.column, 1) - 1 :]


@pytest.mark.parametrize("named", FORMS)
@pytest.mark.parametrize("project", sorted(path.name for path in PROJECTS.iterdir()))
def test_a_project_without_faults_has_no_finding(project: str, named: tuple[str, ...]) -> None:
    assert found(PROJECTS / project, named) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rasa: {", "rasa: {replies: silnt, "),
        ("rasa: {", "rasa: {replies: customer}\nrasa: {"),
        ("rasa: {", "rasa: {timeout: 90, "),
        ("gateway: {", "delivery: {wait: 60}\ngateway: {"),
        ("gateway: {", "gateway: {authmode: static, "),
        ("gateway: {", "retention: {content: 30days}\ngateway: {"),
        ("channel_config_ids: {WEB: ", "channel_config_ids: {WEBB: "),
        ("assignment: {", "assignment: {metadata: sign, "),
        ("assignment: {secret: ", "assignment: {secret: short} #"),
        ("rasa: {url: ", "rasa: {url: 5, token: "),
        ("api:\n", "api:\n  tokens: {kb: {token: null, may: [suggestion]}}\n"),
    ],
)
def test_a_fault_of_the_operators_brings_no_second_finding(
    tmp_path: Path, old: str, new: str
) -> None:
    shutil.copytree(PROJECTS / "classic", tmp_path, dirs_exist_ok=True)
    path = tmp_path / "config" / "bridge.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    # Nothing in the rules reaches this item: the bridge asks Rasa.
    rules = tmp_path / "data" / "rules.yml"
    changed = rules.read_text(encoding="utf-8").replace("intent: ask_hours", "intent: greet")
    rules.write_text(changed, encoding="utf-8")
    (fault,) = found(tmp_path)
    assert fault.place.file == str(path)


def test_a_misspelt_name_of_a_file_is_the_only_finding(tmp_path: Path) -> None:
    shutil.copytree(PROJECTS / "silent", tmp_path, dirs_exist_ok=True)
    (tmp_path / "config" / "bridge.yml").rename(tmp_path / "config" / "bridge.yaml")
    (fault,) = found(tmp_path)
    assert fault.meant == "bridge.yml"


def test_a_misspelt_slot_of_the_bridge_in_a_condition_is_the_only_finding(tmp_path: Path) -> None:
    shutil.copytree(PROJECTS / "patterns", tmp_path, dirs_exist_ok=True)
    path = tmp_path / "data" / "patterns.yml"
    text = path.read_text(encoding="utf-8").replace(
        "slots.handoff_state is", "slots.handof_state is"
    )
    path.write_text(text, encoding="utf-8")
    (fault,) = found(tmp_path)
    assert fault.meant == "handoff_state"


@pytest.mark.parametrize("section", ["intents", "entities", "slots", "forms", "responses"])
def test_a_misspelt_section_of_the_domain_is_the_only_finding(tmp_path: Path, section: str) -> None:
    shutil.copytree(PROJECTS / "classic", tmp_path, dirs_exist_ok=True)
    path = tmp_path / "domain.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"\n{section}:", f"\n{section[:-1]}:"), encoding="utf-8")
    (fault,) = found(tmp_path)
    assert (fault.path, fault.meant) == ((section[:-1],), section)
    assert pointed_at(fault).startswith(f"{section[:-1]}:")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault)
def test_a_seeded_fault_is_found(case: Case, tmp_path: Path) -> None:
    case.seed(tmp_path)
    faults = found(tmp_path)
    path = str(tmp_path / (case.file or case.change))
    here = [each for each in faults if each.place.file == path and spell(each.path) == case.key]
    assert here, [str(each) for each in faults]
    assert any(pointed_at(each).startswith(case.at) for each in here), [
        (each.title, pointed_at(each)[:30]) for each in here
    ]
    assert any(case.hint.casefold() in each.cure.casefold() for each in here), [
        each.cure for each in here
    ]
    assert all(each.cure for each in faults)


def test_there_are_faults_of_each_kind_of_file() -> None:
    files = {(case.file or case.change).split("/")[0].removesuffix(".yml") for case in CASES}
    assert files >= {"config", "domain", "data"}
    assert len(CASES) > 40
