"""Parse a webhook's tracker state into a Turn.

Simple fields are read at once; properties that walk the events are computed on first use, because
most turns are decided by the intent alone.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import regex

from bridge.model import Line, SenderId
from bridge.turn import events as raw
from bridge.turn import message as nlu
from bridge.turn.coerce import array, mapping, objects, words
from bridge.turn.spoken import Said
from bridge.untrusted import number

_LONGEST_NAME = 512  # characters of a conversation's or message's ID
_INVISIBLE = re.compile(r"[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
# Normalising a row of combining marks takes quadratic time. No language has as many on one letter;
# the two halfwidth characters become marks.
_MARKS = regex.compile(r"([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+")
# What keyboards write for an apostrophe or a quotation mark. NFKC keeps them apart, and makes an
# acute accent a blank with a combining mark.
_APOSTROPHES = "`\u00b4\u02b9\u02bb\u02bc\u05f3\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a"
_QUOTATION_MARKS = "\u00ab\u00bb\u05f4\u201c\u201d\u201e\u201f\u2033\u2036\u301d\u301e\u301f"
_QUOTES = str.maketrans(dict.fromkeys(_APOSTROPHES, "'") | dict.fromkeys(_QUOTATION_MARKS, '"'))
_NO_LOOP = "should_not_be_set"  # Rasa's value for no active loop


@dataclass(frozen=True, eq=False, repr=False)
class Turn:
    """One customer message and what Rasa did with it.

    The message is Rasa's latest one. After a reverted fallback it is older than the customer's
    last message (``last_written_at``), which shows that it was handled before.
    """

    sender_id: SenderId
    action_name: str  # the action that was called
    message_id: str  # Rasa's, else derived from the position
    text: str  # "" if there is none
    intent: str | None
    confidence: float | None
    full_retrieval_intent: str | None  # faq/hours
    slots: Mapping[str, Any]
    metadata: Mapping[str, Any]  # of the message, as the client sent it: untrusted
    paused: bool
    active_loop: str | None
    responses: Mapping[str, Any] | None  # None if the request carried none
    _message: Mapping[str, Any] = field(default_factory=dict)
    _events: raw.Events = field(default_factory=lambda: raw.Events(()))
    _index: int | None = None  # of the message's user event
    _channel: str | None = None

    def __repr__(self) -> str:
        # Nothing else, so that customer text cannot reach a log by accident.
        return f"Turn({self.sender_id!r}, {self.message_id!r}, {self.action_name!r})"

    @property
    def external(self) -> bool:
        """Whether a reminder or an external event caused the turn, not a customer's message."""
        return self.metadata.get("is_external") is True

    @property
    def typed_intent(self) -> bool:
        """Whether the text is an intent (``/name{...}``), typed or from a button."""
        return self.text.startswith("/")

    @property
    def requested_slot(self) -> str | None:
        """The slot that a form requests."""
        return words(self.slots.get("requested_slot"))

    @property
    def session_metadata(self) -> Mapping[str, Any]:
        """The metadata of the session start."""
        return mapping(self.slots.get("session_started_metadata"))

    @property
    def message_at(self) -> float | None:
        """When the message was written."""
        return raw.at(self._events, self._index)

    @property
    def last_written_at(self) -> float | None:
        """When the customer last wrote a message, reverted or not."""
        return raw.at(self._events, self._last)

    @cached_property
    def ranking(self) -> tuple[nlu.Ranked, ...]:
        """The intents by confidence; empty with keyword classifiers."""
        return nlu.ranking(self._message)

    @cached_property
    def _next(self) -> tuple[float, str] | None:
        """The confidence and the name of the best other intent, if there is one."""
        others = [ranked for ranked in self.ranking if ranked.name != self.intent]
        known = [(each.confidence, each.name) for each in others if each.confidence is not None]
        return max(known, key=lambda each: each[0], default=None)

    @property
    def runner_up(self) -> str | None:
        """The best other intent, if there is one."""
        return self._next[1] if self._next else None

    @property
    def margin(self) -> float | None:
        """How far the intent is ahead of the runner-up; None without a runner-up."""
        if self._next is None or self.confidence is None:
            return None
        return self.confidence - self._next[0]

    @cached_property
    def entities(self) -> tuple[Mapping[str, Any], ...]:
        """The message's entities in Rasa's format."""
        return objects(self._message.get("entities"))

    @cached_property
    def commands(self) -> tuple[nlu.CalmCommand, ...]:
        """CALM's commands for the message."""
        return nlu.commands(self._message)

    @cached_property
    def flows(self) -> tuple[str, ...]:
        """The CALM flows that started in this turn, by command or by event."""
        asked = (
            command.flow
            for command in self.commands
            if command.name == "start_flow" and command.flow
        )
        return tuple(dict.fromkeys((*asked, *raw.started_flows(self._events, self._last))))

    @cached_property
    def selections(self) -> tuple[nlu.Selected, ...]:
        """The choice of each response selector."""
        return nlu.selections(self._message)

    @cached_property
    def input_channel(self) -> str | None:
        """Name of the Rasa connector, not a gateway channel.

        REST clients can choose it: do not authorise by it.
        """
        if self._channel or self._last is None:
            return self._channel
        return words(self._events[self._last].get("input_channel"))

    @cached_property
    def resumed(self) -> bool:
        """Whether Rasa received a resume event; an expired session resumes without one."""
        return raw.resumed(self._events)

    @cached_property
    def ordinal(self) -> int:
        """The number of executions of this action since the message, before this one."""
        return raw.count_action(self._events, self._index, self.action_name)

    @cached_property
    def fell_back(self) -> bool:
        """Whether Rasa fell back on the customer's last message."""
        return self.intent == nlu.NLU_FALLBACK or raw.fell_back(self._events, self._last)

    @cached_property
    def replies(self) -> tuple[Said, ...]:
        """What the bot said since the last user event, or our last action if that is newer."""
        return raw.replies(self._events)

    @cached_property
    def folded(self) -> str:
        """The text normalised for comparison; see ``fold``."""
        return fold(self.text)

    def fallbacks(self, since: float | None = None) -> int:
        """Count the fallbacks in a row up to the last message; only messages after ``since``."""
        return raw.fallbacks(self._events, since)

    def slot_set_at(self, name: str) -> float | None:
        """Return when a slot was last set within the events."""
        return raw.slot_set_at(self._events, name)

    def lines(self, turns: int) -> tuple[Line, ...]:
        """Return the last ``turns`` turns as the customer saw them."""
        return raw.lines(self._events, turns)

    @cached_property
    def customer_line(self) -> Line | None:
        """What the customer wrote, as ``lines`` shows it; None if the turn is no customer's."""
        index = self._last if self._index is None else self._index
        if index is not None:
            return raw.customer_line(self._events, index)
        return Line("customer", self.text, 0.0) if self.text else None

    @cached_property
    def _last(self) -> int | None:
        return raw.last_user(self._events)


def fold(text: str) -> str:
    """Normalise ``text`` for comparison.

    The result is in NFKC and case folded, with straight quotation marks and single spaces, and
    without invisible characters.
    """
    if text.isascii():
        return " ".join(text.lower().replace("`", "'").split())
    bounded = _MARKS.sub(r"\1", _INVISIBLE.sub("", text.translate(_QUOTES)))
    folded = unicodedata.normalize("NFKC", bounded).casefold().translate(_QUOTES)
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def read(state: Mapping[str, Any], domain: Mapping[str, Any] | None, action_name: str) -> Turn:
    """Parse the ``tracker`` object of a webhook request; never raises, whatever its content.

    Args:
        state: the tracker as sent, or as returned by rasa_sdk's ``Tracker.current_state()``.
        domain: the domain that this request carried, if any.
        action_name: the action that Rasa called.
    """
    state = mapping(state)
    events = raw.Events(array(state.get("events")))
    message = _latest(state, events)
    text = words(message.get("text")) or ""
    message_id = raw.event_message_id(message)
    index = raw.position(events, message_id, text)
    intent = nlu.intent_of(message)
    event_id = raw.event_message_id(events[index]) if index is not None else None
    responses = mapping(domain).get("responses")
    loop = words(mapping(state.get("active_loop")).get("name"))
    return Turn(
        sender_id=SenderId(kept_name(words(state.get("sender_id")) or "")),
        action_name=action_name,
        message_id=kept_name(message_id or event_id or raw.stable_id(events, index)),
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


def kept_name(name: str) -> str:
    """Return the ID of a conversation or message, or its hash if it is too long to store."""
    if len(name) <= _LONGEST_NAME:
        return name
    return f"sha256:{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()}"


def _latest(state: Mapping[str, Any], events: raw.Events) -> Mapping[str, Any]:
    """Return Rasa's latest message, or the last user event's if the key is missing or null."""
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
