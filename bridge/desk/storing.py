"""Stores handoffs, those that come together in one go, and has their messages sent.

What a handoff is made of, and what becomes of its promise, is ``handoff``'s affair.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from bridge.desk.answers import MovedError
from bridge.desk.assigning import Freed, Plain, give
from bridge.desk.crowding import CROWDED, crowded
from bridge.desk.waits import Waits
from bridge.model import Assignment, Card, Delivery
from bridge.store import Store, Tx, assignments, handoffs, queue, turns
from bridge.store.assignments import Standing
from bridge.store.queue import Reservation
from bridge.trust import Claim

logger = logging.getLogger(__name__)


class Sending(Protocol):
    """What handing off needs of the outbox."""

    def reserve(self) -> Reservation | None:
        """A worker that stands ready, if one is free."""

    def launch(self, claimed: Delivery | None) -> None:
        """Send what was claimed under a reservation, or give the worker back."""

    def ring(self) -> None:
        """Something may be due."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A handoff before it is stored."""

    key: str
    assignment: Assignment
    claim: Claim | None  # the assignment is new, and came so
    seen: Standing | None  # what was stored when the plan was made
    card: Card
    batch: tuple[Delivery, ...]
    now: float


class Storing:
    """The way of a plan into the store. Thread-safe; blocks for nothing."""

    def __init__(
        self,
        store: Store,
        waits: Waits,
        outbox: Sending,
        *,
        plain: Plain,
        freed: Freed,
        most_waiting: int,
    ) -> None:
        self._store = store
        self._waits = waits
        self._outbox = outbox
        self._plain = plain
        self._freed = freed
        self._most_waiting = most_waiting

    def put(self, plan: Plan, stored: Callable[[Exception | None], None]) -> Future[bool]:
        """Have a plan stored, in one transaction with whatever else is, and sent.

        ``stored`` is called once it is, or with why it is not: ``MovedError`` or StoreError. The
        future is ``Step.settled``.

        Raises:
            StoreError: the store is closed.
        """
        # Before the commit: the outbox may be quicker than this thread.
        settled = self._waits.expect(plan.key, plan.batch)
        reserved = self._outbox.reserve() if plan.batch else None

        def told(result: tuple[bool, Delivery | None] | None, error: Exception | None) -> None:
            begun, claimed = result or (False, None)
            if reserved is not None:
                self._outbox.launch(claimed)
            elif begun and plan.batch:
                self._outbox.ring()
            if begun:
                _log(plan)
                stored(None)
                return
            self._waits.forget(plan.key, settled)
            why = error or MovedError()
            stored(why)
            if not settled.done():
                settled.set_exception(why)

        self._store.post(self._store_all, (plan, reserved), told)
        return settled

    def _store_all(
        self, tx: Tx, plans: list[tuple[Plan, Reservation | None]]
    ) -> list[tuple[bool, Delivery | None]]:
        """Store plans; of each, whether nobody was quicker, and what was claimed."""
        rows = [
            handoffs.Handoff(plan.key, plan.seen, plan.card, plan.batch, reserved, plan.now)
            for plan, reserved in plans
            if plan.claim is None and plan.seen is not None
        ]
        claimed = handoffs.hand_off(tx, rows) if rows else []
        if claimed is not None:
            together = iter(claimed)
            return [
                (True, self._among_others(tx, plan, next(together)))
                if plan.claim is None
                else self._store_new(tx, plan, plan.claim, reserved)
                for plan, reserved in plans
            ]
        if len(plans) == 1:
            return [(False, None)]
        return [self._store_all(tx, [one])[0] for one in plans]

    def _store_new(
        self, tx: Tx, plan: Plan, claim: Claim, reserved: Reservation | None
    ) -> tuple[bool, Delivery | None]:
        """Store a plan whose assignment came with the message."""
        assignment = plan.assignment
        if assignments.latest(tx, assignment.sender_id, hold=True) != plan.seen:
            return False, None
        if not turns.begin(
            tx,
            plan.key,
            sender_id=assignment.sender_id,
            call_id=assignment.call_id,
            now=plan.now,
        ):
            return False, None
        give(
            tx,
            assignment,
            None,
            claim.source,
            given_at=claim.given_at,
            now=plan.now,
            plain=self._plain,
            freed=self._freed,
        )
        assignments.hand_off(
            tx, assignment.sender_id, assignment.call_id, card=plan.card, now=plan.now
        )
        return True, self._among_others(tx, plan, queue.add(tx, plan.batch, reserved))

    def _among_others(self, tx: Tx, plan: Plan, claimed: Delivery | None) -> Delivery | None:
        """What was claimed; where it would wait behind too much, it is taken off the list."""
        call_id = plan.assignment.call_id
        if claimed is None and plan.batch and crowded(tx, call_id, 0, self._most_waiting):
            # It is judged as what was refused for good, and the customer is told.
            queue.withdraw(tx, CROWDED, now=plan.now, turn_key=plan.key)
        return claimed


def _log(plan: Plan) -> None:
    logger.info(
        "Handed off: %s call_id=%s deliveries=%d",
        plan.card.reason,
        plan.assignment.call_id,
        len(plan.batch),
    )
