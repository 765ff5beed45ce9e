"""Plan the outbox: claim due deliveries, complete attempts, retry and discard."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace

from bridge.errors import (
    GatewayError,
    RefusedError,
    SessionGoneError,
    SigningInError,
    UnknownOutcomeError,
    describe,
)
from bridge.model import Delivery, DeliveryError, DeliveryState, Origin
from bridge.planners import consequences, offering, outcome, policy, retries, sessions
from bridge.planners.assignments import own_call
from bridge.planners.changes import WITHOUT_GUID, Changes
from bridge.planners.rules import Rules
from bridge.planners.suggestions import require_room
from bridge.state.commands import (
    ClaimDeliveries,
    CorrectTimes,
    DiscardDelivery,
    ExplainAgent,
    JudgeTurn,
    MoveDelivery,
    Recover,
    ReleaseHeld,
    RetryDelivery,
    SendingResult,
    SetSwitch,
    WakeAgent,
    WithdrawTurn,
)
from bridge.state.plan import Count, Plan, Put, UpdateBreaker, Written
from bridge.state.records import LEASE, RasaUpdate, SwitchRecord, UpdateState
from bridge.state.snapshot import Snapshot

RETRIED = (DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.EXPIRED)
SUSPENDED = DeliveryError("withdrawn", "automatic sending was suspended")
_NOT_PLANNED = DeliveryError("internal", "it could not be claimed; the log says where")
_MISSING = "there is no such delivery"
_DISCARDED = DeliveryError("discarded", "it was discarded")


# -- completing attempts ---------------------------------------------------------------------------


def complete(snapshot: Snapshot, command: SendingResult, rules: Rules, now: float) -> Plan:
    """Complete an attempt, and claim the next delivery of its call.

    A result under an old lease is ignored, because another process has taken the delivery over.
    """
    changes = Changes(snapshot, rules, now)
    sent, error = command.delivery, command.error
    delivery = snapshot.deliveries.get(sent.message_code)
    fenced = (
        delivery is None
        or delivery.state is not DeliveryState.SENDING
        or delivery.lease != sent.lease
    )
    if not command.unsent:
        changes.effect(
            UpdateBreaker(sent.envelope.call_id, error),
            Count("attempted", (error, command.seconds)),
        )
    newer = sessions.used(changes, command)
    if fenced or delivery is None:
        return consequences.plan(changes)
    if newer is not None and not command.retried:
        changes.resend(delivery, newer)
        return consequences.plan(changes)
    if command.unsent:
        after = policy.unsent(delivery, now)
    else:
        after = _after(changes, delivery, command)
        _log(changes, after, error)
    changes.move(after)
    if not snapshot.process.backlog:
        changes.dispatch(sent.envelope.call_id)
    else:
        changes.due_at(now)
    return consequences.plan(changes)


def _after(changes: Changes, delivery: Delivery, command: SendingResult) -> Delivery:
    """Return the delivery after the attempt; due at once if a new GUID arrived meanwhile."""
    error = command.error
    if isinstance(error, SessionGoneError) and changes.snapshot.process.sends:
        signing = changes.rules.agent(command.agent_id).session == "sign_in"
        session = changes.snapshot.sessions.get(command.agent_id)
        if signing and (session is None or session.state.value != "signed_out"):
            error = SigningInError(
                f"{error.message}; it is being signed in again",
                retcode=error.retcode,
                status=error.status,
            )
    after = policy.after(
        delivery, error, changes.rules.policy, now=changes.now, jitter=command.jitter
    )
    if isinstance(error, SessionGoneError) and sessions.renewed_since(changes, command):
        return replace(after, due_at=changes.now)
    return after


def _log(changes: Changes, after: Delivery, error: GatewayError | None) -> None:
    quiet = error is None or (isinstance(error, SessionGoneError) and not error.retcode)
    changes.log(
        logging.DEBUG if quiet else logging.WARNING,
        "%s call_id=%s delivery=%s attempt=%d state=%s retcode=%s status=%s",
        "Delivered" if error is None else error.message,
        after.envelope.call_id,
        after.id,
        after.attempts,
        after.state.value,
        error.retcode if error else "0",
        error.status if error else 200,
    )


# -- claiming and recovering -----------------------------------------------------------------------


def claim(snapshot: Snapshot, command: ClaimDeliveries, rules: Rules, now: float) -> Plan:
    """Claim the oldest delivery of each due call. The answer is the number claimed.

    Deliveries whose lease has expired are recovered first: their outcome is unknown. While the
    circuit breaker is open, at most a probe is claimed, and expired deliveries are settled. A
    delivery that cannot be planned fails alone, so that it does not block the others.
    """
    changes = Changes(snapshot, rules, now)
    for item in list(snapshot.deliveries.values()):
        stalled = item.state is DeliveryState.SENDING and (item.lease_until or 0.0) < now
        if stalled and command.held.get(item.seq, "") != item.lease:
            changes.move(_recovered(changes, item))
    claimed = 0
    for code in snapshot.due:
        item = changes.current(snapshot.deliveries[code])
        try:
            claimed += _claim(changes, command, item)
        except Exception as error:  # noqa: BLE001 - a delivery's fault is its own
            changes.log(
                logging.ERROR,
                "A delivery could not be claimed: %s delivery=%d",
                describe(error),
                item.seq,
            )
            changes.move(
                replace(item, state=DeliveryState.FAILED, error=_NOT_PLANNED, settled_at=now)
            )
    return consequences.plan(changes, claimed)


def _claim(changes: Changes, command: ClaimDeliveries, item: Delivery) -> bool:
    if item.state is not DeliveryState.WAITING:
        return False
    if command.sweep or (command.probe and item.expires_at <= changes.now):
        _settle_stale(changes, item)
        return False
    call_id = item.envelope.call_id
    return changes.dispatch(call_id, whatever_time=command.probe) is not None


def _settle_stale(changes: Changes, item: Delivery) -> None:
    after = policy.stale(item, changes.now)
    if after is not None:
        changes.give_up(after)


def _recovered(changes: Changes, item: Delivery) -> Delivery:
    """Return a stalled delivery with an unknown outcome, because its process died while sending.

    A stalled delivery of this process was never sent: its claim was committed although the commit
    appeared to fail. It waits again.
    """
    if changes.snapshot.process.owns(item.lease):
        return policy.unsent(item, changes.now)
    error = UnknownOutcomeError("the process that was sending it ended")
    counted = replace(item, attempts=item.attempts + 1)
    return policy.unknown(counted, error, changes.rules.policy, now=changes.now)


def recover(snapshot: Snapshot, command: Recover, rules: Rules, now: float) -> Plan:
    """At start, recover the leases of dead processes and retry deliveries that wait for a GUID."""
    del command
    changes = Changes(snapshot, rules, now)
    for item in list(snapshot.deliveries.values()):
        if item.state is DeliveryState.SENDING and snapshot.process.is_dead(item.lease):
            changes.move(_recovered(changes, item))
        elif item.state is DeliveryState.WAITING and _without_guid(item):
            changes.move(replace(item, due_at=now))
    for update in list(snapshot.updates.values()):
        if update.state is UpdateState.SENDING and snapshot.process.is_dead(update.lease):
            changes.update(_again(update, now))
    for request in list(snapshot.requests.values()):
        if request.state is UpdateState.SENDING and snapshot.process.is_dead(request.lease):
            # The claim recovers it; one that must not be repeated counts as unknown.
            changes.request(replace(request, lease_until=0.0))
    changes.due_at(now)
    changes.update_due_at(now)
    changes.request_due_at(now)
    return consequences.plan(changes, answer=True)


def _again(update: RasaUpdate, now: float) -> RasaUpdate:
    return replace(update, state=UpdateState.WAITING, due_at=now, lease=None, lease_until=None)


def _without_guid(item: Delivery) -> bool:
    return item.error is not None and item.error.code in WITHOUT_GUID


def wake(snapshot: Snapshot, command: WakeAgent, rules: Rules, now: float) -> Plan:
    """Make deliveries that wait for an agent's GUID due, because there may be a new one."""
    changes = Changes(snapshot, rules, now)
    for item in list(snapshot.deliveries.values()):
        if item.state is DeliveryState.WAITING and _without_guid(item):
            changes.move(replace(item, due_at=now, error=_woken(item)))
    _next_slice(changes, command)
    return changes.plan(answer=True)


def _woken(item: Delivery) -> DeliveryError:
    """Return the error of a woken delivery: ``signing_in`` until the next attempt."""
    return DeliveryError("signing_in", item.error.message if item.error else "")


def explain(snapshot: Snapshot, command: ExplainAgent, rules: Rules, now: float) -> Plan:
    """Store why there is no GUID yet as the error of the deliveries that wait for it."""
    changes = Changes(snapshot, rules, now)
    error = DeliveryError(command.code, command.message)
    for item in list(snapshot.deliveries.values()):
        if item.state is DeliveryState.WAITING and _without_guid(item):
            due = item.due_at if command.again_at is None else command.again_at
            changes.move(replace(item, error=error, due_at=due))
    return changes.plan(answer=True)


def release(snapshot: Snapshot, command: ReleaseHeld, rules: Rules, now: float) -> Plan:
    """Make deliveries in back-off due, because the gateway works again."""
    changes = Changes(snapshot, rules, now)
    for item in list(snapshot.deliveries.values()):
        changes.move(replace(item, due_at=now))
    _next_slice(changes, command)
    changes.due_at(now)
    return changes.plan(answer=True)


def correct_times(snapshot: Snapshot, command: CorrectTimes, rules: Rules, now: float) -> Plan:
    """Shorten times that are too far in the future because the clock was set back."""
    changes = Changes(snapshot, rules, now)
    for item in list(snapshot.deliveries.values()):
        longest = command.latest_rest if item.part else command.latest_expiry
        corrected = replace(item, expires_at=min(item.expires_at, longest))
        if item.state is DeliveryState.SENDING:
            until = min(item.lease_until or 0.0, now + LEASE)
            corrected = replace(corrected, lease_until=until)
        else:
            corrected = replace(corrected, due_at=min(item.due_at, command.latest_due))
        if corrected != item:
            changes.move(corrected)
    for update in list(snapshot.updates.values()):
        nearer = replace(update, due_at=min(update.due_at, now))
        if update.lease_until is not None:
            nearer = replace(nearer, lease_until=min(update.lease_until, now + LEASE))
        if nearer != update:
            changes.update(nearer)
    for request in list(snapshot.requests.values()):
        sooner = replace(request, due_at=min(request.due_at, now))
        if request.lease_until is not None:
            sooner = replace(sooner, lease_until=min(request.lease_until, now + LEASE))
        if sooner != request:
            changes.request(sooner)
    _next_slice(changes, command)
    changes.due_at(now)
    changes.update_due_at(now)
    changes.request_due_at(now)
    return changes.plan(answer=True)


def _next_slice(changes: Changes, command: object) -> None:
    """Queue a set-wide command again for its next slice of rows, if there are more."""
    if changes.snapshot.more:
        changes.effect(Put(command))


def set_switch(snapshot: Snapshot, command: SetSwitch, rules: Rules, now: float) -> Plan:
    """Set a switch; if it suspends auto sending, withdraw the waiting auto deliveries.

    Raises:
        RefusedError: 403 if the value may only be lowered, and would not be.
    """
    configured, present = rules.designer.assist.mode, snapshot.switches.get(command.name)
    if command.only_lowers and not offering.lowers(configured, present, command.value):
        message = "a supervisor may only lower the assist mode; a system's token raises it again"
        raise RefusedError(403, "forbidden", message)
    changes = Changes(snapshot, rules, now)
    if command.withdraws_auto:
        auto = [item for item in snapshot.deliveries.values() if item.origin is Origin.AUTO]
        changes.withdraw(SUSPENDED, auto)
        _next_slice(changes, command)
    switch = SwitchRecord(command.name, command.value, now)
    mode = offering.mode_in_force(configured, switch)
    return consequences.plan(changes, mode, switches=(switch,))


# -- action calls ----------------------------------------------------------------------------------


def judge(snapshot: Snapshot, command: JudgeTurn, rules: Rules, now: float) -> Plan:
    """Answer an action call according to the state of its deliveries."""
    record = snapshot.turns.get(command.turn_key)
    if record is None:
        return Plan()
    changes = Changes(snapshot, rules, now)
    if record.answer is not None:
        changes.repeat_answer(record.key, record.answer)
        return changes.plan()
    verdict = outcome.judge(changes.of_turn(record.key))
    if command.final or verdict.over:
        consequences.conclude(changes, record, verdict)
    return consequences.plan(changes)


def withdraw(snapshot: Snapshot, command: WithdrawTurn, rules: Rules, now: float) -> Plan:
    """Undo an action call that was stored after its caller had been answered with an error."""
    record = snapshot.turns.get(command.turn_key)
    if record is None or record.answer is not None:
        return Plan()
    changes = Changes(snapshot, rules, now)
    mine = [
        policy.unsent(item, now)
        for item in changes.of_turn(record.key)
        if item.state is DeliveryState.SENDING and snapshot.process.owns(item.lease)
    ]
    for item in mine:
        changes.move(item)
    answer = consequences.unmake(changes, record, "store_unavailable")
    changes.answered(record, answer)
    return consequences.plan(changes)


# -- manual decisions ------------------------------------------------------------------------------


def retry(snapshot: Snapshot, command: RetryDelivery, rules: Rules, now: float) -> Plan:
    """Retry a failed, expired or uncertain delivery. The answer is the delivery.

    Raises:
        RefusedError: 404; 409 if it is waiting, being sent or delivered, the call has ended
            or is the bot's, or its text was erased; 409 also for an ``objection`` to a retry,
            without ``again``; 429 if the call's queue is full.
    """
    delivery = _find(snapshot, command)
    if delivery.command_key == command.key:
        return Plan(answer=delivery)
    call_id = delivery.envelope.call_id
    own_call(snapshot, call_id, command.agent_id, with_agent=True, missing=_MISSING)
    _require_state(delivery, RETRIED)
    objection = retries.objection(
        delivery,
        retries.Circumstances(
            snapshot.of_call(call_id),
            snapshot.last_delivered.get(call_id, 0),
            snapshot.turns.get(delivery.turn_key or ""),
        ),
    )
    if objection is not None and (objection.final or not command.again):
        hint = "" if objection.final else "; again: true sends it all the same"
        raise RefusedError(409, objection.code, objection.message + hint)
    changes = Changes(snapshot, rules, now)
    require_room(changes, call_id, 1, rules.most_waiting)
    changes.move(
        replace(
            delivery,
            state=DeliveryState.WAITING,
            due_at=now,
            expires_at=now + rules.bridge.delivery.expire_after,
            unknowns=0,
            error=None,
            settled_at=None,
            approved_by=command.agent_id or delivery.approved_by,
            command_key=command.key,
        )
    )
    changes.dispatch(call_id)
    return _moved(changes, delivery)


def discard(snapshot: Snapshot, command: DiscardDelivery, rules: Rules, now: float) -> Plan:
    """Discard a delivery. The answer is the delivery.

    Raises:
        RefusedError: 404; 409 if it is being sent or was delivered.
    """
    delivery = _find(snapshot, command)
    if delivery.command_key == command.key:
        return Plan(answer=delivery)
    own_call(snapshot, delivery.envelope.call_id, command.agent_id, missing=_MISSING)
    _require_state(delivery, (*RETRIED, DeliveryState.WAITING))
    changes = Changes(snapshot, rules, now)
    changes.move(
        replace(
            delivery,
            state=DeliveryState.FAILED,
            error=_DISCARDED,
            settled_at=now,
            command_key=command.key,
        )
    )
    changes.dispatch(delivery.envelope.call_id)
    return _moved(changes, delivery)


def _moved(changes: Changes, delivery: Delivery) -> Plan:
    after = changes.current(delivery)

    def finish(written: Written) -> Delivery:
        return written.deliveries.get(delivery.message_code, after)

    return consequences.plan(changes, finish=finish)


def _find(snapshot: Snapshot, command: MoveDelivery) -> Delivery:
    delivery = snapshot.by_seq(command.delivery_id)
    if delivery is None:
        raise RefusedError(404, "not_found", _MISSING)
    return delivery


def _require_state(delivery: Delivery, among: Iterable[DeliveryState]) -> None:
    if delivery.state not in among:
        raise RefusedError(409, "settled", f"this delivery is {delivery.state.value}")
