"""The state of the simulated gateway: agents, sessions, GUIDs, calls and events.

The only use of asyncio is the event that wakes a waiting poll; time comes from the given clock.
This module does not parse requests or handle HTTP.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.simulator import contract
from bridge.simulator.checks import Refused
from bridge.simulator.clock import SimulatorClock
from bridge.simulator.options import AuthMode, SimulatorSettings

Event = dict[str, Any]

ENDED = ("released", "rejected", "transferred")  # states in which a call takes no messages


def new_guid() -> str:
    """Return a new GUID in the published format."""
    token = uuid.uuid4()
    return f"{token}.AgentGateway{token.int % 2}"


@dataclass(frozen=True, slots=True)
class Callback:
    """Where events are pushed to, and the token that goes with them."""

    uri: str
    token: str


@dataclass(slots=True, eq=False)
class Session:
    """An agent's signed-in state."""

    agent_id: str
    signed_in_at: float
    text_chat: bool
    status: str
    callback: Callback | None = None
    guid: str = field(default_factory=new_guid)
    issued_at: float = 0.0  # when the current GUID was issued
    seen_at: float = 0.0  # last poll or handshake
    rotate_now: bool = False
    polling: int = 0  # polls waiting now
    polls: int = 0
    former: dict[str, float] = field(default_factory=dict)  # GUID: when it expires

    @property
    def login_time(self) -> str:
        """Return the sign-in time in epoch milliseconds, as in the samples."""
        return str(int(self.signed_in_at * 1000))


@dataclass(slots=True, eq=False)
class SimulatedAgent:
    """A person or account; outlives its sessions."""

    id: str
    session: Session | None = None
    mailbox: deque[Event] = field(default_factory=deque)
    wake_up: asyncio.Event = field(default_factory=asyncio.Event)
    parting: dict[str, Event] = field(default_factory=dict)  # ended session's GUID: last event
    signing: str = ""  # the sign-in or sign-out in progress
    push_times: int = 1  # how often the next push is made
    sign_ins: int = 0
    forced: int = 0


@dataclass(slots=True)
class SimulatedCall:
    """A contact with a customer."""

    id: str
    agent: str
    state: str  # incoming, ringing, talking, customer_left, or one of ENDED
    caller: str = "88880022"
    called: str = "20012"
    media: str = "51"  # the code of web chat
    user_id: str = ""  # the workbench's; the caller, if it is empty
    nickname: str = "Maria"
    channel: str = "WEB"
    channel_config_id: str = "202301032048582419"


_CALL_EVENTS = {
    "AgentEvent_Incoming_CallInfo": "incoming",
    "AgentEvent_Ringing": "ringing",
    "AgentEvent_Talking": "talking",
    "AgentEvent_Customer_Release": "customer_left",
    "AgentEvent_Call_Release": "released",
    "AgentChat_Ring": "ringing",
    "AgentChat_Connected": "talking",
    "AgentChat_Disconnected": "released",
}


class Gateway:
    """The state of one simulated tenant."""

    def __init__(self, settings: SimulatorSettings, clock: SimulatorClock) -> None:
        self.settings = settings
        self.clock = clock
        self.agents: dict[str, SimulatedAgent] = {}
        self.calls: dict[str, SimulatedCall] = {}
        self.violations: list[dict[str, Any]] = []
        self.chats: dict[str, dict[str, int]] = {}  # by agent: calls at a time, by medium
        self.workbench_tokens: set[str] = set()
        self.asked_workbench: list[str] = []  # what it was asked, in order

    def agent(self, agent_id: str) -> SimulatedAgent:
        """Return the agent with that ID, creating it if necessary."""
        agent = self.agents.get(agent_id)
        if agent is None:
            agent = self.agents[agent_id] = SimulatedAgent(agent_id)
        return agent

    def violation(self, agent_id: str, what: str) -> None:
        """Record a violation of a rule that the real gateway would not enforce."""
        self.violations.append({"clock": self.clock.now(), "agent": agent_id, "what": what})

    # Sessions and GUIDs

    def live(self, agent_id: str) -> Session | None:
        """Return the agent's session; end it first if it has been silent for too long."""
        agent = self.agents.get(agent_id)
        session = agent.session if agent else None
        if agent is None or session is None:
            return None
        silent = self.clock.now() - session.seen_at
        if session.polling == 0 and silent > self.settings.signout_seconds:
            self.end(agent, announce=session.callback is not None)
            return None
        return session

    def sweep(self) -> None:
        """Sign out every agent that has been silent for too long."""
        for agent_id in tuple(self.agents):
            self.live(agent_id)

    def begin(self, agent: SimulatedAgent, session: Session) -> None:
        """Sign an agent in, ending its current session if there is one."""
        if agent.session is not None:
            self.end(agent, announce=True)
            agent.forced += 1
        session.issued_at = session.seen_at = session.signed_in_at = self.clock.now()
        agent.session = session
        agent.sign_ins += 1
        self.emit(agent.id, "AgentOther_InService", None)
        if session.status == contract.STATUS_IDLE:
            self.emit(agent.id, "AgentState_Ready", None)

    def end(self, agent: SimulatedAgent, *, announce: bool) -> None:
        """End a session; with ``announce`` its reader gets AgentOther_ShutdownService."""
        session = agent.session
        if session is None:
            return
        agent.session = None
        if announce:
            content = {"loginTime": session.login_time}
            agent.parting[session.guid] = self.event(
                agent.id, "AgentOther_ShutdownService", content
            )
        agent.wake_up.set()

    def admit(self, agent_id: str, guid: str) -> Session:
        """Return the session of a request's GUID; raise ``Refused`` if it is not valid."""
        session = self.live(agent_id)
        if session is None:
            reason = f"Guid: agent {agent_id} is not signed in"
            raise Refused(contract.NOT_SIGNED_IN, reason)
        if guid == session.guid or session.former.get(guid, 0.0) > self.clock.now():
            return session
        why = "missing" if not guid else "stale" if guid in session.former else "wrong"
        if guid.startswith(contract.GUID_COOKIE):
            why = f"wrong: {contract.GUID_COOKIE} does not belong to it"
        raise Refused(self.settings.stale_code.value, f"Guid: {why}")

    def renew(self, session: Session) -> str | None:
        """Rotate the session's GUID if that is due, and return the new one."""
        age_ms = (self.clock.now() - session.issued_at) * 1000
        due = age_ms >= self.settings.guid_interval_ms or session.rotate_now
        if self.settings.auth_mode is AuthMode.STATIC or not due:
            return None
        return self.rotate(session)

    def rotate(self, session: Session) -> str:
        """Replace the GUID; the former one stays valid until its own timeout."""
        until = session.issued_at + self.settings.guid_timeout_ms / 1000
        session.former[session.guid] = until if self.settings.former_guid else 0.0
        session.guid = new_guid()
        session.issued_at = self.clock.now()
        session.rotate_now = False
        return session.guid

    def void(self, session: Session) -> None:
        """Make every GUID of a live session stale; the new one is not sent to anyone."""
        session.former = dict.fromkeys((*session.former, session.guid), 0.0)
        session.guid = new_guid()
        session.issued_at = self.clock.now()

    @contextmanager
    def alone(self, agent_id: str, what: str) -> Iterator[None]:
        """Refuse a sign-in or sign-out of an agent while another is in progress."""
        agent = self.agent(agent_id)
        if agent.signing:
            self.violation(agent_id, f"{what} during {agent.signing}")
            reason = f"{what}: the reply to {agent.signing} has not been given yet"
            raise Refused(contract.BUSY, reason)
        agent.signing = what
        try:
            yield
        finally:
            agent.signing = ""

    # Events and calls

    def event(self, agent_id: str, kind: str, content: object) -> Event:
        """Return an event in the published format."""
        event: Event = {"eventType": kind, "workNo": agent_id, "content": content}
        if self.settings.event_times:
            event["eventGenTime"] = int(self.clock.now() * 1000)
        return event

    def emit(self, agent_id: str, kind: str, content: object) -> None:
        """Queue an event for an agent and update the state of its call."""
        state = _CALL_EVENTS.get(kind)
        call_id = call_of(content)
        if state and call_id:
            self.declare(call_id, agent_id, state)
        agent = self.agent(agent_id)
        agent.mailbox.append(self.event(agent_id, kind, content))
        agent.wake_up.set()

    def declare(self, call_id: str, agent_id: str, state: str) -> None:
        """Place a call with an agent, in the given state."""
        known = self.calls.get(call_id) or SimulatedCall(call_id, agent_id, state)
        self.place(replace(known, agent=agent_id, state=state))

    def place(self, call: SimulatedCall) -> SimulatedCall:
        """Store a call as it is now."""
        self.calls[call.id] = call
        return call

    def held(self, agent_id: str) -> list[SimulatedCall]:
        """Return the agent's calls that have not ended, oldest first."""
        return [
            call
            for call in self.calls.values()
            if call.agent == agent_id and call.state not in ENDED
        ]


def call_of(content: object) -> str | None:
    """Return the call ID in an event's content: ``callid``, ``callId`` or the bare string."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        call_id = content.get("callid") or content.get("callId")
        return call_id if isinstance(call_id, str) else None
    return None
