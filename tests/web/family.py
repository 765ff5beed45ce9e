"""The processes of a running action server, by what each is for."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from pathlib import Path

from tests.bench.cpu import server as processes_of
from tests.web.serving import ActionServer

ROLES = ("core", "sender", "worker", "main")
_CORE, _SENDER = "bridge.process.main", "bridge.gateway.process"
_READY = re.compile(r"Worker ready \[(\d+)\]")


def pids(server: ActionServer) -> dict[int, str]:
    """Every process of a server that runs, with its command line."""
    found: dict[int, str] = {}
    for pid in processes_of(server.process.pid):
        if (command := _command(pid)) is not None:
            found[pid] = command
    return found


def pid_of(server: ActionServer, role: str) -> int | None:
    """The process of one of ``ROLES``, the last worker that was started; None while it is away."""
    if role == "main":
        return server.process.pid
    if role == "worker":
        last = int(_READY.findall(server.log())[-1])
        return last if _command(last) is not None else None
    name = _CORE if role == "core" else _SENDER
    return next((pid for pid, command in pids(server).items() if name in command), None)


def kill(server: ActionServer, role: str) -> int:
    """``kill -9`` one process of a server; its ID."""
    until = time.monotonic() + 10
    while (pid := pid_of(server, role)) is None:
        assert time.monotonic() < until, f"the server has no {role}"
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return pid


def seconds_until_gone(family: dict[int, str], port: int, *, within: float) -> float:
    """How long it takes until none of these processes runs and the port is free."""
    began = time.monotonic()
    while (took := time.monotonic() - began) < within:
        if not _left(family) and _is_free(port):
            return took
        time.sleep(0.01)
    msg = f"still there after {within} s: {_left(family)}, port free: {_is_free(port)}"
    raise AssertionError(msg)


def _left(family: dict[int, str]) -> list[str]:
    """The command lines of those that still run."""
    return [command for pid, command in family.items() if _command(pid) == command]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _command(pid: int) -> str | None:
    """A process's command line; None where it has ended."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return command.replace(b"\0", b" ").decode("utf-8", "replace") or None  # a zombie has none
