"""The raw events of a conversation, read backwards and only as far as needed.

Raw, not applied: rewinds and reverted fallbacks hide nothing, because the customer saw it all.
Each function takes the list as Rasa sent it, uncopied, and never raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.model import Line
from bridge.turn.coerce import mapping, number, words
from bridge.turn.message import understood
from bridge.turn.spoken import Said, line, said, titles

OWN_ACTIONS = frozenset(
    {"action_bridge", "action_human_handoff", "action_agent_assist", "action_handback"}
)
WRITTEN_BACK = "cc_bridge"  # in a bot event's metadata: what an agent said, told to Rasa
FALLBACK_ACTIONS = frozenset(
    {"action_default_fallback", "action_two_stage_fallback", "action_default_ask_rephrase"}
)
_FALLBACK_FLOWS = frozenset({"pattern_cannot_handle", "pattern_internal_error"})
_SPOKEN = frozenset({"user", "bot", "agent"})
_FRESH_STARTS = frozenset({"resume", "restart", "session_started"})  # a row does not reach past


class Events(list[Any]):
    """A conversation's events, and the kind of each, which is asked many times a turn."""

    def __init__(self, events: Sequence[Any]) -> None:
        super().__init__(events)
        self.kinds = [kind(event) for event in events]


def kind(event: object) -> str:
    """The event's type, ``""`` where it has none."""
    if type(event) is dict or isinstance(event, Mapping):
        found = event.get("event")
        return found if isinstance(found, str) else ""
    return ""


def at(events: Events, index: int | None) -> float | None:
    """When the event at ``index`` happened, in seconds since the epoch."""
    return None if index is None else number(mapping(events[index]).get("timestamp"))


def parse_data(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """What Rasa understood of a user event."""
    return mapping(event.get("parse_data"))


def event_message_id(event: Mapping[str, Any]) -> str | None:
    """The message ID of a user event, where Rasa gave one."""
    found = event.get("message_id") or parse_data(event).get("message_id")
    return str(found) if isinstance(found, int) else words(found)


def last_user(events: Events) -> int | None:
    """Where the last user event is."""
    return next((i for i in range(len(events) - 1, -1, -1) if events.kinds[i] == "user"), None)


def position(events: Events, message_id: str | None, text: str) -> int | None:
    """Where the user event of a message is; the last user event where none fits.

    After a reverted fallback Rasa's latest message is an older one than the last user event.
    """
    last = None
    for index in range(len(events) - 1, -1, -1):
        if events.kinds[index] != "user":
            continue
        last = index if last is None else last
        event = events[index]
        if event_message_id(event) == message_id and (
            message_id is not None or (words(event.get("text")) or "") == text
        ):
            return index
    return last


def stable_id(events: Events, index: int | None) -> str:
    """A message ID made of the position alone.

    It is the nearest earlier message's ID and the number of user events since. Repeating the same
    request gives the same; times and texts play no part.
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
    """How many executions of the action ``name`` follow ``index``."""
    start = 0 if index is None else index + 1
    return sum(
        1
        for i in range(start, len(events))
        if events.kinds[i] == "action" and events[i].get("name") == name
    )


def started_flows(events: Events, index: int | None) -> tuple[str, ...]:
    """The CALM flows that started after ``index``."""
    start = 0 if index is None else index + 1
    ids = (
        words(events[i].get("flow_id"))
        for i in range(start, len(events))
        if events.kinds[i] == "flow_started"
    )
    return tuple(flow for flow in ids if flow is not None)


def fell_back(events: Events, index: int | None) -> bool:
    """Whether an action or pattern of falling back ran after ``index``."""
    start = 0 if index is None else index + 1
    return any(_is_fallback_step(events, i) for i in range(start, len(events)))


def slot_set_at(events: Events, name: str) -> float | None:
    """When a slot was last set, as far as the events reach."""
    for index in range(len(events) - 1, -1, -1):
        if events.kinds[index] == "slot" and events[index].get("name") == name:
            return at(events, index)
    return None


def resumed(events: Events) -> bool:
    """Whether somebody told Rasa to resume, and no pause, restart or new session came since."""
    found = (events.kinds[i] for i in range(len(events) - 1, -1, -1))
    turning = (what for what in found if what == "pause" or what in _FRESH_STARTS)
    return next(turning, "") == "resume"


def replies(events: Events) -> tuple[Said, ...]:
    """What the bot said since the last user event or since our own last action after it.

    What our own action uttered is not the bot's; neither is what an agent's words left behind.
    """
    found: list[Said] = []
    block: list[Said] = []  # of the action that comes next, going backwards
    for index in range(len(events) - 1, -1, -1):
        event, what = events[index], events.kinds[index]
        if what == "user":
            break
        if what == "bot" and WRITTEN_BACK not in mapping(event.get("metadata")):
            one = said(event)
            if one is not None:
                block.append(one)
        elif what == "action":
            if words(event.get("name")) in OWN_ACTIONS:
                block = []
                break
            found += block
            block = []
    return tuple(reversed(found + block))


def fallbacks(events: Events, since: float | None) -> int:
    """Fallbacks in a row that end with the last message; only messages newer than ``since``.

    A message is one if it was not understood or a step of falling back ran after it. A row does
    not reach past a resume, a restart or a new session: what was written to a paused bot is no
    failing of the bot. A message that filled the slot a form had asked for was understood.
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
        if not is_external(event):
            if not _newer(event, since):
                break
            if not stepped and (understood(parse_data(event)) or _asked(events, index, filled)):
                break
            count += 1
        stepped, filled = False, set()
    return count


def lines(events: Events, turns: int) -> tuple[Line, ...]:
    """The last ``turns`` turns as the customer saw them."""
    if turns <= 0:
        return ()
    start = 0
    for index in range(len(events) - 1, -1, -1):
        if events.kinds[index] == "user" and not is_external(events[index]):
            turns -= 1
            start = index
            if turns == 0:
                break
    else:
        start = 0
    found: list[Line] = []
    buttons: dict[str, str] = {}
    for index in range(start, len(events)):
        what = events.kinds[index]
        if what not in _SPOKEN:
            continue
        one = _line(what, events[index], buttons)
        if one is not None:
            found.append(one)
        if what == "bot":
            buttons.update(titles(events[index]))
    return tuple(found)


def is_external(event: Mapping[str, Any]) -> bool:
    """Whether a reminder or a trigger made this user event: nobody wrote it."""
    return mapping(event.get("metadata")).get("is_external") is True


def _line(what: str, event: Any, buttons: Mapping[str, str]) -> Line | None:
    if what == "user" and not is_external(event):
        text = words(event.get("text")) or "[no text]"
        if text.startswith("/"):
            text = buttons.get(text, text)  # a click: the customer saw the title
        return Line("customer", text, number(event.get("timestamp")) or 0.0)
    if what not in ("bot", "agent"):
        return None
    text = line(event)
    if not text:
        return None
    agent = what == "agent" or WRITTEN_BACK in mapping(event.get("metadata"))
    return Line("agent" if agent else "bot", text, number(event.get("timestamp")) or 0.0)


def _is_fallback_step(events: Events, index: int) -> bool:
    what = events.kinds[index]
    if what == "action":
        return words(events[index].get("name")) in FALLBACK_ACTIONS
    return what == "flow_started" and words(events[index].get("flow_id")) in _FALLBACK_FLOWS


def _newer(event: Mapping[str, Any], since: float | None) -> bool:
    if since is None:
        return True
    when = number(event.get("timestamp"))
    return when is not None and when > since


def _asked(events: Events, index: int, filled: set[str | None]) -> bool:
    """Whether what a message filled is what the bot had asked for just before."""
    if not filled:
        return False
    for before in range(index - 1, -1, -1):
        event, what = events[before], events.kinds[before]
        if what == "slot" and event.get("name") == "requested_slot":
            asked = words(event.get("value"))
            return asked is not None and asked in filled
        if what == "user" and not is_external(event):
            break  # a form asks anew after each message, so an older question is not this one
    return False
