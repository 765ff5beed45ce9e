"""Loads the rows that a batch of commands needs: resolves IDs to calls, then one query per table.

On PostgreSQL, the keys of everything that a command may change are locked before anything is read:
first conversations and calls, then agents, each set in a fixed order, so that two machines cannot
deadlock. SQLite has a single writer and needs no locks.

Read ``loader`` first: it calls the other modules in order. All of them read into one ``Collector``.
"""

from bridge.store.loading.loader import Loader
from bridge.store.loading.sessions import is_current

__all__ = ["Loader", "is_current"]
