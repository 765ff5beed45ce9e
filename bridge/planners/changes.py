"""Collect the rows and effects that one command changes.

A planner creates one ``Changes``, changes deliveries, assignments and suggestions through it, and
returns ``plan()``, or ``consequences.plan()`` if it may settle deliveries. The rules that hold for
every delivery are applied here: a failed or expired delivery fails the rest of its reply, and the
first delivery of a call is claimed for a sender as soon as it may be sent. ``Changes`` is mutable
but does no I/O.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bridge.errors import BridgeError, SessionGoneError, SigningInError, SignInRefusedError
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
    derive,
    evolve,
)
from bridge.planners import policy
from bridge.planners.rules import Rules
from bridge.state.calls import CallKey, CallRecord, CallRequest, RequestOutcome
from bridge.state.plan import (
    UNANSWERED,
    Count,
    DeferredAnswer,
    Effect,
    Log,
    Plan,
    Send,
    SignInAgent,
)
from bridge.state.records import (
    BUSY,
    LEASE,
    UPDATE_MARK,
    ActionAnswer,
    AssignmentRecord,
    EventRecord,
    MessageRecord,
    RasaUpdate,
    SessionRecord,
    SessionState,
    TurnRecord,
    UpdateState,
)
from bridge.state.snapshot import Pair, Snapshot
from bridge.translate import Translation
from bridge.turn import Turn

SIGN_IN_SECONDS = 5.0  # total deadline of a sign-in
REFUSED_SECONDS = 60.0  # before a refused sign-in is repeated, doubled each time up to
LONGEST_REFUSED = 900.0
_MOST_DOUBLINGS = 10
WITHOUT_GUID = ("agent_signed_out", "signing_in")  # error codes while waiting for a session
_APART = 60.0  # seconds; the largest clock difference allowed between replicas
_FAILS_REST = (DeliveryState.FAILED, DeliveryState.EXPIRED)


class Changes:
    """The changes of one command on top of its snapshot."""

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
        self._calls: dict[CallKey, CallRecord] = {}
        self._requests: dict[str, CallRequest] = {}
        self._outcomes: dict[str, RequestOutcome | BridgeError] = {}
        self._events: list[EventRecord] = []
        self._messages: list[MessageRecord] = []
        self._answers: dict[str, ActionAnswer] = {}
        self._effects: list[Effect] = []
        self._settled: list[Delivery] = []
        self._begins = 0
        self._due: float | None = None
        self._update_due: float | None = None
        self._request_due: float | None = None

    def plan(
        self, answer: Any = UNANSWERED, *, finish: DeferredAnswer | None = None, **more: Any
    ) -> Plan:
        """Return the plan, with every changed row in its final state."""
        counts = tuple(Count("moved", (delivery,)) for delivery in self._settled)
        return Plan(
            answer=answer,
            finish=finish,
            answers=self._answers,
            outcomes=self._outcomes,
            assignments=tuple(self._assignments.values()),
            turns=tuple(self._turns.values()),
            deliveries=tuple(self._deliveries.values()),
            suggestions=tuple(self._suggestions.values()),
            messages=tuple(self._messages),
            sessions=tuple(self._sessions.values()),
            updates=tuple(self._updates.values()),
            calls=tuple(self._calls.values()),
            requests=tuple(self._requests.values()),
            events=tuple(self._events),
            effects=(*self._effects, *counts),
            begins=self._begins,
            due=self._due,
            update_due=self._update_due,
            request_due=self._request_due,
            **more,
        )

    # -- rows ----------------------------------------------------------------------------------

    def effect(self, *effects: Effect) -> None:
        """Add effects to be run after the commit."""
        self._effects += effects

    def log(self, level: int, message: str, *arguments: Any, once: str | None = None) -> None:
        """Log a message after the commit."""
        self._effects.append(Log(level, message, arguments, once))

    def warn(self, message: str, *arguments: Any, once: str | None = None) -> None:
        """Log a warning after the commit."""
        self.log(logging.WARNING, message, *arguments, once=once)

    def drafts(self, translation: Translation, call_id: str) -> tuple[Draft, ...]:
        """Return the drafts of a translation, and log what it changed or refused."""
        for note in translation.notes:
            self.log(logging.INFO, "A reply was changed: %s call_id=%s", note.code, call_id)
        for refused in translation.refused:
            self.warn("A reply was refused: %s call_id=%s", refused.code, call_id)
        return translation.drafts

    def assignment(self, record: AssignmentRecord) -> AssignmentRecord:
        """Store the new state of an assignment."""
        self._assignments[record.assignment.sender_id, record.assignment.call_id] = record
        return record

    def turn(self, record: TurnRecord) -> TurnRecord:
        """Store an action call."""
        self._turns[record.key] = record
        return record

    def answered(self, record: TurnRecord, answer: ActionAnswer) -> None:
        """Store the answer of an action call and send it to the waiting callers."""
        self.turn(evolve(record, answer=answer))
        self._answers[record.key] = answer

    def repeat_answer(self, turn_key: str, answer: ActionAnswer) -> None:
        """Send an answer that is stored already to the waiting callers."""
        self._answers[turn_key] = answer

    def suggestion(self, suggestion: Suggestion) -> Suggestion:
        """Store the new state of a suggestion."""
        self._suggestions[suggestion.id] = suggestion
        return suggestion

    def session(self, record: SessionRecord) -> SessionRecord:
        """Store the new state of a session."""
        self._sessions[record.agent_id] = record
        return record

    def update(self, update: RasaUpdate) -> None:
        """Store a new update for Rasa, or the new state of one."""
        self._updates[update.id] = update
        if update.state.value == "waiting":
            self.update_due_at(update.due_at)

    def call(self, record: CallRecord) -> CallRecord:
        """Store the new state of a call of a reader."""
        self._calls[record.key] = record
        return record

    def request(self, request: CallRequest) -> CallRequest:
        """Store a new request about a call, or the new state of one."""
        self._requests[request.id] = request
        if request.state is UpdateState.WAITING:
            due = self._request_due
            self._request_due = request.due_at if due is None else min(due, request.due_at)
        return request

    def request_due_at(self, at: float) -> None:
        """Schedule the next look for due requests about calls, at ``at`` or earlier."""
        self._request_due = at if self._request_due is None else min(self._request_due, at)

    def outcome(self, request_id: str, outcome: RequestOutcome | BridgeError) -> None:
        """Send the outcome of a request about a call to the waiting callers."""
        self._outcomes[request_id] = outcome

    def event(self, record: EventRecord) -> None:
        """Store an event from the gateway."""
        self._events.append(record)

    def store_message(self, turn: Turn, call_id: str) -> None:
        """Store what the customer wrote in ``turn``, once per message.

        A message with which the bridge asked Rasa was stored when it was read.
        """
        line = turn.customer_line
        if line is not None and UPDATE_MARK not in turn.metadata:
            self._messages.append(
                MessageRecord(
                    turn.sender_id,
                    call_id,
                    turn.message_id,
                    line.text,
                    line.at or self.now,
                    self.now,
                )
            )

    def message(self, record: MessageRecord) -> MessageRecord:
        """Store a message."""
        self._messages.append(record)
        return record

    def due_at(self, at: float) -> None:
        """Schedule the next look for due deliveries, at ``at`` or earlier."""
        self._due = at if self._due is None else min(self._due, at)

    def update_due_at(self, at: float) -> None:
        """Schedule the next look for due updates, at ``at`` or earlier."""
        self._update_due = at if self._update_due is None else min(self._update_due, at)

    # -- current rows --------------------------------------------------------------------------

    def current(self, delivery: Delivery) -> Delivery:
        """Return a delivery with this command's changes."""
        return self._deliveries.get(delivery.message_code, delivery)

    def record(self, sender_id: str, call_id: str) -> AssignmentRecord | None:
        """Return the assignment of a conversation to a call."""
        pair = (sender_id, call_id)
        return self._assignments.get(pair) or self.snapshot.assignments.get(pair)

    @property
    def assigned(self) -> Mapping[Pair, AssignmentRecord]:
        """The assignments that this command changed."""
        return self._assignments

    def offered(self, call_id: str) -> list[Suggestion]:
        """Return the suggestions of a call that this command leaves offered."""
        known = self.snapshot.offered(call_id=call_id)
        return [item for item in known if item.id not in self._suggestions]

    def latest(self, sender_id: str) -> AssignmentRecord | None:
        """Return the newest assignment of a conversation, open or ended."""
        return self._newest(self.snapshot.latest(sender_id), sender_id=sender_id)

    def of_call(self, call_id: str) -> AssignmentRecord | None:
        """Return the newest assignment of a call, open or ended."""
        return self._newest(self.snapshot.of_call(call_id), call_id=call_id)

    def _newest(
        self,
        stored: AssignmentRecord | None,
        *,
        sender_id: str | None = None,
        call_id: str | None = None,
    ) -> AssignmentRecord | None:
        """Return the newest of a stored assignment and of those that this command changed."""
        found = [
            record
            for (sender, call), record in self._assignments.items()
            if sender_id in (None, sender) and call_id in (None, call)
        ]
        if stored is not None:
            assignment = stored.assignment
            if (assignment.sender_id, assignment.call_id) not in self._assignments:
                found.append(stored)
        return max(found, key=lambda record: record.given_at, default=None)

    def known_call(self, key: CallKey) -> CallRecord | None:
        """Return a call of a reader."""
        return self._calls.get(key) or self.snapshot.calls.get(key)

    def known_calls(self, call_id: str) -> list[CallRecord]:
        """Return a call at all readers who have or had it, the newest last."""
        known = self.snapshot.calls | self._calls
        found = [record for record in known.values() if record.call_id == call_id]
        return sorted(found, key=lambda record: (record.live, record.begun_at))

    def known_request(self, request_id: str) -> CallRequest | None:
        """Return a request about a call."""
        return self._requests.get(request_id) or self.snapshot.requests.get(request_id)

    def open_requests(self, call_id: str, agent_id: str) -> list[CallRequest]:
        """Return the requests about a call at an agent that are not settled."""
        known = self.snapshot.requests | self._requests
        return [
            request
            for request in known.values()
            if (request.call_id, request.agent_id) == (call_id, agent_id) and not request.settled
        ]

    def known_turn(self, turn_key: str) -> TurnRecord | None:
        """Return the record of an action call."""
        return self._turns.get(turn_key) or self.snapshot.turns.get(turn_key)

    def of_turn(self, turn_key: str) -> list[Delivery]:
        """Return the deliveries of an action call, in order."""
        known = [self.current(item) for item in self.snapshot.of_turn(turn_key)]
        codes = {item.message_code for item in known}
        new = [
            item
            for item in self._deliveries.values()
            if item.turn_key == turn_key and item.message_code not in codes
        ]
        return sorted([*known, *new], key=_place)

    def open_on(self, call_id: str) -> list[Delivery]:
        """Return the waiting and sending deliveries of a call, in order."""
        rows = {item.message_code: item for item in self.snapshot.open_on(call_id)}
        for item in self._deliveries.values():
            if item.envelope.call_id == call_id:
                rows[item.message_code] = item
        return sorted((item for item in rows.values() if not item.state.settled), key=_place)

    def waiting_on(self, call_id: str) -> list[Delivery]:
        """Return the waiting deliveries of a call, in order."""
        return [item for item in self.open_on(call_id) if item.state is DeliveryState.WAITING]

    def unused_name(self, names: Mapping[str, tuple[object, ...]]) -> tuple[object, ...] | None:
        """Return the first of ``CallAction.names`` of which no delivery is stored, if there is."""
        known = self.snapshot.deliveries
        return next((name for code, name in names.items() if code not in known), None)

    # -- deliveries ----------------------------------------------------------------------------

    def move(self, delivery: Delivery) -> Delivery:
        """Store the new state of a delivery.

        If it fails or expires, the waiting rest of its reply fails or expires too.
        """
        former = self.current(self.snapshot.deliveries.get(delivery.message_code, delivery))
        self._deliveries[delivery.message_code] = delivery
        if delivery.state is DeliveryState.WAITING:
            self.due_at(delivery.due_at)
        elif delivery.state.settled and (not former.state.settled or former is delivery):
            self._settled.append(delivery)
            if delivery.state in _FAILS_REST:
                self._fail_rest(delivery)
        return delivery

    def give_up(self, delivery: Delivery) -> None:
        """Store and log the state of a delivery that is no longer sent, and has no new attempt."""
        self.warn(
            "A message is no longer sent: %s call_id=%s delivery=%s attempts=%d state=%s",
            delivery.error.message if delivery.error else "",
            delivery.envelope.call_id,
            delivery.id,
            delivery.attempts,
            delivery.state.value,
        )
        self.move(delivery)

    def _fail_rest(self, failed: Delivery) -> None:
        """Settle the waiting parts after a failed or expired one in the same state."""
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
        """The deliveries settled by this command so far."""
        return tuple(self._settled)

    def withdraw(self, error: DeliveryError, these: Iterable[Delivery]) -> list[Delivery]:
        """Fail the waiting ones of the deliveries, and return these as they were before."""
        waiting = [item for item in these if item.state is DeliveryState.WAITING]
        for item in waiting:
            failed = evolve(item, state=DeliveryState.FAILED, error=error, settled_at=self.now)
            self._deliveries[item.message_code] = failed
            self._settled.append(failed)
        return waiting

    def auto_waiting(self, call_id: str) -> list[Delivery]:
        """Return the waiting deliveries of ``auto`` mode on a call."""
        return [item for item in self.waiting_on(call_id) if item.origin is Origin.AUTO]

    def enqueue(self, batch: Sequence[Delivery]) -> None:
        """Store new deliveries of one call, and claim the first if no other is open on the call."""
        for item in batch:
            self._deliveries[item.message_code] = item
        if batch:
            self.dispatch(batch[0].envelope.call_id)

    def dispatch(self, call_id: str, *, whatever_time: bool = False) -> Delivery | None:
        """Claim and return the oldest delivery of a call if it is due and none is being sent.

        Deliveries that may no longer be sent are settled first. If the agent has no usable
        session, the delivery keeps waiting with that as its error, and a sign-in begins if the
        agent's session is ``sign_in``. ``whatever_time`` ignores ``due_at``.
        """
        while (first := self._first(call_id)) is not None:
            if first.due_at > self.now and not whatever_time:
                self.due_at(first.due_at)
                return None
            pair = self.record(first.sender_id, first.envelope.call_id)
            after = policy.forbidden(first, pair, self.now) or policy.stale(first, self.now)
            if after is None:
                return self._claim(first)
            self.give_up(after)
        return None

    def _first(self, call_id: str) -> Delivery | None:
        """Return the oldest waiting delivery of a call; None while another is being sent."""
        deliveries = self.open_on(call_id)
        if not deliveries or any(item.state is DeliveryState.SENDING for item in deliveries):
            return None
        return deliveries[0]

    def _claim(self, delivery: Delivery) -> Delivery | None:
        process = self.snapshot.process
        agent_id = delivery.envelope.agent_id
        if not process.sends or agent_id not in self.snapshot.agents:
            self.due_at(delivery.due_at)
            return None
        session = self.known_session(agent_id)
        if session is None or not session.usable or session.guid is None:
            self.move(self._without_guid(delivery, session))
            return None
        if not process.closed or process.free - self._begins <= 0:
            self.due_at(delivery.due_at)
            return None
        return self.claim(delivery, session)

    def claim(self, delivery: Delivery, session: SessionRecord) -> Delivery:
        """Send a delivery under a new lease."""
        assert session.guid is not None  # noqa: S101 - a usable session has one
        lease = (
            f"{self.snapshot.process.name}:{self.now:.6f}:{delivery.attempts}.{delivery.unknowns}"
        )
        claimed = evolve(
            delivery, state=DeliveryState.SENDING, lease=lease, lease_until=self.now + LEASE
        )
        self._deliveries[delivery.message_code] = claimed
        self._begins += 1
        self.effect(Send(delivery.message_code, session.guid))
        return claimed

    def resend(self, delivery: Delivery, guid: Guid) -> None:
        """Send a delivery again with a newer GUID, under its existing lease."""
        self._begins += 1
        self.effect(Send(delivery.message_code, guid, retried=True))

    # -- sessions ------------------------------------------------------------------------------

    def known_session(self, agent_id: str) -> SessionRecord | None:
        """Return the session of an agent."""
        return self._sessions.get(agent_id) or self.snapshot.sessions.get(agent_id)

    def _without_guid(self, delivery: Delivery, session: SessionRecord | None) -> Delivery:
        """Return the delivery, waiting for its agent's session; not counted as an attempt."""
        agent_id = delivery.envelope.agent_id
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
            error = SessionGoneError("the agent's desktop has pushed no valid GUID", seen=seen)
        return policy.after(delivery, error, self.rules.policy, now=self.now, jitter=0.5)

    def refused_lately(self, session: SessionRecord) -> bool:
        """Return whether the gateway refused the agent's sign-in lately.

        That is a minute, doubled with each further refusal, because accounts get locked.
        """
        # Negative after the clock was set back: the refusal must not last longer for that.
        since = self.now - session.renewed_at
        failures = min(session.sign_in_failures, _MOST_DOUBLINGS)
        pause = min(REFUSED_SECONDS * 2.0 ** max(0, failures - 1), LONGEST_REFUSED)
        return session.state is SessionState.REFUSED and 0 <= since < pause

    def begin_sign_in(self, agent_id: str, session: SessionRecord | None) -> None:
        """Sign an agent in, unless a sign-in is in progress in this or another process."""
        current = self._sessions.get(agent_id) or session or new_session(agent_id, self.now)
        process = self.snapshot.process
        until = self.now + SIGN_IN_SECONDS + 1
        if not process.sends or not free_right(
            current.signing_in, current.signing_in_until, until, process.is_dead, self.now
        ):
            return
        interrupted = current.signing_in not in (None, process.name)
        forced = current.state is SessionState.DOUBTED
        current = replace(current, signing_in=process.name, signing_in_until=until)
        self.sign_in(current, forced=forced, interrupted=interrupted)

    def sign_in(
        self, session: SessionRecord, *, forced: bool = False, interrupted: bool = False
    ) -> None:
        """Store the session of an agent that is being signed in, and sign the agent in."""
        agent = self.rules.agent(session.agent_id)
        first = self.rules.bridge.reader.sign_in_as if agent.reader else BUSY
        token = None
        if agent.events == "push":
            token = derive("service_token", self.snapshot.process.nonce, session.agent_id)
            token = token.replace("-", "")  # the gateway takes no special characters
        self.session(replace(session, next_service_token=token))
        self.effect(
            SignInAgent(
                session.agent_id,
                forced=forced,
                interrupted=interrupted,
                state=session.chosen_state or first,
                service_token=token,
            )
        )

    # -- calls ---------------------------------------------------------------------------------

    def crowded(self, call_id: str, more: int) -> bool:
        """Return whether ``more`` deliveries would exceed the limit of waiting ones on a call.

        The limit keeps one call from filling the outbox.
        """
        return len(self.waiting_on(call_id)) + more > self.rules.most_waiting

    def supersede(self, offered: Iterable[Suggestion]) -> None:
        """Supersede suggestions, after a new customer message or the acceptance of another one."""
        for item in offered:
            self.suggestion(replace(item, state=SuggestionState.SUPERSEDED, settled_at=self.now))

    def expire_offered(self, offered: Iterable[Suggestion], reason: str | None = None) -> None:
        """Expire offered suggestions; ``reason`` is a code, None if their time is over."""
        for item in offered:
            self.suggestion(
                replace(item, state=SuggestionState.EXPIRED, settled_at=self.now, reason=reason)
            )

    def hand_back(
        self, record: AssignmentRecord, error: DeliveryError, *, untold: bool = False, **more: Any
    ) -> AssignmentRecord:
        """Make the bot the owner; expire suggestions and withdraw waiting auto deliveries."""
        call_id = record.assignment.call_id
        self.expire_offered(self.snapshot.offered(call_id=call_id), error.code)
        self.withdraw(error, self.auto_waiting(call_id))
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
    """Return whether a lease may be taken: it is unheld, has expired, or its holder is dead.

    A ``held_until`` too far ahead counts as expired: the clock was set back since it was written.
    """
    if holder is None or held_until is None:
        return True
    return not (now <= held_until <= until + _APART) or bool(is_dead(holder))


def new_session(agent_id: str, now: float) -> SessionRecord:
    """Return the initial session of an agent, without a GUID."""
    return SessionRecord(
        AgentId(agent_id), None, SessionState.GONE, ours=False, generation=0, renewed_at=now
    )


def _place(item: Delivery) -> tuple[bool, int]:
    """Sort key for the order of storing: new deliveries (no number yet) last, in batch order."""
    return item.seq == 0, item.seq
