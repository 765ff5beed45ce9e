"""Settles deliveries in the store, under the lease that they were sent by.

What an attempt comes to is ``policy``'s affair; who sends and when, the worker's. Each function
works in its caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bridge.errors import GatewayError, SessionGoneError, UnknownOutcomeError
from bridge.model import Delivery, DeliveryState
from bridge.outbox import policy
from bridge.outbox.outcomes import Outcome
from bridge.store import Tx, sessions, settlements

_SOME = 2  # outcomes, from which on it pays to store them in one go

Consequence = Callable[[Tx, Delivery], None]


class Settling:
    """The settling of one process.

    Args:
        rules: what is done about an unknown outcome.
        consequence: what follows from a settled delivery, in the same transaction.
        own: how the leases of this process begin.
    """

    def __init__(self, rules: policy.Policy, consequence: Consequence, *, own: str) -> None:
        self._rules = rules
        self._consequence = consequence
        self._own = own

    def settle(self, tx: Tx, claimed: Delivery, after: Delivery) -> bool:
        """Store how a claimed delivery stands now; False where the lease was lost meanwhile."""
        taken = settlements.settle(tx, claimed, after)
        if taken and after.state.settled:
            self._consequence(tx, after)
        return taken

    def take(self, tx: Tx, outcome: Outcome) -> bool:
        """Store what an attempt came to; False where the lease was lost meanwhile."""
        after = _if_renewed(tx, outcome.after, outcome.error)
        return self.settle(tx, outcome.claimed, after)

    def take_all(self, tx: Tx, outcomes: Sequence[Outcome]) -> list[bool]:
        """Store what several attempts came to; of each, whether its lease was not lost."""
        said = [one for one in outcomes if one.after.state is DeliveryState.DELIVERED]
        if len(said) < _SOME or not self._take_delivered(tx, said):
            return [self.take(tx, one) for one in outcomes]
        return [
            one.after.state is DeliveryState.DELIVERED or self.take(tx, one) for one in outcomes
        ]

    def _take_delivered(self, tx: Tx, said: Sequence[Outcome]) -> bool:
        """Settle these in one go if all of their leases hold still; else nothing."""
        with tx.begin_nested() as trial:
            taken = settlements.settle_delivered(
                tx, [one.claimed for one in said], [one.after for one in said]
            )
            if taken != len(said):
                trial.rollback()
                return False
        for one in said:
            self._consequence(tx, one.after)
        return True

    def orphan(self, tx: Tx, delivery: Delivery, now: float) -> Delivery:
        """A worker died while sending: nobody knows whether the message left.

        One of our own that is not being sent was claimed in a transaction that seemed to fail.
        """
        if delivery.lease is not None and delivery.lease.startswith(self._own):
            after = policy.unsent(delivery, now)
        else:
            error = UnknownOutcomeError("the process that was sending it ended")
            counted = replace(delivery, attempts=delivery.attempts + 1)
            after = policy.unknown(counted, error, self._rules, now=now)
        self.settle(tx, delivery, after)
        return after


def _if_renewed(tx: Tx, after: Delivery, error: GatewayError | None) -> Delivery:
    """Due at once, if the GUID that it waits for came while its attempt was failing."""
    if not isinstance(error, SessionGoneError):
        return after
    session = sessions.get(tx, after.envelope.agent_id)
    if session is not None and session.usable and session.generation != error.seen:
        return replace(after, due_at=min(after.due_at, after.created_at))
    return after
