"""Predict the bot's answer step by step, without running an action.

``Prediction`` is given Rasa's prediction of the next action and returns what to do. It is mutable
and does no I/O; a step appends the events that the action would have caused.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from bridge import replies
from bridge.dialogue.conversation import (
    LISTEN,
    Conversation,
    Message,
    said_since,
    turn_of,
    user_event,
)
from bridge.errors import RasaError
from bridge.model import Reply
from bridge.replies import Candidate
from bridge.translate import literal
from bridge.turn import OWN_ACTIONS, Turn
from bridge.turn.coerce import array, mapping, words
from bridge.untrusted import number

_MOST_STEPS = 10  # Rasa's own limit of actions after a message
_UTTERANCE = "utter_"
_WITHOUT_EFFECT = OWN_ACTIONS | {"action_unlikely_intent"}


class Move(Enum):
    """What follows a step of a prediction."""

    PREDICT = "predict"  # ask Rasa for the next action
    RUN = "run"  # run ``action`` in the shadow conversation
    DONE = "done"  # the answer is complete, or ``stopped_at`` names what it stopped before


@dataclass(frozen=True, slots=True)
class Rendering:
    """How responses are rendered; see ``replies.render``."""

    responses: Mapping[str, Any]
    channels: Sequence[str] = ()
    codes: Sequence[str] = ()
    seed: str = ""

    def response(self, name: str, slots: Mapping[str, Any]) -> Reply | None:
        """Return a response, None if there is none of this name that fits."""
        return replies.render(
            self.responses,
            name,
            slots,
            channels=self.channels,
            seed=self.seed,
            codes=self.codes,
            quote=literal,
        )


@dataclass(slots=True)
class Prediction:
    """What the bot would do after a message.

    Attributes:
        events: the conversation with the message and the steps so far.
        answer: what the bot would say.
        action: the action to run, after ``Move.RUN``.
        stopped_at: the action or form before which it stopped.
        ran: the actions that were run.
    """

    conversation: Conversation
    message: Message
    rendering: Rendering
    listed: Collection[str] = ()
    events: list[Mapping[str, Any]] = field(default_factory=list)
    answer: list[Candidate] = field(default_factory=list)
    action: str = ""
    stopped_at: str | None = None
    ran: list[str] = field(default_factory=list)
    _steps: int = 0

    def __post_init__(self) -> None:
        self.events = [*self.conversation.events, user_event(self.message)]

    def take(self, predicted: Mapping[str, Any]) -> Move:
        """Take Rasa's prediction of the next action.

        Raises:
            RasaError: it names no action.
        """
        self.action = _best(predicted)
        self._steps += 1
        if self.action == LISTEN:
            return Move.DONE
        if self._steps > _MOST_STEPS:
            self.stopped_at = self.action
            return Move.DONE
        if self.action.startswith(_UTTERANCE):
            self._utter(self.action)
        elif self.action not in _WITHOUT_EFFECT:
            if self.action in self.listed:
                return Move.RUN
            self.stopped_at = self.action
            return Move.DONE
        else:
            self.events.append(_executed(self.action))
        return Move.PREDICT

    def took(self, conversation: Conversation) -> None:
        """Continue from the shadow conversation, in which ``action`` was run.

        Raises:
            RasaError: the conversation does not show that it ran.
        """
        events = conversation.events
        places = [index for index, each in enumerate(events) if each.get("name") == self.action]
        if not places:
            message = "Rasa has not run the action in the shadow conversation"
            raise RasaError(message)
        self.ran.append(self.action)
        self.answer += [
            Candidate(said.reply, said.response, *self._certainty)
            for said in said_since(events, places[-1])
        ]
        self.conversation = replace(self.conversation, slots=conversation.slots)
        self.events = list(events)

    def _utter(self, name: str) -> None:
        turn = self._turn
        reply = self.rendering.response(name, self.conversation.slots)
        if reply is None:  # the response of a retrieval intent, which the selector chooses
            chosen = replies.selector_replies(
                turn,
                responses=self.rendering.responses,
                channels=self.rendering.channels,
                seed=self.rendering.seed,
                codes=self.rendering.codes,
                quote=literal,
                limit=1,
            )
            named = [each for each in chosen if (each.response or "").startswith(f"{name}/")]
            reply = named[0].reply if named else None
        self.events.append(_executed(name))
        if reply is not None and replies.has_content(reply):
            self.events.append(_uttered(name, reply))
            self.answer.append(Candidate(reply, name, *self._certainty))

    @property
    def _turn(self) -> Turn:
        return turn_of(self.conversation, self.message)

    @property
    def _certainty(self) -> tuple[float | None, float | None, str | None]:
        return self._turn.confidence, self._turn.margin, self._turn.runner_up


def _best(predicted: Mapping[str, Any]) -> str:
    """Return the name of the likeliest action; the first of several, as Rasa does."""
    best, highest = None, float("-inf")
    for row in array(mapping(predicted).get("scores")):
        name, score = words(mapping(row).get("action")), number(mapping(row).get("score"))
        if name is not None and score is not None and score > highest:
            best, highest = name, score
    if best is None:
        message = "Rasa's prediction names no action"
        raise RasaError(message)
    return best


def _executed(name: str) -> dict[str, Any]:
    return {"event": "action", "name": name}


def _uttered(name: str, reply: Reply) -> dict[str, Any]:
    return {
        "event": "bot",
        "text": reply.get("text"),
        "data": {key: value for key, value in reply.items() if key != "text"},
        "metadata": {"utter_action": name},
    }
