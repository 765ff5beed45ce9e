"""Hands a conversation back to the bot: by its action, by the API, or because a promise broke."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from bridge.desk import outcome
from bridge.desk.answers import BOT, PENDING, Answer, Step
from bridge.desk.assigning import HANDED_BACK, own_call
from bridge.desk.turns import Seen
from bridge.errors import RefusedError
from bridge.model import Delivery, DeliveryState, Origin, Owner, derive
from bridge.store import Store, Tx, assignments, deliveries, errands, queue, suggestions, turns
from bridge.store.assignments import Standing
from bridge.store.errands import Errand, Kind

logger = logging.getLogger(__name__)

_KEEP_TRYING = 24 * 3600.0  # seconds: a bot that stays silent is worse than one that is late
_TELL_WITHIN = 300.0  # seconds: after that an apology explains nothing


class Handbacks:
    """The use case. Thread-safe; blocks for the store."""

    def __init__(
        self,
        store: Store,
        *,
        rasa: bool,
        errand: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._rasa = rasa
        self._errand = errand
        self._clock = clock

    def owed(self) -> dict[str, int]:
        """How much Rasa is still to be told (``open``), and how much it never took (``failed``)."""
        still_open, failed = self._store.read(errands.counts)
        return {"open": still_open, "failed": failed}

    def by_action(self, seen: Seen) -> Step:
        """``action_handback``: a rule or story gives the conversation back."""
        if seen.record is not None and seen.record.answer is not None:
            return Step(seen.key, Answer.of_json(seen.record.answer))
        standing = seen.with_agent
        if standing is None:
            return Step(seen.key, Answer(state=BOT))

        def store(tx: Tx) -> dict[str, Any]:
            now = self._clock()
            self._hand_back(tx, standing, now)
            answer = Answer(state=BOT, summary=summary(tx, standing, now))
            turns.begin(
                tx,
                seen.key,
                sender_id=standing.assignment.sender_id,
                call_id=None,
                now=now,
            )
            return turns.settle(tx, seen.key, answer.as_json())

        return Step(seen.key, Answer.of_json(self._store.write(store)))

    def by_api(self, call_id: str, *, agent_id: str | None) -> Standing:
        """An agent or a system gives the call back; Rasa is told as soon as it can be.

        Raises:
            RefusedError: 404, 403; 409 where the bot has the call, or Rasa cannot be told.
        """

        def store(tx: Tx) -> Standing:
            standing = own_call(tx, call_id, agent_id, with_agent=True)
            if not self._rasa:
                message = (
                    "Rasa cannot be told to go on: set rasa.url (and rasa.token), and start Rasa"
                    " with --enable-api; or let a rule of the bot call action_handback"
                )
                raise RefusedError(409, "rasa_url_missing", message)
            now = self._clock()
            self._hand_back(tx, standing, now)
            self._resume(tx, standing, now, error=None)
            return assignments.of_call(tx, call_id) or standing

        standing = self._store.write(store)
        self._errand()
        return standing

    def told(self, call_id: str) -> bool:
        """Whether Rasa knows of a call's handbacks: until then the bot stays silent."""
        left = self._store.read(lambda tx: errands.of_call(tx, call_id))
        return not any(
            item.kind is Kind.RESUME and item.state in ("waiting", "doing") for item in left
        )

    def freed(self, tx: Tx, standing: Standing, now: float) -> None:
        """A call is over for its agent: a bot that was paused for it is to go on."""
        if self._rasa and standing.owner is Owner.AGENT:
            self._resume(tx, standing, now, error=None)

    def broken(self, tx: Tx, delivery: Delivery) -> None:
        """A promise that nobody kept: the action said pending, and nothing of it arrived.

        The conversation is handed back in the transaction that settles the last delivery.
        """
        if delivery.origin is not Origin.HANDOFF or delivery.turn_key is None:
            return
        if delivery.state is DeliveryState.DELIVERED:
            return  # something of it arrived
        record = turns.get(tx, delivery.turn_key)
        if record is None or record.answer is None or record.answer.get("delivery") != PENDING:
            return
        verdict = outcome.judge(deliveries.of_turn(tx, delivery.turn_key))
        if not verdict.over or verdict.error is None or record.call_id is None:
            return
        standing = assignments.of_sender_and_call(tx, record.sender_id, record.call_id)
        if standing is None or not standing.open or standing.owner is not Owner.AGENT:
            return
        now = self._clock()
        self._hand_back(tx, standing, now, untold=True)
        logger.warning(
            "Handed back: the customer was told nothing: %s call_id=%s",
            verdict.error,
            record.call_id,
        )
        if self._rasa:
            self._resume(tx, standing, now, error=verdict.error)
            self._add(tx, standing, Kind.TELL, now, _TELL_WITHIN, {"say": "unavailable"})

    def _hand_back(self, tx: Tx, standing: Standing, now: float, *, untold: bool = False) -> None:
        assignment = standing.assignment
        assignments.hand_back(tx, assignment.sender_id, assignment.call_id, now=now, untold=untold)
        suggestions.expire(tx, now=now, call_id=assignment.call_id)
        queue.withdraw(tx, HANDED_BACK, now=now, call_id=assignment.call_id, origin=Origin.AUTO)

    def _resume(self, tx: Tx, standing: Standing, now: float, *, error: str | None) -> None:
        self._add(tx, standing, Kind.RESUME, now, _KEEP_TRYING, {"error": error})

    @staticmethod
    def _add(
        tx: Tx,
        standing: Standing,
        kind: Kind,
        now: float,
        seconds: float,
        body: dict[str, Any],
    ) -> None:
        assignment = standing.assignment
        errands.add(
            tx,
            Errand(
                seq=0,
                id=derive("errand", kind.value, assignment.sender_id, assignment.call_id, now),
                sender_id=assignment.sender_id,
                call_id=assignment.call_id,
                kind=kind,
                body={**body, "since": standing.handed_off_at or now, "until": now},
                made_at=now,
                due_at=now,
                give_up_at=now + seconds,
            ),
        )


def summary(tx: Tx, standing: Standing, now: float) -> str:
    """What happened while the agent had the call, in one sentence for the slot."""
    since = standing.handed_off_at or now
    sent = deliveries.told_since(tx, standing.assignment.call_id, since)
    return summarise(standing.assignment.agent_id, sent, now - since)


def summarise(agent_id: str, sent: Sequence[Delivery], seconds: float) -> str:
    """Words for ``handoff_summary``. Pure."""
    whole = [item for item in sent if item.part == 0 and item.state is not DeliveryState.FAILED]
    number = {0: "no message", 1: "1 message"}.get(len(whole), f"{len(whole)} messages")
    minutes, rest = divmod(max(0, round(seconds)), 60)
    lasted = f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"Agent {agent_id} had the conversation for {lasted} and sent {number}."
