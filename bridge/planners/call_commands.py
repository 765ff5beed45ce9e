"""Plan what an agent does with a call at the gateway: answer, reject, release, transfer.

The answer follows when the gateway has answered, or when the wait is over. The same command has
one outcome; a second one that wants the same joins the request of the first.
"""

from __future__ import annotations

from bridge.errors import FinalError, NotYoursError, RefusedError
from bridge.planners import call_requests, calls, transfers
from bridge.planners.changes import Changes
from bridge.planners.rules import Rules
from bridge.state.calls import CallRecord, CallRequestKind, CallState
from bridge.state.commands import (
    AnswerCall,
    CallCommand,
    RejectCall,
    ReleaseCall,
    TransferCall,
)
from bridge.state.plan import UNANSWERED, Plan
from bridge.state.records import UpdateState
from bridge.state.snapshot import Snapshot

_MISSING = "no such call is known"
_STATES = {
    CallState.INCOMING: "it does not ring yet",
    CallState.RINGING: "it rings",
    CallState.ANSWERING: "it is being answered",
    CallState.TALKING: "it was answered",
    CallState.ENDED: "it has ended",
}


def answer(snapshot: Snapshot, command: AnswerCall, rules: Rules, now: float) -> Plan:
    """Answer a ringing call.

    Raises:
        RefusedError: 404; 409 unless the call rings.
    """
    changes = Changes(snapshot, rules, now)
    if (repeated := _repeated(changes, command)) is not None:
        return repeated
    call = _own(changes, command)
    if call.state is CallState.ANSWERING:
        return _joined(changes, call, CallRequestKind.ANSWER)
    _require(call, CallState.RINGING)
    call = calls.answer(changes, call, request_id=command.request_id)
    return _awaited(changes, call, command)


def reject(snapshot: Snapshot, command: RejectCall, rules: Rules, now: float) -> Plan:
    """Reject a ringing call.

    Raises:
        RefusedError: 404; 409 unless the call rings.
    """
    changes = Changes(snapshot, rules, now)
    if (repeated := _repeated(changes, command)) is not None:
        return repeated
    call = _own(changes, command)
    _require(call, CallState.RINGING)
    return _asked(changes, call, command, CallRequestKind.REJECT)


def release(snapshot: Snapshot, command: ReleaseCall, rules: Rules, now: float) -> Plan:
    """Hang up.

    Raises:
        RefusedError: 404; 409 unless the call was answered.
    """
    changes = Changes(snapshot, rules, now)
    if (repeated := _repeated(changes, command)) is not None:
        return repeated
    call = _own(changes, command)
    _require(call, CallState.TALKING)
    return _asked(changes, call, command, CallRequestKind.RELEASE)


def transfer(snapshot: Snapshot, command: TransferCall, rules: Rules, now: float) -> Plan:
    """Transfer a call to an agent or to a skill.

    Raises:
        RefusedError: 404; 409 unless the call was answered, or while it is being transferred;
            422 for the agent who has the call.
    """
    changes = Changes(snapshot, rules, now)
    if (repeated := _repeated(changes, command)) is not None:
        return repeated
    call = _own(changes, command)
    _require(call, CallState.TALKING)
    if command.to_agent == call.agent_id:
        raise RefusedError(422, "invalid_field", "this agent has the call already")
    if call.transfer_to is not None:
        message = f"the call is being transferred to {call.transfer_to}"
        raise RefusedError(409, "transferring", message)
    call = transfers.ask(
        changes,
        call,
        request_id=command.request_id,
        agent=command.to_agent,
        skill=command.to_skill,
    )
    return _awaited(changes, call, command)


def _repeated(changes: Changes, command: CallCommand) -> Plan | None:
    """Return the plan of a command that was put before: the same outcome."""
    request = changes.known_request(command.request_id)
    if request is None:
        return None
    call = changes.known_call((request.call_id, request.agent_id))
    if call is None:
        return None
    if request.state is UpdateState.FAILED:
        raise FinalError(request.error or "", retcode=request.error_code or "")
    answered = call_requests.await_outcome(changes, call, request)
    return changes.plan(UNANSWERED if answered is None else answered)


def _asked(changes: Changes, call: CallRecord, command: CallCommand, kind: CallRequestKind) -> Plan:
    """Ask the gateway, or join the caller to a request of the same kind."""
    if call_requests.open_one(changes, call, kind) is not None:
        return _joined(changes, call, kind)
    call_requests.add(changes, call, kind, request_id=command.request_id)
    return _awaited(changes, call, command)


def _joined(changes: Changes, call: CallRecord, kind: CallRequestKind) -> Plan:
    request = call_requests.open_one(changes, call, kind)
    if request is None:  # its outcome is known, and an event that follows from it is on its way
        raise RefusedError(409, call.state.value, _STATES[call.state])
    call_requests.await_outcome(changes, call, request)
    return changes.plan()


def _awaited(changes: Changes, call: CallRecord, command: CallCommand) -> Plan:
    request = changes.known_request(command.request_id)
    assert request is not None  # noqa: S101 - it was just added
    call_requests.await_outcome(changes, call, request)
    return changes.plan()


def _require(call: CallRecord, state: CallState) -> None:
    if call.state is not state:
        code = "call_ended" if call.state is CallState.ENDED else call.state.value
        raise RefusedError(409, code, f"this cannot be done with the call: {_STATES[call.state]}")


def _own(changes: Changes, command: CallCommand) -> CallRecord:
    """Return the call at the agent who asks, or at its newest agent for a system.

    Raises:
        RefusedError: 404; 409 if the bridge does not read the agent's events.
    """
    known = changes.known_calls(command.call_id)
    for call in reversed(known):
        if command.agent_id in (None, call.agent_id):
            return call
    record = changes.of_call(command.call_id)
    if record is not None and command.agent_id in (None, record.assignment.agent_id):
        message = "the bridge does not read this agent's calls: do it at the agent's desktop"
        raise RefusedError(409, "no_reader", message)
    if record is None and not known:
        raise RefusedError(404, "not_found", _MISSING)
    raise NotYoursError(_MISSING)
