"""The use cases: what actions, the API and the command do, in terms of the product.

Sync: the caller's thread blocks for the store. Knows no HTTP, no rasa_sdk and no SQL.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bridge import triggers
from bridge.config.settings import Settings
from bridge.desk.answers import NOTHING, Answer, Step
from bridge.desk.calls import Calls, CallView, Page
from bridge.desk.compose import Composer
from bridge.desk.handoff import Handoffs
from bridge.desk.responses import Responses
from bridge.desk.waits import Waits
from bridge.gateway.sessions import Sessions
from bridge.store import Store, assignments
from bridge.store.assignments import Standing
from bridge.store.sessions import Session
from bridge.triggers import Kind
from bridge.turn import Turn

__all__ = [
    "NOTHING",
    "Answer",
    "CallView",
    "Calls",
    "Desk",
    "Handoffs",
    "Page",
    "Session",
    "Standing",
    "Step",
]


class Desk:
    """Everything that can be done, by name."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        sessions: Sessions,
        composer: Composer,
        responses: Responses,
        waits: Waits,
        *,
        ring: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._rules = settings.designer
        self.calls = Calls(store, settings.bridge, sessions, clock=clock)
        self.handoffs = Handoffs(
            store, settings, composer, responses, waits, ring=ring, clock=clock
        )

    def check(self) -> None:
        """Raise StoreError where the database can be neither read nor written."""
        self._store.check()

    def hand_off(self, turn: Turn) -> Step:
        """``action_human_handoff``: hand off whenever it is called."""
        decision = triggers.handoff_reason(
            turn, self._rules, handed_back_at=self._handed_back_at(turn)
        )
        return self.handoffs.begin(turn, decision, called=True)

    def act(self, turn: Turn) -> Step:
        """``action_bridge``: read the turn and do what the triggers call for, or nothing."""
        decision = triggers.decide(turn, self._rules, handed_back_at=self._handed_back_at(turn))
        if decision.kind is Kind.HANDOFF:
            return self.handoffs.begin(turn, decision, called=False)
        return Step("", NOTHING)

    def _handed_back_at(self, turn: Turn) -> float | None:
        return self._store.read(lambda tx: assignments.handed_back_at(tx, turn.sender_id))
