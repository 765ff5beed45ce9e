"""Answer callers, and hold those that wait for an action call."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.core.in_flight import InFlight
from bridge.state.commands import JudgeTurn, ResultCallback
from bridge.state.records import ActionAnswer
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)


def answer(reply: ResultCallback | None, value: Any, error: BaseException | None) -> None:
    """Answer a caller, if there is one, with a value or an error."""
    if reply is None:
        return
    with Unexpected(logger, "An answer could not be delivered: %s"):
        reply(value, error)


class TurnCallers:
    """The callers that wait for the outcome of action calls. Belongs to the core's thread."""

    def __init__(self, in_flight: InFlight) -> None:
        self._in_flight = in_flight
        self._waiting: dict[str, list[ResultCallback]] = {}  # by the key of the action call

    def wait(self, turn_key: str, reply: ResultCallback) -> None:
        """Let a caller wait."""
        self._waiting.setdefault(turn_key, []).append(reply)

    def is_awaited(self, turn_key: str) -> bool:
        """Return whether a caller waits for an action call."""
        return turn_key in self._waiting

    def judgements(self) -> Iterator[JudgeTurn]:
        """Yield commands that answer action calls with no delivery in flight in this process."""
        if not self._waiting:
            return
        held = {item.turn_key for item in self._in_flight.sending.values()}
        for key in list(self._waiting):
            if key not in held:
                yield JudgeTurn(turn_key=key, final=False)

    def settle(self, answers: Mapping[str, ActionAnswer]) -> None:
        """Answer the callers that wait for these action calls."""
        for key, value in answers.items():
            for reply in self._waiting.pop(key, ()):
                answer(reply, value, None)

    def waiting(self) -> list[ResultCallback]:
        """Return all callers that wait."""
        return [reply for replies in self._waiting.values() for reply in replies]
