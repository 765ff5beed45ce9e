"""Garbage collection in the long-running processes of a server."""

from __future__ import annotations

import gc

_MANY_OBJECTS = 20_000  # new objects per collection: a request creates a thousand short-lived ones


def freeze_garbage_collector() -> None:
    """Exclude the objects loaded so far from garbage collection: they live until the end.

    Traversing them took a tenth of a second every few seconds, in which nothing was answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MANY_OBJECTS, 20, 50)
