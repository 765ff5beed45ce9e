"""Database rows as frozen values. Times are in seconds since the epoch."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bridge.model import AgentId, Assignment, Card, Guid, Owner, derive
from bridge.state.inquiries import BotNote, Via

if TYPE_CHECKING:
    from bridge.state.calls import CallRecord

T = TypeVar("T")
RowKey = tuple[Any, ...]  # the values of a row's primary key

# Values of the slots that an action sets.
BOT, HANDOFF, ASSIST = "bot", "handoff", "assist"  # handoff_state
DELIVERED, PENDING, FAILED, NONE = "delivered", "pending", "failed", "none"  # handoff_delivery


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """The answer of a command that stores something once; ``created``: this command stored it."""

    value: T
    created: bool


@dataclass(frozen=True)  # without slots, for ``evolve``
class AssignmentRecord:
    """A conversation's assignment to one call, and the owner of the conversation.

    Attributes:
        given_at: when it was assigned; a conversation's newest assignment is the current one.
        untold: a handoff was promised, but none of its messages reached the customer.
        card: a handoff card to store with this record; not loaded with it.
        card_erased_at: when the card's content was erased because of its age.
        command_key: the last command that changed the call.
        waiting_since: when the customer wrote the first message that no person has answered yet;
            read for display only.
        assist_hidden: the agent does not want to see suggestions on this call.
        typing_at: when somebody last typed on the call.
        desktop_at: when the agent's panel or desktop was last heard of.
        moved_to: the agent to whom the conversation was transferred, with another call.
        alert_at: when to check whether an agent has taken the handoff; later, when to report the
            alert to the webhook again.
        alerted_at: when the alert was raised: nobody had taken the handoff in time.
        alert_attempts: how often the alert was reported.
        reader: the call as its agent's events describe it; read for display only.
        bot_note: what the agent should know about the bot and the customer's last message.
    """

    assignment: Assignment
    owner: Owner
    source: str  # http, token, metadata, reader
    given_at: float
    handed_off_at: float | None = None
    handed_back_at: float | None = None
    ended_at: float | None = None
    untold: bool = False
    card: Card | None = None
    card_erased_at: float | None = None
    command_key: str | None = None
    waiting_since: float | None = None
    assist_hidden: bool = False
    typing_at: float | None = None
    desktop_at: float | None = None
    moved_to: AgentId | None = None
    alert_at: float | None = None
    alerted_at: float | None = None
    alert_attempts: int = 0
    reader: CallRecord | None = None
    bot_note: BotNote | None = None

    @property
    def open(self) -> bool:
        """Whether the call is still this agent's and has not ended."""
        return self.ended_at is None

    @property
    def with_agent(self) -> bool:
        """Whether an agent owns the open call."""
        return self.ended_at is None and self.owner is Owner.AGENT


@dataclass(frozen=True, slots=True)
class Alert:
    """A handoff that nobody took in time, as it is reported to the operator's webhook.

    Attributes:
        id: the same for every attempt.
        attempt: the number of the attempt, from 1.
    """

    id: str
    sender_id: str
    call_id: str
    agent_id: str
    handed_off_at: float
    raised_at: float
    attempt: int


@dataclass(frozen=True)
class MessageRecord:
    """A message that the customer wrote while an agent was the owner, or to get one.

    Attributes:
        message_id: Rasa's ID of the message.
        written_at: when it was written, as Rasa says.
        author: customer, or agent if a desktop forwarded what its agent wrote elsewhere.
        attachment: the file or the location that the customer sent: ``kind`` and its fields.
        via: how it came to the bridge.
    """

    sender_id: str
    call_id: str
    message_id: str
    text: str
    written_at: float
    created_at: float
    erased_at: float | None = None
    author: str = "customer"
    attachment: Mapping[str, Any] | None = None
    via: Via = Via.RASA

    @cached_property
    def id(self) -> str:
        """The message's ID in the API; the same message of a call always has the same."""
        return derive("message", self.call_id, self.message_id)


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """An action's answer to Rasa; ``state`` None leaves all slots but the error's unchanged.

    Stored as JSON with the action call, so that a repeated request gets the same answer.
    """

    state: str | None = None
    agent_id: str | None = None
    call_id: str | None = None
    delivery: str = NONE
    error: str | None = None
    response: str | None = None  # a response that Rasa utters on its own channel
    message: Mapping[str, Any] | None = None  # or a whole message of the response selector
    unavailable: bool = False  # or the response for the error, which the edge renders
    variations: Sequence[Any] | None = None  # of that response, if the request carried no domain
    language: str | None = None  # the customer's, for what is said later
    summary: str | None = None  # the slot handoff_summary
    pause: bool = False

    @property
    def slots(self) -> dict[str, str | None]:
        """The slots that the action sets; none but the error's without a ``state``."""
        if self.state is None:
            return {"handoff_error": self.error} if self.error else {}
        slots = {
            "handoff_state": self.state,
            "handoff_agent_id": self.agent_id,
            "handoff_call_id": self.call_id,
            "handoff_delivery": self.delivery,
            "handoff_error": self.error,
        }
        return slots if self.summary is None else {**slots, "handoff_summary": self.summary}

    def as_json(self) -> dict[str, Any]:
        """Return the answer as JSON for the store."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> ActionAnswer:
        """Restore an answer from the store's JSON; unknown keys are ignored."""
        known = cls.__dataclass_fields__
        return cls(**{key: value for key, value in stored.items() if key in known})


NOTHING = ActionAnswer()


@dataclass(frozen=True)  # without slots, for ``evolve``
class TurnRecord:
    """One action call.

    Attributes:
        answer: None until it is answered.
        unavailable: the answer to give, with the error added, if its handoff fails.
        pushable: whether Rasa can send to the customer's channel without a request of the customer.
    """

    key: str
    sender_id: str
    call_id: str | None
    made_at: float
    answer: ActionAnswer | None = None
    unavailable: ActionAnswer | None = None
    pushable: bool = True


class SessionState(str, Enum):
    """Last known state of an agent's session at the gateway."""

    SIGNED_IN = "signed_in"
    DOUBTED = "doubted"  # the gateway refused the GUID but says that the agent is signed in
    GONE = "gone"  # the GUID is no longer valid
    REFUSED = "refused"  # the last sign-in was refused; the error gives the reason
    SIGNED_OUT = "signed_out"  # on purpose; the bridge does not sign the agent in again


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """An agent's session. ``guid`` is a secret.

    Attributes:
        ours: the bridge signed this agent in.
        generation: incremented whenever a retry may succeed after a refused GUID: the GUID is new,
            or a doubted one is valid again.
        renewed_at: when the state last changed.
        signing_in: the process that is signing the agent in, until ``signing_in_until``.
        poller: the process that keeps the session alive, by polling for the agent's events or by
            handshakes, until ``poller_until``.
        service_token: the token that comes with this session's pushed events; a secret.
        next_service_token: that of the sign-in in progress.
        chosen_state: the agent's state as a person chose it, ``ready``, ``busy`` or ``wrap_up``.
        agent_state: the agent's state as the platform last reported it.
        sign_in_failures: number of consecutive sign-ins that failed.
        pushed_digest: what identifies the last batch of pushed events, received at ``pushed_at``.
        chats: how many chats a reader has at a time, if a person has chosen it.
    """

    agent_id: AgentId
    guid: Guid | None
    state: SessionState
    ours: bool
    generation: int
    renewed_at: float
    error_code: str | None = None
    error_message: str | None = None
    signing_in: str | None = None
    signing_in_until: float | None = None
    poller: str | None = None
    poller_until: float | None = None
    service_token: str | None = None
    next_service_token: str | None = None
    chosen_state: str | None = None
    agent_state: str | None = None
    sign_in_failures: int = 0
    pushed_digest: str | None = None
    pushed_at: float | None = None
    chats: int | None = None

    @property
    def usable(self) -> bool:
        """Whether an attempt with its GUID may succeed."""
        return self.guid is not None and self.state in (
            SessionState.SIGNED_IN,
            SessionState.DOUBTED,
        )

    def takes_push(self, service_token: str) -> bool:
        """Return whether a token is that of the session, or of the sign-in in progress."""
        given = service_token.encode("utf-8", "replace")
        known = (self.service_token, self.next_service_token)
        return any(hmac.compare_digest(given, each.encode()) for each in known if each)


READY, BUSY, WRAP_UP = "ready", "busy", "wrap_up"  # the states that a person can choose
CHOSEN_STATES = (READY, BUSY, WRAP_UP)


class RequestKind(str, Enum):
    """What is asked of the gateway for an agent that is signed in."""

    SKILLS = "skills"  # reset the skills that the agent serves, and set the number of chats
    CHATS = "chats"  # set the number of chats
    STATE = "state"  # change the agent's state


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """A request for an agent that is signed in.

    Attributes:
        state: the state to change to.
        former: the state that the platform last reported.
        chats: how many chats the agent is to have at a time; None leaves it to the platform.
        attempt: number of this attempt, from 1 on.
    """

    kind: RequestKind
    state: str | None = None
    former: str | None = None
    chats: int | None = None
    attempt: int = 1


PRESENCE_EVERY = 20.0  # seconds after which an agent's open panel is recorded again


@dataclass(frozen=True, slots=True)
class PresenceRecord:
    """When an agent's panel was last heard of, in any of its windows."""

    agent_id: str
    present_at: float


class UpdateKind(str, Enum):
    """Kind of an update for Rasa."""

    WRITE_BACK = "write_back"  # what was said on the gateway's channel, for the tracker
    RESUME = "resume"  # the bot owns the conversation again
    MESSAGE = "tell"  # a message of the bot to the customer, on Rasa's own channel
    INQUIRY = "inquiry"  # what the bot would say to a customer's message


class UpdateState(str, Enum):
    """State of an update for Rasa, or of a request about a call."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"


LEASE = 10.0  # seconds of an attempt's lease; the attempt's total deadline is shorter
UPDATE_MARK = "cc_bridge_update"  # in the metadata of Rasa's events: the update's ID


@dataclass(frozen=True, slots=True)
class RasaUpdate:
    """A durable request to Rasa, retried until done or expired; in order per conversation.

    Attributes:
        body: the content; for an inquiry also its ``step``, once the message may have been put
            into the real conversation.
        shadow: the conversation in which an inquiry may run actions.
    """

    seq: int
    id: str
    sender_id: str
    call_id: str | None
    kind: UpdateKind
    body: Mapping[str, Any]
    created_at: float
    due_at: float
    expires_at: float
    state: UpdateState = UpdateState.WAITING
    attempts: int = 0
    lease: str | None = None
    lease_until: float | None = None
    error: str | None = None
    settled_at: float | None = None
    shadow: str | None = None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One gateway event about an agent; ``content`` is its JSON as received.

    Attributes:
        generated_at: when the gateway made it, if it says so.
    """

    agent_id: str
    event_type: str
    content: Any
    received_at: float
    seq: int = 0
    generated_at: float | None = None


COPIED_WITHIN = 120.0  # seconds in which a copied suggestion may be found in an agent's message
CHANGES_KEPT = 3600.0  # seconds; a reader of the stream may be away this long and miss nothing
CHANGES_PRUNED = 500  # rows of the log of changes that are deleted at a time


class ChangeKind(str, Enum):
    """What a change concerns; the values are the names of the stream's events."""

    CALL = "call"
    MESSAGE = "message"
    SUGGESTION = "suggestion"
    DELIVERY = "delivery"
    ASSIST = "assist"


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the log of changes: which row changed, and whose it was then.

    Attributes:
        item: the row: the ID of a call, a message or a suggestion, a delivery's number, the name
            of a switch.
        agent_id: the agent who may learn of it; "" for everybody.
        seq: its number in the log, in the order of the commits; 0 before it is stored.
    """

    kind: ChangeKind
    item: str
    sender_id: str = ""
    call_id: str = ""
    agent_id: str = ""
    at: float = 0.0
    seq: int = 0


@dataclass(frozen=True, slots=True)
class SwitchRecord:
    """A setting shared by all processes; ``value`` None means not set."""

    name: str
    value: str | None
    changed_at: float


@dataclass(frozen=True, slots=True)
class RevocationRecord:
    """Revoked tokens: one by its ``jti``, or all issued so far to a role and subject."""

    subject: str
    revoked_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class LeaderRecord:
    """The leader of a task that one process at a time does for all.

    Attributes:
        done_at: when the task was last completed.
    """

    name: str
    holder: str | None = None
    held_until: float | None = None
    done_at: float | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """The scope of an erasure: the IDs whose data is to be erased.

    Attributes:
        senders: conversations to erase completely.
        calls: their calls; without ``senders``, the single call to erase.
        users: the customers of the calls.
        named_users: those of them whose events are also searched for the user ID.
        turn_keys: action calls of a single call.
        shadows: the conversations in which inquiries ran actions: Rasa's tracker store keeps them.
    """

    senders: frozenset[str] = field(default_factory=frozenset)
    calls: frozenset[str] = field(default_factory=frozenset)
    users: frozenset[str] = field(default_factory=frozenset)
    named_users: frozenset[str] = field(default_factory=frozenset)
    turn_keys: frozenset[str] = field(default_factory=frozenset)
    shadows: frozenset[str] = field(default_factory=frozenset)
