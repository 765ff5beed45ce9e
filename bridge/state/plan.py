"""A planner's result: rows in their final state, the answer, and effects.

The core executes the effects after the rows are committed; if the commit fails, it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BridgeError
from bridge.model import Delivery, Guid, Suggestion
from bridge.state.calls import CallRecord, CallRequest, RequestOutcome
from bridge.state.inquiries import Inquiry
from bridge.state.records import (
    BUSY,
    ActionAnswer,
    AgentRequest,
    Alert,
    AssignmentRecord,
    Erasure,
    EventRecord,
    LeaderRecord,
    MessageRecord,
    PresenceRecord,
    RasaUpdate,
    RevocationRecord,
    RowKey,
    SessionRecord,
    SwitchRecord,
    TurnRecord,
)

# -- effects ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """Send a claimed delivery.

    Attributes:
        message_code: the delivery, whose row has the lease.
        retried: another GUID was already refused in this attempt.
    """

    message_code: str
    guid: Guid
    retried: bool = False


@dataclass(frozen=True, slots=True)
class SignInAgent:
    """Sign an agent in at the gateway.

    Attributes:
        state: the state to sign in with: ready, busy or wrap_up.
        service_token: the token for pushed events; None if the agent's events are polled.
    """

    agent_id: str
    forced: bool = False
    interrupted: bool = False
    state: str = BUSY
    service_token: str | None = None


@dataclass(frozen=True, slots=True)
class SignOutAgent:
    """Sign an agent out at the gateway."""

    agent_id: str
    guid: Guid


@dataclass(frozen=True, slots=True)
class AskAgent:
    """Make a request for an agent that is signed in."""

    agent_id: str
    guid: Guid
    request: AgentRequest


@dataclass(frozen=True, slots=True)
class Poll:
    """Poll for an agent's events in ``pause`` seconds; the GUID is looked up then."""

    agent_id: str
    guid: Guid | None
    pause: float = 0.0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class SendUpdate:
    """Send an update to Rasa as these events."""

    update_id: str
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class SendAlert:
    """Report an alert to the operator's webhook."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class RequestGateway:
    """Make a claimed request about a call at the gateway."""

    request_id: str
    guid: Guid


@dataclass(frozen=True, slots=True)
class AwaitRequest:
    """Make the command's caller wait for the outcome of a request about a call.

    Attributes:
        until: when to answer that the gateway is still being asked.
    """

    request_id: str
    until: float


@dataclass(frozen=True, slots=True)
class AskBot:
    """Ask the bot about a customer's message.

    Attributes:
        update_id: the inquiry, whose row has the lease.
    """

    update_id: str
    inquiry: Inquiry


@dataclass(frozen=True, slots=True)
class AskDomain:
    """Request Rasa's domain; the command waits for the result and is planned again."""


@dataclass(frozen=True, slots=True)
class AwaitTurn:
    """Make the command's caller wait for the answer to an action call.

    Attributes:
        judge_at: when to put ``JudgeTurn``, unless it is answered before.
    """

    turn_key: str
    judge_at: float


@dataclass(frozen=True, slots=True)
class Put:
    """Put another command, such as the next slice of a set-wide one, at a time or at once."""

    command: Any
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Count:
    """Update the metrics: the name of a method of ``Metrics``, and its arguments."""

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Log:
    """Log a message with its arguments; with ``once``, only the first time for that name."""

    level: int
    message: str
    arguments: tuple[Any, ...] = ()
    once: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateBreaker:
    """Report the outcome of a gateway request to the circuit breaker.

    Attributes:
        source: the call of the delivery, or the agent of the sign-in.
        error: None if the request succeeded.
        signing_in: the request was a sign-in.
    """

    source: str
    error: BridgeError | None
    signing_in: bool = False


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep the domain's responses for commands that arrive without them."""

    responses: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class StopPolling:
    """Stop polling for this agent in this process."""

    agent_id: str


Effect = (
    Send
    | SignInAgent
    | SignOutAgent
    | AskAgent
    | Poll
    | SendUpdate
    | SendAlert
    | RequestGateway
    | AwaitRequest
    | AskBot
    | AskDomain
    | AwaitTurn
    | Put
    | Count
    | Log
    | UpdateBreaker
    | Keep
    | StopPolling
)

# -- the plan --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prune:
    """Rows whose content to erase, or which to delete, unless they are open again."""

    table: str
    keys: tuple[RowKey, ...]
    before: float
    quiet: float
    whole: bool
    now: float


@dataclass(frozen=True, slots=True)
class Erase:
    """Rows to delete by their keys; or an erasure whose open rows to delete."""

    table: str = ""
    keys: tuple[RowKey, ...] = ()
    erasure: Erasure | None = None
    now: float = 0.0


class _Unanswered:
    """Marks a plan without an answer: it follows later, or no caller waits for one."""

    def __repr__(self) -> str:
        return "UNANSWERED"


UNANSWERED = _Unanswered()
# Computes an answer that depends on the commit: from the stored deliveries by message code, or from
# the row counts of a set-wide change.
DeferredAnswer = Callable[["Written"], Any]


@dataclass(frozen=True, slots=True)
class Written:
    """Result of a commit: deliveries with their numbers, and row counts by table."""

    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)  # not frozen: one is made for every command
class Plan:
    """A planner's decision about one command.

    Attributes:
        answer: the answer for the caller; ``UNANSWERED`` if it follows later.
        finish: computes the answer after the commit, if it depends on the stored rows.
        error: why the command is refused; nothing is written then.
        answers: answers of action calls by key, for all callers that wait for them.
        outcomes: outcomes of requests about calls by ID, or the errors, likewise.
        begins: how many free senders the plan uses.
        due: when a delivery that this plan leaves waiting is due.
        update_due: the same for updates for Rasa.
        request_due: the same for requests about calls.
    """

    answer: Any = UNANSWERED
    finish: DeferredAnswer | None = None
    error: BridgeError | None = None
    answers: Mapping[str, ActionAnswer] = field(default_factory=dict)
    outcomes: Mapping[str, RequestOutcome | BridgeError] = field(default_factory=dict)
    assignments: tuple[AssignmentRecord, ...] = ()
    turns: tuple[TurnRecord, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    messages: tuple[MessageRecord, ...] = ()
    sessions: tuple[SessionRecord, ...] = ()
    updates: tuple[RasaUpdate, ...] = ()
    calls: tuple[CallRecord, ...] = ()
    requests: tuple[CallRequest, ...] = ()
    events: tuple[EventRecord, ...] = ()
    switches: tuple[SwitchRecord, ...] = ()
    revocations: tuple[RevocationRecord, ...] = ()
    leaders: tuple[LeaderRecord, ...] = ()
    presences: tuple[PresenceRecord, ...] = ()
    prune: Prune | None = None
    erase: Erase | None = None
    drop_revocations_before: float | None = None
    prune_changes_before: float | None = None
    touch: bool = False
    effects: tuple[Effect, ...] = ()
    begins: int = 0
    due: float | None = None
    update_due: float | None = None
    request_due: float | None = None

    @property
    def writes(self) -> bool:
        """Whether the plan changes the store."""
        return bool(
            self.assignments
            or self.turns
            or self.deliveries
            or self.suggestions
            or self.messages
            or self.sessions
            or self.updates
            or self.calls
            or self.requests
            or self.events
            or self.switches
            or self.revocations
            or self.leaders
            or self.presences
            or self.prune
            or self.erase
            or self.touch
            or self.drop_revocations_before is not None
            or self.prune_changes_before is not None
        )
