"""The sessions that a core keeps in memory; nothing else of the store is kept between batches."""

from __future__ import annotations

from cachetools import LRUCache

from bridge.state.records import SessionRecord
from bridge.state.snapshot import Snapshot
from bridge.store.loading import is_current

_MOST = 65536  # sessions; an evicted one is read from the store again


class SessionCache(LRUCache[str, SessionRecord]):
    """Current sessions by agent ID. Belongs to the core's thread."""

    def __init__(self) -> None:
        super().__init__(_MOST)

    def remember(self, snapshot: Snapshot) -> None:
        """Keep the current sessions of a committed snapshot; drop those that are not current."""
        for agent, record in snapshot.sessions.items():
            if is_current(record):
                self[agent] = record
            else:
                self.pop(agent, None)
