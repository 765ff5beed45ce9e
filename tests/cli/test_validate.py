"""``cc-bridge validate`` as designers, operators and workflows run it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.running import Ran, at_terminal, piped, within

PROJECTS = Path(__file__).parents[1] / "fixtures" / "validate" / "projects"
NAMED = ("--domain", "domain.yml", "--rules", "data")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project without faults."""
    shutil.copytree(PROJECTS / "classic", tmp_path, dirs_exist_ok=True)
    return tmp_path


def change(project: Path, file: str, old: str, new: str) -> None:
    text = (project / file).read_text(encoding="utf-8")
    assert old in text
    (project / file).write_text(text.replace(old, new), encoding="utf-8")


def misspell(project: Path) -> None:
    """An error in handoff.yml, and one in the rules."""
    change(project, "config/handoff.yml", "intent: human_handoff", "intent: human_handof")
    change(project, "data/rules.yml", "action: utter_greet", "action: utter_gret")


def warn(project: Path) -> None:
    """A warning, and no error."""
    change(project, "domain.yml", "channel: whatsapp", "channel: telephone")


def test_a_good_project_is_said_to_be_good(project: Path) -> None:
    ran = piped(project, "validate", *NAMED)
    assert (ran.code, ran.out, ran.err) == (0, "The configuration is good.\n", "")


def test_each_fault_is_told_on_standard_output_and_the_exit_code_is_1(project: Path) -> None:
    misspell(project)
    ran = within(project, "validate", *NAMED)
    assert ran.code == 1
    assert "error: config/handoff.yml, line 3, column 16: handoff.when[0].intent" in ran.out
    assert "did you mean  human_handoff?" in ran.out
    assert "error: data/rules.yml, line 7, column 17: rules[0].steps[1].action" in ran.out
    assert ran.out.endswith("\n2 errors.\n")


def test_the_configuration_alone_is_checked_without_a_project(project: Path) -> None:
    change(project, "config/bridge.yml", "gateway:", "gatway:")
    ran = within(project, "validate")
    assert ran.code == 1
    assert "did you mean  gateway?" in ran.out
    assert "gateway.url" in ran.out


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--strict"], 1)])
def test_warnings_count_only_if_strict(project: Path, options: list[str], code: int) -> None:
    warn(project)
    ran = within(project, "validate", *NAMED, *options)
    assert ran.code == code
    assert ran.out.startswith("warning: domain.yml, line 67, column 16: ")
    assert ran.out.endswith("\n1 warning.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere",),
        ("--domain", "nowhere.yml"),
        ("--domain", "domain.yml", "--domain", "nowhere.yml"),
        ("--rules", "nowhere"),
        ("--format", "xml"),
    ],
)
def test_what_cannot_run_exits_with_2(project: Path, arguments: tuple[str, ...]) -> None:
    ran = within(project, "validate", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "nowhere" in ran.err or "xml" in ran.err


@pytest.mark.parametrize("asked", [("--json",), ("--format", "json")])
def test_json_has_the_findings(project: Path, asked: tuple[str, ...]) -> None:
    misspell(project)
    ran = within(project, "validate", *NAMED, *asked)
    assert ran.code == 1
    first, second = json.loads(ran.out)["findings"]
    assert first == {
        "file": "config/handoff.yml",
        "line": 3,
        "column": 16,
        "key": "handoff.when[0].intent",
        "found": '"human_handof"',
        "allowed": "an intent of the domain (domain.yml)",
        "hint": "Did you mean human_handoff? Add it to the domain, or name one that the domain"
        " has.",
        "severity": "error",
    }
    assert (second["file"], second["line"]) == ("data/rules.yml", 7)


def test_json_of_a_good_project_has_none(project: Path) -> None:
    assert json.loads(within(project, "validate", *NAMED, "--json").out) == {"findings": []}


def test_json_names_the_variable_that_is_wrong(project: Path) -> None:
    ran = within(project, "validate", "--json", BRIDGE__DELIVERY__WAIT="90")
    (finding,) = json.loads(ran.out)["findings"]
    assert (finding["file"], finding["line"]) == ("", 0)
    assert finding["key"] == "BRIDGE__DELIVERY__WAIT"
    assert "from 0 to 45" in finding["hint"]


def test_github_gets_one_annotation_a_line(project: Path) -> None:
    change(project, "config/handoff.yml", "then: pause", "then: 100%")
    warn(project)
    shutil.move(project / "data/rules.yml", project / "data/a,b:c.yml")
    change(project, "data/a,b:c.yml", "action: utter_greet", "action: utter_gret")
    ran = within(project, "validate", *NAMED, "--format", "github")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("::error file=config/handoff.yml,line=10,col=9::handoff.then: ")
    assert '"100%25"' in lines[0]
    assert lines[1].startswith("::error file=data/a%2Cb%3Ac.yml,line=7,col=17::")
    assert "Did you mean utter_greet?" in lines[1]
    assert lines[2].startswith("::warning file=domain.yml,line=67,col=16::")


def test_several_files_make_one_domain(project: Path) -> None:
    text = (project / "domain.yml").read_text(encoding="utf-8")
    head, responses = text.split("\nresponses:", 1)
    (project / "domain.yml").write_text(head, encoding="utf-8")
    (project / "more.yml").write_text("responses:" + responses, encoding="utf-8")
    both = ("--domain", "domain.yml", "--domain", "more.yml", "--rules", "data")
    assert within(project, "validate", *both).code == 0
    assert within(project, "validate", *NAMED).code == 1


def test_the_domain_of_the_configuration_is_the_default(project: Path) -> None:
    change(project, "config/bridge.yml", "rasa: {", "rasa: {domain: domain.yml, ")
    change(project, "domain.yml", "channel: whatsapp", "channel: whatsap")
    ran = within(project, "validate")
    assert ran.code == 1
    assert "domain.yml, line 67, column 16: responses.utter_greet[1].channel" in ran.out


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_whole_words_in_its_width(project: Path, columns: int) -> None:
    misspell(project)
    warn(project)
    ran: Ran = at_terminal(project, "validate", *NAMED, columns=columns)
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert max(len(line) for line in lines) <= columns
    assert "error config/handoff.yml:3:16 handoff.when[0].intent" in lines
    assert "2 errors, 1 warning." in lines
    said = re.sub(r"\s+", " ", ran.out)
    assert "did you mean human_handoff?" in said
    assert "hint add it to the domain, or name one that the domain has" in said
