"""Plan the requests to the gateway about calls: claim them, and act on what comes of them.

Requests are claimed, retried and recovered as the updates for Rasa are; one of unknown outcome is
repeated only if that changes nothing twice.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bridge.errors import (
    FinalError,
    GatewayError,
    RetryableError,
    SessionGoneError,
    UnknownOutcomeError,
)
from bridge.model import CallInfo
from bridge.planners import call_requests, calls, consequences, policy, sessions, transfers
from bridge.planners.changes import Changes
from bridge.planners.leasing import leased, put_back
from bridge.planners.rules import Rules
from bridge.state.calls import CallRecord, CallRequest, CallRequestKind, CallState, RequestOutcome
from bridge.state.commands import ClaimRequests, JudgeRequest, RequestResult
from bridge.state.plan import Count, Plan, Put, RequestGateway
from bridge.state.records import LEASE, SessionState, UpdateState
from bridge.state.snapshot import Snapshot

_LEASES = {CallRequestKind.LOOK_UP: 30.0}  # seconds; the workbench takes up to four requests
_LOOK_AGAIN = 0.3  # seconds between looks for an agent's session
_LONGEST_DELAY = 5.0  # seconds between two attempts
_NO_SESSION = "the agent is not signed in at the gateway"
_IN_VAIN = "the gateway did not answer in time"


def claim(snapshot: Snapshot, command: ClaimRequests, rules: Rules, now: float) -> Plan:
    """Claim the oldest due request of each line. The answer is the number claimed."""
    changes = Changes(snapshot, rules, now)
    claimed = 0
    for request_id in snapshot.due_requests:
        request = snapshot.requests[request_id]
        if request.state is UpdateState.SENDING and (
            command.held.get(request.seq, "") == request.lease
        ):
            continue  # this process is still making it
        if claimed >= command.limit:
            break
        claimed += _claim(changes, request)
    if len(snapshot.due_requests) > claimed:
        changes.request_due_at(now + _LOOK_AGAIN)
    return changes.plan(claimed)


def _claim(changes: Changes, request: CallRequest) -> bool:
    now = changes.now
    if request.state is UpdateState.SENDING and not request.kind.repeatable:
        _finish(changes, request, UnknownOutcomeError("the process that was asking it ended"))
        return False
    if request.kind is CallRequestKind.CONFIRM or now >= request.expires_at:
        why = transfers.NOT_CONFIRMED if request.kind is CallRequestKind.CONFIRM else _IN_VAIN
        _finish(changes, request, FinalError(request.error or why))
        return False
    if request.kind is CallRequestKind.LOOK_UP and changes.rules.bridge.reader.lookup == "off":
        _finish(changes, request, None, found=CallInfo())
        return False
    if request.kind is CallRequestKind.TRANSFER and _says_something_first(changes, request):
        changes.request(replace(request, due_at=now + _LOOK_AGAIN))
        return False
    session = changes.known_session(request.agent_id)
    if session is None or not session.usable or session.guid is None:
        signed_out = session is not None and session.state is SessionState.SIGNED_OUT
        if changes.rules.agent(request.agent_id).session == "sign_in" and not signed_out:
            changes.begin_sign_in(request.agent_id, session)
        changes.request(
            replace(
                request,
                state=UpdateState.WAITING,
                lease=None,
                lease_until=None,
                due_at=min(now + _LOOK_AGAIN, request.expires_at),
                error=_NO_SESSION,
            )
        )
        return False
    _lease(changes, request)
    changes.effect(RequestGateway(request.id, session.guid))
    return True


def _says_something_first(changes: Changes, request: CallRequest) -> bool:
    """Return whether messages of the call are still to be sent: the agent cannot send them later.

    They are the words before the transfer: of the agent, or those that announce it.
    """
    still_open = bool(changes.open_on(request.call_id))
    return still_open and changes.now < request.created_at + policy.DELIVERIES_FIRST


def _lease(changes: Changes, request: CallRequest) -> CallRequest:
    return changes.request(leased(changes, request, _LEASES.get(request.kind, LEASE)))


def _finish(
    changes: Changes,
    request: CallRequest,
    error: GatewayError | None,
    *,
    found: CallInfo | None = None,
) -> None:
    """Settle a request without asking the gateway, with the rows that its result needs."""
    held = _lease(changes, request)
    changes.effect(Put(RequestResult(call_request=held, found=found, error=error)))


# -- results ---------------------------------------------------------------------------------------


def complete(snapshot: Snapshot, command: RequestResult, rules: Rules, now: float) -> Plan:
    """Complete an attempt to make a request about a call."""
    changes = Changes(snapshot, rules, now)
    attempted, error = command.call_request, command.error
    stored = snapshot.requests.get(attempted.id)
    if stored is None or stored.lease != attempted.lease:
        return changes.plan()
    request = replace(stored, lease=None, lease_until=None)
    if command.unsent:
        changes.request(put_back(stored, now))
        return changes.plan()
    sessions.used(changes, command)
    changes.request_due_at(now)  # the next of its line
    if error is not None and (due := _due_again(request, error, command.jitter, now)) is not None:
        changes.request(
            replace(request, state=UpdateState.WAITING, due_at=due, error=error.message)
        )
        return changes.plan()
    changes.request(
        replace(
            request,
            state=UpdateState.DONE if error is None else UpdateState.FAILED,
            settled_at=now,
            error=error.message if error is not None else None,
            error_code=error.retcode or None if error is not None else None,
        )
    )
    kind = request.kind.value
    changes.effect(Count("call_request", (kind, "done" if error is None else "failed")))
    call = changes.known_call((request.call_id, request.agent_id))
    if call is None:
        changes.outcome(request.id, FinalError(call_requests.ENDED))
        return changes.plan()
    after = _settled(changes, call, request, error, command.found)
    changes.outcome(request.id, _outcome(after, request, error))
    return consequences.plan(changes)


def _outcome(
    call: CallRecord, request: CallRequest, error: GatewayError | None
) -> RequestOutcome | GatewayError:
    """Return what the callers of a settled request learn."""
    kind = request.kind
    over = not call.live and kind in (CallRequestKind.RELEASE, CallRequestKind.REJECT)
    if error is None or over:
        return RequestOutcome(call)
    if kind is CallRequestKind.TRANSFER and isinstance(error, UnknownOutcomeError):
        return RequestOutcome(call, pending=True)
    return error


def _due_again(
    request: CallRequest, error: GatewayError, jitter: float, now: float
) -> float | None:
    """Return when a failed request is made again; None if it is not."""
    if isinstance(error, SessionGoneError):
        due = now + _LOOK_AGAIN
    elif isinstance(error, RetryableError):
        asked = error.retry_after
        due = now + policy.backoff(request.attempts, jitter, asked=asked, longest=_LONGEST_DELAY)
    elif isinstance(error, UnknownOutcomeError) and request.kind.repeatable:
        due = now + policy.backoff(request.attempts, jitter, longest=_LONGEST_DELAY)
    else:
        return None
    return due if due < request.expires_at else None


def _settled(
    changes: Changes,
    call: CallRecord,
    request: CallRequest,
    error: GatewayError | None,
    found: CallInfo | None,
) -> CallRecord:
    """Act on the outcome of a request; return the call."""
    kind = request.kind
    if error is not None:
        changes.log(
            logging.WARNING if call.live else logging.DEBUG,
            "The gateway did not do what it was asked: %s call_id=%s request=%s",
            error.message,
            call.call_id,
            kind.value,
        )
    if not call.live:
        refused = error is not None and not isinstance(error, UnknownOutcomeError)
        if kind is CallRequestKind.TRANSFER and refused:
            transfers.undo(changes, call, str(request.body.get("agent")))
        return call
    if kind is CallRequestKind.LOOK_UP:
        failure = error.message if error is not None else None
        calls.identify(changes, call, found or CallInfo(), failure)
    elif kind is CallRequestKind.ANSWER:
        _answered(changes, call, error)
    elif kind is CallRequestKind.TRANSFER:
        _transferred(changes, call, error)
    elif kind is CallRequestKind.CONFIRM:
        if call.transferred_at == request.body.get("accepted_at"):
            transfers.failed(changes, call, transfers.NOT_CONFIRMED)
    elif error is None or (kind is CallRequestKind.REJECT and isinstance(error, FinalError)):
        # Rejected, or released. A call that the gateway refuses to reject rings no more: its end
        # was missed.
        calls.end(changes, call, by_transfer=False)
    return changes.known_call(call.key) or call


def _answered(changes: Changes, call: CallRecord, error: GatewayError | None) -> None:
    if call.state is not CallState.ANSWERING:
        return
    if error is None:
        calls.answered(changes, call)
    else:
        problem = f"it could not be answered: {error.message}"
        changes.call(replace(call, state=CallState.RINGING, problem=problem))


def _transferred(changes: Changes, call: CallRecord, error: GatewayError | None) -> None:
    if error is None or isinstance(error, UnknownOutcomeError):
        # Where the outcome is unknown, too, the end of the call confirms it.
        transfers.accepted(changes, call)
    else:
        transfers.failed(changes, call, error.message)


def judge(snapshot: Snapshot, command: JudgeRequest, rules: Rules, now: float) -> Plan:
    """Answer the callers that wait for a request about a call."""
    changes = Changes(snapshot, rules, now)
    request = snapshot.requests.get(command.request_id)
    call = None
    if request is not None:
        call = changes.known_call((request.call_id, request.agent_id))
    if request is None or call is None:
        changes.outcome(command.request_id, FinalError(call_requests.ENDED))
    elif request.state is UpdateState.DONE:
        changes.outcome(request.id, RequestOutcome(call))
    elif request.state is UpdateState.FAILED:
        changes.outcome(
            request.id, FinalError(request.error or "", retcode=request.error_code or "")
        )
    elif command.final:
        changes.outcome(request.id, RequestOutcome(call, pending=True))
    return changes.plan()
