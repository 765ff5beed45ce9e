"""What the database, or the way to it, did not do.

    DatabaseError
    ├── UnavailableError  no connection or no transaction could be had: nothing was done
    ├── LostError         the connection broke; where it broke in a commit, nobody knows
    ├── UnstorableError   a value is none that the database takes: the same again fails
    └── CrossedError      another transaction was in the way: the same again may succeed
        └── ConflictError  another process stored the same meanwhile: load and plan again

A message says nothing of the driver's own text, which may quote values: customers' words.
"""

from __future__ import annotations

from bridge.errors import StoreError


class DatabaseError(StoreError):
    """Base of these. ``__cause__`` is the driver's error."""

    message_start = "the database did not take it"

    def __init__(self, cause: BaseException | str) -> None:
        if isinstance(cause, str):
            super().__init__(cause)
            return
        reason = type(getattr(cause, "orig", None) or cause).__name__
        super().__init__(f"{self.message_start} ({reason})")


class UnavailableError(DatabaseError):
    """There is no connection to be had, or no transaction: nothing was done."""

    message_start = "the database cannot be reached"


class LostError(DatabaseError):
    """The connection broke: the same may succeed on a new one."""

    message_start = "the database went away"


class UnstorableError(DatabaseError):
    """A value is none that the database takes: the same again fails."""


class CrossedError(DatabaseError):
    """Another transaction was in the way: the same again may succeed."""

    message_start = "the database is too busy"


class ConflictError(CrossedError):
    """Another process stored the same meanwhile: load and plan again."""
