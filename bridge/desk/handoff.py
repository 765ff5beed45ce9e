"""Hands a conversation over to the agent it was assigned to, and keeps the promise honest.

``begin`` stores the handoff and its deliveries in one transaction; ``conclude`` judges what became
of them and gives the action's answer. Between the two the caller waits, not this module.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace

from bridge import replies, triggers
from bridge.config.settings import Settings
from bridge.desk import outcome
from bridge.desk.answers import (
    ASSIST,
    BOT,
    DELIVERED,
    HANDOFF,
    Answer,
    Step,
)
from bridge.desk.assigning import Freed
from bridge.desk.compose import Composer
from bridge.desk.resolve import Resolver
from bridge.desk.responses import Responses
from bridge.desk.storing import Plan, Sending, Storing
from bridge.desk.turns import Seen, pause_again
from bridge.desk.waits import Waits
from bridge.errors import AssignmentError, StoreError
from bridge.model import (
    Assignment,
    Card,
    Delivery,
    DeliveryError,
    Origin,
    Owner,
    Reply,
)
from bridge.store import Store, Tx, assignments, deliveries, queue, turns
from bridge.store.assignments import Standing
from bridge.triggers import Decision
from bridge.trust import Claim
from bridge.turn import Turn

logger = logging.getLogger(__name__)

_SORRY = "Sorry, nobody can take over just now. Please go on here, or try again a little later."
_WITHDRAWN = DeliveryError("withdrawn", "the customer was told that nobody can take over")


class Handoffs:
    """The use case. Thread-safe; blocks only for the store (and Rasa's domain, if it is asked)."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        composer: Composer,
        responses: Responses,
        waits: Waits,
        *,
        outbox: Sending,
        freed: Freed,
        answered: Callable[[str], None] = lambda _outcome: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._rules = settings.designer.handoff
        self._resolver = Resolver(settings.bridge)
        self._composer = composer
        self._responses = responses
        self._waits = waits
        self._storing = Storing(
            store,
            waits,
            outbox,
            plain=composer.plain,
            freed=freed,
            most_waiting=settings.bridge.delivery.max_waiting_per_call,
        )
        self._answered = answered
        self._clock = clock
        self._missing: set[str] = set()  # responses that were warned about

    # -- the first transaction -----------------------------------------------------------------

    def begin(self, seen: Seen, turn: Turn, decision: Decision, *, called: bool) -> Step:
        """Store the handoff that ``decision`` calls for, or the answer that none can be made.

        Args:
            seen: what the store has of the turn.
            turn: what Rasa sent.
            decision: why.
            called: a story or flow called for the handoff by name. A trigger that fires during
                the cool-down is passed over instead, and the customer is told nothing.
        """
        if seen.record is not None:
            return self._again(seen.record)
        now = self._clock()
        try:
            found = self._resolver.resolve(
                turn, seen.standing, lambda call: self._of_call(turn.sender_id, call), now=now
            )
            if found is seen.with_agent:
                return Step(seen.key, self._repeat(found, turn))
            if triggers.in_cooldown(
                decision,
                turn,
                handed_back_at=seen.handed_back_at,
                cooldown=self._rules.cooldown,
                now=now,
            ):
                if not called:
                    return Step(seen.key, Answer(state=BOT, error="cooldown"))
                raise AssignmentError("cooldown", "the conversation was handed back a moment ago")
            plan = self._plan(seen, turn, decision, found, now)
        except AssignmentError as error:
            return self._refuse(seen.key, turn, error)
        return self._commit(plan)

    def quickly(self, seen: Seen, turn: Turn, decision: Decision) -> Plan | None:
        """The plan of an ordinary handoff; None where somebody is to be asked, or told off.

        Blocks for nothing: whatever is not ordinary is for ``begin``.
        """
        found = seen.standing
        ordinary = (
            seen.record is None
            and found is not None
            and found.open
            and found.owner is Owner.BOT
            and self._resolver.silent(turn)
            and (turn.responses is not None or self._responses.at_hand)
        )
        if not ordinary or found is None:
            return None
        now = self._clock()
        if triggers.in_cooldown(
            decision,
            turn,
            handed_back_at=seen.handed_back_at,
            cooldown=self._rules.cooldown,
            now=now,
        ):
            return None
        try:
            plan = self._plan(seen, turn, decision, found, now)
        except AssignmentError:
            return None
        return plan if plan.batch else None

    def _of_call(self, sender_id: str, call_id: str) -> Standing | None:
        return self._store.read(lambda tx: assignments.of_sender_and_call(tx, sender_id, call_id))

    def _plan(
        self,
        seen: Seen,
        turn: Turn,
        decision: Decision,
        found: Standing | Claim,
        now: float,
    ) -> Plan:
        assignment, key = found.assignment, seen.key
        card = Card(
            decision.reason,
            {name: turn.slots.get(name) for name in self._rules.card.slots},
            turn.lines(self._rules.card.turns),
        )
        said = self._say(self._rules.say, turn, assignment, key)
        batch = self._composer.compose(
            assignment,
            [self._composer.drafts(assignment, said)] if said is not None else [],
            Origin.HANDOFF,
            name=(turn.sender_id, turn.message_id, turn.action_name, turn.ordinal),
            now=now,
            turn_key=key,
        )
        claim = found if isinstance(found, Claim) else None
        return Plan(key, assignment, claim, seen.standing, card, tuple(batch), now)

    def _commit(self, plan: Plan) -> Step:
        stored: Future[None] = Future()

        def told(error: Exception | None) -> None:
            if error is None:
                stored.set_result(None)
            else:
                stored.set_exception(error)

        return replace(self.put(plan, told), stored=stored)

    def put(self, plan: Plan, stored: Callable[[Exception | None], None]) -> Step:
        """Have a plan stored and sent; ``stored`` is told of the storing, see ``Storing.put``.

        Raises:
            StoreError: the store is closed.
        """
        settled = self._storing.put(plan, stored)
        assignment = plan.assignment
        if_told = self._handed_off(assignment.agent_id, assignment.call_id, DELIVERED)
        return Step(plan.key, None, settled, None, if_told if plan.batch else None)

    # -- answers -------------------------------------------------------------------------------

    def settled(self, step: Step) -> bool:
        """Whether the outcome is known, whichever process brought it about."""
        batch = self._store.read(lambda tx: deliveries.of_turn(tx, step.key))
        return outcome.judge(batch).over

    def conclude(self, step: Step, turn: Turn) -> Answer:
        """Judge the handoff now; the first judgement is every repeat's."""
        if step.settled is not None:
            self._waits.forget(step.key, step.settled)
        answer = Answer.of_json(self._store.write(lambda tx: self._conclude(tx, step.key, turn)))
        self._answered(answer.error or answer.delivery)
        return answer

    def confirm(self, step: Step, answer: Answer) -> None:
        """The customer has all of ``step``, and is answered so.

        Nothing can change that answer any more: whoever asks again comes to the same, and its
        commit need not be awaited. Blocks for nothing.
        """
        if step.settled is not None:
            self._waits.forget(step.key, step.settled)
        with suppress(StoreError):
            item = (step.key, answer.as_json())
            self._store.post(turns.settle_all, item, _nobody_asks, lazy=True)
        self._answered(answer.delivery)

    def _conclude(self, tx: Tx, key: str, turn: Turn) -> dict[str, object]:
        # Held first: another replica that concludes it too has answered by then, or waits.
        verdict = outcome.judge(deliveries.hold_turn(tx, key))
        record = turns.get(tx, key)
        if record is None:
            return self._unavailable(turn, "no_assignment").as_json()
        if record.answer is not None:
            return record.answer
        call_id = record.call_id or ""
        if verdict.error is None:
            standing = assignments.of_sender_and_call(tx, record.sender_id, call_id)
            agent_id = standing.assignment.agent_id if standing else None
            answer = self._handed_off(agent_id, call_id, verdict.delivery)
        else:
            queue.withdraw(tx, _WITHDRAWN, now=self._clock(), turn_key=key)
            assignments.take_back(tx, record.sender_id, call_id)
            answer = self._unavailable(turn, verdict.error)
            logger.warning("No handoff could be made: %s call_id=%s", verdict.error, record.call_id)
        return turns.settle(tx, key, answer.as_json())

    def _again(self, record: turns.TurnRecord) -> Step:
        """The same request once more: the stored answer, or the wait for the first one's."""
        if record.answer is not None:
            return Step(record.key, Answer.of_json(record.answer))
        batch = self._store.read(lambda tx: deliveries.of_turn(tx, record.key))
        waiting = [delivery for delivery in batch if not delivery.state.settled]
        return Step(record.key, None, self._waits.expect(record.key, waiting))

    def _repeat(self, standing: Standing, turn: Turn) -> Answer:
        """A handoff to the agent who has the call already: nothing happens but the slots."""
        assignment = standing.assignment

        def query(tx: Tx) -> tuple[Answer | None, list[Delivery]]:
            record = turns.last_of_call(tx, assignment.call_id)
            batch = deliveries.of_turn(tx, record.key) if record else []
            return pause_again(tx, standing, turn), batch

        again, batch = self._store.read(query)
        delivery = outcome.judge(batch).delivery
        answer = self._handed_off(assignment.agent_id, assignment.call_id, delivery)
        return replace(answer, pause=again is not None)

    def _handed_off(self, agent_id: str | None, call_id: str, delivery: str) -> Answer:
        pause = self._rules.then == "pause"
        return Answer(
            state=HANDOFF if pause else ASSIST,
            agent_id=agent_id,
            call_id=call_id,
            delivery=delivery,
            pause=pause,
        )

    def _refuse(self, key: str, turn: Turn, error: AssignmentError) -> Step:
        """No handoff can be made: the same answer for every repeat of this request."""
        logger.warning("No handoff could be made: %s code=%s", error, error.code)
        self._answered(error.code)
        answer = self._unavailable(turn, error.code).as_json()

        def store(tx: Tx) -> dict[str, object]:
            turns.begin(tx, key, sender_id=turn.sender_id, call_id=None, now=self._clock())
            return turns.settle(tx, key, answer)

        return Step(key, Answer.of_json(self._store.write(store)))

    def _unavailable(self, turn: Turn, error: str) -> Answer:
        name = self._rules.unavailable
        known = turn.responses
        missing = name is not None and known is not None and name not in known
        if missing and name not in self._missing:
            self._missing.add(str(name))
            logger.warning("The domain has no response %s: a sentence of our own is said", name)
        return Answer(
            state=BOT,
            error=error,
            response=None if missing else name,
            text=_SORRY if missing else None,
        )

    # -- words ---------------------------------------------------------------------------------

    def _say(self, name: str | None, turn: Turn, assignment: Assignment, seed: str) -> Reply | None:
        if name is None:
            return None
        known = turn.responses if turn.responses is not None else self._responses.get()
        channels = replies.channel_names(assignment.channel.value, turn.input_channel)
        said = (
            replies.render(known, name, turn.slots, channels=channels, seed=seed)
            if known is not None
            else None
        )
        if said is None:
            self._warn_missing(name, domain=known is not None)
        return said

    def _warn_missing(self, name: str, *, domain: bool = True) -> None:
        if name in self._missing:
            return
        self._missing.add(name)
        if domain:
            logger.warning("The domain has no fitting response %s: nothing is said", name)
        else:
            logger.warning(
                "No domain came with the request, and none could be had: %s is not said;"
                " set send_domain: true for the action, or rasa.domain",
                name,
            )


def _nobody_asks(_result: object, _error: Exception | None) -> None:
    """What came of it changes nothing."""
