"""The agents whose events this core polls."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from bridge.core.clock import Clock
from bridge.core.senders import Senders
from bridge.core.timers import Timers
from bridge.state.commands import Command, ContinuePolling, ReleasePolls
from bridge.state.plan import Poll


class Polls:
    """Belongs to the core's thread, except for ``end`` and ``wait_released``.

    Attributes:
        agents: those that are polled.
        ended: no agent is polled again, because the process is about to end.
    """

    def __init__(self, senders: Senders | None, clock: Clock, timers: Timers[Command]) -> None:
        self.agents: set[str] = set()
        self.ended = False
        self._senders = senders
        self._clock = clock
        self._timers = timers
        self._paused: set[str] = set()  # agents whose next poll waits for a timer
        self._released = threading.Event()  # set when polling has ended for all agents

    def poll(self, effect: Poll) -> None:
        """Poll for an agent's events, at once or after a pause."""
        self.agents.add(effect.agent_id)
        self._paused.discard(effect.agent_id)
        if self._senders is None:
            return
        if self.ended:
            self._timers.add(0.0, ReleasePolls(agent_ids=frozenset({effect.agent_id})))
            return
        if effect.guid is None or effect.pause > 0:
            self._paused.add(effect.agent_id)
            at = self._clock.now() + effect.pause
            again = ContinuePolling(agent_id=effect.agent_id, failures=effect.failures)
            self._timers.add(at, again)
        else:
            self._senders.poll(effect.agent_id, effect.guid, effect.failures)

    def stop(self, agent_id: str) -> None:
        """Stop polling for an agent's events."""
        self.agents.discard(agent_id)
        self._paused.discard(agent_id)

    def end(self) -> None:
        """Stop polling for all agents; a poll in flight continues."""
        self.ended = True
        if self._senders is not None:
            self._senders.stop_polling()

    def releases(self) -> Iterator[ReleasePolls]:
        """Yield the release of the agents that are not being polled at this moment."""
        paused, self._paused = frozenset(self._paused), set()
        if not self.agents:
            self._released.set()
        if paused:
            yield ReleasePolls(agent_ids=paused)

    def released(self, agent_ids: Iterable[str]) -> None:
        """Note that the release of agents is committed."""
        self.agents.difference_update(agent_ids)

    def wait_released(self, seconds: float) -> None:
        """Wait until all agents are released."""
        self._released.wait(seconds)
