"""What the action classes share: Rasa's tracker in, the desk's answer out as events.

Instances are pickled to worker processes: they hold nothing. ``run`` never raises and never
blocks the event loop; it waits for an outcome at most ``delivery.wait`` seconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from bridge import runtime
from bridge import turn as turns
from bridge.actions import events
from bridge.actions.news import News
from bridge.desk import Answer, Called, Desk, MovedError, Quick, Step
from bridge.errors import StoreError, describe
from bridge.runtime import Runtime
from bridge.turn import Turn
from bridge.web.guard import domain_carried

logger = logging.getLogger(__name__)

_BEGINS = 5  # how often a step is begun, where somebody always is quicker
_LOOK_AGAIN = 0.25  # seconds between looks at what another process delivered


class BridgeAction(Action, ABC):  # rasa_sdk registers every class that is not abstract
    """An action of the bridge."""

    promises = False  # whether the customer is waiting for a person when this action fails

    @abstractmethod
    def step(self, desk: Desk, turn: Turn) -> Step:
        """Do the first, storing step; called in a thread."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Answer Rasa; whatever happens, with events."""
        turn = turns.read(_state(tracker), domain if domain_carried.get() else None, self.name())
        try:
            answer = await self._answer(turn)
        except Exception as error:  # noqa: BLE001 - nothing raises into Rasa
            logger.error("An action failed: %s action=%s", describe(error), self.name())  # noqa: TRY400
            answer = self._failed(error)
        if answer.response is not None:
            dispatcher.utter_message(response=answer.response)
        elif answer.text is not None:
            dispatcher.utter_message(text=answer.text)
        elif answer.message is not None:
            dispatcher.utter_message(**events.message(answer.message))
        return events.of(answer, turn)

    def quick(self, desk: Desk) -> Quick | None:
        """What does the ordinary call in the intake's thread, if there is such."""
        del desk
        return None

    async def _answer(self, turn: Turn) -> Answer:
        loop = asyncio.get_running_loop()
        bridge = runtime.opened()
        if bridge is None:
            bridge = await loop.run_in_executor(None, runtime.current)
        quick = self.quick(bridge.desk) if bridge.settings.bridge.delivery.wait else None
        for _ in range(_BEGINS):
            try:
                answer = await _taken_in(bridge, turn, quick) if quick is not None else None
                return answer if answer is not None else await self._at_leisure(bridge, turn)
            except MovedError:
                continue  # somebody was quicker: what is there now is seen
        raise StoreError("others always were quicker")

    async def _at_leisure(self, bridge: Runtime, turn: Turn) -> Answer:
        loop = asyncio.get_running_loop()
        step = await loop.run_in_executor(bridge.pool, self.step, bridge.desk, turn)
        if step.answer is not None:
            return step.answer
        if await _outcome(bridge, step) and step.if_told is not None:
            bridge.desk.handoffs.confirm(step, step.if_told)
            return step.if_told
        return await _conclusion(bridge, step, turn)

    def _failed(self, error: Exception) -> Answer:
        word = "store_unavailable" if isinstance(error, StoreError) else "not_configured"
        if not self.promises:
            return Answer(error=word)
        return Answer(state="bot", error=word, response="utter_handoff_unavailable")


async def _taken_in(bridge: Runtime, turn: Turn, quick: Quick) -> Answer | None:
    """Have the intake do the call; None where it is not an ordinary one.

    Waits for the outcome as ``_outcome`` does. What goes out is stored when this returns.

    Raises:
        MovedError: somebody was quicker.
    """
    news = News()
    called = Called(turn, quick, news.ring)
    bridge.desk.intake.put(called)
    until = time.monotonic() + bridge.settings.bridge.delivery.wait
    while (left := until - time.monotonic()) > 0:
        rung = await news.within(min(_LOOK_AGAIN, left))
        if called.error is not None:
            raise called.error
        if called.answer is not None or called.leisurely:
            return called.answer
        step = called.step
        if step is None:
            continue
        if called.told and step.if_told is not None:
            bridge.desk.handoffs.confirm(step, step.if_told)
            return step.if_told
        if rung or (called.stored and await _settled_elsewhere(bridge, step)):
            break
    while not called.stored or called.step is None:
        called.impatient = True
        await news.within(_LOOK_AGAIN)
        if called.error is not None:
            raise called.error
        if called.answer is not None or called.leisurely:
            return called.answer
    return await _conclusion(bridge, called.step, turn)


async def _outcome(bridge: Runtime, step: Step) -> bool:
    """Wait until the deliveries of ``step`` are settled, at most ``delivery.wait`` seconds.

    True if the customer has them all. What goes out is stored when this returns.

    Raises:
        MovedError: somebody was quicker.
    """
    wait = bridge.settings.bridge.delivery.wait
    until = time.monotonic() + wait
    settled = asyncio.wrap_future(step.settled) if step.settled is not None and wait else None
    while (left := until - time.monotonic()) > 0:
        pause = min(_LOOK_AGAIN, left)
        if settled is None:
            await asyncio.sleep(pause)
        else:
            done, _ = await asyncio.wait({settled}, timeout=pause)
            if done:
                return settled.result()
        if await _settled_elsewhere(bridge, step):
            break
    if step.stored is not None:
        await asyncio.wrap_future(step.stored)
    return False


async def _settled_elsewhere(bridge: Runtime, step: Step) -> bool:
    """Whether the outcome is known: another process may have delivered it."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(bridge.pool, bridge.desk.handoffs.settled, step)


async def _conclusion(bridge: Runtime, step: Step, turn: Turn) -> Answer:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(bridge.pool, bridge.desk.handoffs.conclude, step, turn)


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
