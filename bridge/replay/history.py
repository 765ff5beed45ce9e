"""Restore the state of a tracker at each of the customer's messages. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.state.records import UPDATE_MARK
from bridge.turn import events as raw
from bridge.turn.coerce import array, mapping, words

# Actions that Rasa runs between a message and the first action that its policies predict.
_BEFORE = frozenset({"action_extract_slots", "action_validate_slot_mappings"})
_WITH_AGENT = ("handoff", "assist")
_LATER = ("user", "resume", "session_started", "restart")


@dataclass(frozen=True, slots=True)
class Moment:
    """The tracker as an action of the bridge sees it, or would see it, in a turn."""

    state: Mapping[str, Any]
    called: bool  # whether Rasa called an action here; else it is the start of the turn
    action: str | None  # which one; None if it is not one of the bridge's
    paused: bool
    handed_back_at: float | None
    outcome: Mapping[str, Any] = field(default_factory=dict)  # the handoff slots that it set

    @property
    def with_agent(self) -> bool:
        """Whether an agent owns the conversation, as far as the slots say."""
        return mapping(self.state.get("slots")).get("handoff_state") in _WITH_AGENT


@dataclass
class _State:
    """What the events so far have set."""

    slots: dict[str, Any]
    before: list[dict[str, Any]] = field(default_factory=list)  # the slots before each message
    loop: str | None = None
    paused: bool = False
    channel: str | None = None
    handed_back_at: float | None = None

    def apply(self, event: Mapping[str, Any], initial: Mapping[str, Any]) -> None:
        """Apply one event, as Rasa's tracker does."""
        kind = raw.kind(event)
        if kind == "user":
            self.before.append(dict(self.slots))
            self.channel = words(event.get("input_channel")) or self.channel
        elif kind == "slot":
            self._set(str(event.get("name")), event)
        elif kind == "rewind" and self.before:
            self.slots = self.before.pop()
        elif kind in ("restart", "reset_slots"):
            self.slots = dict(initial)
        elif kind == "active_loop":
            self.loop = words(event.get("name"))
        if kind in ("pause", "resume", "restart", "session_started"):
            self.paused = kind == "pause"
        if kind == "restart":
            self.loop, self.before = None, []

    def _set(self, name: str, event: Mapping[str, Any]) -> None:
        value = event.get("value")
        if name == "handoff_state" and value == "bot" and self.slots.get(name) in _WITH_AGENT:
            self.handed_back_at = raw.at(raw.Events([event]), 0)
        self.slots[name] = value


def moments(
    tracker: Mapping[str, Any], initial: Mapping[str, Any], called: str | None = None
) -> Iterator[list[Moment]]:
    """Yield, for each message of the customer, the calls of the bridge's actions in its turn.

    A turn without such a call yields one moment: just after the message was read. A reminder or
    another external event counts if it led to a call.

    Args:
        tracker: a tracker with its events.
        initial: the slots' initial values.
        called: the action for which Rasa sent this tracker, in the last turn.
    """
    events = array(tracker.get("events"))
    starts = [index for index, event in enumerate(events) if _is_received(event)]
    state = _State(dict(initial))
    for event in events[: starts[0]] if starts else ():
        state.apply(event, initial)
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(events)
        last = called if end == len(events) else None
        turn = _Turn(tracker, events, start, end, state.paused)
        found = _moments(turn, state, initial, last)
        if found[0].called or not raw.is_external(mapping(events[start])):
            yield found


def _is_received(event: object) -> bool:
    """Return whether Rasa received an event as a message; some the bridge wrote back later."""
    return raw.kind(event) == "user" and not raw.is_written_back(mapping(event))


@dataclass(frozen=True)
class _Turn:
    """The events of one turn, and what was so when it began."""

    tracker: Mapping[str, Any]
    events: Sequence[Any]  # of the whole conversation
    start: int
    end: int
    paused: bool

    def moment(
        self, index: int, state: _State, action: str | None, outcome: Mapping[str, Any]
    ) -> Moment:
        """Return the tracker before the event at ``index``."""
        restored = {
            "sender_id": self.tracker.get("sender_id"),
            "slots": dict(state.slots),
            "events": list(self.events[:index]),
            "paused": self.paused,
            "active_loop": {"name": state.loop} if state.loop else {},
            "latest_input_channel": state.channel,
        }
        called = action is not None
        return Moment(restored, called, action, self.paused, state.handed_back_at, outcome)


def _moments(
    turn: _Turn, state: _State, initial: Mapping[str, Any], called: str | None
) -> list[Moment]:
    """Return the moments of a turn, and apply its events to ``state``."""
    found: list[Moment] = []
    first: Moment | None = None
    for index in range(turn.start, turn.end):
        event = mapping(turn.events[index])
        name = words(event.get("name")) if raw.kind(event) == "action" else None
        if name in raw.OWN_ACTIONS:
            outcome = _outcome(turn.events[index + 1 : turn.end])
            found.append(turn.moment(index, state, name, outcome))
        spoken = raw.kind(event) == "bot" or (name is not None and name not in _BEFORE)
        if spoken and first is None:
            first = turn.moment(index, state, None, {})
        state.apply(event, initial)
    if called is not None:  # the tracker is the one that the action was sent
        action = called if called in raw.OWN_ACTIONS else None
        since = state.handed_back_at
        found.append(
            Moment(turn.tracker, called=True, action=action, paused=False, handed_back_at=since)
        )
    return found or [first or turn.moment(turn.end, state, None, {})]


def _outcome(later: Sequence[Any]) -> dict[str, Any]:
    """Return the handoff slots that an action set, by the events that follow it."""
    slots: dict[str, Any] = {}
    for event in itertools.takewhile(_is_of_the_action, later):
        name = str(mapping(event).get("name"))
        if raw.kind(event) == "slot" and name.startswith("handoff_"):
            slots[name] = event.get("value")
    return slots


def _is_of_the_action(event: object) -> bool:
    """Return whether an event can be of the answer of one of the bridge's actions.

    An answer ends at the next action, but a handoff returns action_listen itself, before the pause.
    What the bridge adds to the tracker later is none of it: a handback begins with a resume, which
    no action returns, and all else is marked.
    """
    kind = raw.kind(event)
    if kind == "action":
        return mapping(event).get("name") == "action_listen"
    return kind not in _LATER and UPDATE_MARK not in mapping(mapping(event).get("metadata"))
