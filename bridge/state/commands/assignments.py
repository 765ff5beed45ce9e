"""Commands that assign a conversation, end its call, hand it back or report that nobody took it."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.model import Assignment, Owner
from bridge.state.commands.base import Command
from bridge.state.records import Alert
from bridge.state.snapshot import Needs


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
class RaiseAlerts(Command):
    """Raise an alert for each handoff that nobody took in time, and report it.

    Attributes:
        latest: latest plausible time at which an alert can be due.
    """

    latest: float

    def needs(self) -> Needs:
        """Require a slice of the assignments that are due, and whether they were taken."""
        return Needs(alerts=self.latest)


@dataclass(frozen=True, kw_only=True)
class AlertResult(Command):
    """Record the result of one attempt to report an alert; ``error`` None means delivered."""

    alert: Alert
    error: str | None = None
    jitter: float = 0.5

    def needs(self) -> Needs:
        """Require the call's assignment."""
        return Needs(pairs=frozenset({(self.alert.sender_id, self.alert.call_id)}))
