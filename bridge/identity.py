"""The name of this process, by which leases are held, and whether another one's holder is dead.

A lease runs out by itself; one that a process of this machine left when it died need not be waited
for. Of processes on other machines or in other containers, and where the process ID is in use
again, nothing is claimed.
"""

from __future__ import annotations

import hashlib
import os
import platform
import uuid
from functools import cache
from pathlib import Path


def name(at: str | None = None) -> str:
    """A name for one holder of leases in this process; at most 64 characters."""
    return f"{at or here()}:{os.getpid()}:{uuid.uuid4().hex[:16]}"


def place(host: str, *marks: str) -> str:
    """Where a process ID means one process: a machine since it was booted, a container.

    A host's name does not say it: replicas are called alike, or alike but for the end.
    """
    digest = hashlib.sha256("\n".join([host, *marks]).encode()).hexdigest()
    return f"{host[:16].replace(':', '-')}.{digest[:12]}"


def marks() -> list[str]:
    """What tells this machine and container from others of the same name, where that is known."""
    return [*_read("/proc/sys/kernel/random/boot_id"), *_link("/proc/self/ns/pid")]


@cache
def here() -> str:
    """The place of this process."""
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
    """Whether ``holder``, a name or a lease that begins with one, surely is no more.

    Args:
        holder: None is nobody.
        at: where that is asked; here, where nothing is said.
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
    """Whether a process ended and nobody has asked for its exit code (containers have no init)."""
    try:
        stat = Path("/proc", number, "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False  # not Linux, or gone this moment: its lease runs out
    return stat.rpartition(")")[2].split()[:1] == ["Z"]
