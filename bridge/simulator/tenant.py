"""A simulated tenant: its state, fault script and record, all of which a reset recreates."""

from __future__ import annotations

import asyncio

from bridge.simulator.clock import SimulatorClock
from bridge.simulator.faults import FaultKind, Faults, InjectedFault
from bridge.simulator.options import SimulatorSettings
from bridge.simulator.push import Pusher
from bridge.simulator.recorder import Recorder
from bridge.simulator.state import Gateway, Session


class Tenant:
    """The objects behind the gateway's interface and the control API."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self._first = settings
        self._begin()

    def _begin(self) -> None:
        self.gateway = Gateway(self._first, SimulatorClock())
        self.faults = Faults()
        self.recorder = Recorder(self._first.record)
        self.pusher = Pusher(self.gateway)
        self.released = asyncio.Event()  # set to release hanging requests

    @property
    def settings(self) -> SimulatorSettings:
        """Return the current settings."""
        return self.gateway.settings

    def change(self, changes: dict[str, object]) -> None:
        """Apply changed settings; raises pydantic's ``ValidationError``."""
        self.gateway.settings = self.settings.changed(changes)
        self.recorder.level = self.settings.record

    def reset(self) -> None:
        """Restore the initial settings and state; end polls that wait and requests that hang."""
        self.pusher.stop()
        self.released.set()
        for agent in self.gateway.agents.values():
            self.gateway.end(agent, announce=False)
        self._begin()

    def advance(self, seconds: float) -> None:
        """Move the clock forward: sign out silent agents, end polls that have timed out."""
        self.gateway.clock.advance(seconds)
        self.gateway.sweep()
        for agent in self.gateway.agents.values():
            agent.wake_up.set()

    def strike(self, fault: InjectedFault) -> None:
        """Apply a fault's effect on sessions: its agent's, or all agents'."""
        agents = [
            agent
            for agent in self.gateway.agents.values()
            if agent.session and fault.agent in (None, agent.id)
        ]
        for agent in agents:
            session: Session | None = agent.session
            if session is None:
                continue
            if fault.kind is FaultKind.EXPIRE_SESSIONS:
                self.gateway.end(agent, announce=False)
            elif fault.kind is FaultKind.EXPIRE_GUIDS:
                self.gateway.void(session)
            elif fault.kind is FaultKind.ROTATE:
                session.rotate_now = True
