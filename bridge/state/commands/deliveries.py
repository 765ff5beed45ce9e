"""Commands about deliveries: claiming, results, decisions, and what makes them due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.errors import GatewayError, SessionGoneError
from bridge.model import Delivery, Guid
from bridge.state.commands.base import Command
from bridge.state.snapshot import Needs

SLICE = 500  # rows that a set-wide command handles at a time


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
