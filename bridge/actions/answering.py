"""Runs an action: turns Rasa's tracker into a command, and the core's answer into events.

Never raises and never blocks the event loop; waits for an outcome at most ``delivery.wait``
seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from bridge import runtime
from bridge import turn as turns
from bridge.actions import brought, events
from bridge.config.settings import HandoffSettings
from bridge.core.command_queue import FullError
from bridge.errors import StoreError
from bridge.model import derive
from bridge.planners.assist import SELECTOR
from bridge.runtime import Runtime
from bridge.state.commands import ActionKind, CallAction
from bridge.state.records import ActionAnswer
from bridge.turn import Turn
from bridge.turn.trimming import trim
from bridge.unexpected import Unexpected
from bridge.web.admission import domain_carried

logger = logging.getLogger(__name__)

_REACH = 50  # customer messages that a decision can reach back at least
_MARGIN = 0.5  # seconds after ``delivery.wait`` for storing and returning the answer


async def answer(
    name: str,
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    domain: DomainDict,
    *,
    promises: bool,
) -> list[dict[str, Any]]:
    """Run an action and return its events, also when it fails.

    Args:
        name: the action's name.
        dispatcher: receives the bot's messages.
        tracker: the conversation.
        domain: the bot's domain, used only if the request contained it.
        promises: True if the customer expects an agent, so that a failure must say that none is
            available.
    """
    turn = turns.read(_state(tracker), domain if domain_carried.get() else None, name)
    with Unexpected(logger, "An action failed: %s action=%s", name) as failure:
        result = await _call(ActionKind(name), turn)
    if failure.error is not None:  # Rasa must get an answer
        result = _failed(failure.error, promises=promises)
    if result.response is not None:
        dispatcher.utter_message(response=result.response)
    elif result.text is not None:
        dispatcher.utter_message(text=result.text)
    elif result.message is not None:
        dispatcher.utter_message(**events.message(result.message))
    return events.of(result, turn)


async def _call(kind: ActionKind, turn: Turn) -> ActionAnswer:
    bridge = runtime.opened()
    if bridge is None:
        bridge = await asyncio.get_running_loop().run_in_executor(None, runtime.current)
    settings = bridge.settings.bridge
    now, wait = bridge.core.clock.now(), settings.delivery.wait
    responses = _responses(bridge, turn)
    command = CallAction(
        key=derive("turn", turn.sender_id, turn.message_id, turn.action_name, turn.ordinal),
        answer_by=now + wait + _MARGIN,
        action=kind,
        turn=_trimmed(replace(turn, responses=responses), bridge.settings.designer),
        brought=brought.read(turn, settings, now, bridge.warned),
        wait=wait,
        responses=responses,
    )
    result: ActionAnswer = await bridge.core.ask(command, seconds=wait + _MARGIN)
    return result


def _trimmed(turn: Turn, rules: HandoffSettings) -> Turn:
    """Return the turn without what the rules cannot depend on; it is passed to another process."""
    items = (*rules.handoff.when, *rules.assist.when)
    rows = max((item.fallbacks or 0 for item in items), default=0)
    slots = {item.slot for item in items if item.slot is not None}
    return trim(turn, messages=max(rules.handoff.card.turns, rows, _REACH) + 1, slots=slots)


def _failed(error: Exception, *, promises: bool) -> ActionAnswer:
    unavailable = isinstance(error, (StoreError, FullError))
    code = "store_unavailable" if unavailable else "not_configured"
    if not promises:
        return ActionAnswer(error=code)
    return ActionAnswer(state="bot", error=code, response="utter_handoff_unavailable")


def _responses(bridge: Runtime, turn: Turn) -> Mapping[str, Any] | None:
    """Return the responses that the rules name, or all of them if a rule uses the selector."""
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
    """Return the parts of the tracker as Rasa sent them."""
    return {
        "sender_id": tracker.sender_id,
        "slots": tracker.slots,
        "latest_message": tracker.latest_message,
        "events": tracker.events,
        "paused": tracker.is_paused(),
        "active_loop": tracker.active_loop,
    }
