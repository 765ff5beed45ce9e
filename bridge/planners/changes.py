"""Collects what a command changes, and knows what follows from each change.

A planner makes one ``Changes``, moves deliveries, assignments and suggestions with it, and returns
``plan()``. What belongs to every move is here: a delivery that settles takes the rest of its reply
with it, is written back to Rasa and may answer its action call; a call whose first delivery may go
is claimed for a sender. Pure, though one command's ``Changes`` is filled step by step.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bridge.errors import SessionGoneError, SigningInError, SignInRefusedError
from bridge.model import (
    AgentId,
    Delivery,
    DeliveryError,
    DeliveryState,
    Draft,
    Guid,
    Origin,
    Owner,
    Suggestion,
    SuggestionState,
    evolve,
)
from bridge.planners import policy
from bridge.planners.rules import Rules
from bridge.state.plan import (
    UNANSWERED,
    Answer,
    Count,
    Effect,
    Log,
    Plan,
    Send,
    SignInAgent,
)
from bridge.state.records import (
    LEASE,
    ActionAnswer,
    AssignmentRecord,
    EventRecord,
    RasaUpdate,
    SessionRecord,
    SessionState,
    TurnRecord,
)
from bridge.state.snapshot import Snapshot
from bridge.translate import Translation

SIGN_IN_SECONDS = 5.0  # a sign-in's total deadline
REFUSED_SECONDS = 60.0  # a refused sign-in is not repeated sooner: accounts lock
WITHOUT_GUID = ("agent_signed_out", "signing_in")  # why a delivery waits for its agent's session
_APART = 60.0  # seconds; clocks of machines that work together differ by less
_FAILS_REST = (DeliveryState.FAILED, DeliveryState.EXPIRED)


class Changes:
    """What one command changes, on top of what was loaded."""

    def __init__(self, snapshot: Snapshot, rules: Rules, now: float) -> None:
        self.snapshot = snapshot
        self.rules = rules
        self.now = now
        self._deliveries: dict[str, Delivery] = {}
        self._assignments: dict[tuple[str, str], AssignmentRecord] = {}
        self._turns: dict[str, TurnRecord] = {}
        self._suggestions: dict[str, Suggestion] = {}
        self._sessions: dict[str, SessionRecord] = {}
        self._updates: dict[str, RasaUpdate] = {}
        self._events: list[EventRecord] = []
        self._answers: dict[str, ActionAnswer] = {}
        self._effects: list[Effect] = []
        self._settled: list[Delivery] = []
        self._begins = 0
        self._due: float | None = None
        self._update_due: float | None = None

    def plan(self, answer: Any = UNANSWERED, *, finish: Answer | None = None, **more: Any) -> Plan:
        """The plan: every row in its final state."""
        counts = tuple(Count("moved", (each,)) for each in self._settled)
        return Plan(
            answer=answer,
            finish=finish,
            answers=self._answers,
            assignments=tuple(self._assignments.values()),
            turns=tuple(self._turns.values()),
            deliveries=tuple(self._deliveries.values()),
            suggestions=tuple(self._suggestions.values()),
            sessions=tuple(self._sessions.values()),
            updates=tuple(self._updates.values()),
            events=tuple(self._events),
            effects=(*self._effects, *counts),
            begins=self._begins,
            due=self._due,
            update_due=self._update_due,
            **more,
        )

    # -- rows ----------------------------------------------------------------------------------

    def effect(self, *effects: Effect) -> None:
        """Do something once the plan is committed."""
        self._effects += effects

    def log(self, level: int, message: str, *arguments: Any, once: str | None = None) -> None:
        """Log a sentence once the plan is committed."""
        self._effects.append(Log(level, message, arguments, once))

    def warn(self, message: str, *arguments: Any, once: str | None = None) -> None:
        """Log a warning once the plan is committed."""
        self.log(logging.WARNING, message, *arguments, once=once)

    def drafts(self, translation: Translation, call_id: str) -> tuple[Draft, ...]:
        """The drafts of a translation; what it changed or refused is logged."""
        for note in translation.notes:
            self.log(logging.INFO, "A reply was changed: %s call_id=%s", note.code, call_id)
        for refused in translation.refused:
            self.warn("A reply was refused: %s call_id=%s", refused.code, call_id)
        return translation.drafts

    def assignment(self, record: AssignmentRecord) -> AssignmentRecord:
        """Store an assignment's new state."""
        self._assignments[record.assignment.sender_id, record.assignment.call_id] = record
        return record

    def turn(self, record: TurnRecord) -> TurnRecord:
        """Store an action call."""
        self._turns[record.key] = record
        return record

    def answered(self, record: TurnRecord, answer: ActionAnswer) -> None:
        """Store an action call's answer, and tell it to all who wait for it."""
        self.turn(evolve(record, answer=answer))
        self._answers[record.key] = answer

    def tell(self, turn_key: str, answer: ActionAnswer) -> None:
        """Tell the answer that is stored already to all who wait for it."""
        self._answers[turn_key] = answer

    def suggestion(self, found: Suggestion) -> Suggestion:
        """Store a suggestion's new state."""
        self._suggestions[found.id] = found
        return found

    def session(self, record: SessionRecord) -> SessionRecord:
        """Store a session's new state."""
        self._sessions[record.agent_id] = record
        return record

    def update(self, found: RasaUpdate) -> None:
        """Store an update for Rasa, or its new state."""
        self._updates[found.id] = found
        if found.state.value == "waiting":
            self.update_due_at(found.due_at)

    def event(self, record: EventRecord) -> None:
        """Store an event of the gateway."""
        self._events.append(record)

    def due_at(self, at: float) -> None:
        """Look for deliveries that are due at this time, at the latest."""
        self._due = at if self._due is None else min(self._due, at)

    def update_due_at(self, at: float) -> None:
        """Look for updates that are due at this time, at the latest."""
        self._update_due = at if self._update_due is None else min(self._update_due, at)

    # -- rows as they are by now ---------------------------------------------------------------

    def current(self, found: Delivery) -> Delivery:
        """A delivery with what this command changed."""
        return self._deliveries.get(found.message_code, found)

    def record(self, sender_id: str, call_id: str) -> AssignmentRecord | None:
        """A conversation's assignment to a call."""
        pair = (sender_id, call_id)
        return self._assignments.get(pair) or self.snapshot.assignments.get(pair)

    def known_turn(self, turn_key: str) -> TurnRecord | None:
        """An action call."""
        return self._turns.get(turn_key) or self.snapshot.turns.get(turn_key)

    def of_turn(self, turn_key: str) -> list[Delivery]:
        """The deliveries of an action call, in order."""
        known = [self.current(item) for item in self.snapshot.of_turn(turn_key)]
        codes = {item.message_code for item in known}
        new = [
            item
            for item in self._deliveries.values()
            if item.turn_key == turn_key and item.message_code not in codes
        ]
        return sorted([*known, *new], key=_place)

    def open_on(self, call_id: str) -> list[Delivery]:
        """What waits or is being sent on a call, in order."""
        rows = {item.message_code: item for item in self.snapshot.open_on(call_id)}
        for item in self._deliveries.values():
            if item.envelope.call_id == call_id:
                rows[item.message_code] = item
        return sorted((item for item in rows.values() if not item.state.settled), key=_place)

    def waiting_on(self, call_id: str) -> list[Delivery]:
        """What waits on a call, in order."""
        return [item for item in self.open_on(call_id) if item.state is DeliveryState.WAITING]

    # -- deliveries ----------------------------------------------------------------------------

    def move(self, found: Delivery) -> Delivery:
        """Store a delivery's new state; what settles has consequences."""
        former = self.current(self.snapshot.deliveries.get(found.message_code, found))
        self._deliveries[found.message_code] = found
        if found.state is DeliveryState.WAITING:
            self.due_at(found.due_at)
        elif found.state.settled and (not former.state.settled or former is found):
            self._settled.append(found)
            if found.state in _FAILS_REST:
                self._fail_rest(found)
        return found

    def _fail_rest(self, failed: Delivery) -> None:
        """What fails or expires takes the waiting rest of its reply with it."""
        expired = failed.state is DeliveryState.EXPIRED
        error = DeliveryError(
            "expired" if expired else "previous_part", "the part before it was not delivered"
        )
        for item in self.waiting_on(failed.envelope.call_id):
            if item.reply_key == failed.reply_key and item.part > failed.part:
                rest = evolve(item, state=failed.state, error=error, settled_at=self.now)
                self._deliveries[item.message_code] = rest
                self._settled.append(rest)

    @property
    def settled(self) -> Sequence[Delivery]:
        """The deliveries that this command settled so far."""
        return tuple(self._settled)

    def withdraw(self, error: DeliveryError, these: Iterable[Delivery]) -> list[Delivery]:
        """Fail those of the deliveries that wait; returns these as they were."""
        found = [item for item in these if item.state is DeliveryState.WAITING]
        for item in found:
            failed = evolve(item, state=DeliveryState.FAILED, error=error, settled_at=self.now)
            self._deliveries[item.message_code] = failed
            self._settled.append(failed)
        return found

    def enqueue(self, batch: Sequence[Delivery]) -> None:
        """Store new deliveries of one call; the first is claimed if nothing stands before it."""
        for item in batch:
            self._deliveries[item.message_code] = item
        if batch:
            self.dispatch(batch[0].envelope.call_id)

    def dispatch(self, call_id: str, *, whatever_time: bool = False) -> Delivery | None:
        """Claim the oldest delivery of a call, if its turn and time have come; return it.

        What may not be sent any more is settled on the way; what waits for its agent's session
        says so, and the agent is signed in where the bridge may.
        """
        while (first := self._first(call_id)) is not None:
            if first.due_at > self.now and not whatever_time:
                self.due_at(first.due_at)
                return None
            pair = self.record(first.sender_id, first.envelope.call_id)
            after = policy.forbidden(first, pair, self.now) or policy.stale(first, self.now)
            if after is None:
                return self._claim(first)
            self.move(after)
        return None

    def _first(self, call_id: str) -> Delivery | None:
        """The oldest that waits, with nothing of its call being sent."""
        found = self.open_on(call_id)
        if not found or any(item.state is DeliveryState.SENDING for item in found):
            return None
        return found[0]

    def _claim(self, found: Delivery) -> Delivery | None:
        process = self.snapshot.process
        agent_id = found.envelope.agent_id
        if not process.sends or agent_id not in self.snapshot.agents:
            self.due_at(found.due_at)
            return None
        session = self.known_session(agent_id)
        if session is None or not session.usable or session.guid is None:
            self.move(self._without_guid(found, session))
            return None
        if not process.closed or process.free - self._begins <= 0:
            self.due_at(found.due_at)
            return None
        return self.claim(found, session)

    def claim(self, found: Delivery, session: SessionRecord) -> Delivery:
        """Have a delivery sent under a new lease."""
        assert session.guid is not None  # noqa: S101 - a usable session has one
        lease = f"{self.snapshot.process.name}:{self.now:.6f}:{found.attempts}.{found.unknowns}"
        claimed = evolve(
            found, state=DeliveryState.SENDING, lease=lease, lease_until=self.now + LEASE
        )
        self._deliveries[found.message_code] = claimed
        self._begins += 1
        self.effect(Send(found.message_code, session.guid))
        return claimed

    def resend(self, found: Delivery, guid: Guid) -> None:
        """Have a delivery sent once more under the lease that it has, with a newer GUID."""
        self._begins += 1
        self.effect(Send(found.message_code, guid, retried=True))

    # -- sessions ------------------------------------------------------------------------------

    def known_session(self, agent_id: str) -> SessionRecord | None:
        """An agent's session."""
        return self._sessions.get(agent_id) or self.snapshot.sessions.get(agent_id)

    def _without_guid(self, found: Delivery, session: SessionRecord | None) -> Delivery:
        """The delivery as it waits for its agent's session; nothing was tried."""
        agent_id = found.envelope.agent_id
        seen = session.generation if session else None
        error: SessionGoneError | SignInRefusedError
        if session is not None and self.refused_lately(session):
            error = SignInRefusedError(
                session.error_message or "the sign-in was refused",
                retcode=session.error_code or "",
            )
        elif self.rules.agent(agent_id).session == "sign_in":
            self.begin_sign_in(agent_id, session)
            error = SigningInError("the agent is being signed in", seen=seen)
        else:
            error = SessionGoneError(
                "the agent's desktop has given no GUID that is good", seen=seen
            )
        return policy.after(found, error, self.rules.policy, now=self.now, jitter=0.5)

    def refused_lately(self, session: SessionRecord) -> bool:
        """Whether the gateway refused to sign the agent in a moment ago."""
        # A clock that was set back must not make a minute of an hour.
        since = self.now - session.renewed_at
        return session.state is SessionState.REFUSED and 0 <= since < REFUSED_SECONDS

    def begin_sign_in(self, agent_id: str, session: SessionRecord | None) -> None:
        """Sign an agent in, unless that is under way, here or elsewhere."""
        found = self._sessions.get(agent_id) or session or new_session(agent_id, self.now)
        process = self.snapshot.process
        until = self.now + SIGN_IN_SECONDS + 1
        if not process.sends or not free_right(
            found.signing_in, found.signing_in_until, until, process.is_dead, self.now
        ):
            return
        self.session(replace(found, signing_in=process.name, signing_in_until=until))
        interrupted = found.signing_in not in (None, process.name)
        forced = found.state is SessionState.DOUBTED
        self.effect(SignInAgent(agent_id, forced=forced, interrupted=interrupted))

    # -- calls ---------------------------------------------------------------------------------

    def crowded(self, call_id: str, more: int) -> bool:
        """Whether with ``more`` of them, too many deliveries of a call would wait.

        A flood for one customer must not fill the outbox.
        """
        return len(self.waiting_on(call_id)) + more > self.rules.most_waiting

    def supersede(self, offered: Iterable[Suggestion]) -> None:
        """Supersede what is offered: the customer wrote again, or another was accepted."""
        for item in offered:
            self.suggestion(replace(item, state=SuggestionState.SUPERSEDED, settled_at=self.now))

    def expire_offered(self, offered: Iterable[Suggestion]) -> None:
        """Expire what is offered."""
        for item in offered:
            self.suggestion(replace(item, state=SuggestionState.EXPIRED, settled_at=self.now))

    def hand_back(
        self, record: AssignmentRecord, error: DeliveryError, *, untold: bool = False, **more: Any
    ) -> AssignmentRecord:
        """Make the bot the owner; expire what is offered, withdraw what was to go by itself."""
        call_id = record.assignment.call_id
        self.expire_offered(self.snapshot.offered(call_id=call_id))
        auto = [item for item in self.waiting_on(call_id) if item.origin is Origin.AUTO]
        self.withdraw(error, auto)
        return self.assignment(
            replace(
                record, owner=Owner.BOT, handed_back_at=self.now, untold=untold, card=None, **more
            )
        )


def free_right(
    holder: str | None,
    held_until: float | None,
    until: float,
    is_dead: Any,
    now: float,
) -> bool:
    """Whether a right may be taken: nobody holds it, its time is over, or its holder died.

    An end too far ahead was written before the clock was set back.
    """
    if holder is None or held_until is None:
        return True
    return not (now <= held_until <= until + _APART) or bool(is_dead(holder))


def new_session(agent_id: str, now: float) -> SessionRecord:
    """An agent of whom nothing is known."""
    return SessionRecord(
        AgentId(agent_id), None, SessionState.GONE, ours=False, generation=0, renewed_at=now
    )


def _place(item: Delivery) -> tuple[bool, int]:
    """The order of storing: what has no number yet comes last, in the order of the batch."""
    return item.seq == 0, item.seq
