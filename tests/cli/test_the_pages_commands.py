"""The commands of the designers' pages run in a project, and print what the pages show."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.store import Store
from tests.cli.answering import answering
from tests.cli.running import within
from tests.making import NOW
from tests.store.people import history

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "tests" / "fixtures" / "validate" / "projects" / "classic"
TRACKER = ROOT / "tests" / "fixtures" / "explain" / "tracker.json"
PAGES = ("validate.md", "designer.md")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in a language."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [body for name, body in BLOCK.findall(text) if name == language]


COMMANDS = sorted(
    {
        line
        for page in PAGES
        for block in blocks(page, "sh")
        for line in block.splitlines()
        if line.startswith("cc-bridge ")
    }
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose domain is a file and a folder, and a database with a conversation."""
    shutil.copytree(PROJECT, tmp_path, dirs_exist_ok=True)
    (tmp_path / "domain").mkdir()
    shutil.copy(PROJECT / "domain.yml", tmp_path / "domain")
    shutil.copy(TRACKER, tmp_path)
    store = Store(f"sqlite:///{tmp_path / 'bridge.db'}")
    history(store, "customer-7", "call-7", "40001", NOW)
    store.close()
    return tmp_path


@pytest.fixture
def rasa() -> Iterator[str]:
    """The address of a Rasa that knows the conversation."""
    with answering({"/conversations/customer-7/tracker": TRACKER.read_bytes()}) as url:
        yield url


def test_the_pages_have_commands() -> None:
    assert {line.split()[1] for line in COMMANDS} >= {"validate", "preview", "explain"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs(project: Path, rasa: str, command: str) -> None:
    _, *arguments = shlex.split(command, comments=True)
    ran = within(project, *arguments, BRIDGE__RASA__URL=rasa)
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize(("language", "options"), [("", ()), ("json", ("--json",))])
def test_the_page_shows_what_validate_prints(
    project: Path, language: str, options: tuple[str, ...]
) -> None:
    handoff = project / "config" / "handoff.yml"
    written = handoff.read_text(encoding="utf-8")
    handoff.write_text(written.replace("human_handoff,", "human_handof,"), encoding="utf-8")
    ran = within(project, "validate", "--domain", "domain.yml", "--rules", "data", *options)
    (shown,) = blocks("validate.md", language)
    assert ran.out.strip() == shown.strip()
