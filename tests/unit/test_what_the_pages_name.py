"""What the pages name is there: commands with their options, and keys of the configuration."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bridge.cli import app
from bridge.config.schema import MODELS, at
from tests.unit.test_the_pages import CODE, PAGES

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|[\s(/])cc-bridge ([a-z-][^\n|)]*)")
QUOTED = re.compile(r"`(\w+(?:\.[\w*]+)+)(?=[`:])")
SECTIONS = {
    key: which for which, model in MODELS.items() for key in model.model_json_schema()["properties"]
}
ENDINGS = {"yml", "yaml", "md", "py", "json", "local"}  # of file names and of host names


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the arguments of each ``cc-bridge`` in the page's blocks for the shell."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        joined = re.sub(r"'[^']*\n[^']*'", "'{}'", block.replace("\\\n", " "))
        for line in joined.splitlines():
            for found in COMMAND.findall(line):
                words = shlex.split(found.partition(" &")[0].replace("$(", "("), comments=True)
                yield words


def parse(words: list[str]) -> None:
    """Parse a command line as ``cc-bridge`` does, without running it."""
    command: Any = typer.main.get_command(app)
    context: Any = command.context_class(command, info_name="cc-bridge")
    rest = [*words]
    while hasattr(command, "get_command"):
        if rest[0].startswith("-"):
            break
        name = rest.pop(0)
        command = command.get_command(context, name)
        assert command is not None, f"no command {name}"
        context = command.context_class(command, parent=context, info_name=name)
    command.make_parser(context).parse_args(rest)


def keys(page: Path) -> Iterator[str]:
    """Yield the keys of the configuration that a page names with their section."""
    prose = CODE.sub("", page.read_text(encoding="utf-8"))
    for name in QUOTED.findall(prose):
        first, *_, last = name.split(".")
        if first in SECTIONS and last not in ENDINGS:
            yield name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_its_options_are_there(page: Path) -> None:
    for words in commands(page):
        parse(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_key_is_there(page: Path) -> None:
    for name in keys(page):
        path = tuple("291" if step == "ID" else step for step in name.split("."))
        assert at(SECTIONS[path[0]], path) is not None, name


def test_commands_and_keys_are_found() -> None:
    assert sum(1 for page in PAGES for _ in commands(page)) > 25
    assert sum(1 for page in PAGES for _ in keys(page)) > 150


@pytest.mark.parametrize("words", [["demonstrate"], ["doctor", "--prob"], ["outbox", "lists"]])
def test_a_command_that_is_not_there_is_caught(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"no command|No such option"):
        parse(words)
