"""The name of this process, by which leases are held, and whether another one's holder is dead.

A lease runs out by itself; one that a process of this machine left when it died need not be waited
for. Of processes on other machines, and where the process ID is in use again, nothing is claimed.
"""

from __future__ import annotations

import os
import platform
import uuid
from pathlib import Path


def name() -> str:
    """A name for one holder of leases in this process; at most 64 characters."""
    host = platform.node()[:20].replace(":", "-")
    return f"{host}:{os.getpid()}:{uuid.uuid4().hex[:16]}"


def is_dead(holder: str | None) -> bool:
    """Whether ``holder``, a name or a lease that begins with one, surely is no more."""
    if holder is None:
        return False
    host, _, rest = holder.partition(":")
    number = rest.partition(":")[0]
    if host != platform.node()[:20].replace(":", "-") or not number.isdigit():
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
