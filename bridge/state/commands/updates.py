"""Commands about what Rasa receives and returns: updates, inquiries, the domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import RasaError
from bridge.state.commands.base import Command
from bridge.state.inquiries import BotAnswer
from bridge.state.records import RasaUpdate
from bridge.state.snapshot import Needs


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
class BotAnswered(Command):
    """Record the result of one attempt to ask the bot about a customer's message.

    Attributes:
        update: the inquiry as it was claimed.
        answer: None if there is an error, or nothing was asked.
        acted: with an error: the bot's actions may have run.
        responses: with an error: the domain's responses, as far as they are known.
        unsent: no attempt was made; the inquiry is due again.
    """

    update: RasaUpdate
    answer: BotAnswer | None = None
    error: RasaError | None = None
    acted: bool = False
    responses: Mapping[str, Any] = field(default_factory=dict)
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
class ExpireInquiries(Command):
    """Give up inquiries that are past their time and wait behind other updates.

    Attributes:
        responses: the domain's responses, if known.
    """

    responses: Mapping[str, Any] | None = None

    def needs(self) -> Needs:
        """Require a slice of those inquiries."""
        return Needs(expired_inquiries=True)


@dataclass(frozen=True, kw_only=True)
class DomainResult(Command):
    """Record the domain's responses as Rasa returned them; None if the request failed."""

    responses: Mapping[str, Any] | None
