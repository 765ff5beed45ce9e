"""What a planner decides: rows in their final state, the answer, and what is to be done after.

Effects are done once the rows are committed, by the core; a plan that is not committed has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import BridgeError
from bridge.model import Delivery, Guid, Suggestion
from bridge.state.records import (
    ActionAnswer,
    AssignmentRecord,
    Erasure,
    EventRecord,
    LeaderRecord,
    RasaUpdate,
    RevocationRecord,
    SessionRecord,
    SwitchRecord,
    TurnRecord,
)

# -- effects ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """Have a claimed delivery sent.

    Attributes:
        message_code: which; its row has the lease.
        retried: a GUID was refused for it in this very attempt.
    """

    message_code: str
    guid: Guid
    retried: bool = False


@dataclass(frozen=True, slots=True)
class SignInAgent:
    """Sign an agent in at the gateway."""

    agent_id: str
    forced: bool = False
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class SignOutAgent:
    """Sign an agent out at the gateway."""

    agent_id: str
    guid: Guid


@dataclass(frozen=True, slots=True)
class Poll:
    """Poll for an agent's events, ``pause`` seconds from now; the GUID is looked up then."""

    agent_id: str
    guid: Guid | None
    pause: float = 0.0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class TellRasa:
    """Have Rasa told an update, as these events."""

    update_id: str
    events: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class AskDomain:
    """Ask Rasa for its domain; the command waits for that and is planned again."""


@dataclass(frozen=True, slots=True)
class AwaitTurn:
    """Let whoever put the command wait for the answer of an action call.

    Attributes:
        judge_at: when to judge it, unless it is answered before.
    """

    turn_key: str
    judge_at: float


@dataclass(frozen=True, slots=True)
class Put:
    """Put another command, such as the next slice of a set-wide one."""

    command: Any


@dataclass(frozen=True, slots=True)
class Count:
    """Count something for the metrics: the name of a method of ``Metrics``, and its arguments."""

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Log:
    """Log a sentence with its fields; with ``once``, only the first time for that name."""

    level: int
    message: str
    arguments: tuple[Any, ...] = ()
    once: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """An attempt told something of the gateway, for the circuit breaker.

    Attributes:
        source: the call that was attempted, or the agent that signs in.
        error: None where the gateway served.
    """

    source: str
    error: BridgeError | None
    signing_in: bool = False


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep the domain's responses, for commands without them."""

    responses: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class StopPolling:
    """No poll of this agent follows from this process."""

    agent_id: str


Effect = (
    Send
    | SignInAgent
    | SignOutAgent
    | Poll
    | TellRasa
    | AskDomain
    | AwaitTurn
    | Put
    | Count
    | Log
    | Heard
    | Keep
    | StopPolling
)

# -- the plan --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prune:
    """Rows to erase the words of, or to delete, where nothing was opened again."""

    table: str
    keys: tuple[tuple[Any, ...], ...]
    before: float
    quiet: float
    whole: bool
    now: float


@dataclass(frozen=True, slots=True)
class Erase:
    """Rows to delete by their keys; or, of somebody's data, all that is open."""

    table: str = ""
    keys: tuple[tuple[Any, ...], ...] = ()
    erasure: Erasure | None = None
    now: float = 0.0


class _Unanswered:
    """No answer follows from this plan: it comes later, or nobody waits for one."""

    def __repr__(self) -> str:
        return "UNANSWERED"


UNANSWERED = _Unanswered()
# An answer that depends on what is stored is given as a function of the stored deliveries, by
# their message codes; one that depends on a set-wide change, of the number of rows.
Answer = Callable[["Written"], Any]


@dataclass(frozen=True, slots=True)
class Written:
    """What a commit brought about: deliveries with their numbers, and rows changed by a prune."""

    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)  # not frozen: one is made for every command
class Plan:
    """What follows from one command.

    Attributes:
        answer: what whoever put the command is told; ``UNANSWERED`` where that comes later.
        finish: computes the answer once the rows are stored, where it depends on them.
        error: why the command cannot be done; nothing is written then.
        answers: answers of action calls, for all who wait for them.
        begins: how many senders it takes.
        due: when something that this plan leaves waiting is due.
        update_due: the same for Rasa's updates.
    """

    answer: Any = UNANSWERED
    finish: Answer | None = None
    error: BridgeError | None = None
    answers: Mapping[str, ActionAnswer] = field(default_factory=dict)
    assignments: tuple[AssignmentRecord, ...] = ()
    turns: tuple[TurnRecord, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    sessions: tuple[SessionRecord, ...] = ()
    updates: tuple[RasaUpdate, ...] = ()
    events: tuple[EventRecord, ...] = ()
    switches: tuple[SwitchRecord, ...] = ()
    revocations: tuple[RevocationRecord, ...] = ()
    leaders: tuple[LeaderRecord, ...] = ()
    prune: Prune | None = None
    erase: Erase | None = None
    drop_revocations_before: float | None = None
    touch: bool = False
    effects: tuple[Effect, ...] = ()
    begins: int = 0
    due: float | None = None
    update_due: float | None = None

    @property
    def writes(self) -> bool:
        """Whether anything is to be stored."""
        return bool(
            self.assignments
            or self.turns
            or self.deliveries
            or self.suggestions
            or self.sessions
            or self.updates
            or self.events
            or self.switches
            or self.revocations
            or self.leaders
            or self.prune
            or self.erase
            or self.touch
            or self.drop_revocations_before is not None
        )
