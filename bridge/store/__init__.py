"""Durable storage on SQLite or PostgreSQL, and the only SQL of the project.

In one transaction, the core loads a batch with ``loading`` and writes its plans with ``writing``;
the edge reads with ``lists``. The package exchanges values of ``bridge.state`` and contains no
decisions: those belong to ``bridge.planners``. Read ``store`` first, then ``loading`` and
``writing``.
"""

from bridge.store import changes, lists
from bridge.store.errors import (
    ConflictError,
    CrossedError,
    DatabaseError,
    LostError,
    UnavailableError,
    UndecodedError,
    UnstorableError,
)
from bridge.store.loading import Loader
from bridge.store.notifier import EVERYTHING, Notice, notify
from bridge.store.store import Reader, ReadTransaction, Store
from bridge.store.writing import write

__all__ = [
    "EVERYTHING",
    "ConflictError",
    "CrossedError",
    "DatabaseError",
    "Loader",
    "LostError",
    "Notice",
    "ReadTransaction",
    "Reader",
    "Store",
    "UnavailableError",
    "UndecodedError",
    "UnstorableError",
    "changes",
    "lists",
    "notify",
    "write",
]
