"""Commands of maintenance: leadership of tasks, pruning, erasure, revoked tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bridge.state.commands.base import Command
from bridge.state.records import Erasure
from bridge.state.snapshot import Needs


@dataclass(frozen=True, kw_only=True)
class LeadTask(Command):
    """Become or remain the leader of a task; the answer says whether this holder leads."""

    name: str
    holder: str
    seconds: float

    def needs(self) -> Needs:
        """Require the task's leader."""
        return Needs(leaders=frozenset({self.name}))


@dataclass(frozen=True, kw_only=True)
class LeaveTask(Command):
    """Give up the leadership of a task; ``done_at`` is set if the task was completed."""

    name: str
    holder: str
    done_at: float | None = None

    def needs(self) -> Needs:
        """Require the task's leader."""
        return Needs(leaders=frozenset({self.name}))


@dataclass(frozen=True, kw_only=True)
class PruneRows(Command):
    """Erase the content of rows that are too old, or delete them; the answer is their number.

    Attributes:
        before: rows created or last changed before this time are too old.
        quiet: a call that was not ended counts as over if nothing on it changed since this time.
        whole: delete the rows instead of erasing their content.
    """

    table: str
    keys: Sequence[tuple[Any, ...]]
    before: float
    quiet: float
    whole: bool


@dataclass(frozen=True, kw_only=True)
class PruneChanges(Command):
    """Delete the oldest rows of the log of changes; the answer is their number."""


@dataclass(frozen=True, kw_only=True)
class StopErased(Command):
    """Delete the open deliveries, suggestions and updates of a person whose data is erased."""

    erasure: Erasure


@dataclass(frozen=True, kw_only=True)
class EraseRows(Command):
    """Delete rows of a table by their keys; the answer is their number."""

    table: str
    keys: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class RevokeTokens(Command):
    """Revoke one token, or all tokens issued to a subject so far."""

    subject: str
    until: float


@dataclass(frozen=True, kw_only=True)
class DropRevocations(Command):
    """Delete the revocations of tokens that have expired."""


@dataclass(frozen=True, kw_only=True)
class CheckStore(Command):
    """Check that a transaction can be committed; changes nothing."""
