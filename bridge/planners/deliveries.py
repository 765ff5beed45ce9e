"""The outbox: claims what is due, completes what was sent, and obeys a person's decisions."""

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
from bridge.planners import assist, consequences, outcome, policy, sessions
from bridge.planners.assignments import own_call
from bridge.planners.changes import WITHOUT_GUID, Changes
from bridge.planners.rules import Rules
from bridge.planners.suggestions import demand_room
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
from bridge.state.plan import Count, Heard, Plan, Put, Written
from bridge.state.records import LEASE, RasaUpdate, SwitchRecord, UpdateState
from bridge.state.snapshot import Snapshot

RETRIED = (DeliveryState.FAILED, DeliveryState.UNCERTAIN, DeliveryState.EXPIRED)
SUSPENDED = DeliveryError("withdrawn", "sending by itself was suspended")
_NOT_PLANNED = DeliveryError("internal", "it could not be claimed; the log says where")
_DISCARDED = DeliveryError("discarded", "somebody took it off the list")


# -- what was sent ---------------------------------------------------------------------------------


def complete(snapshot: Snapshot, command: SendingResult, rules: Rules, now: float) -> Plan:
    """Complete an attempt, and claim the next delivery of its call.

    The lease fences: what another process took over meanwhile is left alone.
    """
    changes = Changes(snapshot, rules, now)
    sent, error = command.delivery, command.error
    found = snapshot.deliveries.get(sent.message_code)
    fenced = found is None or found.state is not DeliveryState.SENDING or found.lease != sent.lease
    if not command.unsent:
        changes.effect(
            Heard(sent.envelope.call_id, error), Count("attempted", (error, command.seconds))
        )
    newer = sessions.used(changes, command)
    if fenced or found is None:
        return consequences.plan(changes)
    if newer is not None and not command.retried:
        changes.resend(found, newer)
        return consequences.plan(changes)
    if command.unsent:
        after = policy.unsent(found, now)
    else:
        after = _after(changes, found, command)
        _log(changes, after, error)
    changes.move(after)
    if not snapshot.process.backlog:
        changes.dispatch(sent.envelope.call_id)
    else:
        changes.due_at(now)
    return consequences.plan(changes)


def _after(changes: Changes, found: Delivery, command: SendingResult) -> Delivery:
    """The delivery after the attempt; due at once if its GUID came while that was failing."""
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
    after = policy.after(found, error, changes.rules.policy, now=changes.now, jitter=command.jitter)
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


# -- what is due -----------------------------------------------------------------------------------


def claim(snapshot: Snapshot, command: ClaimDeliveries, rules: Rules, now: float) -> Plan:
    """Claim each due call's oldest delivery; answers how many were claimed.

    What a process that died was sending is of unknown outcome. While the breaker is open, only a
    probe is claimed, and what is too old is settled. One that cannot be planned fails by itself:
    it must not keep all others waiting.
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
        changes.move(after)


def _recovered(changes: Changes, item: Delivery) -> Delivery:
    """A process died while sending: nobody knows whether the message left.

    One of our own that is not being sent was claimed in a transaction that seemed to fail.
    """
    if changes.snapshot.process.owns(item.lease):
        return policy.unsent(item, changes.now)
    error = UnknownOutcomeError("the process that was sending it ended")
    counted = replace(item, attempts=item.attempts + 1)
    return policy.unknown(counted, error, changes.rules.policy, now=changes.now)


def recover(snapshot: Snapshot, command: Recover, rules: Rules, now: float) -> Plan:
    """At a start: end the leases of dead processes, and look for GUIDs once more."""
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
    changes.due_at(now)
    changes.update_due_at(now)
    return consequences.plan(changes, answer=True)


def _again(update: RasaUpdate, now: float) -> RasaUpdate:
    return replace(update, state=UpdateState.WAITING, due_at=now, lease=None, lease_until=None)


def _without_guid(item: Delivery) -> bool:
    return item.error is not None and item.error.code in WITHOUT_GUID


def wake(snapshot: Snapshot, command: WakeAgent, rules: Rules, now: float) -> Plan:
    """An agent may have a good GUID again: what waits for it is due."""
    changes = Changes(snapshot, rules, now)
    for item in list(snapshot.deliveries.values()):
        if item.state is DeliveryState.WAITING and _without_guid(item):
            changes.move(replace(item, due_at=now, error=_woken(item)))
    _next_slice(changes, command)
    return changes.plan(answer=True)


def _woken(item: Delivery) -> DeliveryError:
    """Why it waited; until it is tried again, it is not known to lack a session any more."""
    return DeliveryError("signing_in", item.error.message if item.error else "")


def explain(snapshot: Snapshot, command: ExplainAgent, rules: Rules, now: float) -> Plan:
    """Let what waits for an agent's GUID say why there is none yet."""
    changes = Changes(snapshot, rules, now)
    error = DeliveryError(command.code, command.message)
    for item in list(snapshot.deliveries.values()):
        if item.state is DeliveryState.WAITING and _without_guid(item):
            due = item.due_at if command.again_at is None else command.again_at
            changes.move(replace(item, error=error, due_at=due))
    return changes.plan(answer=True)


def release(snapshot: Snapshot, command: ReleaseHeld, rules: Rules, now: float) -> Plan:
    """The gateway serves again: nobody waits for the end of a back-off."""
    changes = Changes(snapshot, rules, now)
    for item in list(snapshot.deliveries.values()):
        changes.move(replace(item, due_at=now))
    _next_slice(changes, command)
    changes.due_at(now)
    return changes.plan(answer=True)


def correct_times(snapshot: Snapshot, command: CorrectTimes, rules: Rules, now: float) -> Plan:
    """Bring nearer what a clock that was set back left too far in the future."""
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
    _next_slice(changes, command)
    changes.due_at(now)
    changes.update_due_at(now)
    return changes.plan(answer=True)


def _next_slice(changes: Changes, command: object) -> None:
    """A set-wide command goes on with its next slice, alone, until there are no more rows."""
    if changes.snapshot.more:
        changes.effect(Put(command))


def set_switch(snapshot: Snapshot, command: SetSwitch, rules: Rules, now: float) -> Plan:
    """Set a switch; what waits to be sent by itself is withdrawn where that is suspended."""
    changes = Changes(snapshot, rules, now)
    if command.withdraws_auto:
        auto = [item for item in snapshot.deliveries.values() if item.origin is Origin.AUTO]
        changes.withdraw(SUSPENDED, auto)
        _next_slice(changes, command)
    switch = SwitchRecord(command.name, command.value, now)
    mode = assist.mode_in_force(rules.designer.assist.mode, switch)
    return consequences.plan(changes, mode, switches=(switch,))


# -- action calls ----------------------------------------------------------------------------------


def judge(snapshot: Snapshot, command: JudgeTurn, rules: Rules, now: float) -> Plan:
    """Answer an action call by what became of its deliveries so far."""
    record = snapshot.turns.get(command.turn_key)
    if record is None:
        return Plan()
    changes = Changes(snapshot, rules, now)
    if record.answer is not None:
        changes.tell(record.key, record.answer)
        return changes.plan()
    verdict = outcome.judge(changes.of_turn(record.key))
    if command.final or verdict.over:
        consequences.conclude(changes, record, verdict)
    return consequences.plan(changes)


def withdraw(snapshot: Snapshot, command: WithdrawTurn, rules: Rules, now: float) -> Plan:
    """Undo an action call that was stored too late: its caller was told so already."""
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


# -- a person's decisions --------------------------------------------------------------------------


def retry(snapshot: Snapshot, command: RetryDelivery, rules: Rules, now: float) -> Plan:
    """Send once more what failed, expired or is uncertain; answers the delivery.

    Raises:
        RefusedError: 404; 403; 409 where it is on its way or delivered, the call is over, or its
            words are too old to be kept; 429 where too much waits.
    """
    found = _find(snapshot, command)
    if found.command_key == command.key:
        return Plan(answer=found)
    call_id = found.envelope.call_id
    own_call(snapshot, call_id, command.agent_id, with_agent=True)
    if found.erased_at is not None:
        raise RefusedError(409, "erased", "its words were erased: they were too old")
    _demand_state(found, RETRIED)
    changes = Changes(snapshot, rules, now)
    demand_room(changes, call_id, 1, rules.most_waiting)
    changes.move(
        replace(
            found,
            state=DeliveryState.WAITING,
            due_at=now,
            expires_at=now + rules.bridge.delivery.expire_after,
            unknowns=0,
            error=None,
            settled_at=None,
            approved_by=command.agent_id or found.approved_by,
            command_key=command.key,
        )
    )
    changes.dispatch(call_id)
    return _moved(changes, found)


def discard(snapshot: Snapshot, command: DiscardDelivery, rules: Rules, now: float) -> Plan:
    """Take a delivery off the list; answers it.

    Raises:
        RefusedError: 404; 403; 409 where it is being sent or was delivered.
    """
    found = _find(snapshot, command)
    if found.command_key == command.key:
        return Plan(answer=found)
    own_call(snapshot, found.envelope.call_id, command.agent_id)
    _demand_state(found, (*RETRIED, DeliveryState.WAITING))
    changes = Changes(snapshot, rules, now)
    changes.move(
        replace(
            found,
            state=DeliveryState.FAILED,
            error=_DISCARDED,
            settled_at=now,
            command_key=command.key,
        )
    )
    changes.dispatch(found.envelope.call_id)
    return _moved(changes, found)


def _moved(changes: Changes, found: Delivery) -> Plan:
    after = changes.current(found)

    def finish(written: Written) -> Delivery:
        return written.deliveries.get(found.message_code, after)

    return consequences.plan(changes, finish=finish)


def _find(snapshot: Snapshot, command: MoveDelivery) -> Delivery:
    found = snapshot.by_seq(command.delivery_id)
    if found is None:
        raise RefusedError(404, "not_found", "there is no such delivery")
    return found


def _demand_state(found: Delivery, among: Iterable[DeliveryState]) -> None:
    if found.state not in among:
        raise RefusedError(409, "settled", f"this delivery is {found.state.value}")
