"""Requests about calls in one core: when to claim them, which are being made, and who waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bridge.errors import BridgeError
from bridge.state.calls import CallRequest, RequestOutcome
from bridge.state.commands import ClaimRequests, JudgeRequest, ResultCallback

AT_A_TIME = 16  # requests of a process


class CallRequests:
    """Belongs to the core's thread.

    Attributes:
        due: when to claim; None means not before something makes a request due.
    """

    def __init__(self) -> None:
        self.due: float | None = None
        self._leases: dict[int, str | None] = {}  # by number, until the result is committed
        self._awaited: dict[str, tuple[str, list[ResultCallback]]] = {}  # with their call

    def make_due(self, at: float | None) -> None:
        """Claim at a time or earlier; None changes nothing."""
        if at is not None:
            self.due = at if self.due is None else min(self.due, at)

    @property
    def next_claim(self) -> float | None:
        """When to claim; None while all senders are busy."""
        return self.due if len(self._leases) < AT_A_TIME else None

    def claim(self, now: float) -> ClaimRequests | None:
        """Return the claim that is due."""
        at = self.next_claim
        if at is None or now < at:
            return None
        self.due = None
        return ClaimRequests(limit=AT_A_TIME - len(self._leases), held=dict(self._leases))

    def begun(self, request: CallRequest) -> None:
        """Note that a request is being made."""
        self._leases[request.seq] = request.lease

    def finished(self, request: CallRequest) -> None:
        """Note that the result of a request is committed."""
        self._leases.pop(request.seq, None)

    # -- callers -------------------------------------------------------------------------------

    def wait(self, request: CallRequest, reply: ResultCallback) -> JudgeRequest:
        """Let a caller wait; return the command that ends its wait."""
        _, replies = self._awaited.setdefault(request.id, (request.call_id, []))
        replies.append(reply)
        return JudgeRequest(request_id=request.id, call_id=request.call_id)

    def is_awaited(self, request_id: str) -> bool:
        """Return whether a caller waits for a request."""
        return request_id in self._awaited

    def judgements(self) -> Iterator[JudgeRequest]:
        """Yield commands that answer requests which another process has settled."""
        for name, (call_id, _) in list(self._awaited.items()):
            yield JudgeRequest(request_id=name, call_id=call_id, final=False)

    def answers(
        self, outcomes: Mapping[str, RequestOutcome | BridgeError]
    ) -> Iterator[tuple[ResultCallback, RequestOutcome | None, BridgeError | None]]:
        """Yield the callers that wait for these outcomes, with the outcome or the error."""
        for name, outcome in outcomes.items():
            for reply in self._awaited.pop(name, ("", ()))[1]:
                if isinstance(outcome, BridgeError):
                    yield reply, None, outcome
                else:
                    yield reply, outcome, None

    def waiting(self) -> list[ResultCallback]:
        """Return all callers that wait."""
        return [reply for _, replies in self._awaited.values() for reply in replies]
