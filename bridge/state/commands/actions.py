"""Commands of Rasa's actions, and those that answer an action call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from bridge.errors import AssignmentError
from bridge.model import Assignment, derive
from bridge.state.commands.base import Command
from bridge.state.snapshot import Needs
from bridge.turn import Turn

ANSWERING = 0.4  # seconds between the judgement of an action call and its ``answer_by``
SHADOW = "assist-"  # prefix of the IDs of shadow conversations
SAME_ID = 4  # messages under one message ID that can be told apart


class ActionKind(str, Enum):
    """Which of the bridge's actions Rasa called."""

    HANDOFF = "action_human_handoff"
    ASSIST = "action_agent_assist"
    BRIDGE = "action_bridge"
    HANDBACK = "action_handback"


@dataclass(frozen=True)
class BroughtAssignment:
    """An assignment that arrived with a customer's message.

    Attributes:
        given_at: when the assignment took effect.
        source: token or metadata.
        warning: what was corrected in it, or None.
        take: whether it may take its call from another open conversation.
    """

    assignment: Assignment
    given_at: float
    source: str
    warning: str | None = None
    take: bool = False


def call_key(turn: Turn) -> str:
    """Return the key of an action call: the same for a repeated request, and only for that.

    Some connectors give different messages the same ID, so the text and the time count too.
    """
    return derive("turn", *_name(turn), turn.text, turn.message_at)


def _name(turn: Turn) -> tuple[object, ...]:
    return (turn.sender_id, turn.message_id, turn.action_name, turn.ordinal)


@dataclass(frozen=True, kw_only=True)
class CallAction(Command):
    """Run one of the bridge's actions, called by Rasa; ``key`` is the turn's ``call_key``.

    Attributes:
        brought: the assignment that arrived with the message, or the error that rejects it.
        wait: seconds to wait for the outcome of the deliveries.
        responses: the domain's responses, if the request carried them or they are known already.
        domain_asked: whether the domain was requested from Rasa, successfully or not.
    """

    action: ActionKind
    turn: Turn
    brought: BroughtAssignment | AssignmentError | None = None
    wait: float = 2.0
    responses: Mapping[str, Any] | None = None
    domain_asked: bool = False

    @property
    def seed(self) -> str:
        """The seed that chooses variations."""
        return derive("turn", *_name(self.turn))

    @cached_property
    def message_key(self) -> str:
        """The key of what the action suggests: one per text, however often Rasa received it."""
        return derive("turn", *_name(self.turn), self.turn.text)

    @cached_property
    def names(self) -> Mapping[str, tuple[object, ...]]:
        """The names that message codes can be derived from, by the first code of each, in order.

        There is more than one for connectors that give different messages the same ID.
        """
        name = _name(self.turn)
        names = [name, *((*name, "again", number) for number in range(1, SAME_ID))]
        return {derive(*each, 0, 0): each for each in names}

    def judge_at(self, now: float) -> float:
        """Return when to judge the call's deliveries; in time for its caller."""
        at = now + self.wait
        return at if self.answer_by is None else min(at, max(now, self.answer_by - ANSWERING))

    def needs(self) -> Needs:
        """Require the action call and its conversation, open deliveries and suggestions."""
        sender = self.turn.sender_id
        brought = self.brought
        pairs: frozenset[tuple[str, str]] = frozenset()
        taken: frozenset[str] = frozenset()
        if isinstance(brought, BroughtAssignment):
            pairs = frozenset({(sender, brought.assignment.call_id)})
            taken = frozenset({brought.assignment.call_id} if brought.take else ())
        return Needs(
            turns=frozenset({self.key, self.message_key}),
            codes=frozenset(self.names),
            senders=frozenset({sender}),
            pairs=pairs,
            callers=frozenset({sender}),
            shadows=frozenset({sender} if sender.startswith(SHADOW) else ()),
            sent_of_callers=frozenset({sender} if self.action is ActionKind.HANDBACK else ()),
            brought_calls=frozenset(call for _, call in pairs),
            calls=taken,
            agents=frozenset(
                {brought.assignment.agent_id} if isinstance(brought, BroughtAssignment) else ()
            ),
        )


@dataclass(frozen=True, kw_only=True)
class JudgeTurn(Command):
    """Answer an action call that waits for its deliveries.

    Attributes:
        turn_key: the action call.
        final: the wait is over: answer from the current states. Otherwise answer only if no
            delivery can still change.
    """

    turn_key: str
    final: bool = True

    def needs(self) -> Needs:
        """Require the action call, its deliveries and its call."""
        turns = frozenset({self.turn_key})
        return Needs(turns=turns, of_turns=turns, calls_of_turns=True)


@dataclass(frozen=True, kw_only=True)
class WithdrawTurn(Command):
    """Withdraw an action call that was stored after its caller got a "store unavailable" error."""

    turn_key: str

    def needs(self) -> Needs:
        """Require the action call, its deliveries and its call."""
        turns = frozenset({self.turn_key})
        return Needs(turns=turns, of_turns=turns, calls_of_turns=True)
