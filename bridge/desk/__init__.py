"""The use cases: what actions, the API and the command do, in terms of the product.

Sync: the caller's thread blocks for the store. Knows no HTTP, no rasa_sdk and no SQL.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from bridge import triggers
from bridge.config.settings import Settings
from bridge.desk.answers import ASSIST, BOT, HANDOFF, NOTHING, Answer, MovedError, Step
from bridge.desk.assist import Assists
from bridge.desk.calls import Calls, CallView
from bridge.desk.compose import Composer
from bridge.desk.deliveries import Deliveries
from bridge.desk.handback import Handbacks
from bridge.desk.handoff import Handoffs
from bridge.desk.intake import Called, Intake, Quick
from bridge.desk.paging import Page
from bridge.desk.responses import Responses
from bridge.desk.storing import Plan, Sending
from bridge.desk.suggestions import Suggestions
from bridge.desk.tokens import Tokens
from bridge.desk.turns import Seen, look, pause_again
from bridge.desk.waits import Waits
from bridge.gateway.sessions import Sessions
from bridge.metrics import Metrics
from bridge.model import Mode
from bridge.store import Store, suggestions
from bridge.store.assignments import Standing
from bridge.store.sessions import Session
from bridge.triggers import Kind
from bridge.turn import Turn

__all__ = [
    "NOTHING",
    "Answer",
    "CallView",
    "Called",
    "Calls",
    "Desk",
    "MovedError",
    "Page",
    "Plan",
    "Quick",
    "Seen",
    "Session",
    "Standing",
    "Step",
]


class Desk:
    """Everything that can be done, by name.

    Args:
        rasa: whether Rasa's HTTP API can be asked.
        outbox: takes what is to be sent.
        errand: tells the messenger that something may be due.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        sessions: Sessions,
        composer: Composer,
        responses: Responses,
        waits: Waits,
        *,
        rasa: bool,
        outbox: Sending,
        errand: Callable[[], None],
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        metrics = metrics or Metrics()
        self._store = store
        self._rules = settings.designer
        self._clock = clock
        self.handbacks = Handbacks(store, rasa=rasa, errand=errand, clock=clock)
        freed = self.handbacks.freed
        self.calls = Calls(
            store, settings.bridge, sessions, plain=composer.plain, freed=freed, clock=clock
        )
        self.deliveries = Deliveries(store, settings.bridge, ring=outbox.ring, clock=clock)
        self.handoffs = Handoffs(
            store,
            settings,
            composer,
            responses,
            waits,
            outbox=outbox,
            freed=freed,
            answered=metrics.handoff,
            clock=clock,
        )
        told = metrics.suggestions
        self.assists = Assists(
            store, settings, composer, responses, ring=outbox.ring, told=told, clock=clock
        )
        self.suggestions = Suggestions(
            store, settings.bridge, composer, ring=outbox.ring, told=told, clock=clock
        )
        self.intake = Intake(store, self.handoffs)
        self.tokens = Tokens(store, settings.bridge, clock=clock)

    def check(self) -> None:
        """Raise StoreError where the database can be neither read nor written."""
        self._store.check()

    # -- what Rasa's actions do --------------------------------------------------------------------

    def hand_off(self, turn: Turn) -> Step:
        """``action_human_handoff``: hand off whenever it is called."""
        seen = self._look(turn)
        decision = triggers.handoff_reason(turn, self._rules, handed_back_at=seen.handed_back_at)
        return self.handoffs.begin(seen, turn, decision, called=True)

    def assist(self, turn: Turn) -> Step:
        """``action_agent_assist``: help the agent, or answer as the bot, whenever it is called."""
        seen = self._look(turn)
        decision = triggers.assist_rule(turn, self._rules)
        return self._quiet_again(seen, turn, self.assists.begin(seen, turn, decision))

    def act(self, turn: Turn) -> Step:
        """``action_bridge``: read the turn and do what the triggers call for, or nothing."""
        seen = self._look(turn)
        # Whether assist is off is for the agent's side: the bot answers its own customers.
        decision = triggers.decide(
            turn, self._rules, handed_back_at=seen.handed_back_at, mode=Mode.SUGGEST
        )
        if decision.kind is Kind.HANDOFF:
            return self.handoffs.begin(seen, turn, decision, called=False)
        step = Step(seen.key, NOTHING)
        if decision.kind is Kind.ASSIST:
            step = self.assists.begin(seen, turn, decision)
        return self._quiet_again(seen, turn, step)

    def hand_back(self, turn: Turn) -> Step:
        """``action_handback``: the bot has the conversation again."""
        return self.handbacks.by_action(self._look(turn))

    def hand_off_quickly(self, seen: Seen, turn: Turn) -> Plan | None:
        """What ``hand_off`` does, planned without asking anybody; None where it would ask."""
        decision = triggers.handoff_reason(turn, self._rules, handed_back_at=seen.handed_back_at)
        return self.handoffs.quickly(seen, turn, decision)

    def act_quickly(self, seen: Seen, turn: Turn) -> Plan | Answer | None:
        """What ``act`` does, without asking anybody; None where it would ask."""
        if seen.with_agent is not None:
            return None
        decision = triggers.decide(
            turn, self._rules, handed_back_at=seen.handed_back_at, mode=Mode.SUGGEST
        )
        if decision.kind is Kind.HANDOFF:
            return self.handoffs.quickly(seen, turn, decision)
        return None if decision.kind is Kind.ASSIST else _with_the_bot(NOTHING, turn)

    def _look(self, turn: Turn) -> Seen:
        """What is stored of the turn; a newer customer message supersedes what is offered."""
        seen = look(self._store, turn)
        if seen.with_agent is not None and seen.record is None:
            self._store.write(
                lambda tx: suggestions.supersede(
                    tx, turn.sender_id, turn.message_id, now=self._clock()
                )
            )
        return seen

    def _quiet_again(self, seen: Seen, turn: Turn, step: Step) -> Step:
        """Put our pause back where Rasa lifted it while the agent has the call."""
        standing = seen.with_agent
        if standing is None and step.answer is not None:
            return replace(step, answer=_with_the_bot(step.answer, turn))
        if standing is None or step.answer is None or turn.resumed:
            return step  # who told Rasa to resume wants the bot to speak
        again = self._store.read(lambda tx: pause_again(tx, standing, turn))
        return Step(step.key, again) if again is not None else step


def _with_the_bot(answer: Answer, turn: Turn) -> Answer:
    """The answer, with the slots put right where Rasa undid a handback's.

    It does so when it falls back: its rewind reaches to the last thing the bot did.
    """
    if answer.state is None and turn.slots.get("handoff_state") in (HANDOFF, ASSIST):
        return replace(answer, state=BOT)
    return answer
