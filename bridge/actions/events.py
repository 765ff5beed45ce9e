"""Converts the core's answer into Rasa's events, in the order that Rasa needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa_sdk.events import ActionExecuted, ActiveLoop, ConversationPaused, SlotSet

from bridge.state.records import ActionAnswer
from bridge.turn import Turn


def of(answer: ActionAnswer, turn: Turn) -> list[dict[str, Any]]:
    """Return the events of an answer.

    These are the slots. If the bot pauses, events that close the active form and an
    ``action_listen`` precede them, and the pause follows.

    Without ``action_listen`` before the pause, Rasa rewinds to the handoff after a resume and runs
    it again on the next message it does not know. If the slots preceded that listen, the same
    rewind would undo a handback's slots and leave the handoff's.
    """
    events: list[dict[str, Any]] = []
    if answer.pause:
        if turn.active_loop is not None:
            events += [ActiveLoop(None), SlotSet("requested_slot", None)]
        events.append(ActionExecuted("action_listen"))
    events += [SlotSet(name, value) for name, value in answer.slots.items()]
    if answer.pause:
        events.append(ConversationPaused())
    return events


_MESSAGE = ("text", "buttons", "elements", "image", "attachment", "quick_replies")


def message(reply: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a reply into the dispatcher's arguments; keys it does not support are dropped."""
    arguments = {key: reply[key] for key in _MESSAGE if reply.get(key) is not None}
    if reply.get("custom") is not None:
        arguments["json_message"] = reply["custom"]
    return arguments
