"""Takes deliveries from the store, has them sent, and settles them.

One thread claims; a pool sends. Within a process a condition wakes the claimer; what another
process stored is heard by the store's bell; and a delivery that is due later by its time.
Knows nothing of HTTP: it needs only a ``Gateway``, before which stands a circuit breaker.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from bridge import identity
from bridge.config.settings import DeliverySettings
from bridge.errors import (
    BridgeError,
    GatewayError,
    SessionGoneError,
    StoreError,
    UnknownOutcomeError,
    describe,
)
from bridge.metrics import Metrics
from bridge.model import Delivery
from bridge.outbox import policy
from bridge.outbox.breaker import Breaker
from bridge.outbox.gate import Gate, Gateway, Look
from bridge.outbox.outcomes import Outcome, Outcomes
from bridge.outbox.settling import Consequence, Settling
from bridge.store import Store, Tx, assignments, held, queue
from bridge.store.queue import Reservation

logger = logging.getLogger(__name__)

LEASE = 10.0  # seconds; an attempt's total deadline is shorter
_LONGEST_REST = 1.0  # seconds
_IN_THE_WAY = 0.02  # seconds until another process, that has what is due, will have committed
_LEAST = 1.0  # seconds of its lease that an attempt needs
_JUMP = 2.0  # seconds that the clock has to go back at once to be looked after

Listener = Callable[[Delivery], None]


class Outbox:
    """The durable list at work. Start it once a process; ``close`` gives its leases back.

    Args:
        consequence: what follows from a settled delivery, in the same transaction.
    """

    def __init__(
        self,
        store: Store,
        gateway: Gateway,
        settings: DeliverySettings,
        *,
        consequence: Consequence = lambda _tx, _delivery: None,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        metrics = metrics or Metrics()
        self._gate = Gate(gateway, opens=self._release_held, metrics=metrics, clock=clock)
        self._settings = settings
        self._policy = policy.Policy(resend=settings.uncertain == "resend")
        self._clock = clock
        self._name = identity.name()
        self._settling = Settling(self._policy, consequence, own=f"{self._name}:")
        self._claims = 0
        self._outcomes = Outcomes()
        self._ahead = clock() - time.monotonic()
        self._uneasy_until = self._righted_at = 0.0  # of the monotonic clock
        self._free = settings.workers
        self._bell = threading.Condition()
        self._rung = False
        self._closing = False
        self._listeners: list[Listener] = [metrics.moved]
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="outbox")
        self._thread = threading.Thread(target=self._run, name="outbox-claims", daemon=True)

    def start(self) -> None:
        """Begin with whatever is due, what an earlier process left included.

        Raises:
            StoreError: the list cannot be read.
        """
        self._store.write(lambda tx: queue.start_afresh(tx, identity.is_dead, now=self._clock()))
        self._set_right(self._clock() + policy.LONGEST_WAIT)
        self._thread.start()
        self._store.listen(self.ring)

    def stop(self) -> None:
        """Claim nothing more, and give back what was claimed and not begun."""
        with self._bell:
            self._closing = True
            self._bell.notify_all()

    def close(self) -> None:
        """Let what is being sent finish (its attempt's deadline bounds that), then stop."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()
        with self._bell:  # what was begun without a thread of the pool
            self._bell.wait_for(lambda: self._free >= self._settings.workers, LEASE)
        self._pool.shutdown(wait=True)
        for owed in self._outcomes.owed():
            with suppress(StoreError):  # the store's last chance to take it
                self._store.write(lambda tx, owed=owed: self._settling.take(tx, owed))  # type: ignore[misc]

    def reserve(self) -> Reservation | None:
        """A worker that stands ready for what is being stored, if one is free.

        What is stored and claimed in one breath spares a commit and a wake-up. Each reservation
        is followed by one ``launch``.
        """
        with self._bell:
            if self._free <= 0 or self._closing or not self._gate.closed:
                return None
            self._free -= 1
            self._claims += 1
            return Reservation(f"{self._name}:{self._claims}", self._clock() + LEASE)

    def launch(self, claimed: Delivery | None) -> None:
        """Send what was claimed under a reservation, or (None) give the worker back and look."""
        if claimed is not None:
            self._outcomes.begin(claimed)
            self._begin(claimed)
            return
        with self._bell:
            self._free += 1
            self._rung = True
            self._bell.notify()

    def ring(self) -> None:
        """Something may be due: look now."""
        with self._bell:
            self._rung = True
            self._bell.notify()

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with each delivery that this process moved, once that is stored."""
        self._listeners.append(listener)

    @property
    def alive(self) -> bool:
        """Whether the claiming thread runs."""
        return self._thread.is_alive() and not self._closing

    @property
    def breaker(self) -> Breaker:
        """Whether the gateway serves, as far as this process knows."""
        return self._gate.breaker

    def not_signed_in(self, agent_id: str, error: GatewayError) -> None:
        """A sign-in could not be made; that, too, shows whether the gateway serves."""
        self._gate.not_signed_in(agent_id, error)

    # -- the claiming thread -------------------------------------------------------------------

    def _run(self) -> None:
        look_at = 0.0  # the clock's time at which something is due
        while not self._closing:
            try:
                rung, self._rung = self._rung, False
                rung = self._look_at_the_clock() or rung
                if rung or self._clock() >= look_at:
                    look_at = self._work()
            except BridgeError as error:
                logger.warning("The outbox cannot read its list: %s", error)
                look_at = self._clock() + _LONGEST_REST
            except Exception as error:  # noqa: BLE001 - the one claimer must not die
                logger.error("The outbox stumbled and goes on: %s", describe(error))  # noqa: TRY400 - no customer's words
                look_at = self._clock() + _LONGEST_REST
            self._rest(look_at)

    def _rest(self, look_at: float) -> None:
        with self._bell:
            if not self._rung and not self._closing:
                self._bell.wait(max(0.0, min(_LONGEST_REST, look_at - self._clock())))

    def _work(self) -> float:
        """Claim and hand out what is due; return when to look again."""
        now = self._clock()
        room = self._free
        if room <= 0:
            return now + LEASE  # the next attempt that ends rings
        look = self._gate.look(now)
        if look is Look.REST:
            return self._gate.next_look(now)
        with self._bell:
            self._claims += 1
            lease = f"{self._name}:{self._claims}"
        owed = self._outcomes.owed()
        claimed, refused, paid = self._store.write(
            lambda tx: self._claim(tx, lease, now, room, look, owed)
        )
        for outcome in owed:
            self._outcomes.end(outcome)
        for delivery in (*paid, *refused):
            self._tell(delivery)
        again = now  # before the probe's outcome is heard
        if look is not Look.CLAIM:
            again = self._gate.looked(now, probes=len(claimed))
        with self._bell:
            self._free -= len(claimed)
        for delivery in claimed:
            self._outcomes.begin(delivery)
            self._begin(delivery)
        if look is not Look.CLAIM:
            return now if refused else again
        if len(claimed) == room or refused:
            return now
        due = self._store.read(queue.next_due)
        if due is None:
            return now + _LONGEST_REST
        return max(due, now if claimed else now + _IN_THE_WAY)

    def _claim(
        self, tx: Tx, lease: str, now: float, limit: int, look: Look, owed: Sequence[Outcome]
    ) -> tuple[list[Delivery], list[Delivery], list[Delivery]]:
        """What may be sent now, what was settled unsent, and what was settled late."""
        paid = [each.after for each in owed if self._settling.take(tx, each)]
        settled = [
            self._settling.orphan(tx, delivery, now)
            for delivery in queue.abandoned(tx, now=now)
            if not self._outcomes.holds(delivery)
        ]
        until = now + LEASE
        if look is Look.CLAIM:
            claimed = queue.claim(tx, lease=lease, now=now, until=until, limit=limit)
        else:
            claimed = held.claim(tx, lease=lease, now=now, until=until, probe=look is Look.PROBE)
        calls = {delivery.envelope.call_id for delivery in claimed}
        standings = assignments.standings_of(tx, sorted(calls)) if calls else {}
        good = []
        for delivery in claimed:
            # Owner and call are read again just before sending.
            standing = standings.get((delivery.sender_id, delivery.envelope.call_id))
            after = policy.forbidden(delivery, standing, now) or policy.stale(delivery, now)
            if after is None:
                good.append(delivery)
            else:
                self._settling.settle(tx, delivery, after)
                settled.append(after)
        return good, settled, paid

    def _release_held(self) -> None:
        """The gateway serves again: nobody waits for the end of a back-off."""
        now = self._clock()
        self._store.submit(lambda tx: held.release(tx, now=now)).add_done_callback(
            lambda _done: self.ring()
        )

    # -- the pool ------------------------------------------------------------------------------

    def _begin(self, delivery: Delivery) -> None:
        left = self._left(delivery)
        begun = left is not None and self._gate.begin(
            delivery,
            timeout=left,
            busy=self._settings.workers - self._free,
            later=self._later,
            done=lambda error: self._came_to(delivery, error),
        )
        if begun:
            return
        try:
            self._pool.submit(self._attempt, delivery)
        except RuntimeError:  # it was stored while this process stopped
            self._give_back(delivery)

    def _left(self, delivery: Delivery) -> float | None:
        """Seconds for an attempt; None where there are too few, or the process is to end."""
        wanted = self._settings.attempt_timeout
        left = (delivery.lease_until or 0.0) - self._clock()
        # The store may have been slow, or the clock set.
        return None if left < min(_LEAST, wanted) or self._closing else min(wanted, left)

    def _later(self, work: Callable[[], None]) -> None:
        """Run what blocks in a thread of the pool."""
        self._pool.submit(work)

    def _give_back(self, delivery: Delivery) -> None:
        self._store_outcome(Outcome(delivery, policy.unsent(delivery, self._clock()), None))

    def _attempt(self, delivery: Delivery) -> None:
        left = self._left(delivery)
        if left is None:
            self._give_back(delivery)
            return
        error: GatewayError | None = None
        try:
            self._gate.send(delivery, timeout=left)
        except GatewayError as raised:
            error = raised
        except Exception as raised:  # noqa: BLE001 - a delivery must be settled whatever happens
            logger.error("A sending broke off: %s delivery=%s", describe(raised), delivery.id)  # noqa: TRY400
            error = UnknownOutcomeError("the bridge broke off while sending")
        self._came_to(delivery, error)

    def _came_to(self, delivery: Delivery, error: GatewayError | None) -> None:
        now = self._clock()
        after = policy.after(
            delivery,
            error,
            self._policy,
            now=now,
            jitter=random.random(),  # noqa: S311 - spreads retries, guards nothing
        )
        _log(after, error)
        self._store_outcome(Outcome(delivery, after, error))

    def _store_outcome(self, outcome: Outcome) -> None:
        def told(taken: object, failed: Exception | None) -> None:
            self._release(outcome, taken=bool(taken), failed=failed is not None)

        try:
            self._store.post(self._settling.take_all, outcome, told)
        except StoreError:
            self._release(outcome, taken=False, failed=True)

    def _release(self, outcome: Outcome, *, taken: bool, failed: bool) -> None:
        if failed:
            # It is stored with the next claim. Until a process starts anew, it is not forgotten.
            self._outcomes.owe(outcome)
            logger.warning("An outcome could not be stored yet delivery=%s", outcome.after.id)
        else:
            self._outcomes.end(outcome)
        with self._bell:
            self._free += 1
            self._rung = True
            self._bell.notify_all()
        if taken:
            self._tell(outcome.after)

    # -- the clock -----------------------------------------------------------------------------

    def _look_at_the_clock(self) -> bool:
        """Set the list right where the clock was set back; whether that was done.

        Again and again for a while: what was being sent then is stored with the former time.
        """
        now = time.monotonic()
        if self._clock_went_back():
            self._uneasy_until, self._righted_at = now + LEASE, 0.0
        if self._righted_at >= self._uneasy_until or now < self._righted_at + _LONGEST_REST:
            return False
        self._righted_at = now
        self._set_right(self._clock())
        return True

    def _clock_went_back(self) -> bool:
        before, self._ahead = self._ahead, self._clock() - time.monotonic()
        return self._ahead < before - _JUMP

    def _set_right(self, latest_due: float) -> None:
        """Bring times that a clock set back left in the future to where they can be reached."""
        now = self._clock()
        self._store.write(
            lambda tx: queue.set_right(
                tx,
                latest_due=latest_due,
                latest_lease=now + LEASE,
                expires=now + self._settings.expire_after,
                rest_expires=now + 2 * self._settings.expire_after,
            )
        )

    def _tell(self, delivery: Delivery) -> None:
        for listener in self._listeners:
            listener(delivery)


def _log(delivery: Delivery, error: GatewayError | None) -> None:
    quiet = error is None or (isinstance(error, SessionGoneError) and not error.retcode)
    level = logging.DEBUG if quiet else logging.WARNING
    logger.log(
        level,
        "%s call_id=%s delivery=%s attempt=%d state=%s retcode=%s status=%s",
        "Delivered" if error is None else error.message,
        delivery.envelope.call_id,
        delivery.id,
        delivery.attempts,
        delivery.state.value,
        error.retcode if error else "0",
        error.status if error else 200,
    )
