"""Start, watch and end the two servers of the demo, in a temporary folder."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from bridge import config
from bridge.cli import peers
from bridge.cli.demo import scenes, visitor
from bridge.cli.demo.faults import DemoError
from bridge.cli.peers import Peer, PeerError
from bridge.config import environment

_START_SECONDS = 40.0  # enough for a busy machine
_STOP_SECONDS = 6.0
_LOOK_EVERY = 0.05
_PORTS = range(20_000, 32_000)  # below the usual ephemeral ports
_LISTENING = re.compile(r"listening on http://[\d.]+:(\d+)")


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Random secrets for one run."""

    password: str = field(default_factory=lambda: secrets.token_hex(8))
    token: str = field(default_factory=lambda: secrets.token_hex(24))
    signing: str = field(default_factory=lambda: secrets.token_hex(24))
    inbox: str = field(default_factory=lambda: secrets.token_hex(24))


class Program:
    """A program with a log file and a process group of its own.

    Args:
        name: a name for messages.
        arguments: for the running Python interpreter.
        folder: its working directory, and the place of its log.
    """

    def __init__(self, name: str, arguments: Sequence[str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name.replace(' ', '-')}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program and arguments
                [sys.executable, *arguments],
                cwd=folder,
                env=environment.for_child({"SANIC_HOST": peers.LOCALHOST, "PYTHONUTF8": "1"}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C must reach only the demo, which ends its programs
            )

    @property
    def alive(self) -> bool:
        """Return whether it still runs."""
        return self._process.poll() is None

    def written(self) -> str:
        """Return its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        """Terminate it; kill its process group if that takes too long."""
        if not self.alive:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except BaseException as error:  # even a second Ctrl-C must not leave it running
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise


class Servers:
    """A simulated gateway and a real action server; a context manager.

    Leaving it ends both and removes the folder.
    """

    gateway: Peer
    bridge: Peer

    def __init__(self) -> None:
        self.programs: list[Program] = []
        self._secrets = Secrets()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="cc-bridge-demo-"))  # for its owner only
        self._open.callback(shutil.rmtree, self._folder, ignore_errors=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    @property
    def configuration(self) -> Path:
        """Return the folder of the bridge's configuration."""
        return self._folder / "config"

    @property
    def token_file(self) -> Path:
        """Return the file that has the API's token."""
        return self._folder / "api-token"

    def start(self) -> None:
        """Start both and wait until they are ready.

        Raises:
            DemoError: one of them did not start.
        """
        self._start_gateway()
        self._start_bridge()

    def dead(self) -> Program | None:
        """Return a program that has ended unexpectedly, if there is one."""
        return next((program for program in self.programs if not program.alive), None)

    def _start_gateway(self) -> None:
        account = f"{scenes.AGENT}:{self._secrets.password}"
        options = ["--agent", account, "--strict", "--limit-counts", "data", "--poll-seconds", "2"]
        command = ["-m", "bridge", "simulate", "gateway", "--port", "0", *options]
        program = self._start("gateway", command)
        _await(program, lambda: _LISTENING.search(program.written()) is not None)
        match = _LISTENING.search(program.written())
        self.gateway = peers.local("gateway", int(match.group(1)) if match else 0)

    def _start_bridge(self) -> None:
        self.configuration.mkdir()
        (self.configuration / "handoff.yml").write_text(designers_file(), encoding="utf-8")
        written = _operators_file(self.gateway.url, self._secrets)
        (self.configuration / "bridge.yml").write_text(written, encoding="utf-8")
        self.token_file.write_text(self._secrets.token, encoding="utf-8")
        port = _free_port()
        self.bridge = peers.local("action server", port, self._secrets.token)
        command = ["-m", "rasa_sdk", "--actions", "actions", "-p", str(port)]
        program = self._start(self.bridge.name, command)
        _await(program, self._is_ready)

    def _start(self, name: str, command: Sequence[str]) -> Program:
        program = Program(name, command, self._folder)
        self._open.callback(program.end)
        self.programs.append(program)
        return program

    def _is_ready(self) -> bool:
        if self.bridge.refuses():
            return False
        try:
            return self.bridge.ask("GET", "/bridge/ready").body.get("status") == "ready"
        except PeerError:
            return False


def _await(program: Program, ready: Callable[[], bool]) -> None:
    until = time.monotonic() + _START_SECONDS
    while not ready():
        if not program.alive:
            raise DemoError(f"the {program.name} ended while it was starting")
        if time.monotonic() > until:
            raise DemoError(f"the {program.name} was not ready within {_START_SECONDS:.0f} s")
        time.sleep(_LOOK_EVERY)


def _free_port() -> int:
    for _ in range(100):
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((peers.LOCALHOST, port))
            return port
    raise DemoError("no free port was found on this machine")


def designers_file() -> str:
    """Return the default ``handoff.yml`` with the rules for assist."""
    rules = "".join(f"\n    - {rule}" for rule in (scenes.ASSIST_RULE, *visitor.RULES))
    shipped = (config.defaults_folder() / "handoff.yml").read_text(encoding="utf-8")
    return shipped.replace("\n  when: []\n", f"\n  when:{rules}\n", 1)


def _operators_file(gateway: str, credentials: Secrets) -> str:
    """Return a ``bridge.yml`` for this run."""
    agent = {
        "session": "sign_in",
        "password": credentials.password,
        "phone": "40038",
        "nickname": scenes.NICKNAME,
    }
    keys = {
        "gateway": {"url": gateway},
        "agents": {scenes.AGENT: agent},
        "channel_config_ids": scenes.CONFIG_IDS,
        "storage": {"url": "sqlite:///bridge.db"},
        "delivery": {"wait": 8.0},  # so that the outcome is the same on a slow machine
        "assignment": {"metadata": "signed", "secret": credentials.signing},
        "api": {"token": credentials.token, "inbox_secret": credentials.inbox},
    }
    lines = [f"{key}: {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(["# Made by `cc-bridge demo`: good for one run.", *lines, ""])
