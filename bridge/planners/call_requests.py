"""Queue requests to the gateway about calls, and make callers wait for their outcome."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.errors import FinalError
from bridge.model import derive
from bridge.planners.changes import Changes
from bridge.state.calls import (
    CallRecord,
    CallRequest,
    CallRequestKind,
    RequestOutcome,
    lines_of,
)
from bridge.state.plan import AwaitRequest
from bridge.state.records import UpdateState

WAIT = 8.0  # seconds that a caller waits for the gateway
_TRIED_FOR = {  # seconds after which a request is given up
    CallRequestKind.ANSWER: 30.0,
    CallRequestKind.LOOK_UP: 15.0,  # the customer's messages wait meanwhile
    CallRequestKind.REJECT: 20.0,
    CallRequestKind.RELEASE: 20.0,
    CallRequestKind.TRANSFER: 20.0,
    CallRequestKind.CONFIRM: 20.0,
}
_LINES = {CallRequestKind.LOOK_UP: 1, CallRequestKind.CONFIRM: 2}  # of ``lines_of``
ENDED = "the call has ended"


def add(
    changes: Changes,
    call: CallRecord,
    kind: CallRequestKind,
    *,
    request_id: str | None = None,
    after: float = 0.0,
    **body: Any,
) -> CallRequest:
    """Queue a request about a call.

    Args:
        changes: the changes to add it to.
        call: the call.
        kind: what to do with it.
        request_id: its ID; a derived one if no command asked for it.
        after: seconds to wait before the first attempt.
        body: what the kind needs.
    """
    now = changes.now
    return changes.request(
        CallRequest(
            seq=0,
            id=request_id or derive("call request", kind.value, *call.key, now),
            line=lines_of(call.call_id)[_LINES.get(kind, 0)],
            call_id=call.call_id,
            agent_id=call.agent_id,
            kind=kind,
            created_at=now,
            due_at=now + after,
            expires_at=now + after + _TRIED_FOR[kind],
            body=body,
        )
    )


def open_one(changes: Changes, call: CallRecord, kind: CallRequestKind) -> CallRequest | None:
    """Return the request of a kind about a call that is not settled, if there is one."""
    found = (item for item in changes.open_requests(*call.key) if item.kind is kind)
    return next(found, None)


def await_outcome(changes: Changes, call: CallRecord, request: CallRequest) -> Any:
    """Return the answer of a command that made a request; unanswered until it is settled."""
    if request.settled:
        return RequestOutcome(call)
    changes.effect(AwaitRequest(request.id, changes.now + WAIT))
    return None


def cancel(changes: Changes, call: CallRecord) -> None:
    """Settle what the gateway was not asked yet about a call that has ended."""
    for request in changes.open_requests(*call.key):
        if request.state is UpdateState.WAITING:
            changes.request(
                replace(request, state=UpdateState.FAILED, error=ENDED, settled_at=changes.now)
            )
            outcome = RequestOutcome(call)
            over = request.kind in (CallRequestKind.RELEASE, CallRequestKind.REJECT)
            changes.outcome(request.id, outcome if over else FinalError(ENDED))
