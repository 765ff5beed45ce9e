"""Read a tracker of Rasa's into what a prediction starts from, and make its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge import turn as turns
from bridge.turn import Said, Turn
from bridge.turn.coerce import array, mapping, words
from bridge.turn.spoken import said

LISTEN = "action_listen"
_SESSION_START: tuple[Mapping[str, Any], ...] = (
    {"event": "action", "name": "action_session_start"},
    {"event": "session_started"},
)
# A pause would predict silence; a follow-up or a reminder belongs to the conversation itself.
_LEFT_OUT = frozenset({"pause", "resume", "followup", "reminder", "cancel_reminder"})
_FRESH = frozenset({"session_started", "restart"})


@dataclass(frozen=True, slots=True)
class Message:
    """A customer's message as Rasa is asked about it.

    Attributes:
        text: see ``neutralised``.
        parse: what Rasa's NLU made of it.
    """

    text: str
    message_id: str
    at: float
    parse: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as Rasa knows it.

    Attributes:
        events: those since the session's start, as Rasa predicts from them.
        slots: their current values.
    """

    sender_id: str
    events: tuple[Mapping[str, Any], ...]
    slots: Mapping[str, Any] = field(default_factory=dict)
    active_loop: Mapping[str, Any] = field(default_factory=dict)
    input_channel: str | None = None


def neutralised(text: str) -> str:
    """Return a text that Rasa does not execute: without slashes at its beginning.

    Rasa takes ``/restart`` for an intent at a confidence of 1.0, after removing blanks.
    """
    stripped = text.strip()
    if not stripped.startswith("/"):
        return text
    while stripped.startswith("/"):
        stripped = stripped[1:].strip()
    return stripped


def read(sender_id: str, tracker: Mapping[str, Any], *, in_turn: bool = False) -> Conversation:
    """Return the conversation of a tracker.

    Args:
        sender_id: the conversation.
        tracker: as Rasa returns it; of a conversation that Rasa does not know, the slots with
            which it begins.
        in_turn: the bot's answer to the last message is not complete; otherwise the events end
            with ``action_listen``.
    """
    state = mapping(tracker)
    events = [mapping(event) for event in array(state.get("events"))]
    start = max(
        (index for index, event in enumerate(events) if event.get("event") in _FRESH), default=-1
    )
    kept = [
        event
        for event in events[start + 1 :]
        if words(event.get("event")) is not None and event.get("event") not in _LEFT_OUT
    ]
    done = [event for event in kept if event.get("event") == "action"]
    if not in_turn and (not done or done[-1].get("name") != LISTEN):
        kept.append({"event": "action", "name": LISTEN})
    return Conversation(
        sender_id,
        (*_SESSION_START, *kept),
        mapping(state.get("slots")),
        mapping(state.get("active_loop")),
        words(state.get("latest_input_channel")),
    )


def user_event(message: Message, channel: str | None = None) -> dict[str, Any]:
    """Return the message as an event of Rasa's tracker."""
    return {
        "event": "user",
        "timestamp": message.at,
        "text": message.text,
        "parse_data": dict(message.parse),
        "input_channel": channel,
        "message_id": message.message_id,
        "metadata": {},
    }


def turn_of(conversation: Conversation, message: Message) -> Turn:
    """Return the turn that the message begins, for the designer's conditions."""
    latest = {
        **message.parse,
        "text": message.text,
        "message_id": message.message_id,
        "metadata": {},
    }
    state = {
        "sender_id": conversation.sender_id,
        "slots": conversation.slots,
        "latest_message": latest,
        "events": [*conversation.events, user_event(message)],
        "active_loop": conversation.active_loop,
        "latest_input_channel": conversation.input_channel,
    }
    return turns.read(state, None, "")


def said_since(events: Sequence[Mapping[str, Any]], start: int) -> tuple[Said, ...]:
    """Return what the bot said in the events from the index ``start`` on."""
    found = (said(event) for event in events[start:] if event.get("event") == "bot")
    return tuple(reply for reply in found if reply is not None)


def last_turn(conversation: Conversation) -> Turn:
    """Return the turn of the conversation's last message, as Rasa has stored it."""
    state = {
        "sender_id": conversation.sender_id,
        "slots": conversation.slots,
        "events": list(conversation.events),
        "active_loop": conversation.active_loop,
        "latest_input_channel": conversation.input_channel,
    }
    return turns.read(state, None, "")


def said_to(tracker: Mapping[str, Any] | None, mark: str, value: str) -> tuple[Said, ...] | None:
    """Return what the bot said to the message that is marked so; None if there is none yet.

    Args:
        tracker: as Rasa returns it.
        mark: a key of the message's metadata.
        value: its value.
    """
    events = [mapping(event) for event in array(mapping(tracker).get("events"))]
    asked = [
        index
        for index, event in enumerate(events)
        if event.get("event") == "user" and mapping(event.get("metadata")).get(mark) == value
    ]
    if not asked:
        return None
    rest = events[asked[-1] + 1 :]
    if not rest:  # the turn is not complete
        return None
    end = next((at for at, event in enumerate(rest) if event.get("event") == "user"), len(rest))
    return said_since(rest[:end], 0)
