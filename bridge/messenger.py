"""Tells Rasa what it has to know: errands from the store, tried again until Rasa took them.

What the agent sent becomes bot events of the tracker; a handback resumes the bot; a broken promise
is told to the customer on Rasa's channel. One errand of a conversation at a time, in order. Before
an errand is tried again, the tracker is asked whether the last try arrived: nothing is said twice.
A handback of which Rasa hears too late, when an agent has the conversation again, is not told.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bridge import identity, replies
from bridge.desk.handback import summary
from bridge.desk.responses import Responses
from bridge.errors import BridgeError, RasaError, describe
from bridge.metrics import Metrics
from bridge.model import Delivery, DeliveryState, Origin, Owner
from bridge.rasa import Rasa
from bridge.store import Store, Tx, assignments, deliveries, errands
from bridge.store.errands import Errand, Kind
from bridge.turn import WRITTEN_BACK

logger = logging.getLogger(__name__)

_LEASE = 60.0  # seconds; three calls of Rasa with their timeouts are shorter
_FAR = 120.0  # seconds that no errand waits for: the clock was set back meanwhile
_AT_A_TIME = 4
_LONGEST_REST = 1.0
_LONGEST_DELAY = 30.0
_DELIVERIES_FIRST = 10.0  # seconds that a handback lets what was stored before it go first
_WRITTEN_WITHIN = 3600.0  # seconds
_REFUSALS = 4  # of what an agent said, which Rasa will never store: a handback may wait behind it
_AWAY = (502, 503, 504)  # what stands before Rasa says that Rasa is not there
_SORRY = "Sorry, nobody could take over. Please go on here, or try again a little later."
_OWN_WORDS = (Origin.HANDOFF, Origin.SUGGESTION, Origin.AUTO, Origin.AGENT)


class _NotYetError(Exception):
    """The errand has to wait, and that is nobody's failure."""


def write_back(tx: Tx, delivery: Delivery, words: str | None, *, now: float) -> None:
    """Keep what was delivered under the agent's name for Rasa's tracker.

    ``words`` is what a person reads of it; None where it is a picture, a file or the like.
    """
    if delivery.state is not DeliveryState.DELIVERED or delivery.origin not in _OWN_WORDS:
        return
    errands.add(
        tx,
        Errand(
            seq=0,
            id=delivery.message_code,
            sender_id=delivery.sender_id,
            call_id=delivery.envelope.call_id,
            kind=Kind.WRITE_BACK,
            body={
                "text": words if words is not None else delivery.draft.content,
                "media_type": delivery.draft.media_type.value,
                "origin": delivery.origin.value,
                "agent_id": delivery.envelope.agent_id,
                "approved_by": delivery.approved_by,
                "at": delivery.settled_at,
            },
            made_at=now,
            due_at=now,
            give_up_at=now + _WRITTEN_WITHIN,
        ),
    )


class Messenger:
    """The errands at work. Start it once a process; close it once."""

    def __init__(
        self,
        store: Store,
        rasa: Rasa,
        responses: Responses,
        unavailable: str | None,
        *,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._rasa = rasa
        self._responses = responses
        self._unavailable = unavailable
        self._metrics = metrics or Metrics()
        self._clock = clock
        self._name = identity.name()
        self._claims = 0
        self._bell = threading.Condition()
        self._rung = False
        self._closing = False
        self._busy = 0
        self._pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="messenger")
        self._thread = threading.Thread(target=self._run, name="messenger-claims", daemon=True)

    def start(self) -> None:
        """Begin with whatever is due, and what a process that died was at.

        Raises:
            StoreError: the list cannot be read.
        """
        self._store.write(lambda tx: errands.start_afresh(tx, identity.is_dead, now=self._clock()))
        self._thread.start()
        self._store.listen(self.ring)

    def ring(self) -> None:
        """Something may be due: look now."""
        with self._bell:
            self._rung = True
            self._bell.notify()

    def stop(self) -> None:
        """Begin nothing more."""
        with self._bell:
            self._closing = True
            self._bell.notify_all()

    def close(self) -> None:
        """Let the call of Rasa that is under way finish, then stop."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        while not self._closing:
            rest = _LONGEST_REST
            try:
                self._rung = False
                rest = self._work()
            except BridgeError as error:
                logger.warning("Errands cannot be read: %s", error)
            except Exception as error:  # noqa: BLE001 - the one claimer must not die
                logger.error("The messenger stumbled and goes on: %s", describe(error))  # noqa: TRY400
            with self._bell:
                if not self._rung and not self._closing:
                    self._bell.wait(rest)

    def _work(self) -> float:
        now = self._clock()
        room = _AT_A_TIME - self._busy
        if room <= 0:
            return _LONGEST_REST
        due = self._store.read(errands.next_due)
        if due is not None and due > now + _FAR:
            until = now + _LEASE
            self._store.write(lambda tx: errands.set_right(tx, due=now, lease_until=until))
            return 0.01
        if due is None or due > now:
            return _LONGEST_REST if due is None else min(_LONGEST_REST, due - now)
        self._claims += 1
        lease = f"{self._name}:{self._claims}"
        claimed = self._store.write(
            lambda tx: errands.claim(tx, lease=lease, now=now, until=now + _LEASE, limit=room)
        )
        with self._bell:
            self._busy += len(claimed)
        for errand in claimed:
            self._pool.submit(self._attempt, errand)
        return 0.01 if claimed else _LONGEST_REST

    def _attempt(self, errand: Errand) -> None:
        now = self._clock()
        state, due, error = "done", now, None
        try:
            self._do(errand)
        except _NotYetError:
            state, due = "waiting", now + 0.2
        except Exception as raised:  # noqa: BLE001 - an errand must be settled whatever happens
            error = describe(raised)
            delay = min(_LONGEST_DELAY, 0.5 * 2.0 ** min(errand.attempts, 8))
            state, due = "waiting", now + delay * (0.5 + random.random() / 2)  # noqa: S311 - spreads tries
            if due >= errand.give_up_at or _in_vain(errand, raised):
                state = "failed"
            logger.warning(
                "Rasa was not told: %s call_id=%s errand=%s kind=%s attempt=%d state=%s",
                error,
                errand.call_id,
                errand.seq,
                errand.kind.value,
                errand.attempts,
                state,
            )
        if state != "waiting" or error is not None:
            self._metrics.errand(errand.kind.value, state)
        try:
            self._store.write(
                lambda tx: errands.settle(
                    tx, errand, state=state, now=self._clock(), due=due, error=error
                )
            )
        except BridgeError as raised:
            logger.warning("An errand could not be settled: %s errand=%s", raised, errand.seq)
        with self._bell:
            self._busy -= 1
            self._rung = True
            self._bell.notify()

    def _do(self, errand: Errand) -> None:
        self._unless_closing()
        if errand.kind is not Kind.WRITE_BACK and self._with_agent(errand.sender_id):
            return  # again: to resume the bot now would undo the new handoff's pause
        if errand.kind is Kind.RESUME:
            self._rasa.add_events(errand.sender_id, self._resuming(errand))
            return
        if errand.attempts > 1 and self._arrived(errand):
            return
        self._unless_closing()
        if errand.kind is Kind.TELL:
            self._rasa.add_events(errand.sender_id, [self._apology(errand)], to_customer=True)
        else:
            self._rasa.add_events(errand.sender_id, [_said(errand)])

    def _unless_closing(self) -> None:
        if self._closing:
            raise _NotYetError  # the next process does it

    def _with_agent(self, sender_id: str) -> bool:
        standing = self._store.read(lambda tx: assignments.latest(tx, sender_id))
        return standing is not None and standing.open and standing.owner is Owner.AGENT

    def _resuming(self, errand: Errand) -> list[dict[str, Any]]:
        """A bare resume, and the slots that say what happened meanwhile.

        What was stored before the handback goes first.
        """
        call_id = errand.call_id or ""

        def query(tx: Tx) -> tuple[bool, str]:
            standing = assignments.of_sender_and_call(tx, errand.sender_id, call_id)
            until = float(errand.body.get("until", errand.made_at))
            told = summary(tx, standing, until) if standing is not None else ""
            return deliveries.open_of_call(tx, call_id), told

        still_open, told = self._store.read(query)
        if still_open and self._clock() < errand.made_at + _DELIVERIES_FIRST:
            raise _NotYetError
        slots = {
            "handoff_state": "bot",
            "handoff_agent_id": None,
            "handoff_call_id": None,
            "handoff_delivery": "none" if errand.body.get("error") is None else "failed",
            "handoff_error": errand.body.get("error"),
            "handoff_summary": told,
        }
        return [
            {"event": "resume"},
            *({"event": "slot", "name": name, "value": value} for name, value in slots.items()),
        ]

    def _apology(self, errand: Errand) -> dict[str, Any]:
        known = self._responses.get() or {}
        reply: Mapping[str, Any] | None = None
        if self._unavailable is not None:
            reply = replies.render(known, self._unavailable, {}, channels=(), seed=errand.id)
        reply = reply or {"text": _SORRY}
        rest = {key: value for key, value in reply.items() if key != "text"}
        return {
            "event": "bot",
            "text": reply.get("text"),
            "data": rest,
            "metadata": {"cc_bridge_errand": errand.id},
        }

    def _arrived(self, errand: Errand) -> bool:
        """Whether an earlier try of this errand is in the tracker."""
        events = self._rasa.tracker(errand.sender_id).get("events")
        if not isinstance(events, list):
            message = "Rasa's tracker has no events"
            raise RasaError(message)
        return any(
            isinstance(event, dict)
            and isinstance(metadata := event.get("metadata"), dict)
            and metadata.get("cc_bridge_errand") == errand.id
            for event in reversed(events)
        )


def _in_vain(errand: Errand, error: Exception) -> bool:
    """Whether trying again is of no use, or could say something twice."""
    if not isinstance(error, RasaError):
        return False
    if errand.kind is Kind.TELL:
        # Rasa sends before it stores: the customer may have been told, and no tracker knows.
        return error.unknown
    refused = error.status not in (0, *_AWAY)
    return errand.kind is Kind.WRITE_BACK and refused and errand.attempts >= _REFUSALS


def _said(errand: Errand) -> dict[str, Any]:
    """What the agent sent, as a bot event that says so."""
    body = errand.body
    return {
        "event": "bot",
        "text": body["text"],
        "data": {},
        "metadata": {
            WRITTEN_BACK: {
                "said_by": "agent",
                "agent_id": body["agent_id"],
                "origin": body["origin"],
                "approved_by": body["approved_by"],
                "media_type": body["media_type"],
            },
            "cc_bridge_errand": errand.id,
        },
    }
