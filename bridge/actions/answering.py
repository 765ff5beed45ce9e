"""Rasa's tracker in, the core's answer out as events.

Never raises and never blocks the event loop; waits for an outcome at most ``delivery.wait``
seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from bridge import runtime
from bridge import turn as turns
from bridge.actions import brought, events
from bridge.core.channel import FullError
from bridge.errors import StoreError, describe
from bridge.model import derive
from bridge.planners.assist import SELECTOR
from bridge.runtime import Runtime
from bridge.state.commands import ActionKind, CallAction
from bridge.state.records import ActionAnswer
from bridge.turn import Turn
from bridge.web.admission import domain_carried

logger = logging.getLogger(__name__)

_MARGIN = 0.5  # seconds after ``delivery.wait`` in which the answer is stored and given


async def answer(
    name: str,
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    domain: DomainDict,
    *,
    promises: bool,
) -> list[dict[str, Any]]:
    """Answer Rasa; whatever happens, with events.

    Args:
        name: of the action.
        dispatcher: takes what the bot says.
        tracker: the conversation.
        domain: the bot's, where the request carried it.
        promises: whether the customer is waiting for a person when this action fails.
    """
    turn = turns.read(_state(tracker), domain if domain_carried.get() else None, name)
    try:
        found = await _asked(ActionKind(name), turn)
    except Exception as error:  # noqa: BLE001 - nothing raises into Rasa
        logger.error("An action failed: %s action=%s", describe(error), name)  # noqa: TRY400
        found = _failed(error, promises=promises)
    if found.response is not None:
        dispatcher.utter_message(response=found.response)
    elif found.text is not None:
        dispatcher.utter_message(text=found.text)
    elif found.message is not None:
        dispatcher.utter_message(**events.message(found.message))
    return events.of(found, turn)


async def _asked(kind: ActionKind, turn: Turn) -> ActionAnswer:
    bridge = runtime.opened()
    if bridge is None:
        bridge = await asyncio.get_running_loop().run_in_executor(None, runtime.current)
    settings = bridge.settings.bridge
    now, wait = bridge.core.clock.now(), settings.delivery.wait
    command = CallAction(
        key=derive("turn", turn.sender_id, turn.message_id, turn.action_name, turn.ordinal),
        answer_by=now + wait + _MARGIN,
        action=kind,
        turn=turn,
        brought=brought.read(turn, settings, now, bridge.warned),
        wait=wait,
        responses=_responses(bridge, turn),
    )
    found: ActionAnswer = await bridge.core.ask(command, seconds=wait + _MARGIN)
    return found


def _failed(error: Exception, *, promises: bool) -> ActionAnswer:
    unavailable = isinstance(error, (StoreError, FullError))
    word = "store_unavailable" if unavailable else "not_configured"
    if not promises:
        return ActionAnswer(error=word)
    return ActionAnswer(state="bot", error=word, response="utter_handoff_unavailable")


def _responses(bridge: Runtime, turn: Turn) -> Mapping[str, Any] | None:
    """The responses that the rules name; all of them where a response selector is asked."""
    known = turn.responses
    if known is None:
        return None
    rules = bridge.settings.designer
    names = {rules.handoff.say, rules.handoff.unavailable}
    names |= {rule.reply for rule in rules.assist.when}
    if SELECTOR in names:
        return known
    return {name: known[name] for name in names if name is not None and name in known}


def _state(tracker: Tracker) -> dict[str, Any]:
    """The tracker's parts as they were sent."""
    return {
        "sender_id": tracker.sender_id,
        "slots": tracker.slots,
        "latest_message": tracker.latest_message,
        "events": tracker.events,
        "paused": tracker.is_paused(),
        "active_loop": tracker.active_loop,
    }
