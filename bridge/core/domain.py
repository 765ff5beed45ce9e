"""Rasa's domain: its responses, cached, and the action calls that wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.core.clock import Clock
from bridge.core.command_queue import CommandQueue, QueuedCommand
from bridge.core.senders import Senders
from bridge.core.timers import Timers
from bridge.state.commands import CallAction, Command, DomainResult, ResultCallback

_FRESH = 60.0  # seconds that Rasa's domain is cached
_FAILED = 10.0  # seconds before the domain is requested again after a failure
_WAIT = 1.0  # seconds that a command waits for the domain


class DomainCache:
    """Belongs to the core's thread.

    Args:
        responses: the domain's responses, if they come from a file.
    """

    def __init__(
        self,
        senders: Senders | None,
        clock: Clock,
        timers: Timers[Command],
        channel: CommandQueue,
        responses: Mapping[str, Any] | None,
    ) -> None:
        self._senders = senders
        self._clock = clock
        self._timers = timers
        self._channel = channel
        self._responses = responses
        self._until = float("inf") if responses is not None else 0.0
        self._asked = False
        self._parked: list[tuple[CallAction, ResultCallback | None]] = []

    def known(self, now: float) -> tuple[Mapping[str, Any] | None, bool]:
        """Return the responses, and whether Rasa was asked for them a moment ago."""
        fresh = now < self._until
        return (self._responses if fresh else None), fresh

    @property
    def responses(self) -> Mapping[str, Any] | None:
        """The newest responses that are known, be they out of date."""
        return self._responses

    def complete(self, command: Command, now: float) -> Command:
        """Add the cached responses to an action call that carries none."""
        if not isinstance(command, CallAction) or command.responses is not None:
            return command
        if now < self._until:
            return replace(command, responses=self._responses, domain_asked=True)
        return command

    def ask(self, request: QueuedCommand) -> None:
        """Request the domain; an action call waits for it, and is then planned again."""
        if isinstance(request.command, CallAction):
            self._parked.append((request.command, request.reply))
        if self._senders is None or self._asked:
            return
        self._asked = True
        self._senders.ask_domain()
        # Limit the wait: the action must not block on a Rasa that does not answer.
        self._timers.add(self._clock.now() + _WAIT, DomainResult(responses=None))

    def keep(self, responses: Mapping[str, Any] | None) -> None:
        """Keep the responses, or note that there are none; queue the waiting action calls."""
        now = self._clock.now()
        if responses is not None:
            self._responses = responses
            self._until = now + _FRESH
        elif self._until <= now and self._asked:
            self._until = now + _FAILED
        self._asked = False
        parked, self._parked = self._parked, []
        for command, reply in parked:
            again = replace(command, responses=self._responses, domain_asked=True)
            self._channel.put(QueuedCommand(again, reply), bounded=False)

    def waiting(self) -> list[ResultCallback | None]:
        """Return the callers of the waiting action calls."""
        return [reply for _, reply in self._parked]
