"""What an action answers: the slots' values, what Rasa says, and whether the bot goes quiet.

Kept as JSON with the action call, so that a repeated request gets the same answer.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

# handoff_state
BOT, HANDOFF, ASSIST = "bot", "handoff", "assist"
# handoff_delivery
DELIVERED, PENDING, FAILED, NONE = "delivered", "pending", "failed", "none"


@dataclass(frozen=True, slots=True)
class Answer:
    """One action's answer; ``state`` None leaves the slots, but for an error, as they are."""

    state: str | None = None
    agent_id: str | None = None
    call_id: str | None = None
    delivery: str = NONE
    error: str | None = None
    response: str | None = None  # a response that Rasa utters on its own channel
    text: str | None = None  # or plain words, where the domain has no such response
    message: dict[str, Any] | None = None  # or a whole message, of the response selector
    summary: str | None = None  # the slot handoff_summary: what happened meanwhile
    pause: bool = False

    def as_json(self) -> dict[str, Any]:
        """The answer for the store."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_json(cls, stored: dict[str, Any]) -> Answer:
        """The answer from the store; keys of another version are left out."""
        known = cls.__dataclass_fields__
        return cls(**{key: value for key, value in stored.items() if key in known})


NOTHING = Answer()


@dataclass(frozen=True, slots=True)
class Step:
    """How far an action call has come.

    Attributes:
        answer: the answer, or None while the outcome of ``key``'s deliveries decides it.
        settled: done when the deliveries are all settled in this process: True if the customer
            has them all. ``MovedError``: somebody was quicker, and the use case is begun anew.
        stored: done when its transaction is committed, or raises as ``settled`` does.
        if_told: the answer in case the customer has them all.
    """

    key: str
    answer: Answer | None
    settled: Future[bool] | None = None
    stored: Future[None] | None = None
    if_told: Answer | None = None


class MovedError(Exception):
    """Somebody stored the same, or changed the assignment, while a use case was prepared."""
