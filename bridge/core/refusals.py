"""What becomes of commands that could not be committed."""

from __future__ import annotations

import logging
from typing import Any

from cachetools import LRUCache

from bridge.core import unstorable
from bridge.core.callers import answer
from bridge.core.claiming import CLAIMS, Claiming
from bridge.core.clock import Clock
from bridge.core.command_queue import QueuedCommand
from bridge.core.effects import Effects
from bridge.state.commands import Command, PutCommand

logger = logging.getLogger(__name__)

_PAUSE = 0.25  # seconds before a failed commit is retried, doubled each time up to
_LONGEST_PAUSE = 2.0
_QUIET = 30.0  # seconds during which the same warning is not logged again
_WARNINGS = 4096  # warnings that are remembered


class Refusals:
    """Answers the callers of refused commands, and retries the others later or drops them.

    Belongs to the core's thread.

    Attributes:
        pending: commands that could not be committed yet.
    """

    def __init__(self, clock: Clock, claiming: Claiming, effects: Effects, put: PutCommand) -> None:
        self.pending: list[QueuedCommand] = []
        self._clock = clock
        self._claiming = claiming
        self._effects = effects
        self._put = put
        self._at = 0.0
        self._pause = _PAUSE
        self._quiet_until: LRUCache[str, float] = LRUCache(_WARNINGS)  # monotonic, by warning

    @property
    def next(self) -> float | None:
        """When to retry; None if nothing is pending."""
        return self._at if self.pending else None

    def due(self, now: float) -> list[QueuedCommand]:
        """Remove and return the commands to retry."""
        if not self.pending or now < self._at:
            return []
        due, self.pending = self.pending, []
        return due

    def reset(self) -> None:
        """Retry at once, because the clock was set back."""
        self._at = 0.0

    def relax(self) -> None:
        """Begin with the shortest pause again, because a commit succeeded."""
        self._pause = _PAUSE

    def refuse(
        self, request: QueuedCommand, error: Exception, *, lasting: bool, commits: int
    ) -> None:
        """Handle a command that could not be committed: answer its caller, or retry it later.

        A command whose failure is ``lasting``, or that the store refuses again and again while it
        commits others, is dropped; see ``unstorable.substitute``.

        Args:
            request: the command.
            error: why it could not be committed.
            lasting: another attempt would fail too.
            commits: the number of commits so far.
        """
        if request.reply is not None:
            answer(request.reply, None, error)
            return
        if isinstance(request.command, CLAIMS):
            self._claiming.refused(request.command)
            self._warn_once(f"claim {error}", "The outbox cannot be read: %s", error)
            return
        request = unstorable.counted(request, error, commits)
        if lasting or unstorable.is_refused_alone(request, commits):
            self._drop(request.command, error)
            return
        if not self.pending:
            self._at = self._clock.now() + self._pause
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
            self._warn_once("pending", "A result could not be stored yet: %s", error)
        self.pending.append(request)

    def _drop(self, command: Command, error: Exception) -> None:
        logger.error("A result cannot be stored: %s command=%s", error, type(command).__name__)
        self._effects.finished(command)
        instead = unstorable.substitute(command)
        if instead is not None:
            self._put(instead)

    def _warn_once(self, name: str, message: str, *arguments: Any) -> None:
        """Log a warning, at most once per ``_QUIET`` seconds for each ``name``."""
        now = self._clock.monotonic()
        if now >= self._quiet_until.get(name, now):
            self._quiet_until[name] = now + _QUIET
            logger.warning(message, *arguments)
