"""Commands about suggestions: offers, decisions, expiry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.model import derive
from bridge.state.commands.base import Command
from bridge.state.snapshot import Needs


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
class DisplaySuggestion(DecideSuggestion):
    """Record when a suggestion was first displayed to the agent."""


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
class ExpireSuggestions(Command):
    """Expire offered suggestions that are too old."""

    def needs(self) -> Needs:
        """Require a slice of those suggestions."""
        return Needs(expired_suggestions=True)
