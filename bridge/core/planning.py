"""Plan the commands of a batch; no exception of a planner ends the loop."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace

from bridge.core.claiming import Claiming
from bridge.core.in_flight import InFlight
from bridge.errors import BridgeError, StoreError
from bridge.model import DeliveryError, DeliveryState
from bridge.planners import Planner, Rules
from bridge.state.commands import ClaimDeliveries, Command, SendingResult
from bridge.state.plan import Plan
from bridge.state.snapshot import Process, Snapshot
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)


class PlanningError(BridgeError):
    """A planner raised an unexpected exception."""


class Planning:
    """The planners, with what they know besides a batch's rows: the rules, and the process.

    Args:
        name: prefix of this core's leases.
        planners: the planner for each type of command.
        rules: the planners' configuration.
        in_flight: what the senders are working on.
        claiming: what may be claimed.
    """

    def __init__(
        self,
        name: str,
        planners: Mapping[type[Command], Planner],
        rules: Rules,
        in_flight: InFlight,
        claiming: Claiming,
    ) -> None:
        self._name = name
        self._planners = planners
        self._rules = rules
        self._in_flight = in_flight
        self._claiming = claiming

    def process(self, first: Command, *, sends: bool) -> Process:
        """Return the state of this process, for a batch that begins with the command ``first``."""
        free = self._in_flight.free
        probe = isinstance(first, ClaimDeliveries) and first.probe
        return Process(
            self._name,
            free=min(free, 1) if probe else free,
            sends=sends,
            closed=self._claiming.breaker.closed or probe,
            backlog=self._claiming.backlog,
            signing=len(self._in_flight.signing),
            nonce=secrets.token_hex(16),
        )

    def plan(self, snapshot: Snapshot, command: Command, now: float) -> Plan:
        """Return the plan of a command; one that cannot be planned is refused by its plan."""
        if command.answer_by is not None and now > command.answer_by:
            return Plan(error=StoreError("the store is too busy: the request timed out"))
        kind = type(command)
        with Unexpected(logger, "A command could not be planned: %s command=%s", kind.__name__):
            try:
                return self._planners[kind](snapshot, command, self._rules, now)
            except BridgeError as error:
                return Plan(error=error)
        if isinstance(command, SendingResult):
            return _parked(snapshot, command, now)
        return Plan(error=PlanningError("the request failed; the log says where"))


def _parked(snapshot: Snapshot, command: SendingResult, now: float) -> Plan:
    """Mark the delivery of an unplannable result as uncertain, for a person to decide."""
    delivery = snapshot.deliveries.get(command.delivery.message_code)
    if delivery is None or delivery.lease != command.delivery.lease:
        return Plan()
    error = DeliveryError("internal", "its outcome could not be understood; the log says where")
    parked = replace(
        delivery,
        state=DeliveryState.UNCERTAIN,
        error=error,
        settled_at=now,
        lease=None,
        lease_until=None,
    )
    return Plan(deliveries=(parked,))
