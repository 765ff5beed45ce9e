"""Commands about agents' sessions at the gateway, and the events that are read in them."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.errors import GatewayError
from bridge.model import Guid, ReceivedEvent
from bridge.state.commands.base import Command
from bridge.state.records import AgentRequest
from bridge.state.snapshot import Needs


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
class ContinuePolling(Command):
    """Poll for an agent's events again after the pause."""

    agent_id: str
    failures: int = 0

    def needs(self) -> Needs:
        """Require the agent's session."""
        return Needs(stored_agents=frozenset({self.agent_id}))


@dataclass(frozen=True, kw_only=True)
class AgentAnswered(Command):
    """Record the result of a request for an agent that is signed in.

    Attributes:
        guid: the GUID that the request used.
        new_guid: the GUID in the gateway's response.
    """

    agent_id: str
    request: AgentRequest
    guid: Guid
    new_guid: Guid | None = None
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
