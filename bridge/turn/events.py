"""Read the raw events of a conversation, backwards and only as far as needed.

The events are not applied as in Rasa's tracker: rewound and reverted ones count too, because the
customer saw them. The functions do not copy the list, and never raise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.model import Line
from bridge.turn.coerce import mapping, words
from bridge.turn.message import understood
from bridge.turn.spoken import Said, line, said, titles
from bridge.untrusted import moment

OWN_ACTIONS = frozenset(
    {"action_bridge", "action_human_handoff", "action_agent_assist", "action_handback"}
)
WRITTEN_BACK = "cc_bridge"  # in an event's metadata: written back, said on the gateway's channel
FALLBACK_ACTIONS = frozenset(
    {"action_default_fallback", "action_two_stage_fallback", "action_default_ask_rephrase"}
)
_FALLBACK_FLOWS = frozenset({"pattern_cannot_handle", "pattern_internal_error"})
_SPOKEN = frozenset({"user", "bot", "agent"})
_FRESH_STARTS = frozenset({"resume", "restart", "session_started"})  # end a row of fallbacks


class Events(list[Any]):
    """The events of a conversation, with their types cached: they are read many times a turn."""

    def __init__(self, events: Sequence[Any]) -> None:
        super().__init__(events)
        self.kinds = [kind(event) for event in events]


def kind(event: object) -> str:
    """Return the type of an event, ``""`` if it has none."""
    if type(event) is dict or isinstance(event, Mapping):
        name = event.get("event")
        return name if isinstance(name, str) else ""
    return ""


def at(events: Events, index: int | None) -> float | None:
    """Return the time of the event at ``index``, in seconds since the epoch."""
    return None if index is None else moment(mapping(events[index]).get("timestamp"))


def parse_data(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the NLU result of a user event."""
    return mapping(event.get("parse_data"))


def event_message_id(event: Mapping[str, Any]) -> str | None:
    """Return the message ID of a user event, if Rasa gave one."""
    message_id = event.get("message_id") or parse_data(event).get("message_id")
    return str(message_id) if isinstance(message_id, int) else words(message_id)


def last_user(events: Events) -> int | None:
    """Return the index of the last message that Rasa received."""
    backwards = (i for i in range(len(events) - 1, -1, -1) if events.kinds[i] == "user")
    return next((i for i in backwards if not is_written_back(events[i])), None)


def position(events: Events, message_id: str | None, text: str) -> int | None:
    """Return the index of a message's user event, or of the last user event if none matches.

    After a reverted fallback, Rasa's latest message is older than the last user event.
    """
    last = None
    for index in range(len(events) - 1, -1, -1):
        if events.kinds[index] != "user" or is_written_back(events[index]):
            continue
        last = index if last is None else last
        event = events[index]
        if event_message_id(event) == message_id and (
            message_id is not None or (words(event.get("text")) or "") == text
        ):
            return index
    return last


def stable_id(events: Events, index: int | None) -> str:
    """Return a message ID derived from the position only.

    It consists of the nearest earlier message's ID and the number of user events since, without
    times and texts, so that a repeated request gives the same ID.
    """
    if index is None:
        return "#"
    steps = 0
    for before in range(index - 1, -1, -1):
        if events.kinds[before] == "user":
            anchor = event_message_id(events[before])
            steps += 1
            if anchor is not None:
                return f"{anchor}#{steps}"
    return f"#{steps}"


def count_action(events: Events, index: int | None, name: str) -> int:
    """Return the number of executions of the action ``name`` after ``index``."""
    start = 0 if index is None else index + 1
    return sum(
        1
        for i in range(start, len(events))
        if events.kinds[i] == "action" and events[i].get("name") == name
    )


def started_flows(events: Events, index: int | None) -> tuple[str, ...]:
    """Return the CALM flows that started after ``index``."""
    start = 0 if index is None else index + 1
    ids = (
        words(events[i].get("flow_id"))
        for i in range(start, len(events))
        if events.kinds[i] == "flow_started"
    )
    return tuple(flow for flow in ids if flow is not None)


def fell_back(events: Events, index: int | None) -> bool:
    """Return whether a fallback action or pattern ran after ``index``."""
    start = 0 if index is None else index + 1
    return any(_is_fallback_step(events, i) for i in range(start, len(events)))


def slot_set_at(events: Events, name: str) -> float | None:
    """Return when a slot was last set within the events."""
    for index in range(len(events) - 1, -1, -1):
        if events.kinds[index] == "slot" and events[index].get("name") == name:
            return at(events, index)
    return None


def resumed(events: Events) -> bool:
    """Return whether a resume event is newer than any pause, restart or new session."""
    backwards = (events.kinds[i] for i in range(len(events) - 1, -1, -1))
    turning = (what for what in backwards if what == "pause" or what in _FRESH_STARTS)
    return next(turning, "") == "resume"


def replies(events: Events) -> tuple[Said, ...]:
    """Return what the bot said since the last user event, or our last action if that is newer.

    Utterances of our own actions and write-backs of agents' messages are left out.
    """
    result: list[Said] = []
    block: list[Said] = []  # of the action not yet reached (going backwards)
    for index in range(len(events) - 1, -1, -1):
        event, what = events[index], events.kinds[index]
        if what == "user":
            break
        if what == "bot" and not is_written_back(event):
            reply = said(event)
            if reply is not None:
                block.append(reply)
        elif what == "action":
            if words(event.get("name")) in OWN_ACTIONS:
                block = []
                break
            result += block
            block = []
    return tuple(reversed(result + block))


def fallbacks(events: Events, since: float | None) -> int:
    """Count the fallbacks in a row up to the last message; only messages newer than ``since``.

    A message counts if it was not understood or a fallback step ran after it. A row ends at a
    resume, a restart or a new session, because messages to a paused bot are not its failures. A
    message that filled the slot requested by a form was understood.
    """
    count, stepped = 0, False
    filled: set[str | None] = set()
    for index in range(len(events) - 1, -1, -1):
        event, what = events[index], events.kinds[index]
        if what in _FRESH_STARTS:
            break
        if what != "user":
            stepped = stepped or _is_fallback_step(events, index)
            if what == "slot" and event.get("value") is not None:
                filled.add(words(event.get("name")))
            continue
        if not is_external(event) and not is_written_back(event):
            if not _newer(event, since):
                break
            if not stepped and (understood(parse_data(event)) or _asked(events, index, filled)):
                break
            count += 1
        stepped, filled = False, set()
    return count


def lines(events: Events, turns: int) -> tuple[Line, ...]:
    """Return the last ``turns`` turns as the customer saw them."""
    if turns <= 0:
        return ()
    start = 0
    messages: set[tuple[str, str]] = set()
    for index in range(len(events) - 1, -1, -1):
        if events.kinds[index] == "user" and _is_new(events[index], messages):
            turns -= 1
            start = index
            if turns == 0:
                break
    else:
        start = 0
    result: list[Line] = []
    buttons: dict[str, str] = {}
    messages = set()
    for index in range(start, len(events)):
        what = events.kinds[index]
        if what not in _SPOKEN or (what == "user" and not _is_new(events[index], messages)):
            continue
        entry = _line(what, events[index], buttons)
        if entry is not None:
            result.append(entry)
        if what == "bot":
            buttons.update(titles(events[index]))
    return tuple(result)


def customer_line(events: Events, index: int) -> Line | None:
    """Return the line of the user event at ``index``; None if no customer wrote it."""
    buttons: dict[str, str] = {}
    for before in range(index):
        if events.kinds[before] == "bot":
            buttons.update(titles(events[before]))
    return _line("user", events[index], buttons)


def is_external(event: Mapping[str, Any]) -> bool:
    """Return whether a user event came from a reminder or an external trigger, not a customer."""
    return mapping(event.get("metadata")).get("is_external") is True


def is_written_back(event: Mapping[str, Any]) -> bool:
    """Return whether an event was said on the gateway's channel, and not in Rasa."""
    return WRITTEN_BACK in mapping(event.get("metadata"))


def _is_new(event: Mapping[str, Any], messages: set[tuple[str, str]]) -> bool:
    """Return whether a user event is a customer's message that is not in ``messages``; add it.

    A two-stage fallback stores the customer's message once more. The text counts too, because some
    connectors give different messages the same ID.
    """
    if is_external(event):
        return False
    message_id = event_message_id(event)
    if message_id is None:
        return True
    message = (message_id, words(event.get("text")) or "")
    new = message not in messages
    messages.add(message)
    return new


def _line(what: str, event: Any, buttons: Mapping[str, str]) -> Line | None:
    if what == "user":
        text = words(event.get("text")) or "[no text]"
        if text.startswith("/"):
            text = buttons.get(text, text)  # a button: the customer saw its title
        return Line("customer", text, moment(event.get("timestamp")) or 0.0)
    if what not in ("bot", "agent"):
        return None
    text = line(event)
    if not text:
        return None
    agent = what == "agent" or is_written_back(event)
    return Line("agent" if agent else "bot", text, moment(event.get("timestamp")) or 0.0)


def _is_fallback_step(events: Events, index: int) -> bool:
    what = events.kinds[index]
    if what == "action":
        return words(events[index].get("name")) in FALLBACK_ACTIONS
    return what == "flow_started" and words(events[index].get("flow_id")) in _FALLBACK_FLOWS


def _newer(event: Mapping[str, Any], since: float | None) -> bool:
    if since is None:
        return True
    when = moment(event.get("timestamp"))
    return when is not None and when > since


def _asked(events: Events, index: int, filled: set[str | None]) -> bool:
    """Return whether a message filled the slot that the bot had requested just before."""
    if not filled:
        return False
    for before in range(index - 1, -1, -1):
        event, what = events[before], events.kinds[before]
        if what == "slot" and event.get("name") == "requested_slot":
            asked = words(event.get("value"))
            return asked is not None and asked in filled
        if what == "user" and not is_external(event):
            break  # a form requests again after each message: an older request does not count
    return False
