"""Commands about calls of readers, and about the requests that the gateway receives about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.errors import GatewayError
from bridge.model import CallInfo, Guid, derive
from bridge.state.calls import CallRequest
from bridge.state.commands.base import Command
from bridge.state.snapshot import Needs


@dataclass(frozen=True, kw_only=True)
class CallCommand(Command):
    """Base class of what an agent does with a call at the gateway; the bridge reads its events.

    The answer is a ``RequestOutcome``. ``agent_id`` None stands for a system.
    """

    call_id: str
    agent_id: str | None

    @property
    def request_id(self) -> str:
        """The ID of the request to the gateway: the same command makes one."""
        return derive("call request", self.key)

    def needs(self) -> Needs:
        """Require the call at all agents, its requests, and everything that its end settles."""
        return Needs(reader_calls=frozenset({self.call_id}), requests=frozenset({self.request_id}))


@dataclass(frozen=True, kw_only=True)
class AnswerCall(CallCommand):
    """Answer a ringing call."""


@dataclass(frozen=True, kw_only=True)
class RejectCall(CallCommand):
    """Reject a ringing call."""


@dataclass(frozen=True, kw_only=True)
class ReleaseCall(CallCommand):
    """Hang up."""


@dataclass(frozen=True, kw_only=True)
class TransferCall(CallCommand):
    """Transfer a call to an agent or to a skill; the end of the call confirms it."""

    to_agent: str | None = None
    to_skill: str | None = None


@dataclass(frozen=True, kw_only=True)
class JudgeRequest(Command):
    """Answer the callers that wait for a request about a call.

    Attributes:
        final: the wait is over: answer that the gateway is still being asked. Otherwise answer
            only if the request is settled.
    """

    request_id: str
    call_id: str
    final: bool = True

    def needs(self) -> Needs:
        """Require the request and its call."""
        return Needs(reader_calls=frozenset({self.call_id}), requests=frozenset({self.request_id}))


@dataclass(frozen=True, kw_only=True)
class ClaimRequests(Command):
    """Claim due requests about calls and recover stalled ones.

    Attributes:
        held: the requests that this process is making: number to lease.
    """

    limit: int
    held: Mapping[int, str | None] = field(default_factory=dict)

    def needs(self) -> Needs:
        """Require the due requests."""
        return Needs(due_requests=self)


@dataclass(frozen=True, kw_only=True)
class RequestResult(Command):
    """Record the result of one attempt to make a request about a call.

    Attributes:
        guid: the GUID that was used; None if nothing was sent.
        found: what a look-up found.
        new_guid: the GUID in the gateway's response.
        unsent: no attempt was made; the request is due again.
        jitter: random number in [0, 1) for the back-off.
    """

    call_request: CallRequest
    guid: Guid | None = None
    found: CallInfo | None = None
    error: GatewayError | None = None
    new_guid: Guid | None = None
    unsent: bool = False
    jitter: float = 0.5

    @property
    def agent_id(self) -> str:
        """The agent with whose GUID the request was made."""
        return self.call_request.agent_id

    def needs(self) -> Needs:
        """Require the request, its call, its agent's session, and the customer's conversation."""
        return Needs(
            reader_calls=frozenset({self.call_request.call_id}),
            requests=frozenset({self.call_request.id}),
            users=frozenset({self.found.user_id} if self.found and self.found.user_id else ()),
            stored_agents=frozenset({self.call_request.agent_id}),
            switches=True,
        )
