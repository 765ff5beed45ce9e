"""The core's answer as Rasa's events, in the order that Rasa needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa_sdk.events import ActionExecuted, ActiveLoop, ConversationPaused, SlotSet

from bridge.state.records import ActionAnswer
from bridge.turn import Turn


def of(answer: ActionAnswer, turn: Turn) -> list[dict[str, Any]]:
    """The slots; where the bot goes quiet, after forms were closed and a listen, and the pause.

    Without ``action_listen`` before the pause, Rasa rewinds to the handoff after a resume and runs
    it again on the next message it does not know. With the slots before that listen, the same
    rewind would undo a handback's slots and leave the handoff's.
    """
    if answer.state is None:
        return [SlotSet("handoff_error", answer.error)] if answer.error else []
    found = []
    if answer.pause:
        if turn.active_loop is not None:
            found += [ActiveLoop(None), SlotSet("requested_slot", None)]
        found.append(ActionExecuted("action_listen"))
    found += [
        SlotSet("handoff_state", answer.state),
        SlotSet("handoff_agent_id", answer.agent_id),
        SlotSet("handoff_call_id", answer.call_id),
        SlotSet("handoff_delivery", answer.delivery),
        SlotSet("handoff_error", answer.error),
    ]
    if answer.summary is not None:
        found.append(SlotSet("handoff_summary", answer.summary))
    if answer.pause:
        found.append(ConversationPaused())
    return found


_MESSAGE = ("text", "buttons", "elements", "image", "attachment", "quick_replies")


def message(reply: Mapping[str, Any]) -> dict[str, Any]:
    """A reply as the dispatcher's arguments; what it does not know stays out."""
    found = {key: reply[key] for key in _MESSAGE if reply.get(key) is not None}
    if reply.get("custom") is not None:
        found["json_message"] = reply["custom"]
    return found
