"""Commands of an agent's desktop: what the agent writes, and what the desktop reports."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.model import derive
from bridge.state.commands.base import Command
from bridge.state.snapshot import Needs


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
