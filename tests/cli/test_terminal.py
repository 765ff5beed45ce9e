"""What all commands share at a terminal and in a pipe."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bridge.cli import app
from tests.cli.running import at_terminal, within

FIXTURES = Path(__file__).parents[1] / "fixtures"
COMMANDS = (
    ("explain", "tracker.json"),
    ("preview", "utter_price", "--domain", "domain.yml"),
    ("validate", "--domain", "domain.yml", "--rules", "data"),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A configuration with a fault, and a saved conversation."""
    shutil.copytree(FIXTURES / "validate" / "projects" / "classic", tmp_path, dirs_exist_ok=True)
    shutil.copy(FIXTURES / "explain" / "tracker.json", tmp_path)
    return tmp_path


def broken(project: Path) -> None:
    (project / "config" / "handoff.yml").write_text("handoff: {when: [{intent: nobody}]}\n")


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("arguments", [*COMMANDS, ("store", "copy", "--help"), ("outbox", "--no")])
def test_without_colours_no_styles_are_sent(
    project: Path, arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    if arguments[0] == "validate":
        broken(project)
    plain = at_terminal(project, *arguments, environ=environ)
    assert "\x1b" not in plain.sent
    styled = at_terminal(project, *arguments)
    assert "\x1b[" in styled.sent
    assert styled.out == plain.out


@pytest.mark.parametrize("arguments", [*COMMANDS, ("explain", "--diagram")])
def test_a_pipe_gets_no_trailing_blanks(project: Path, arguments: tuple[str, ...]) -> None:
    ran = within(project, *arguments)
    assert ran.out
    assert not re.search(r" $", ran.out, re.MULTILINE)


def test_the_help_breaks_its_lines_at_the_width_alone() -> None:
    group: Any = get_command(app)
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        for each in (command, *getattr(command, "commands", {}).values()):
            for paragraph in (each.help or "").split("\n\n"):
                assert "\n" not in paragraph, name
    said = re.sub(r" *\n *", "|", within(Path.cwd(), "store", "copy", "--help", COLUMNS="80").out)
    assert "Stop|the server first." in said
