"""One simulated site: its state, script and record, which are begun anew by a reset."""

from __future__ import annotations

import asyncio

from bridge.simulator.clock import Clock
from bridge.simulator.faults import Fault, Faults, Kind
from bridge.simulator.options import Settings
from bridge.simulator.push import Pusher
from bridge.simulator.recorder import Recorder
from bridge.simulator.state import Gateway, Session


class Site:
    """Everything behind the two HTTP faces."""

    def __init__(self, settings: Settings) -> None:
        self._first = settings
        self._begin()

    def _begin(self) -> None:
        self.gateway = Gateway(self._first, Clock())
        self.faults = Faults()
        self.recorder = Recorder(self._first.record)
        self.pusher = Pusher(self.gateway)
        self.released = asyncio.Event()  # lets go what hangs

    @property
    def settings(self) -> Settings:
        """How the site is set up now."""
        return self.gateway.settings

    def change(self, changes: dict[str, object]) -> None:
        """Set the site up otherwise; raises pydantic's ``ValidationError``."""
        self.gateway.settings = self.settings.changed(changes)
        self.recorder.level = self.settings.record

    def reset(self) -> None:
        """Forget everything and set the site up as at the start; what waits or hangs is ended."""
        self.pusher.stop()
        self.released.set()
        for agent in self.gateway.agents.values():
            self.gateway.end(agent, announce=False)
        self._begin()

    def advance(self, seconds: float) -> None:
        """Let time go by: who was silent is signed out, polls that waited long enough end."""
        self.gateway.clock.advance(seconds)
        self.gateway.sweep()
        for agent in self.gateway.agents.values():
            agent.wake_up.set()

    def strike(self, fault: Fault) -> None:
        """Do what a fault does to the sessions, its agent's or everybody's."""
        chosen = [
            agent
            for agent in self.gateway.agents.values()
            if agent.session and fault.agent in (None, agent.id)
        ]
        for agent in chosen:
            session: Session | None = agent.session
            if session is None:
                continue
            if fault.kind is Kind.EXPIRE_SESSIONS:
                self.gateway.end(agent, announce=False)
            elif fault.kind is Kind.EXPIRE_GUIDS:
                self.gateway.void(session)
            elif fault.kind is Kind.ROTATE:
                session.rotate_now = True
