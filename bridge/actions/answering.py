"""Runs an action: turns Rasa's tracker into a command, and the core's answer into events.

Never raises and never blocks the event loop; waits for an outcome at most ``delivery.wait``
seconds.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from bridge import replies, runtime
from bridge import turn as turns
from bridge.actions import brought, events
from bridge.config.settings import (
    DeliverySettings,
    HandoffSettings,
    MediaSettings,
    Settings,
    response_names,
)
from bridge.core.command_queue import FullError
from bridge.errors import StoreError
from bridge.language import codes_of, response_in
from bridge.planners.assist import SELECTOR
from bridge.runtime import Runtime
from bridge.state.commands import ANSWERING, ActionKind, CallAction, call_key
from bridge.state.records import ActionAnswer
from bridge.translate.channels import rasa_channels
from bridge.turn import Turn
from bridge.turn.coerce import mapping
from bridge.turn.trimming import trim
from bridge.unexpected import Unexpected
from bridge.web.admission import domain_carried

logger = logging.getLogger(__name__)

_REACH = 50  # customer messages that a decision can reach back at least
_missing: set[str] = set()  # responses that were warned about

_opening: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Future[Runtime]] = (
    WeakKeyDictionary()
)


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
    if result.unavailable:
        with Unexpected(logger, "An announcement could not be made: %s action=%s", name):
            result = _announced(result, turn)
    if result.response is not None:
        dispatcher.utter_message(response=result.response)
    elif result.message is not None:
        dispatcher.utter_message(**events.message(result.message))
    return events.of(result, turn)


async def _call(kind: ActionKind, turn: Turn) -> ActionAnswer:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    bridge = runtime.opened()
    if bridge is None:
        bridge = await _opened(loop)
    settings = bridge.settings.bridge
    wait = max(0.0, settings.delivery.wait - (loop.time() - begun))
    now = bridge.core.clock.now()
    responses = _responses(bridge, turn)
    command = CallAction(
        key=call_key(turn),
        answer_by=now + wait + ANSWERING,
        action=kind,
        turn=_trimmed(replace(turn, responses=responses), bridge.settings.designer),
        brought=brought.read(
            turn,
            settings,
            bridge.composer.gateway_channel(turn.input_channel),
            now,
            bridge.warned,
        ),
        wait=wait,
        responses=responses,
    )
    result: ActionAnswer = await bridge.core.ask(command, seconds=wait + ANSWERING)
    return result


async def _opened(loop: asyncio.AbstractEventLoop) -> Runtime:
    """Open this process's runtime, within ``delivery.wait`` seconds.

    A database that is locked or hangs would block for longer. It is opened once, in a thread of
    its own, which a stop does not wait for; later calls wait for the same attempt.

    Raises:
        BridgeError: the configuration is invalid, or a part could not be opened.
        StoreError: it takes longer.
    """
    opening = _opening.get(loop)
    if opening is None or opening.done():
        opening = _opening[loop] = _open_aside(loop)
    settings = runtime.configured()
    delivery = settings.bridge.delivery if settings is not None else DeliverySettings()
    done, _ = await asyncio.wait([opening], timeout=delivery.wait)
    if not done:
        raise StoreError("the store could not be opened in time")
    return opening.result()


def _open_aside(loop: asyncio.AbstractEventLoop) -> asyncio.Future[Runtime]:
    future: asyncio.Future[Runtime] = loop.create_future()
    # Read the error if no caller waits any more.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())

    def settle(bridge: Runtime | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if bridge is not None:
            future.set_result(bridge)
        elif error is not None:
            future.set_exception(error)

    def run() -> None:
        bridge, error = None, None
        try:
            bridge = runtime.current()
        except Exception as failed:  # noqa: BLE001 - the waiting callers raise it
            error = failed
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, bridge, error)

    threading.Thread(target=run, name="opening", daemon=True).start()
    return future


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
    return ActionAnswer(state="bot", error=code, unavailable=True)


def _settings() -> Settings | None:
    """Return the settings; None if the configuration could not be read."""
    bridge = runtime.opened()
    return bridge.settings if bridge is not None else runtime.configured()


def _announced(answer: ActionAnswer, turn: Turn) -> ActionAnswer:
    """Return the answer with the response for its error, rendered with the slots that it sets.

    If nobody knows the domain here, Rasa renders the response.
    """
    settings = _settings()
    designer = settings.designer if settings is not None else HandoffSettings()
    names, own_text = replies.refusal(answer.error, designer)
    name = response_in(names, codes_of(turn.slots, designer))
    if name is None:
        return answer
    known = turn.responses
    if known is None and settings is not None and settings.domain is not None:
        known = mapping(settings.domain.get("responses"))
    if known is None and answer.variations is not None:
        known = {name: answer.variations}
    if known is None and name:
        return replace(answer, response=name)
    said = replies.announce(
        name,
        own_text,
        known,
        {**turn.slots, **answer.slots},
        designer,
        channels=_output_channels(settings, turn.input_channel),
        seed=turn.message_id,
    )
    if said.own and name and name not in _missing:
        _missing.add(name)
        logger.warning("The domain has no response %s that fits: the built-in text is used", name)
    return replace(answer, message=said.reply)


def _output_channels(settings: Settings | None, rasa_channel: str | None) -> tuple[str, ...]:
    """Return the output channel's name, which a variation's ``channel`` is compared with."""
    if not rasa_channel:
        return ()
    row = rasa_channels(settings.media if settings is not None else MediaSettings()).get(
        rasa_channel
    )
    return (row.output if row is not None else rasa_channel,)


def _responses(bridge: Runtime, turn: Turn) -> Mapping[str, Any] | None:
    """Return the responses that the rules name, or all of them if a rule uses the selector."""
    known = turn.responses
    if known is None:
        return None
    rules = bridge.settings.designer
    names = {rule.reply for rule in rules.assist.when if rule.reply is not None}
    for key in rules.handoff.ANNOUNCEMENTS:
        names.update(response_names(getattr(rules.handoff, key)))
    if rules.assist.auto.disclose is not None:
        names.add(rules.assist.auto.disclose)
    if SELECTOR in names:
        return known
    return {name: known[name] for name in names if name in known}


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
