"""A webhook's tracker state, read into a Turn.

Small things are read at once, everything that walks the events only when it is asked for: most
turns are decided on the intent alone.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bridge.model import Line, SenderId
from bridge.turn import events as raw
from bridge.turn import message as nlu
from bridge.turn.coerce import array, mapping, number, objects, words
from bridge.turn.spoken import Said

_LONGEST_NAME = 512  # characters, of a conversation or a message
_NO_LOOP = "should_not_be_set"  # what Rasa writes where it means none


@dataclass(frozen=True, eq=False, repr=False)
class Turn:
    """One customer message and what Rasa did with it.

    The message is Rasa's latest one; after a reverted fallback that is older than the last thing
    the customer wrote (``heard_at``), and its age then tells that it was dealt with before.
    """

    sender_id: SenderId
    action_name: str  # the action that was called
    message_id: str  # Rasa's, else one made of the position
    text: str  # "" where there is none
    intent: str | None
    confidence: float | None
    full_retrieval_intent: str | None  # faq/hours
    slots: Mapping[str, Any]
    metadata: Mapping[str, Any]  # of the message, exactly the client's: never proof of anything
    paused: bool
    active_loop: str | None
    responses: Mapping[str, Any] | None  # None where the request carried none
    _message: Mapping[str, Any] = field(default_factory=dict)
    _events: raw.Events = field(default_factory=lambda: raw.Events(()))
    _index: int | None = None  # of the message's user event
    _channel: str | None = None

    def __repr__(self) -> str:
        # Nothing else: what a customer wrote must not reach a log by accident.
        return f"Turn({self.sender_id!r}, {self.message_id!r}, {self.action_name!r})"

    @property
    def typed_intent(self) -> bool:
        """Whether the text is an intent (``/name{...}``), typed or clicked, not words."""
        return self.text.startswith("/")

    @property
    def requested_slot(self) -> str | None:
        """The slot that a form asks for."""
        return words(self.slots.get("requested_slot"))

    @property
    def session_metadata(self) -> Mapping[str, Any]:
        """The metadata that the session began with."""
        return mapping(self.slots.get("session_started_metadata"))

    @property
    def message_at(self) -> float | None:
        """When the message was written."""
        return raw.at(self._events, self._index)

    @property
    def heard_at(self) -> float | None:
        """When the customer last wrote anything, reverted or not."""
        return raw.at(self._events, self._last)

    @cached_property
    def ranking(self) -> tuple[nlu.Ranked, ...]:
        """The intents by confidence; empty with keyword classifiers."""
        return nlu.ranking(self._message)

    @cached_property
    def margin(self) -> float | None:
        """How far the intent is ahead of the runner-up; None where there is no runner-up."""
        others = [one.confidence for one in self.ranking if one.name != self.intent]
        known = [one for one in others if one is not None]
        return self.confidence - max(known) if known and self.confidence is not None else None

    @cached_property
    def entities(self) -> tuple[Mapping[str, Any], ...]:
        """The message's entities as Rasa gives them."""
        return objects(self._message.get("entities"))

    @cached_property
    def commands(self) -> tuple[nlu.Command, ...]:
        """CALM's commands for the message."""
        return nlu.commands(self._message)

    @cached_property
    def flows(self) -> tuple[str, ...]:
        """The CALM flows that started in this turn, by command or by event."""
        asked = (one.flow for one in self.commands if one.name == "start_flow" and one.flow)
        return tuple(dict.fromkeys((*asked, *raw.started_flows(self._events, self._last))))

    @cached_property
    def selections(self) -> tuple[nlu.Selected, ...]:
        """What each response selector chose."""
        return nlu.selections(self._message)

    @cached_property
    def input_channel(self) -> str | None:
        """Rasa's channel. REST lets the client choose it: no right may hang on it."""
        if self._channel or self._last is None:
            return self._channel
        return words(self._events[self._last].get("input_channel"))

    @cached_property
    def resumed(self) -> bool:
        """Whether somebody told Rasa to resume; an expired session resumes without a word."""
        return raw.resumed(self._events)

    @cached_property
    def ordinal(self) -> int:
        """How many executions of this action followed the message before this one."""
        return raw.count_action(self._events, self._index, self.action_name)

    @cached_property
    def fell_back(self) -> bool:
        """Whether Rasa itself gave up on what the customer last wrote."""
        return self.intent == nlu.NLU_FALLBACK or raw.fell_back(self._events, self._last)

    @cached_property
    def replies(self) -> tuple[Said, ...]:
        """What the bot said since the last user event, or since our own last action after it."""
        return raw.replies(self._events)

    @cached_property
    def folded(self) -> str:
        """The text as words are compared: one spelling of letters, spaces and case."""
        return fold(self.text)

    def fallbacks(self, since: float | None = None) -> int:
        """Fallbacks in a row that end with the last message; only messages after ``since``."""
        return raw.fallbacks(self._events, since)

    def slot_set_at(self, name: str) -> float | None:
        """When a slot was last set, as far as the events reach."""
        return raw.slot_set_at(self._events, name)

    def lines(self, turns: int) -> tuple[Line, ...]:
        """The last ``turns`` turns as the customer saw them."""
        return raw.lines(self._events, turns)

    @cached_property
    def _last(self) -> int | None:
        return raw.last_user(self._events)


def fold(text: str) -> str:
    """One spelling of ``text`` for comparing: compatible letters, no case, single spaces."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def read(state: Mapping[str, Any], domain: Mapping[str, Any] | None, action_name: str) -> Turn:
    """Read the ``tracker`` object of a webhook request; never raises, whatever it holds.

    Args:
        state: the tracker as it was sent, or as rasa_sdk's ``Tracker.current_state()`` gives it.
        domain: the domain that this very request carried, if any.
        action_name: the action that Rasa called.
    """
    state = mapping(state)
    events = raw.Events(array(state.get("events")))
    message = _latest(state, events)
    text = words(message.get("text")) or ""
    given = raw.event_message_id(message)
    index = raw.position(events, given, text)
    intent = nlu.intent_of(message)
    own = raw.event_message_id(events[index]) if index is not None else None
    responses = mapping(domain).get("responses")
    loop = words(mapping(state.get("active_loop")).get("name"))
    return Turn(
        sender_id=SenderId(kept_name(words(state.get("sender_id")) or "")),
        action_name=action_name,
        message_id=kept_name(given or own or raw.stable_id(events, index)),
        text=text,
        intent=words(intent.get("name")),
        confidence=number(intent.get("confidence")),
        full_retrieval_intent=words(intent.get("full_retrieval_intent_name")),
        slots=mapping(state.get("slots")),
        metadata=mapping(message.get("metadata")),
        paused=state.get("paused") is True,
        active_loop=None if loop == _NO_LOOP else loop,
        responses=responses if isinstance(responses, Mapping) else None,
        _message=message,
        _events=events,
        _index=index,
        _channel=words(state.get("latest_input_channel")),
    )


def kept_name(given: str) -> str:
    """A conversation's or message's name as Rasa gave it, or one short enough to be kept."""
    if len(given) <= _LONGEST_NAME:
        return given
    return f"sha256:{hashlib.sha256(given.encode('utf-8', 'replace')).hexdigest()}"


def _latest(state: Mapping[str, Any], events: raw.Events) -> Mapping[str, Any]:
    """Rasa's latest message; the last user event's where the key was left out or is null."""
    latest = mapping(state.get("latest_message"))
    if latest:
        return latest
    index = raw.last_user(events)
    if index is None:
        return latest
    event = events[index]
    return {
        "text": event.get("text"),
        "message_id": event.get("message_id"),
        "metadata": event.get("metadata"),
        **raw.parse_data(event),
    }
