"""Inquiries: what the bot is asked about a customer's message, and its answer. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bridge.model import Reply
from bridge.turn import Turn


class InquiryKind(str, Enum):
    """How the bot is asked."""

    SUGGEST = "suggest"  # without side effects: an agent owns the call
    CONVERSE = "converse"  # in the real conversation: the bot owns the call


class InquiryStep(str, Enum):
    """What an attempt to ask the bot does."""

    ASK = "ask"  # finds out what the bot would say, or whether the message triggers a handoff
    SAY = "say"  # puts the message into the real conversation
    LOOK = "look"  # looks in Rasa's tracker for the answer: the message may have been put before


class Via(str, Enum):
    """How a customer's message came to the bridge."""

    RASA = "rasa"  # in a turn of Rasa's
    FORWARDED = "forwarded"  # a desktop reported it
    READER = "reader"  # read from the agent's events


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One attempt to ask the bot about a customer's message.

    Attributes:
        channels: the names to match with a response's ``channel``, best first.
        handed_back_at: when the conversation last came back to the bot.
        shadow: the conversation in which listed actions may be run.
    """

    kind: InquiryKind
    sender_id: str
    text: str
    message_id: str
    at: float
    seed: str
    channels: tuple[str, ...] = ()
    handed_back_at: float | None = None
    shadow: str | None = None
    step: InquiryStep = InquiryStep.ASK


@dataclass(frozen=True, slots=True)
class BotReply:
    """One reply of the bot's answer.

    Attributes:
        response: its name in the domain, if it is a response.
        margin: how far it is ahead of the next.
    """

    reply: Reply
    response: str | None = None
    confidence: float | None = None
    margin: float | None = None
    runner_up: str | None = None


@dataclass(frozen=True, slots=True)
class BotAnswer:
    """What the bot would say, or has said.

    Attributes:
        candidates: the alternatives, best first; each is an answer of one or more replies.
        asked: whether a rule of ``assist.when`` called for the bot's answer.
        stopped_at: the action or form before which it stopped.
        ran: whether anything was run in the shadow conversation.
        handoff: the turn, if it triggers a handoff; the bot was not asked then.
        say: the message is to be put into the real conversation; the bot was not asked yet.
        calm: the bot is a CALM bot, which ``reader.calm`` does not allow to ask.
        slots: the conversation's slots, as far as they may be needed.
        responses: the domain's responses that the designer's rules name.
    """

    candidates: tuple[tuple[BotReply, ...], ...] = ()
    intent: str | None = None
    confidence: float | None = None
    margin: float | None = None
    asked: bool = True
    stopped_at: str | None = None
    ran: bool = False
    handoff: Turn | None = None
    say: bool = False
    calm: bool = False
    slots: Mapping[str, Any] = field(default_factory=dict)
    responses: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BotNote:
    """What the agent should know about the bot and the customer's last message; never sent.

    Attributes:
        kind: action, empty, failed or unavailable.
        text: a sentence for the agent.
        message_id: the message it is about.
        action: the action or form before which the bot stopped.
    """

    kind: str
    text: str
    message_id: str
    at: float
    action: str | None = None
