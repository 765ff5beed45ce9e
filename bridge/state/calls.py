"""The calls of agents whose events the bridge reads, and the requests to the gateway about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bridge.model import Draft
from bridge.state.records import MessageRecord, UpdateState

CallKey = tuple[str, str]  # call ID and agent ID

ARRIVES_WITHIN = 120.0  # seconds in which a transferred call may ring under another ID
READERS_SENDER = "cc-"  # prefix of the sender ID of a call that joined no conversation


class CallState(str, Enum):
    """State of a call at its agent."""

    INCOMING = "incoming"  # announced; it does not ring yet
    RINGING = "ringing"
    ANSWERING = "answering"  # the gateway was asked to answer it
    TALKING = "talking"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Apology:
    """What the customer of a bot agent is told if the call cannot be transferred to a person.

    Attributes:
        inquiry: the ID of the inquiry that asked for a person; the message codes derive from it.
        message_id: the customer's message.
        drafts: what is said; empty if nothing is.
    """

    inquiry: str
    message_id: str
    drafts: tuple[Draft, ...] = ()


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call as the events of one agent describe it; a transferred call has a record per agent.

    Attributes:
        event_at: when the gateway made the last event that changed the state, if it said so.
        media: text, voice, message, or unknown.
        internal: another agent calls; there is no customer.
        nickname: the customer's, if a look-up found it.
        skill_id: the skill through which it came, if the gateway said so.
        sender_id: the conversation that it was assigned to; None before.
        problem: what could not be done or found out, in a sentence.
        held: messages that the customer wrote before the call was assigned, in order.
        transfer_to: where the gateway was asked to transfer it, ``agent 305`` or ``skill 12``; kept
            if a transfer ended the call.
        transferred_at: when the gateway accepted that. It is confirmed by the end of the call.
        transfers: how often the call left this agent by a transfer.
        apology: what the customer of a bot agent's call is told if its transfer fails, or if it
            comes back and nobody has answered it.
    """

    call_id: str
    agent_id: str
    state: CallState
    begun_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    event_at: float | None = None
    caller: str = ""
    called: str = ""
    media: str = "unknown"
    internal: bool = False
    nickname: str = ""
    skill_id: str = ""
    sender_id: str | None = None
    problem: str | None = None
    held: tuple[MessageRecord, ...] = ()
    transfer_to: str | None = None
    transferred_at: float | None = None
    transfers: int = 0
    apology: Apology | None = None

    @property
    def key(self) -> CallKey:
        """The call's key: call ID and agent ID."""
        return self.call_id, self.agent_id

    @property
    def live(self) -> bool:
        """Whether the call has not ended for this agent."""
        return self.state is not CallState.ENDED

    @property
    def provisional_sender(self) -> str:
        """The sender ID of the call unless it joins a conversation."""
        return READERS_SENDER + self.call_id


def lines_of(call_id: str) -> tuple[str, str, str]:
    """Return the lines of a call's requests: what is done with it, the look-up, and the waiting.

    Neither a slow look-up nor an awaited confirmation may delay what an agent wants to do.
    """
    return call_id, f"{call_id}/look_up", f"{call_id}/confirm"


class CallRequestKind(str, Enum):
    """What the gateway is asked to do with a call."""

    ANSWER = "answer"
    LOOK_UP = "look_up"  # who the customer is
    REJECT = "reject"
    RELEASE = "release"
    TRANSFER = "transfer"
    CONFIRM = "confirm"  # nothing: a transfer that is not confirmed when it is due has failed

    @property
    def repeatable(self) -> bool:
        """Whether an attempt of unknown outcome may be repeated: it changes nothing twice."""
        return self in (CallRequestKind.ANSWER, CallRequestKind.LOOK_UP)


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A durable request to the gateway about a call, in order per ``line``.

    Attributes:
        line: requests of the same line are made one after the other.
        body: what the kind needs: the target of a transfer.
        error_code: the gateway's code, or a word of ours; set with ``error``.
    """

    seq: int
    id: str
    line: str
    call_id: str
    agent_id: str
    kind: CallRequestKind
    created_at: float
    due_at: float
    expires_at: float
    body: Mapping[str, Any] = field(default_factory=dict)
    state: UpdateState = UpdateState.WAITING
    attempts: int = 0
    lease: str | None = None
    lease_until: float | None = None
    error_code: str | None = None
    error: str | None = None
    settled_at: float | None = None

    @property
    def settled(self) -> bool:
        """Whether its outcome is known."""
        return self.state in (UpdateState.DONE, UpdateState.FAILED)


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """The answer to a request about a call: the call, and whether the gateway is still asked."""

    call: CallRecord
    pending: bool = False
