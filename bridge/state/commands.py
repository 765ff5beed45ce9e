"""Commands: everything that changes what is stored, on its way to the core, as frozen values.

A command names the rows that it needs loaded; its planner decides, by those alone, what follows.
Some come from the edge (an action call, an agent's click), some from senders (what a sending came
to), some from the core's own timers. There is no other way to write.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bridge.errors import AssignmentError, GatewayError, RasaError, SessionGoneError
from bridge.model import Assignment, Delivery, Guid, Owner, derive
from bridge.state.records import Erasure, RasaUpdate
from bridge.state.snapshot import Needs
from bridge.turn import Turn


def new_key() -> str:
    """A key for a command that has none by itself: the same key twice has one outcome."""
    return secrets.token_hex(16)


@dataclass(frozen=True, kw_only=True)
class Command:
    """Base of all commands.

    Attributes:
        key: the same key has one outcome, however often the command is put.
        answer_by: when whoever put it stops waiting; planned after that, it is refused.
    """

    key: str = field(default_factory=new_key)
    answer_by: float | None = None

    def needs(self) -> Needs:
        """The rows to load for it."""
        return Needs()


# -- from Rasa's actions ---------------------------------------------------------------------------


class ActionKind(str, Enum):
    """Which of the bridge's actions Rasa called."""

    HANDOFF = "action_human_handoff"
    ASSIST = "action_agent_assist"
    BRIDGE = "action_bridge"
    HANDBACK = "action_handback"


@dataclass(frozen=True)
class BroughtAssignment:
    """An assignment that came with a message, and since when it holds.

    Attributes:
        source: token or metadata.
        warning: what had to be corrected in it, or None.
    """

    assignment: Assignment
    given_at: float
    source: str
    warning: str | None = None


@dataclass(frozen=True, kw_only=True)
class CallAction(Command):
    """Rasa called an action; ``key`` is derived from the turn.

    Attributes:
        brought: the assignment that the message brought, or why it is not believed.
        wait: seconds to wait for the outcome of what is sent.
        responses: the domain's, where the request carried them or they are known by now.
        domain_asked: the domain was asked for, whatever came of it.
    """

    action: ActionKind
    turn: Turn
    brought: BroughtAssignment | AssignmentError | None = None
    wait: float = 2.0
    responses: Mapping[str, Any] | None = None
    domain_asked: bool = False

    def needs(self) -> Needs:
        """The action call, its conversation, and what is open or offered there."""
        sender = self.turn.sender_id
        brought = self.brought
        pairs: frozenset[tuple[str, str]] = frozenset()
        if isinstance(brought, BroughtAssignment):
            pairs = frozenset({(sender, brought.assignment.call_id)})
        return Needs(
            turns=frozenset({self.key}),
            senders=frozenset({sender}),
            pairs=pairs,
            callers=frozenset({sender}),
            told_of_callers=frozenset({sender} if self.action is ActionKind.HANDBACK else ()),
            brought_calls=frozenset(call for _, call in pairs),
            agents=frozenset(
                {brought.assignment.agent_id} if isinstance(brought, BroughtAssignment) else ()
            ),
        )


@dataclass(frozen=True, kw_only=True)
class JudgeTurn(Command):
    """The time to wait for an action call's deliveries is over, or may be over early.

    Attributes:
        turn_key: the action call.
        final: judge as things are; otherwise only if nothing can change any more.
    """

    turn_key: str
    final: bool = True

    def needs(self) -> Needs:
        """The action call, its deliveries and its call."""
        turns = frozenset({self.turn_key})
        return Needs(turns=turns, of_turns=turns, calls_of_turns=True)


@dataclass(frozen=True, kw_only=True)
class WithdrawTurn(Command):
    """An action call was stored too late: whoever called was told that the store is unavailable."""

    turn_key: str

    def needs(self) -> Needs:
        """The action call, its deliveries and its call."""
        turns = frozenset({self.turn_key})
        return Needs(turns=turns, of_turns=turns, calls_of_turns=True)


# -- from the API ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AssignCall(Command):
    """The platform gives a conversation its assignment; ``owner`` None leaves the owner."""

    assignment: Assignment
    owner: Owner | None = None

    def needs(self) -> Needs:
        """The conversation and its former call."""
        sender, call = self.assignment.sender_id, self.assignment.call_id
        return Needs(
            senders=frozenset({sender}),
            pairs=frozenset({(sender, call)}),
            conversations=frozenset({sender}),
        )


@dataclass(frozen=True, kw_only=True)
class EndCall(Command):
    """The conversation's call ended."""

    sender_id: str

    def needs(self) -> Needs:
        """The conversation and its call."""
        return Needs(senders=frozenset({self.sender_id}), conversations=frozenset({self.sender_id}))


@dataclass(frozen=True, kw_only=True)
class HandBackCall(Command):
    """An agent or a system (``agent_id`` None) gives a call back to the bot."""

    call_id: str
    agent_id: str | None

    def needs(self) -> Needs:
        """The call."""
        return Needs(calls=frozenset({self.call_id}), open_of_calls=frozenset({self.call_id}))


@dataclass(frozen=True, kw_only=True)
class PushGuid(Command):
    """An agent's desktop hands over its current GUID."""

    agent_id: str
    guid: Guid

    def needs(self) -> Needs:
        """The session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class SignOut(Command):
    """Sign out an agent that the bridge signed in; what waits for it keeps waiting."""

    agent_id: str

    def needs(self) -> Needs:
        """The session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class DecideSuggestion(Command):
    """Base of an agent's decisions about a suggestion; ``agent_id`` None is a system."""

    suggestion_id: str
    agent_id: str | None

    def needs(self) -> Needs:
        """The suggestion, its other candidates, its call, and the reply that it became."""
        reply = derive("reply", "suggestion", self.suggestion_id, 0)
        return Needs(suggestions=frozenset({self.suggestion_id}), replies=frozenset({reply}))


@dataclass(frozen=True, kw_only=True)
class AcceptSuggestion(DecideSuggestion):
    """Send a suggestion, in the agent's own words where ``text`` is given."""

    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class RejectSuggestion(DecideSuggestion):
    """The agent does not want it."""

    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class DisplaySuggestion(DecideSuggestion):
    """The agent has seen it; the first time counts."""


@dataclass(frozen=True, kw_only=True)
class SendReply(Command):
    """An agent writes freely; the same ``client_id`` is the same message."""

    call_id: str
    text: str
    client_id: str
    agent_id: str | None

    @property
    def reply_key(self) -> str:
        """What the parts of the reply share."""
        return derive("reply", "reply", self.call_id, self.client_id, 0)

    def needs(self) -> Needs:
        """The call, and the reply if it was stored."""
        calls = frozenset({self.call_id})
        return Needs(calls=calls, open_of_calls=calls, replies=frozenset({self.reply_key}))


@dataclass(frozen=True, kw_only=True)
class MoveDelivery(Command):
    """Base of a person's decisions about a delivery; ``agent_id`` None is a system."""

    delivery_id: int
    agent_id: str | None

    def needs(self) -> Needs:
        """The delivery and its call."""
        return Needs(deliveries=frozenset({self.delivery_id}), calls_of_deliveries=True)


@dataclass(frozen=True, kw_only=True)
class RetryDelivery(MoveDelivery):
    """Send what failed, expired or is uncertain once more, under the same code."""


@dataclass(frozen=True, kw_only=True)
class DiscardDelivery(MoveDelivery):
    """Take a delivery off the list."""


@dataclass(frozen=True, kw_only=True)
class SetSwitch(Command):
    """Set a switch for all processes; None lifts it."""

    name: str
    value: str | None
    withdraws_auto: bool = False

    def needs(self) -> Needs:
        """What waits to be sent by itself, a slice of it."""
        return Needs(switches=True, waiting_auto=SLICE if self.withdraws_auto else 0)


@dataclass(frozen=True, kw_only=True)
class RevokeTokens(Command):
    """Make a token void, or all of a subject's so far."""

    subject: str
    until: float


SLICE = 500  # rows of a set-wide command at a time


# -- from senders ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SendingResult(Command):
    """What one attempt to send a delivery came to.

    Attributes:
        delivery: as it was claimed.
        guid: the one it was sent with; None where nothing was sent.
        error: None where the gateway took the message.
        new_guid: the GUID that came with the answer.
        unsent: no attempt was made; the delivery is due again.
        retried: a newer GUID was tried already.
        jitter: chance in [0, 1) for the back-off.
        seconds: how long the attempt took.
    """

    delivery: Delivery
    guid: Guid | None
    error: GatewayError | None = None
    new_guid: Guid | None = None
    unsent: bool = False
    retried: bool = False
    jitter: float = 0.5
    seconds: float = 0.0

    @property
    def agent_id(self) -> str:
        """Whose GUID it was sent with."""
        return self.delivery.envelope.agent_id

    def needs(self) -> Needs:
        """The delivery, those of its action call and reply, and what is open on its call."""
        found = self.delivery
        renewed = self.new_guid not in (None, self.guid)
        return Needs(
            deliveries=frozenset({found.seq}),
            of_turns=frozenset({found.turn_key} if found.turn_key else ()),
            replies=frozenset({found.reply_key} if self.error is not None else ()),
            calls=frozenset({found.envelope.call_id} if self.error is not None else ()),
            open_of_calls=frozenset({found.envelope.call_id}),
            stored_agents=frozenset(
                {self.agent_id} if renewed or isinstance(self.error, SessionGoneError) else ()
            ),
            agents=frozenset({self.agent_id}),
            next_of_calls=True,
        )


@dataclass(frozen=True, kw_only=True)
class SignInResult(Command):
    """What a sign-in came to: a GUID, or why there is none.

    Attributes:
        forced: it was a forced sign-in.
        interrupted: a process of ours died while signing the agent in before.
    """

    agent_id: str
    guid: Guid | None = None
    error: GatewayError | None = None
    forced: bool = False
    interrupted: bool = False

    def needs(self) -> Needs:
        """The session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class PollResult(Command):
    """What one poll for an agent's events came to.

    Attributes:
        guid: the one it was made with.
        new_guid: the GUID that came with the answer.
        event: type and content, or None where there was none.
        failures: how many polls before this one failed in a row.
        jitter: chance in [0, 1) for the pause.
    """

    agent_id: str
    guid: Guid | None
    new_guid: Guid | None = None
    event: tuple[str, Any] | None = None
    error: GatewayError | None = None
    failures: int = 0
    jitter: float = 0.5

    def needs(self) -> Needs:
        """The session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class ContinuePolling(Command):
    """The pause between two polls for an agent is over."""

    agent_id: str
    failures: int = 0

    def needs(self) -> Needs:
        """The session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class UpdateResult(Command):
    """What one attempt to tell Rasa something came to."""

    update: RasaUpdate
    error: RasaError | None = None
    unsent: bool = False
    jitter: float = 0.5

    def needs(self) -> Needs:
        """The update."""
        return Needs(updates=frozenset({self.update.seq}))


@dataclass(frozen=True, kw_only=True)
class DomainResult(Command):
    """The domain's responses as Rasa gave them; None where it did not."""

    responses: Mapping[str, Any] | None


# -- from the core's timers ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ClaimDeliveries(Command):
    """Claim what is due, recover what is stalled, and settle what is too old or forbidden.

    Attributes:
        limit: how many may be claimed.
        probe: the breaker is open: at most one, whatever its time.
        sweep: the breaker is open: only what is too old.
        held: what this process is sending, by number: its lease.
    """

    limit: int
    probe: bool = False
    sweep: bool = False
    held: Mapping[int, str | None] = field(default_factory=dict)

    def needs(self) -> Needs:
        """What is due."""
        return Needs(due=self)


@dataclass(frozen=True, kw_only=True)
class ClaimUpdates(Command):
    """Claim the updates for Rasa that are due, and recover what is stalled.

    Attributes:
        responses: the domain's, as far as they are known.
        domain_asked: the domain was asked for a moment ago, whatever came of it.
    """

    limit: int
    held: Mapping[int, str | None] = field(default_factory=dict)
    responses: Mapping[str, Any] | None = None
    domain_asked: bool = False

    def needs(self) -> Needs:
        """What is due."""
        return Needs(due_updates=self)


@dataclass(frozen=True, kw_only=True)
class WakeAgent(Command):
    """An agent may have a good GUID again: what waits for it is due."""

    agent_id: str

    def needs(self) -> Needs:
        """What waits for the agent's GUID, a slice of it."""
        return Needs(waiting_for_guid=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class ExplainAgent(Command):
    """Why an agent has no GUID yet, for what waits for one.

    Attributes:
        again_at: when to look again; None leaves that as it is.
    """

    agent_id: str
    code: str
    message: str
    again_at: float | None = None

    def needs(self) -> Needs:
        """What waits for the agent's GUID, a slice of it."""
        return Needs(waiting_for_guid=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class ReleaseHeld(Command):
    """The gateway serves again: what met one that did not is due at once."""

    def needs(self) -> Needs:
        """What waits after the gateway was away, a slice of it."""
        return Needs(waiting_for_gateway=True)


@dataclass(frozen=True, kw_only=True)
class Recover(Command):
    """A process starts: take over what dead processes of this machine left."""

    def needs(self) -> Needs:
        """What is being sent, with the leases of dead processes among it."""
        return Needs(leased=True)


@dataclass(frozen=True, kw_only=True)
class CorrectTimes(Command):
    """Bring nearer what a clock that was set back left too far in the future.

    Attributes:
        latest_due: nothing waits longer than until then.
        latest_expiry: no reply's first part expires later.
        latest_rest: none of its later parts does.
    """

    latest_due: float
    latest_expiry: float
    latest_rest: float

    def needs(self) -> Needs:
        """What is due, expires or is leased later than it can be, a slice of it."""
        return Needs(
            too_late=self.latest_due,
            latest_expiry=self.latest_expiry,
            latest_rest=self.latest_rest,
        )


@dataclass(frozen=True, kw_only=True)
class TakeOverSessions(Command):
    """Poll for the agents of ours that no process polls for."""

    def needs(self) -> Needs:
        """Those sessions."""
        return Needs(unattended=True)


@dataclass(frozen=True, kw_only=True)
class ReleasePolls(Command):
    """This process ends: another one may poll for its agents."""

    agent_ids: frozenset[str]

    def needs(self) -> Needs:
        """Their sessions."""
        return Needs(stored_agents=self.agent_ids)


@dataclass(frozen=True, kw_only=True)
class ExpireSuggestions(Command):
    """Expire what is offered and too old."""

    def needs(self) -> Needs:
        """Those suggestions, a slice of them."""
        return Needs(expired_suggestions=True)


# -- maintenance -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LeadTask(Command):
    """Become, or stay, the one process that does a task for all; answers whether it is."""

    name: str
    holder: str
    seconds: float

    def needs(self) -> Needs:
        """The task."""
        return Needs(leaders=frozenset({self.name}))


@dataclass(frozen=True, kw_only=True)
class LeaveTask(Command):
    """Let another process do a task; ``done_at`` where it was done to its end."""

    name: str
    holder: str
    done_at: float | None = None

    def needs(self) -> Needs:
        """The task."""
        return Needs(leaders=frozenset({self.name}))


@dataclass(frozen=True, kw_only=True)
class PruneRows(Command):
    """Erase the words of rows that are too old, or (``whole``) delete the rows; answers how many.

    Attributes:
        before: what was said, or last moved, earlier than this is too old.
        quiet: a call that nobody ended counts as over where nothing moved since.
    """

    table: str
    keys: Sequence[tuple[Any, ...]]
    before: float
    quiet: float
    whole: bool


@dataclass(frozen=True, kw_only=True)
class DropRevocations(Command):
    """Delete the revocations of tokens that are void anyway."""


@dataclass(frozen=True, kw_only=True)
class StopErased(Command):
    """Delete what is open of somebody's data: nothing of it is sent, offered or told any more."""

    erasure: Erasure


@dataclass(frozen=True, kw_only=True)
class EraseRows(Command):
    """Delete rows of a table by their keys; answers how many."""

    table: str
    keys: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class CheckStore(Command):
    """Write nothing, but see that a transaction can be committed."""
