"""What is loaded for a batch of commands, and what the planners see of the process itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from bridge.model import Delivery, DeliveryState, Suggestion, SuggestionState
from bridge.state.records import (
    AssignmentRecord,
    LeaderRecord,
    RasaUpdate,
    SessionRecord,
    SwitchRecord,
    TurnRecord,
)

if TYPE_CHECKING:
    from bridge.state.commands import ClaimDeliveries, ClaimUpdates
    from bridge.state.plan import Plan

Pair = tuple[str, str]  # sender ID and call ID


@dataclass(slots=True)  # not frozen: several are made for every command
class Needs:
    """The rows that a command needs.

    Attributes:
        turns: action calls, by their keys.
        of_turns: these action calls with all their deliveries; the action calls are among
            ``turns``, or their calls among ``open_of_calls``.
        deliveries: deliveries by their numbers.
        replies: all parts of these replies.
        open_of_calls: what waits or is being sent on these calls.
        suggestions: by ID, with the other candidates, and their calls' assignments and open
            deliveries.
        senders: each conversation's newest assignment, and when it was last handed back.
        calls: each call's newest assignment, and what is offered there.
        pairs: the assignment of a conversation to a call.
        conversations: for these senders' newest calls: what is offered there.
        callers: senders whose action was called: where an agent has the call, what is offered in
            the conversation, its last handoff, and the switches.
        told_of_callers: of these, the ones for which what the customer was sent is loaded too.
        brought_calls: calls that a message brought: their open deliveries.
        agents: sessions, from memory where they are known.
        stored_agents: sessions as stored.
        calls_of_turns: load the assignments of the action calls' calls.
        calls_of_deliveries: load the assignments and open deliveries of the deliveries' calls.
        next_of_calls: load the assignments of deliveries that wait behind the loaded ones.
    """

    turns: frozenset[str] = frozenset()
    of_turns: frozenset[str] = frozenset()
    deliveries: frozenset[int] = frozenset()
    replies: frozenset[str] = frozenset()
    open_of_calls: frozenset[str] = frozenset()
    suggestions: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    pairs: frozenset[Pair] = frozenset()
    conversations: frozenset[str] = frozenset()
    callers: frozenset[str] = frozenset()
    told_of_callers: frozenset[str] = frozenset()
    brought_calls: frozenset[str] = frozenset()
    agents: frozenset[str] = frozenset()
    stored_agents: frozenset[str] = frozenset()
    updates: frozenset[int] = frozenset()
    leaders: frozenset[str] = frozenset()
    waiting_for_guid: frozenset[str] = frozenset()
    calls_of_turns: bool = False
    calls_of_deliveries: bool = False
    next_of_calls: bool = False
    switches: bool = False
    waiting_auto: int = 0
    waiting_for_gateway: bool = False
    leased: bool = False
    unattended: bool = False
    expired_suggestions: bool = False
    too_late: float | None = None
    latest_expiry: float = 0.0
    latest_rest: float = 0.0
    due: ClaimDeliveries | None = None
    due_updates: ClaimUpdates | None = None

    @classmethod
    def of(cls, several: Iterable[Needs]) -> Needs:
        """What several commands need together."""
        given = list(several)
        if len(given) == 1:
            return given[0]
        values: dict[str, Any] = {
            name: frozenset().union(*[getattr(one, name) for one in given]) for name in _SETS
        }
        for name in _FLAGS:
            values[name] = any(getattr(one, name) for one in given)
        return cls(**values)


# What set-wide commands need besides: those are batches of their own.
_SETS = tuple(each.name for each in fields(Needs) if isinstance(each.default, frozenset))
_FLAGS = ("calls_of_turns", "calls_of_deliveries", "next_of_calls", "switches")


@dataclass(frozen=True, slots=True)
class Process:
    """What the planners see of the process that they run in.

    Attributes:
        name: begins the leases of this process.
        free: how many deliveries it may begin to send.
        sends: whether it sends at all; a command-line tool does not.
        closed: whether the breaker is closed, so that everything may be sent.
        backlog: whether deliveries that are due wait for a free sender.
        dead: holders of leases that are known to have died.
    """

    name: str
    free: int = 0
    sends: bool = True
    closed: bool = True
    backlog: bool = False
    dead: frozenset[str] = frozenset()

    def owns(self, lease: str | None) -> bool:
        """Whether a lease is this process's."""
        return lease is not None and lease.startswith(f"{self.name}:")

    def is_dead(self, holder: str | None) -> bool:
        """Whether the holder of a lease, or of a right, is known to have died."""
        return holder is not None and holder in self.dead


@dataclass(slots=True)
class Snapshot:
    """What was loaded for a batch; ``after`` adds what a plan of the batch is going to write.

    Deliveries are kept by message code, since those of the batch have no number yet.
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
    agents: set[str] = field(default_factory=set)  # whose sessions were looked up, found or not
    updates: dict[str, RasaUpdate] = field(default_factory=dict)  # by ID
    switches: dict[str, SwitchRecord] = field(default_factory=dict)
    leaders: dict[str, LeaderRecord] = field(default_factory=dict)
    due: list[str] = field(default_factory=list)  # message codes of what may be claimed, in order
    due_updates: list[str] = field(default_factory=list)
    unattended: list[str] = field(default_factory=list)  # agents that nobody polls for
    more: bool = False  # a slice was full: there may be more rows of its kind
    next_due: float | None = None
    next_update_due: float | None = None
    last_turns: dict[str, TurnRecord] = field(default_factory=dict)  # by call: its newest handoff
    told: dict[str, list[Delivery]] = field(default_factory=dict)  # by call: since the handoff
    loaded: dict[Pair, AssignmentRecord] = field(default_factory=dict)  # as stored
    loaded_turns: set[str] = field(default_factory=set)  # the keys of those that are stored

    # -- lookups -------------------------------------------------------------------------------

    def latest(self, sender_id: str) -> AssignmentRecord | None:
        """The newest assignment of a conversation, open or ended."""
        pair = self.newest.get(sender_id)
        return self.assignments.get(pair) if pair is not None else None

    def of_call(self, call_id: str) -> AssignmentRecord | None:
        """The newest assignment of a call, open or ended."""
        pair = self.newest_of_call.get(call_id)
        return self.assignments.get(pair) if pair is not None else None

    def open_on(self, call_id: str) -> list[Delivery]:
        """What waits or is being sent on a call, in order."""
        return [
            item
            for item in self.deliveries.values()
            if item.envelope.call_id == call_id and not item.state.settled
        ]

    def waiting_on(self, call_id: str) -> list[Delivery]:
        """What waits on a call, in order."""
        return [item for item in self.open_on(call_id) if item.state is DeliveryState.WAITING]

    def of_turn(self, turn_key: str) -> list[Delivery]:
        """The deliveries of an action call, in order."""
        return [item for item in self.deliveries.values() if item.turn_key == turn_key]

    def of_reply(self, reply_key: str) -> list[Delivery]:
        """The parts of a reply, in order."""
        found = [item for item in self.deliveries.values() if item.reply_key == reply_key]
        return sorted(found, key=lambda item: item.part)

    def by_seq(self, seq: int) -> Delivery | None:
        """A delivery by its number."""
        return next((item for item in self.deliveries.values() if item.seq == seq), None)

    def offered(
        self, *, sender_id: str | None = None, call_id: str | None = None
    ) -> Iterator[Suggestion]:
        """What is offered in a conversation or on a call."""
        for item in self.suggestions.values():
            if item.state is not SuggestionState.OFFERED:
                continue
            if sender_id in (None, item.sender_id) and call_id in (None, item.call_id):
                yield item

    # -- growing -------------------------------------------------------------------------------

    def after(self, plan: Plan) -> Snapshot:
        """The snapshot for the next command of the batch: with what ``plan`` writes."""
        for record in plan.assignments:
            self._assigned(record)
        for turn in plan.turns:
            self.turns[turn.key] = turn
        for delivery in plan.deliveries:
            self.deliveries[delivery.message_code] = delivery
        for suggestion in plan.suggestions:
            self.suggestions[suggestion.id] = suggestion
        for session in plan.sessions:
            self.sessions[session.agent_id] = session
            self.agents.add(session.agent_id)
        for update in plan.updates:
            self.updates[update.id] = update
        for switch in plan.switches:
            self.switches[switch.name] = switch
        for leader in plan.leaders:
            self.leaders[leader.name] = leader
        if plan.begins:
            self.process = replace(self.process, free=self.process.free - plan.begins)
        return self

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
