"""Errors of the database and of the connection to it.

    DatabaseError
    ├── UnavailableError  no connection or transaction was available: nothing was done
    ├── LostError         the connection broke; if it broke in a commit, its outcome is unknown
    ├── UnstorableError   the database rejects a value: a retry fails again
    ├── UndecodedError    stored text is not UTF-8: a retry reads it with replacements
    └── CrossedError      a conflict with another transaction: a retry may succeed
        └── ConflictError  another process stored the same row: load and plan again

Messages never contain the driver's own text, because it may quote values: customers' words.
"""

from __future__ import annotations

from bridge.errors import StoreError


class DatabaseError(StoreError):
    """Base class of the database errors. ``__cause__`` is the driver's error."""

    message_start = "the database did not take it"

    def __init__(self, cause: BaseException | str) -> None:
        if isinstance(cause, str):
            super().__init__(cause)
            return
        reason = type(getattr(cause, "orig", None) or cause).__name__
        super().__init__(f"{self.message_start} ({reason})")


class UnavailableError(DatabaseError):
    """No connection or transaction was available: nothing was done."""

    message_start = "the database cannot be reached"


class LostError(DatabaseError):
    """The connection broke: a retry on a new one may succeed."""

    message_start = "the database went away"


class UnstorableError(DatabaseError):
    """The database rejects a value: a retry fails again."""


class UndecodedError(DatabaseError):
    """Stored text is not UTF-8: a retry on the same connection replaces what is not."""


class CrossedError(DatabaseError):
    """Another transaction conflicted with this one: a retry may succeed."""

    message_start = "the database is too busy"


class ConflictError(CrossedError):
    """Another process stored the same row in the meantime: load and plan again."""
