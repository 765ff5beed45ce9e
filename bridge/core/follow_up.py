"""Carry out a committed plan: run its effects, schedule what it leaves waiting, answer callers."""

from __future__ import annotations

import logging
from typing import Any

from bridge.core.call_requests import CallRequests
from bridge.core.callers import TurnCallers, answer
from bridge.core.claiming import Claiming
from bridge.core.clock import Clock
from bridge.core.command_queue import QueuedCommand
from bridge.core.effects import Effects
from bridge.core.planning import PlanningError
from bridge.core.timers import Timers
from bridge.state.commands import CallAction, Command, WithdrawTurn
from bridge.state.plan import UNANSWERED, AwaitTurn, Plan, Send, Written
from bridge.state.snapshot import Snapshot
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)


class FollowUp:
    """Belongs to the core's thread."""

    def __init__(
        self,
        clock: Clock,
        timers: Timers[Command],
        effects: Effects,
        claiming: Claiming,
        requests: CallRequests,
        callers: TurnCallers,
    ) -> None:
        self._clock = clock
        self._timers = timers
        self._effects = effects
        self._claiming = claiming
        self._requests = requests
        self._callers = callers

    def carry_out(
        self, request: QueuedCommand, plan: Plan, snapshot: Snapshot, written: Written
    ) -> None:
        """Carry out the plan of a command.

        Args:
            request: the command, and its caller.
            plan: its plan; one with an error only answers the caller.
            snapshot: the rows after the commit.
            written: what the commit stored.
        """
        command = request.command
        self._effects.finished(command)
        if plan.error is not None:
            answer(request.reply, None, plan.error)
            return
        late = self._is_late(command, plan)
        for effect in plan.effects:
            if late and isinstance(effect, Send):
                continue
            self._effects.run(effect, request, snapshot)
        if late:
            self._timers.add(0.0, WithdrawTurn(turn_key=command.key))
        self._claiming.planned(plan)
        self._answer_waiting(plan)
        value: Any = None
        with Unexpected(logger, "An answer could not be made: %s") as failure:
            value = plan.answer if plan.finish is None else plan.finish(written)
        if failure.error is not None:
            answer(request.reply, None, PlanningError("the request failed; the log says where"))
            return
        if value is not UNANSWERED:
            answer(request.reply, value, None)

    def _answer_waiting(self, plan: Plan) -> None:
        """Answer the callers that wait for what a plan settles."""
        for reply, outcome, error in self._requests.answers(plan.outcomes):
            answer(reply, outcome, error)
        self._callers.settle(plan.answers)

    def _is_late(self, command: Command, plan: Plan) -> bool:
        """Return True if the caller has already received a timeout for this action call."""
        if not isinstance(command, CallAction) or command.answer_by is None:
            return False
        waits = any(isinstance(effect, AwaitTurn) for effect in plan.effects)
        return waits and self._clock.now() > command.answer_by
