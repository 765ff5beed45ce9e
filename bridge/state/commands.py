"""Commands: frozen values that request a change of the stored data from the core.

A command names the rows to load; its planner decides from those rows alone. Commands come from the
edge (an action call, an agent's click), from the senders (the result of a request) and from the
core's timers. Nothing is written except through a command.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Protocol

from bridge.errors import AssignmentError, GatewayError, RasaError, SessionGoneError
from bridge.model import Assignment, CallInfo, Delivery, Guid, Owner, ReceivedEvent, derive
from bridge.state.calls import CallRequest
from bridge.state.inquiries import BotAnswer
from bridge.state.records import AgentRequest, Alert, Erasure, RasaUpdate
from bridge.state.snapshot import Needs
from bridge.turn import Turn

ResultCallback = Callable[[Any, "BaseException | None"], None]  # the answer, or the error

ANSWERING = 0.4  # seconds between the judgement of an action call and its ``answer_by``


def new_key() -> str:
    """Return a random key for a command that has no natural idempotency key."""
    return secrets.token_hex(16)


@dataclass(frozen=True, kw_only=True)
class Command:
    """Base class of all commands.

    Attributes:
        key: idempotency key: commands with the same key have one outcome.
        answer_by: when the caller stops waiting; a command not planned by then is refused.
    """

    key: str = field(default_factory=new_key)
    answer_by: float | None = None

    def needs(self) -> Needs:
        """Return the rows that the planner needs loaded."""
        return Needs()


class PutCommand(Protocol):
    """Passes a result to the core."""

    def __call__(self, command: Command, reply: ResultCallback | None = None) -> None:
        """Queue a command; its answer goes to ``reply``."""


# -- from Rasa's actions ---------------------------------------------------------------------------


class ActionKind(str, Enum):
    """Which of the bridge's actions Rasa called."""

    HANDOFF = "action_human_handoff"
    ASSIST = "action_agent_assist"
    BRIDGE = "action_bridge"
    HANDBACK = "action_handback"


@dataclass(frozen=True)
class BroughtAssignment:
    """An assignment that arrived with a customer's message.

    Attributes:
        given_at: when the assignment took effect.
        source: token or metadata.
        warning: what was corrected in it, or None.
        take: whether it may take its call from another open conversation.
    """

    assignment: Assignment
    given_at: float
    source: str
    warning: str | None = None
    take: bool = False


SHADOW = "assist-"  # prefix of the IDs of shadow conversations
SAME_ID = 4  # messages under one message ID that can be told apart


def call_key(turn: Turn) -> str:
    """Return the key of an action call: the same for a repeated request, and only for that.

    Some connectors give different messages the same ID, so the text and the time count too.
    """
    return derive("turn", *_name(turn), turn.text, turn.message_at)


def _name(turn: Turn) -> tuple[object, ...]:
    return (turn.sender_id, turn.message_id, turn.action_name, turn.ordinal)


@dataclass(frozen=True, kw_only=True)
class CallAction(Command):
    """Run one of the bridge's actions, called by Rasa; ``key`` is the turn's ``call_key``.

    Attributes:
        brought: the assignment that arrived with the message, or the error that rejects it.
        wait: seconds to wait for the outcome of the deliveries.
        responses: the domain's responses, if the request carried them or they are known already.
        domain_asked: whether the domain was requested from Rasa, successfully or not.
    """

    action: ActionKind
    turn: Turn
    brought: BroughtAssignment | AssignmentError | None = None
    wait: float = 2.0
    responses: Mapping[str, Any] | None = None
    domain_asked: bool = False

    @property
    def seed(self) -> str:
        """The seed that chooses variations."""
        return derive("turn", *_name(self.turn))

    @cached_property
    def message_key(self) -> str:
        """The key of what the action suggests: one per text, however often Rasa received it."""
        return derive("turn", *_name(self.turn), self.turn.text)

    @cached_property
    def names(self) -> Mapping[str, tuple[object, ...]]:
        """The names that message codes can be derived from, by the first code of each, in order.

        There is more than one for connectors that give different messages the same ID.
        """
        name = _name(self.turn)
        names = [name, *((*name, "again", number) for number in range(1, SAME_ID))]
        return {derive(*each, 0, 0): each for each in names}

    def judge_at(self, now: float) -> float:
        """Return when to judge the call's deliveries; in time for its caller."""
        at = now + self.wait
        return at if self.answer_by is None else min(at, max(now, self.answer_by - ANSWERING))

    def needs(self) -> Needs:
        """Require the action call and its conversation, open deliveries and suggestions."""
        sender = self.turn.sender_id
        brought = self.brought
        pairs: frozenset[tuple[str, str]] = frozenset()
        taken: frozenset[str] = frozenset()
        if isinstance(brought, BroughtAssignment):
            pairs = frozenset({(sender, brought.assignment.call_id)})
            taken = frozenset({brought.assignment.call_id} if brought.take else ())
        return Needs(
            turns=frozenset({self.key, self.message_key}),
            codes=frozenset(self.names),
            senders=frozenset({sender}),
            pairs=pairs,
            callers=frozenset({sender}),
            shadows=frozenset({sender} if sender.startswith(SHADOW) else ()),
            sent_of_callers=frozenset({sender} if self.action is ActionKind.HANDBACK else ()),
            brought_calls=frozenset(call for _, call in pairs),
            calls=taken,
            agents=frozenset(
                {brought.assignment.agent_id} if isinstance(brought, BroughtAssignment) else ()
            ),
        )


@dataclass(frozen=True, kw_only=True)
class JudgeTurn(Command):
    """Answer an action call that waits for its deliveries.

    Attributes:
        turn_key: the action call.
        final: the wait is over: answer from the current states. Otherwise answer only if no
            delivery can still change.
    """

    turn_key: str
    final: bool = True

    def needs(self) -> Needs:
        """Require the action call, its deliveries and its call."""
        turns = frozenset({self.turn_key})
        return Needs(turns=turns, of_turns=turns, calls_of_turns=True)


@dataclass(frozen=True, kw_only=True)
class WithdrawTurn(Command):
    """Withdraw an action call that was stored after its caller got a "store unavailable" error."""

    turn_key: str

    def needs(self) -> Needs:
        """Require the action call, its deliveries and its call."""
        turns = frozenset({self.turn_key})
        return Needs(turns=turns, of_turns=turns, calls_of_turns=True)


# -- from the API ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AssignCall(Command):
    """Store the platform's assignment of a conversation; ``owner`` None keeps the owner.

    Attributes:
        take: take the call from another open conversation, if one has it.
    """

    assignment: Assignment
    owner: Owner | None = None
    take: bool = False

    def needs(self) -> Needs:
        """Require the conversation and its previous call, and everything open on the new call."""
        sender, call = self.assignment.sender_id, self.assignment.call_id
        return Needs(
            senders=frozenset({sender}),
            pairs=frozenset({(sender, call)}),
            calls=frozenset({call}),
            open_of_calls=frozenset({call}),
            conversations=frozenset({sender}),
            cards=frozenset({sender}),
            reader_calls=frozenset({call}),
        )


@dataclass(frozen=True, kw_only=True)
class EndCall(Command):
    """End the conversation's call."""

    sender_id: str

    def needs(self) -> Needs:
        """Require the conversation and its call."""
        return Needs(senders=frozenset({self.sender_id}), conversations=frozenset({self.sender_id}))


@dataclass(frozen=True, kw_only=True)
class HandBackCall(Command):
    """Hand a call back to the bot, by an agent or by a system (``agent_id`` None)."""

    call_id: str
    agent_id: str | None

    def needs(self) -> Needs:
        """Require the call and its open deliveries."""
        return Needs(calls=frozenset({self.call_id}), open_of_calls=frozenset({self.call_id}))


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
class PushGuid(Command):
    """Store the current GUID that an agent's desktop pushed."""

    agent_id: str
    guid: Guid

    def needs(self) -> Needs:
        """Require the agent's session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class SignOut(Command):
    """Sign out an agent that the bridge signed in; its waiting deliveries keep waiting."""

    agent_id: str

    def needs(self) -> Needs:
        """Require the agent's session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class ChooseState(Command):
    """Change the state of an agent that the bridge signs in: ready, busy or wrap_up."""

    agent_id: str
    state: str

    def needs(self) -> Needs:
        """Require the agent's session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class ChooseChats(Command):
    """Change how many chats a reader has at a time, 1 to 60."""

    agent_id: str
    chats: int

    def needs(self) -> Needs:
        """Require the agent's session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class PushEvents(Command):
    """Store and handle events that the gateway pushed for an agent.

    Attributes:
        service_token: the token that came with them.
        digest: identifies the batch: an identical one has the same.
        call_ids: the calls that the events name.
    """

    agent_id: str
    service_token: str
    events: tuple[ReceivedEvent, ...]
    digest: str
    call_ids: tuple[str, ...] = ()

    def needs(self) -> Needs:
        """Require the agent's session, and the calls that the events name."""
        return Needs(
            stored_agents=frozenset({self.agent_id}),
            reader_calls=frozenset(self.call_ids),
            switches=bool(self.call_ids),
        )


@dataclass(frozen=True, kw_only=True)
class DecideSuggestion(Command):
    """Base class of decisions about a suggestion; ``agent_id`` None stands for a system."""

    suggestion_id: str
    agent_id: str | None

    def needs(self) -> Needs:
        """Require the suggestion, its other candidates, its call, and the reply made from it."""
        reply = derive("reply", "suggestion", self.suggestion_id, 0)
        return Needs(suggestions=frozenset({self.suggestion_id}), replies=frozenset({reply}))


@dataclass(frozen=True, kw_only=True)
class AcceptSuggestion(DecideSuggestion):
    """Send a suggestion, with the agent's edited ``text`` if there is one."""

    text: str | None = None


@dataclass(frozen=True, kw_only=True)
class RejectSuggestion(DecideSuggestion):
    """Reject a suggestion."""

    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class CopySuggestion(DecideSuggestion):
    """Record that the agent took a suggestion's words into another tool; nothing is sent."""


@dataclass(frozen=True, kw_only=True)
class OfferSuggestion(Command):
    """Offer a candidate of another system for a customer's message.

    Attributes:
        answers: the ID of the customer's message.
        external_id: the system's own ID of the candidate; the same ID is the same candidate.
        source: the name of the system's token.
        reply: text, buttons and library media, as a bot's reply; or
        text: plain text.
    """

    call_id: str
    answers: str
    external_id: str
    source: str
    text: str | None = None
    reply: Mapping[str, Any] | None = None
    confidence: float | None = None

    @property
    def suggestion_id(self) -> str:
        """The ID of the suggestion that is made of the candidate."""
        return derive("external", self.source, self.external_id)

    def needs(self) -> Needs:
        """Require the call, the customer's message and its suggestions, and the switches."""
        return Needs(
            calls=frozenset({self.call_id}),
            suggestions=frozenset({self.suggestion_id}),
            questions=frozenset({(self.call_id, self.answers)}),
            switches=True,
        )


@dataclass(frozen=True, kw_only=True)
class DisplaySuggestion(DecideSuggestion):
    """Record when a suggestion was first displayed to the agent."""


@dataclass(frozen=True, kw_only=True)
class SendReply(Command):
    """Send an agent's free text; the same ``client_id`` identifies the same message."""

    call_id: str
    text: str
    client_id: str
    agent_id: str | None

    @property
    def reply_key(self) -> str:
        """The key that all parts of the reply share."""
        return derive("reply", "reply", self.call_id, self.client_id, 0)

    def needs(self) -> Needs:
        """Require the call, its open deliveries, and the reply if it is stored already."""
        calls = frozenset({self.call_id})
        return Needs(calls=calls, open_of_calls=calls, replies=frozenset({self.reply_key}))


@dataclass(frozen=True, kw_only=True)
class ForwardMessage(Command):
    """Store what was written on a call elsewhere, as a desktop reports it.

    Attributes:
        author: customer or agent.
        agent_id: the agent whose token is used; None for a system.
    """

    call_id: str
    author: str
    text: str
    message_id: str
    agent_id: str | None

    def needs(self) -> Needs:
        """Require the call, its open suggestions, the message, and what was copied lately."""
        calls = frozenset({self.call_id})
        return Needs(
            calls=calls,
            open_of_calls=calls,
            forwarded=frozenset({derive("message", self.call_id, self.message_id)}),
            copied=calls,
        )


@dataclass(frozen=True, kw_only=True)
class NoteTyping(Command):
    """Record that somebody types on a call: automatic replies rest for a while."""

    call_id: str
    agent_id: str | None

    def needs(self) -> Needs:
        """Require the call."""
        return Needs(calls=frozenset({self.call_id}))


@dataclass(frozen=True, kw_only=True)
class NotePresence(Command):
    """Record that an agent's panel is open."""

    agent_id: str

    def needs(self) -> Needs:
        """Require when the agent was last heard of."""
        return Needs(presences=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class HideAssist(Command):
    """Hide suggestions on a call, or show them again."""

    call_id: str
    hidden: bool
    agent_id: str | None

    def needs(self) -> Needs:
        """Require the call."""
        return Needs(calls=frozenset({self.call_id}))


@dataclass(frozen=True, kw_only=True)
class MoveDelivery(Command):
    """Base class of decisions about a delivery; ``agent_id`` None stands for a system."""

    delivery_id: int
    agent_id: str | None

    def needs(self) -> Needs:
        """Require the delivery and its call."""
        return Needs(deliveries=frozenset({self.delivery_id}), calls_of_deliveries=True)


@dataclass(frozen=True, kw_only=True)
class RetryDelivery(MoveDelivery):
    """Retry a failed, expired or uncertain delivery under the same message code.

    Attributes:
        again: retry it although it was stopped on purpose, or something else was said since.
    """

    again: bool = False


@dataclass(frozen=True, kw_only=True)
class DiscardDelivery(MoveDelivery):
    """Discard a delivery."""


@dataclass(frozen=True, kw_only=True)
class SetSwitch(Command):
    """Set a switch for all processes; ``value`` None removes it.

    Attributes:
        withdraws_auto: also withdraw the waiting deliveries of ``auto`` mode.
        only_lowers: refuse a value that lets assist do more than the present one.
    """

    name: str
    value: str | None
    withdraws_auto: bool = False
    only_lowers: bool = False

    def needs(self) -> Needs:
        """Require the switches and, to withdraw them, a slice of the automatic deliveries."""
        return Needs(switches=True, waiting_auto=SLICE if self.withdraws_auto else 0)


@dataclass(frozen=True, kw_only=True)
class RevokeTokens(Command):
    """Revoke one token, or all tokens issued to a subject so far."""

    subject: str
    until: float


SLICE = 500  # rows that a set-wide command handles at a time


# -- from senders ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SendingResult(Command):
    """Record the result of one attempt to send a delivery.

    Attributes:
        delivery: the delivery as it was claimed.
        guid: the GUID it was sent with; None if nothing was sent.
        error: None if the gateway accepted the message.
        new_guid: the GUID in the gateway's response.
        unsent: no attempt was made; the delivery is due again.
        retried: the attempt was already repeated with a newer GUID.
        jitter: random number in [0, 1) for the back-off.
        seconds: duration of the attempt.
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
        """The agent with whose GUID the delivery was sent."""
        return self.delivery.envelope.agent_id

    def needs(self) -> Needs:
        """Require the delivery, those of its action call and reply, and its call's open ones."""
        delivery = self.delivery
        renewed = self.new_guid not in (None, self.guid)
        return Needs(
            deliveries=frozenset({delivery.seq}),
            of_turns=frozenset({delivery.turn_key} if delivery.turn_key else ()),
            replies=frozenset({delivery.reply_key} if self.error is not None else ()),
            calls=frozenset({delivery.envelope.call_id} if self.error is not None else ()),
            open_of_calls=frozenset({delivery.envelope.call_id}),
            stored_agents=frozenset(
                {self.agent_id} if renewed or isinstance(self.error, SessionGoneError) else ()
            ),
            agents=frozenset({self.agent_id}),
            next_of_calls=True,
        )


@dataclass(frozen=True, kw_only=True)
class SignInResult(Command):
    """Record the result of a sign-in: a GUID or an error.

    Attributes:
        forced: the sign-in was forced.
        interrupted: one of our processes died during an earlier sign-in of this agent.
    """

    agent_id: str
    guid: Guid | None = None
    error: GatewayError | None = None
    forced: bool = False
    interrupted: bool = False

    def needs(self) -> Needs:
        """Require the agent's session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class PollResult(Command):
    """Record the result of one poll for an agent's events, or of a handshake.

    Attributes:
        guid: the GUID that the poll used.
        new_guid: the GUID in the gateway's response.
        event: None if there was no event.
        call_ids: the call that the event names.
        failures: number of consecutive failed polls before this one.
        jitter: random number in [0, 1) for the pause.
    """

    agent_id: str
    guid: Guid | None
    new_guid: Guid | None = None
    event: ReceivedEvent | None = None
    call_ids: tuple[str, ...] = ()
    error: GatewayError | None = None
    failures: int = 0
    jitter: float = 0.5

    def needs(self) -> Needs:
        """Require the agent's session, and the call that the event names."""
        return Needs(
            stored_agents=frozenset({self.agent_id}),
            reader_calls=frozenset(self.call_ids),
            switches=bool(self.call_ids),
        )


@dataclass(frozen=True, kw_only=True)
class AgentAnswered(Command):
    """Record the result of a request for an agent that is signed in.

    Attributes:
        guid: the GUID that the request used.
        new_guid: the GUID in the gateway's response.
        content: the response.
    """

    agent_id: str
    request: AgentRequest
    guid: Guid
    new_guid: Guid | None = None
    content: Mapping[str, Any] | None = None
    error: GatewayError | None = None

    def needs(self) -> Needs:
        """Require the agent's session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class RepeatRequest(Command):
    """Make a request for an agent again, with the newest GUID."""

    agent_id: str
    request: AgentRequest

    def needs(self) -> Needs:
        """Require the agent's session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class ContinuePolling(Command):
    """Poll for an agent's events again after the pause."""

    agent_id: str
    failures: int = 0

    def needs(self) -> Needs:
        """Require the agent's session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class UpdateResult(Command):
    """Record the result of one attempt to send an update to Rasa."""

    update: RasaUpdate
    error: RasaError | None = None
    unsent: bool = False
    jitter: float = 0.5

    def needs(self) -> Needs:
        """Require the update."""
        return Needs(updates=frozenset({self.update.seq}))


@dataclass(frozen=True, kw_only=True)
class AlertResult(Command):
    """Record the result of one attempt to report an alert; ``error`` None means delivered."""

    alert: Alert
    error: str | None = None
    jitter: float = 0.5

    def needs(self) -> Needs:
        """Require the call's assignment."""
        return Needs(pairs=frozenset({(self.alert.sender_id, self.alert.call_id)}))


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


@dataclass(frozen=True, kw_only=True)
class BotAnswered(Command):
    """Record the result of one attempt to ask the bot about a customer's message.

    Attributes:
        update: the inquiry as it was claimed.
        answer: None if there is an error, or nothing was asked.
        unsent: no attempt was made; the inquiry is due again.
    """

    update: RasaUpdate
    answer: BotAnswer | None = None
    error: RasaError | None = None
    unsent: bool = False
    jitter: float = 0.5

    def needs(self) -> Needs:
        """Require the inquiry, its message with its suggestions, and its call."""
        sender, call = self.update.sender_id, self.update.call_id or ""
        message = str(self.update.body.get("message_id"))
        calls = frozenset({call})
        return Needs(
            updates=frozenset({self.update.seq}),
            senders=frozenset({sender}),
            callers=frozenset({sender}),
            calls=calls,
            pairs=frozenset({(sender, call)}),
            open_of_calls=calls,
            questions=frozenset({(call, message)}),
            reader_calls=calls,
            switches=True,
        )


@dataclass(frozen=True, kw_only=True)
class DomainResult(Command):
    """Record the domain's responses as Rasa returned them; None if the request failed."""

    responses: Mapping[str, Any] | None


# -- from the core's timers ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ClaimDeliveries(Command):
    """Claim due deliveries, recover stalled ones, and settle expired or forbidden ones.

    Attributes:
        limit: how many may be claimed.
        probe: the circuit breaker is open: claim at most one, even if it is not due.
        sweep: the circuit breaker is open: handle only expired deliveries.
        held: the deliveries that this process is sending: number to lease.
    """

    limit: int
    probe: bool = False
    sweep: bool = False
    held: Mapping[int, str | None] = field(default_factory=dict)

    def needs(self) -> Needs:
        """Require the due deliveries."""
        return Needs(due=self)


@dataclass(frozen=True, kw_only=True)
class ClaimUpdates(Command):
    """Claim due updates for Rasa and recover stalled ones.

    Attributes:
        held: the updates that this process is sending: number to lease.
        responses: the domain's responses, if known.
        domain_asked: whether the domain was requested a moment ago, successfully or not.
        inquiries: how many inquiries may be claimed, besides ``limit`` other updates.
    """

    limit: int
    inquiries: int = 0
    held: Mapping[int, str | None] = field(default_factory=dict)
    responses: Mapping[str, Any] | None = None
    domain_asked: bool = False

    def needs(self) -> Needs:
        """Require the due updates."""
        return Needs(due_updates=self)


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
class WakeAgent(Command):
    """Make the deliveries that wait for an agent's GUID due: it may be valid again."""

    agent_id: str

    def needs(self) -> Needs:
        """Require a slice of the deliveries that wait for the agent's GUID."""
        return Needs(waiting_for_guid=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class ExplainAgent(Command):
    """Record, on the deliveries that wait for it, why an agent has no GUID yet.

    Attributes:
        again_at: when the deliveries are due again; None keeps their time.
    """

    agent_id: str
    code: str
    message: str
    again_at: float | None = None

    def needs(self) -> Needs:
        """Require a slice of the deliveries that wait for the agent's GUID."""
        return Needs(waiting_for_guid=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class ReleaseHeld(Command):
    """Make deliveries that failed because of a gateway outage due: the gateway is back."""

    def needs(self) -> Needs:
        """Require a slice of the deliveries that wait because of an outage."""
        return Needs(waiting_for_gateway=True)


@dataclass(frozen=True, kw_only=True)
class Recover(Command):
    """Recover, when a process starts, the work that dead processes of this machine left."""

    def needs(self) -> Needs:
        """Require everything that is being sent, including the leases of dead processes."""
        return Needs(leased=True)


@dataclass(frozen=True, kw_only=True)
class CorrectTimes(Command):
    """Correct times that are too far in the future because the clock was set back.

    Attributes:
        latest_due: latest plausible time at which a delivery can be due.
        latest_expiry: latest plausible expiry of a reply's first part.
        latest_rest: latest plausible expiry of its other parts.
    """

    latest_due: float
    latest_expiry: float
    latest_rest: float

    def needs(self) -> Needs:
        """Require a slice of the deliveries whose due time, expiry or lease is too late."""
        return Needs(
            too_late=self.latest_due,
            latest_expiry=self.latest_expiry,
            latest_rest=self.latest_rest,
        )


@dataclass(frozen=True, kw_only=True)
class TakeOverSessions(Command):
    """Take over the bridge's agents that no process keeps signed in; sign absent readers in.

    Attributes:
        readers: the agents that are to be signed in.
    """

    readers: frozenset[str] = frozenset()

    def needs(self) -> Needs:
        """Require the sessions without a poller, and those of absent readers."""
        return Needs(unattended=True, readers=self.readers)


@dataclass(frozen=True, kw_only=True)
class ReleasePolls(Command):
    """Release this process's agents before it ends, so that another process polls for them.

    Attributes:
        sign_out: whether readers without calls are signed out.
    """

    agent_ids: frozenset[str]
    sign_out: bool = True

    def needs(self) -> Needs:
        """Require the agents' sessions, and which of them have calls."""
        return Needs(stored_agents=self.agent_ids, agents_with_calls=self.agent_ids)


@dataclass(frozen=True, kw_only=True)
class ExpireSuggestions(Command):
    """Expire offered suggestions that are too old."""

    def needs(self) -> Needs:
        """Require a slice of those suggestions."""
        return Needs(expired_suggestions=True)


@dataclass(frozen=True, kw_only=True)
class RaiseAlerts(Command):
    """Raise an alert for each handoff that nobody took in time, and report it.

    Attributes:
        latest: latest plausible time at which an alert can be due.
    """

    latest: float

    def needs(self) -> Needs:
        """Require a slice of the assignments that are due, and whether they were taken."""
        return Needs(alerts=self.latest)


# -- maintenance -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LeadTask(Command):
    """Become or remain the leader of a task; the answer says whether this holder leads."""

    name: str
    holder: str
    seconds: float

    def needs(self) -> Needs:
        """Require the task's leader."""
        return Needs(leaders=frozenset({self.name}))


@dataclass(frozen=True, kw_only=True)
class LeaveTask(Command):
    """Give up the leadership of a task; ``done_at`` is set if the task was completed."""

    name: str
    holder: str
    done_at: float | None = None

    def needs(self) -> Needs:
        """Require the task's leader."""
        return Needs(leaders=frozenset({self.name}))


@dataclass(frozen=True, kw_only=True)
class PruneRows(Command):
    """Erase the content of rows that are too old, or delete them; the answer is their number.

    Attributes:
        before: rows created or last changed before this time are too old.
        quiet: a call that was not ended counts as over if nothing on it changed since this time.
        whole: delete the rows instead of erasing their content.
    """

    table: str
    keys: Sequence[tuple[Any, ...]]
    before: float
    quiet: float
    whole: bool


@dataclass(frozen=True, kw_only=True)
class DropRevocations(Command):
    """Delete the revocations of tokens that have expired."""


@dataclass(frozen=True, kw_only=True)
class PruneChanges(Command):
    """Delete the oldest rows of the log of changes; the answer is their number."""


@dataclass(frozen=True, kw_only=True)
class StopErased(Command):
    """Delete the open deliveries, suggestions and updates of a person whose data is erased."""

    erasure: Erasure


@dataclass(frozen=True, kw_only=True)
class EraseRows(Command):
    """Delete rows of a table by their keys; the answer is their number."""

    table: str
    keys: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class CheckStore(Command):
    """Check that a transaction can be committed; changes nothing."""
