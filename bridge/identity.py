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


def name() -> str:
    """A name for one holder of leases in this process; at most 64 characters."""
    return f"{_place()}:{os.getpid()}:{uuid.uuid4().hex[:16]}"


@cache
def _place() -> str:
    """Where this process's ID means this process: a machine since it was booted, a container.

    A host's name does not say it: replicas are called alike, or alike but for the end.
    """
    marks = [
        platform.node(),
        *_read("/proc/sys/kernel/random/boot_id"),
        *_link("/proc/self/ns/pid"),
    ]
    digest = hashlib.sha256("\n".join(marks).encode()).hexdigest()
    return f"{platform.node()[:16].replace(':', '-')}.{digest[:12]}"


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


def is_dead(holder: str | None) -> bool:
    """Whether ``holder``, a name or a lease that begins with one, surely is no more."""
    if holder is None:
        return False
    place, _, rest = holder.partition(":")
    number = rest.partition(":")[0]
    if place != _place() or not number.isdigit():
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
