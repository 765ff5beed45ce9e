"""CPU and memory of processes, as Linux's ``/proc`` tells them.

CPU time is nearly the same on a busy machine and an idle one, where throughput is not.
"""

from __future__ import annotations

import os
from pathlib import Path

_TICK: int = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """User and system time of one process and of its children that have ended."""
    fields = _stat(pid)
    return sum(int(field) for field in fields[11:15]) / _TICK if fields else 0.0


def server_cpu_seconds(leader: int) -> float:
    """User and system time of every process of a server: see ``server``."""
    return sum(cpu_seconds(pid) for pid in server(leader))


def family_cpu_seconds(parent: int) -> float:
    """User and system time of a process and of its children, each in a session of its own."""
    return cpu_seconds(parent) + sum(
        cpu_seconds(pid) for pid in _pids() if (fields := _stat(pid)) and int(fields[1]) == parent
    )


def server_private_bytes(leader: int) -> int:
    """Memory that no other process shares, of every process of a server."""
    return sum(_private_bytes(pid) for pid in server(leader))


def server(leader: int) -> set[int]:
    """The processes of a server: those in its session, and all that descend from one of them."""
    parents: dict[int, int] = {}
    found: set[int] = set()
    for pid in _pids():
        if fields := _stat(pid):
            parents[pid] = int(fields[1])
            if int(fields[3]) == leader:
                found.add(pid)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """The fields after the command's name; none where the process is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()


def _private_bytes(pid: int) -> int:
    lines = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="utf-8").splitlines()
    sizes = [
        int(line.split()[1])
        for line in lines
        if line.startswith(("Private_Dirty:", "Private_Clean:"))
    ]
    return sum(sizes) * 1024
