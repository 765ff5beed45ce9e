"""Rows of the database as frozen values. Times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bridge.model import AgentId, Assignment, Card, Guid, Owner

# The slots that an action sets.
BOT, HANDOFF, ASSIST = "bot", "handoff", "assist"  # handoff_state
DELIVERED, PENDING, FAILED, NONE = "delivered", "pending", "failed", "none"  # handoff_delivery


@dataclass(frozen=True)  # without slots, for ``evolve``
class AssignmentRecord:
    """A conversation's assignment to one call, and who answers the customer.

    Attributes:
        given_at: the newest of a conversation counts.
        untold: a handoff was promised, and the customer was told nothing of it.
        card: the handoff card, where this record is to store one; it is not read back with it.
        card_erased_at: when the card's words were erased because of their age.
        command_key: the command that last decided about the call.
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

    @property
    def open(self) -> bool:
        """Whether the call has not ended and is still this agent's."""
        return self.ended_at is None

    @property
    def with_agent(self) -> bool:
        """Whether an agent answers the customer now."""
        return self.ended_at is None and self.owner is Owner.AGENT


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """What an action answers Rasa; ``state`` None leaves the slots, but for an error, unchanged.

    Stored as JSON with the action call, so that a repeated request gets the same answer.
    """

    state: str | None = None
    agent_id: str | None = None
    call_id: str | None = None
    delivery: str = NONE
    error: str | None = None
    response: str | None = None  # a response that Rasa utters on its own channel
    text: str | None = None  # or plain words, where the domain lacks the response
    message: Mapping[str, Any] | None = None  # or a whole message of the response selector
    summary: str | None = None  # the slot handoff_summary
    pause: bool = False

    def as_json(self) -> dict[str, Any]:
        """The answer for the store."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> ActionAnswer:
        """The answer from the store; unknown keys are ignored."""
        known = cls.__dataclass_fields__
        return cls(**{key: value for key, value in stored.items() if key in known})


NOTHING = ActionAnswer()


@dataclass(frozen=True)  # without slots, for ``evolve``
class TurnRecord:
    """One action call.

    Attributes:
        answer: None until it was answered.
        unavailable: the answer in case its handoff cannot be made; the error is added then.
    """

    key: str
    sender_id: str
    call_id: str | None
    made_at: float
    answer: ActionAnswer | None = None
    unavailable: ActionAnswer | None = None


class SessionState(str, Enum):
    """How an agent stands with the gateway, as far as is known."""

    SIGNED_IN = "signed_in"
    DOUBTED = "doubted"  # the gateway refused the GUID and also says that we are signed in
    GONE = "gone"  # the GUID is no longer good
    REFUSED = "refused"  # the last sign-in was refused; the error says why
    SIGNED_OUT = "signed_out"  # on purpose; nobody signs the agent in again


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """An agent's session. ``guid`` is a secret.

    Attributes:
        ours: the bridge signed this session in.
        generation: counts what may make a refused GUID good: a new one, or a doubted one again.
        renewed_at: when the state last changed.
        signing_in: the process that is signing the agent in, until ``signing_in_until``.
        poller: the process that polls for the agent's events, until ``poller_until``.
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

    @property
    def usable(self) -> bool:
        """Whether its GUID is worth an attempt."""
        return self.guid is not None and self.state in (
            SessionState.SIGNED_IN,
            SessionState.DOUBTED,
        )


class UpdateKind(str, Enum):
    """What Rasa is told."""

    WRITE_BACK = "write_back"  # what the agent sent, for the tracker
    RESUME = "resume"  # the bot has the conversation again
    TELL = "tell"  # the bot's words to the customer, on Rasa's own channel


class UpdateState(str, Enum):
    """Where an update for Rasa stands."""

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"


LEASE = 10.0  # seconds that an attempt to send is leased for; its total deadline is shorter
UPDATE_MARK = "cc_bridge_update"  # in the metadata of Rasa's events: the update's ID


@dataclass(frozen=True, slots=True)
class RasaUpdate:
    """One thing to tell Rasa, kept until it was told; in order within a conversation."""

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


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event of the gateway about an agent; ``content`` is whatever JSON came."""

    agent_id: str
    event_type: str
    content: Any
    received_at: float
    seq: int = 0


@dataclass(frozen=True, slots=True)
class SwitchRecord:
    """A setting that holds for all processes at once; None lifts it."""

    name: str
    value: str | None
    changed_at: float


@dataclass(frozen=True, slots=True)
class RevocationRecord:
    """Tokens that are no longer good: one by its ``jti``, or all of a role and subject so far."""

    subject: str
    revoked_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class LeaderRecord:
    """What one process at a time does for all of them.

    Attributes:
        done_at: when it was last done to its end.
    """

    name: str
    holder: str | None = None
    held_until: float | None = None
    done_at: float | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """Whose data is erased: what was named, and what the store knows to belong to it.

    Attributes:
        senders: conversations that are erased whole.
        calls: their calls; without ``senders``, the one call.
        users: whom the calls are with.
        named_users: of these, the ones whose events are found by the user's ID.
        turn_keys: action calls of the one call.
    """

    senders: frozenset[str] = field(default_factory=frozenset)
    calls: frozenset[str] = field(default_factory=frozenset)
    users: frozenset[str] = field(default_factory=frozenset)
    named_users: frozenset[str] = field(default_factory=frozenset)
    turn_keys: frozenset[str] = field(default_factory=frozenset)
