"""Lease holder names, and whether the process of a holder is dead.

Leases expire by themselves; those of a dead process on the same machine can be taken over without
waiting. A process on another machine or in another container, or whose process ID is in use again,
is never reported dead.
"""

from __future__ import annotations

import hashlib
import os
import platform
import uuid
from functools import cache
from pathlib import Path


def name(at: str | None = None) -> str:
    """Return a new name for a lease holder in this process; at most 64 characters."""
    return f"{at or here()}:{os.getpid()}:{uuid.uuid4().hex[:16]}"


def place(host: str, *marks: str) -> str:
    """Return an ID of the scope in which process IDs are unique: a machine's boot, a container.

    The host name alone is not enough, because replicas may have the same one, or the same prefix.
    """
    digest = hashlib.sha256("\n".join([host, *marks]).encode()).hexdigest()
    return f"{host[:16].replace(':', '-')}.{digest[:12]}"


def marks() -> list[str]:
    """Return what distinguishes this machine and container from others with the same host name."""
    return [*_read("/proc/sys/kernel/random/boot_id"), *_link("/proc/self/ns/pid")]


@cache
def here() -> str:
    """Return the place of this process."""
    return place(platform.node(), *marks())


def _read(path: str) -> list[str]:
    try:
        return [Path(path).read_text(encoding="ascii").strip()]
    except OSError:
        return []  # not Linux


def _link(path: str) -> list[str]:
    try:
        return [str(Path(path).readlink())]
    except OSError:
        return []


def is_dead(holder: str | None, at: str | None = None) -> bool:
    """Return whether the process of ``holder`` is certainly dead.

    Args:
        holder: a holder's name, or a lease that begins with one; None is not dead.
        at: the place to compare with; by default this process's.
    """
    if holder is None:
        return False
    where, _, rest = holder.partition(":")
    number = rest.partition(":")[0]
    if where != (at or here()) or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return _is_zombie(number)


def _is_zombie(number: str) -> bool:
    """Return whether a process ended but was not reaped (containers often run without init)."""
    try:
        stat = Path("/proc", number, "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False  # not Linux, or just gone: its lease will expire
    return stat.rpartition(")")[2].split()[:1] == ["Z"]
