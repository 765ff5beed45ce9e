"""Runs ``cc-bridge`` as an operator does: in a pipe, or at a terminal of so many columns."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from typer.testing import CliRunner

from bridge.cli import app

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")
_SECONDS = 60


@dataclass(frozen=True)
class Ran:
    """What a command did: at a terminal, ``out`` is all that was to be seen."""

    code: int
    out: str
    err: str = ""
    sent: str = ""  # to the terminal, with its control sequences

    @property
    def rows(self) -> list[list[str]]:
        """Lines as a program reads them."""
        return [line.split("\t") for line in self.out.splitlines()]

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Lines of JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


def configure(folder: Path, storage: str, **more: Any) -> Path:
    """A folder with a configuration that names this database."""
    (folder / "config").mkdir(exist_ok=True)
    written = {
        "gateway": {"url": "http://127.0.0.1:9"},
        "storage": {"url": storage},
        **more,
    }
    (folder / "config" / "bridge.yml").write_text(json.dumps(written), encoding="utf-8")
    return folder


def piped(folder: Path, *arguments: str, say: str | None = None) -> Ran:
    """Run it where nobody looks on."""
    done = subprocess.run(
        _command(arguments),
        cwd=folder,
        env=_environment(),
        input=say,
        stdin=subprocess.DEVNULL if say is None else None,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def within(folder: Path, *arguments: str, **environ: str) -> Ran:
    """Run it in this process, where nobody looks on: the same in a tenth of the time."""
    patch = pytest.MonkeyPatch()
    with patch.context() as patched:
        patched.chdir(folder)
        for key in os.environ:
            if key.startswith("BRIDGE"):
                patched.delenv(key)
        for key, value in environ.items():
            patched.setenv(key, value)
        done = CliRunner().invoke(app, list(arguments))
    return Ran(done.exit_code, done.stdout, done.stderr)


def at_terminal(
    folder: Path,
    *arguments: str,
    say: str = "",
    columns: int = 80,
    environ: Mapping[str, str] = MappingProxyType({}),
) -> Ran:
    """Run it at a terminal and type ``say``."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        _command(arguments),
        cwd=folder,
        env=_environment() | {"TERM": "xterm-256color", **environ},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, say.encode())
    seen = b""
    try:
        while read := os.read(ours, 65536):
            seen += read
    except OSError:
        pass  # Linux' way to say that the other side has closed
    os.close(ours)
    code = process.wait(_SECONDS)
    sent = seen.decode()
    return Ran(code, _CONTROL.sub("", sent), sent=sent)


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "bridge", *arguments]


def _environment() -> dict[str, str]:
    left_out = ("BRIDGE", "COLUMNS", "FORCE_COLOR", "NO_COLOR")
    return {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
