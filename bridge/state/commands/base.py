"""The base class of commands, and how results reach the core and its callers."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from bridge.state.snapshot import Needs

ResultCallback = Callable[[Any, "BaseException | None"], None]  # the answer, or the error


def new_key() -> str:
    """Return a random key for a command that has no natural idempotency key."""
    return secrets.token_hex(16)


@dataclass(frozen=True, kw_only=True)
class Command:
    """Base class of all commands.

    Attributes:
        key: idempotency key: commands with the same key have one outcome.
        answer_by: when the caller stops waiting; a command not planned by then is refused.
    """

    key: str = field(default_factory=new_key)
    answer_by: float | None = None

    def needs(self) -> Needs:
        """Return the rows that the planner needs loaded."""
        return Needs()


class PutCommand(Protocol):
    """Passes a result to the core."""

    def __call__(self, command: Command, reply: ResultCallback | None = None) -> None:
        """Queue a command; its answer goes to ``reply``."""
