"""One show as a user gives it, and a second beside it that stays up: both in foreign folders."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bridge.cli.demo.played import Clicked, Played
from bridge.cli.peers import JsonObject

COMMAND = str(Path(sys.executable).with_name("cc-bridge"))
SECONDS = 90  # of a machine that is busy with other things


@dataclass(frozen=True)
class Given:
    """A show that is over."""

    code: int
    output: str
    record: JsonObject
    folder: Path  # where it was started
    temporary: Path  # where its temporary folders were

    def played(self, key: str) -> Played:
        fields = self.record["scenes"][key]
        clicks = {of: Clicked(**_tuples(each)) for of, each in fields["clicks"].items()}
        return Played(**_tuples({**fields, "clicks": clicks}))


class Kept:
    """A show with ``--keep``."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder
        self._process = _start(folder, "--keep")
        self.output = ""

    def wait_until_it_stays(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output += line
            if "/inbox?" in line:
                return
        pytest.fail(f"the show ended:\n{self.output}")

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.output)
        assert match is not None, self.output
        return match.group(1)

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=SECONDS)
        return self._process.returncode

    def end(self) -> None:
        """End it for sure; it is this test's own process."""
        if self._process.poll() is None:
            self._process.terminate()
        if self._process.stdout is not None and not self._process.stdout.closed:
            self._process.communicate(timeout=SECONDS)


def _start(folder: Path, *options: str) -> subprocess.Popen[str]:
    foreign = {
        "TMPDIR": str(folder),
        # What another bridge's operator has in the shell must not reach the demo's.
        "BRIDGE_CONFIG": "/nowhere",
        "BRIDGE__GATEWAY__URL": "https://gateway.example:8043",
        "ACTION_SERVER_SANIC_WORKERS": "many",
        "COLUMNS": "80",
    }
    return subprocess.Popen(
        [COMMAND, "demo", *options],
        cwd=folder,
        env={**os.environ, **foreign},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    show = Kept(tmp_path_factory.mktemp("kept"))
    try:
        yield show
    finally:
        show.end()


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory, kept: Kept) -> Given:
    """The show, given while the kept one is on."""
    del kept  # started, and not waited for
    folder, record = tmp_path_factory.mktemp("foreign"), tmp_path_factory.mktemp("record") / "it"
    process = _start(folder, "--record", str(record))
    output, _ = process.communicate(timeout=SECONDS)
    assert record.exists(), output
    written = json.loads(record.read_text(encoding="utf-8"))
    return Given(process.returncode, output, written, folder, folder)


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(each) if isinstance(each, list) else each for name, each in fields.items()}
