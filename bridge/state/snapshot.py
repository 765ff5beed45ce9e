"""The planners' input: the rows loaded for a batch of commands, and the state of the process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from bridge.model import Card, Delivery, DeliveryState, Suggestion, SuggestionState
from bridge.state.calls import CallKey, CallRecord, CallRequest
from bridge.state.records import (
    AssignmentRecord,
    LeaderRecord,
    MessageRecord,
    PresenceRecord,
    RasaUpdate,
    SessionRecord,
    SwitchRecord,
    TurnRecord,
)

if TYPE_CHECKING:
    from bridge.state.commands import ClaimDeliveries, ClaimRequests, ClaimUpdates
    from bridge.state.plan import Plan

AUTO = "auto"  # who approved what no agent approved
Pair = tuple[str, str]  # sender ID and call ID


@dataclass(slots=True)  # not frozen: several are made for every command
class Needs:
    """The rows that a command needs loaded.

    Attributes:
        turns: action calls, by key.
        of_turns: these action calls with all their deliveries; the action calls are among
            ``turns``, or their calls among ``open_of_calls``.
        deliveries: deliveries, by number.
        replies: all parts of these replies.
        codes: deliveries, by message code.
        open_of_calls: waiting and sending deliveries of these calls.
        suggestions: by ID, with the other candidates, and their calls' assignments and open
            deliveries.
        senders: each conversation's newest assignment, and when it was last handed back.
        calls: each call's newest assignment and offered suggestions.
        pairs: the assignment of a conversation to a call.
        conversations: the offered suggestions of these senders' newest calls.
        callers: senders whose action was called: if an agent owns the conversation, its offered
            suggestions, its last handoff, and the switches.
        sent_of_callers: those of them for which the messages sent to the customer are loaded too.
        brought_calls: the open deliveries of calls whose assignment arrived with a message.
        agents: sessions, from memory if known.
        stored_agents: sessions, always from the store.
        readers: agents that are to be signed in; the sessions of those who are not.
        agents_with_calls: which of these agents have calls that have not ended.
        calls_of_turns: load the assignments of the action calls' calls.
        calls_of_deliveries: load the deliveries' action calls, and the assignments, the open
            deliveries and the newest delivered one of their calls.
        next_of_calls: load the assignments of loaded deliveries that may be claimed next.
        questions: customers' messages, by call ID and message ID, with their suggestions.
        forwarded: messages by their IDs.
        shadows: which of these conversations are shadows, in which inquiries run actions.
        copied: the suggestion that the agent of each of these calls copied lately.
        presences: when these agents were last heard of.
        alerts: assignments whose ``alert_at`` has come, or is later than this time.
        cards: the handoff cards of these senders' newest calls, unless they are among ``pairs``.
        reader_calls: these calls at all agents whose events are read, with their open requests
            and assignments, and the newest open assignment of each caller.
        users: the newest open assignment of each of these customers too.
        requests: requests about calls, by ID.
    """

    turns: frozenset[str] = frozenset()
    of_turns: frozenset[str] = frozenset()
    deliveries: frozenset[int] = frozenset()
    replies: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    open_of_calls: frozenset[str] = frozenset()
    suggestions: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    pairs: frozenset[Pair] = frozenset()
    conversations: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()
    sent_of_callers: frozenset[str] = frozenset()
    brought_calls: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    stored_agents: frozenset[str] = frozenset()
    readers: frozenset[str] = frozenset()
    agents_with_calls: frozenset[str] = frozenset()
    updates: frozenset[int] = frozenset()
    leaders: frozenset[str] = frozenset()
    waiting_for_guid: frozenset[str] = frozenset()
    calls_of_turns: bool = False
    calls_of_deliveries: bool = False
    next_of_calls: bool = False
    switches: bool = False
    questions: frozenset[tuple[str, str]] = frozenset()
    copied: frozenset[str] = frozenset()
    forwarded: frozenset[str] = frozenset()
    cards: frozenset[str] = frozenset()
    presences: frozenset[str] = frozenset()
    alerts: float | None = None
    reader_calls: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    requests: frozenset[str] = frozenset()
    shadows: frozenset[str] = frozenset()
    waiting_auto: int = 0
    waiting_for_gateway: bool = False
    leased: bool = False
    unattended: bool = False
    expired_suggestions: bool = False
    expired_inquiries: bool = False
    too_late: float | None = None
    latest_expiry: float = 0.0
    latest_rest: float = 0.0
    due: ClaimDeliveries | None = None
    due_updates: ClaimUpdates | None = None
    due_requests: ClaimRequests | None = None

    @classmethod
    def of(cls, several: Iterable[Needs]) -> Needs:
        """Return the combined needs of several commands."""
        needs = list(several)
        if len(needs) == 1:
            return needs[0]
        values: dict[str, Any] = {
            name: frozenset().union(*[getattr(item, name) for item in needs]) for name in _SETS
        }
        for name in _FLAGS:
            values[name] = any(getattr(item, name) for item in needs)
        return cls(**values)


# Needs that can be combined; commands with other needs are batches of their own.
_SETS = tuple(item.name for item in fields(Needs) if isinstance(item.default, frozenset))
_FLAGS = ("calls_of_turns", "calls_of_deliveries", "next_of_calls", "switches")


@dataclass(frozen=True, slots=True)
class Process:
    """State of the process in which the planners run.

    Attributes:
        name: prefix of this process's leases.
        free: number of free senders.
        sends: whether the process sends at all; a command-line tool does not.
        closed: whether the circuit breaker is closed, so that everything may be sent.
        backlog: whether due deliveries wait for a free sender.
        signing: number of sign-ins in progress.
        nonce: random text of this batch, which no one outside can guess.
        dead: holders of leases that are known to have died.
    """

    name: str
    free: int = 0
    sends: bool = True
    closed: bool = True
    backlog: bool = False
    signing: int = 0
    nonce: str = ""
    dead: frozenset[str] = frozenset()

    def owns(self, lease: str | None) -> bool:
        """Return whether this process holds a lease."""
        return lease is not None and lease.startswith(f"{self.name}:")

    def is_dead(self, holder: str | None) -> bool:
        """Return whether the holder of a lease is known to have died."""
        return holder is not None and holder in self.dead


@dataclass(frozen=True, slots=True)
class Question:
    """A customer's message.

    Attributes:
        answered: a person or ``auto`` has answered it.
        outdated: the customer has written again since.
    """

    message: MessageRecord
    answered: bool
    outdated: bool


@dataclass(slots=True)
class Snapshot:
    """The rows loaded for a batch; ``after`` applies the changes of the batch's plans.

    Deliveries are indexed by message code, because new ones have no number yet.
    """

    process: Process
    turns: dict[str, TurnRecord] = field(default_factory=dict)
    assignments: dict[Pair, AssignmentRecord] = field(default_factory=dict)
    newest: dict[str, Pair] = field(default_factory=dict)  # by sender
    newest_of_call: dict[str, Pair] = field(default_factory=dict)
    handed_back_at: dict[str, float] = field(default_factory=dict)  # by sender
    deliveries: dict[str, Delivery] = field(default_factory=dict)  # by message code
    suggestions: dict[str, Suggestion] = field(default_factory=dict)
    sessions: dict[str, SessionRecord] = field(default_factory=dict)
    agents: set[str] = field(default_factory=set)  # whose sessions were loaded, found or not
    updates: dict[str, RasaUpdate] = field(default_factory=dict)  # by ID
    switches: dict[str, SwitchRecord] = field(default_factory=dict)
    leaders: dict[str, LeaderRecord] = field(default_factory=dict)
    due: list[str] = field(default_factory=list)  # message codes of claimable deliveries, in order
    due_updates: list[str] = field(default_factory=list)
    due_requests: list[str] = field(default_factory=list)
    unattended: list[str] = field(default_factory=list)  # agents without a poller
    absent: list[str] = field(default_factory=list)  # readers that are not signed in
    with_calls: set[str] = field(default_factory=set)  # of the agents that were asked for
    more: bool = False  # a slice was full: there may be more rows of its kind
    next_due: float | None = None
    next_update_due: float | None = None
    next_request_due: float | None = None
    calls: dict[CallKey, CallRecord] = field(default_factory=dict)
    requests: dict[str, CallRequest] = field(default_factory=dict)  # by ID
    senders_of_users: dict[str, str] = field(default_factory=dict)  # of open assignments
    # Of open assignments, and of those whose call was lately transferred; oldest first.
    calls_of_users: dict[str, list[Pair]] = field(default_factory=dict)
    last_delivered: dict[str, int] = field(default_factory=dict)  # numbers, by call
    last_turns: dict[str, TurnRecord] = field(
        default_factory=dict
    )  # by call: its newest action call
    sent_since_handoff: dict[str, list[Delivery]] = field(default_factory=dict)  # by call
    questions: dict[Pair, Question] = field(default_factory=dict)  # by call ID and message ID
    messages: dict[str, MessageRecord] = field(default_factory=dict)  # by ID
    copied: dict[str, Suggestion] = field(default_factory=dict)  # by call
    cards: dict[Pair, Card] = field(default_factory=dict)
    presences: dict[str, PresenceRecord] = field(default_factory=dict)  # by agent
    alerts_due: list[Pair] = field(default_factory=list)
    taken: set[Pair] = field(default_factory=set)  # those of them that an agent has taken
    shadows: set[str] = field(default_factory=set)
    recent_auto: dict[str, int] = field(default_factory=dict)  # by call: automatic replies lately
    loaded: dict[Pair, AssignmentRecord] = field(default_factory=dict)  # as stored
    loaded_turns: set[str] = field(default_factory=set)  # keys of the stored action calls

    # -- lookups -------------------------------------------------------------------------------

    def latest(self, sender_id: str) -> AssignmentRecord | None:
        """Return the newest assignment of a conversation, open or ended."""
        pair = self.newest.get(sender_id)
        return self.assignments.get(pair) if pair is not None else None

    def of_call(self, call_id: str) -> AssignmentRecord | None:
        """Return the newest assignment of a call, open or ended."""
        pair = self.newest_of_call.get(call_id)
        return self.assignments.get(pair) if pair is not None else None

    def open_on(self, call_id: str) -> list[Delivery]:
        """Return the waiting and sending deliveries of a call, in order."""
        return [
            item
            for item in self.deliveries.values()
            if item.envelope.call_id == call_id and not item.state.settled
        ]

    def waiting_on(self, call_id: str) -> list[Delivery]:
        """Return the waiting deliveries of a call, in order."""
        return [item for item in self.open_on(call_id) if item.state is DeliveryState.WAITING]

    def of_turn(self, turn_key: str) -> list[Delivery]:
        """Return the deliveries of an action call, in order."""
        return [item for item in self.deliveries.values() if item.turn_key == turn_key]

    def of_reply(self, reply_key: str) -> list[Delivery]:
        """Return the parts of a reply, in order."""
        parts = [item for item in self.deliveries.values() if item.reply_key == reply_key]
        return sorted(parts, key=lambda item: item.part)

    def by_seq(self, seq: int) -> Delivery | None:
        """Return a delivery by its number."""
        return next((item for item in self.deliveries.values() if item.seq == seq), None)

    def offered(
        self, *, sender_id: str | None = None, call_id: str | None = None
    ) -> Iterator[Suggestion]:
        """Yield the offered suggestions of a conversation or a call."""
        for item in self.suggestions.values():
            if item.state is not SuggestionState.OFFERED:
                continue
            if sender_id in (None, item.sender_id) and call_id in (None, item.call_id):
                yield item

    # -- applying plans ------------------------------------------------------------------------

    def after(self, plan: Plan) -> Snapshot:
        """Apply the changes of ``plan`` for the next command of the batch; return the snapshot."""
        for record in plan.assignments:
            self._assigned(record)
        self.turns.update({turn.key: turn for turn in plan.turns})
        self.messages.update({message.id: message for message in plan.messages})
        for delivery in plan.deliveries:
            self.deliveries[delivery.message_code] = delivery
        for suggestion in plan.suggestions:
            self._count_auto(suggestion)
            self.suggestions[suggestion.id] = suggestion
        for session in plan.sessions:
            self.sessions[session.agent_id] = session
            self.agents.add(session.agent_id)
        for update in plan.updates:
            self.updates[update.id] = update
        self.calls.update({call.key: call for call in plan.calls})
        self.requests.update({request.id: request for request in plan.requests})
        for switch in plan.switches:
            self.switches[switch.name] = switch
        for presence in plan.presences:
            self.presences[presence.agent_id] = presence
        for leader in plan.leaders:
            self.leaders[leader.name] = leader
        if plan.begins:
            self.process = replace(self.process, free=self.process.free - plan.begins)
        return self

    def _count_auto(self, suggestion: Suggestion) -> None:
        if suggestion.settled_by == AUTO and suggestion.id not in self.suggestions:
            call = suggestion.call_id
            self.recent_auto[call] = self.recent_auto.get(call, 0) + 1

    def _assigned(self, record: AssignmentRecord) -> None:
        sender, call = pair = (record.assignment.sender_id, record.assignment.call_id)
        self.assignments[pair] = record
        self._newer(self.newest, sender, pair)
        self._newer(self.newest_of_call, call, pair)
        if record.handed_back_at is not None:
            former = self.handed_back_at.get(sender, record.handed_back_at)
            self.handed_back_at[sender] = max(former, record.handed_back_at)

    def _newer(self, index: dict[str, Pair], key: str, pair: Pair) -> None:
        former = index.get(key)
        if former is None or self.assignments[pair].given_at >= self.assignments[former].given_at:
            index[key] = pair
