"""Long polls for agents' events, one thread each; every response becomes a command.

The poll is the heartbeat of a session: the platform signs an agent out after two minutes without
one. Where the gateway pushes the events, a handshake takes its place.

Reading an event consumes it, so the next poll is sent only after the core has stored it.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import TypeAlias

from bridge.config.settings import BridgeSettings
from bridge.errors import GatewayError, UnknownOutcomeError
from bridge.gateway import events, wire
from bridge.gateway.client import GatewayClient
from bridge.model import Guid, ReceivedEvent
from bridge.state.commands import Command, PollResult
from bridge.unexpected import Unexpected

# The response's GUID and event, and the error.
_Polled: TypeAlias = tuple["Guid | None", "ReceivedEvent | None", "GatewayError | None"]

logger = logging.getLogger(__name__)

HANDSHAKE_SECONDS = 8.0  # total timeout of a handshake
LAST_POLL = 11.0  # seconds that a stop waits for polls: one without an event takes ten


def _calls_of(event: ReceivedEvent | None) -> tuple[str, ...]:
    call_id = events.call_of(event.content) if event is not None else None
    return () if call_id is None else (call_id,)


class EventPoller:
    """Runs each long poll on its own thread, so that many polls do not delay messages."""

    def __init__(
        self,
        client: GatewayClient,
        settings: BridgeSettings,
        put: Callable[[Command], None],
        *,
        last_poll: float = LAST_POLL,
    ) -> None:
        self._last_poll = last_poll
        self._client = client
        self._timeout = settings.gateway.poll_timeout
        self._pushed = frozenset(
            agent_id for agent_id, agent in settings.agents.items() if agent.events == "push"
        )
        self._put = put
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._wait_until: float | None = None  # monotonic; set by ``stop``

    def poll(self, agent_id: str, guid: Guid, failures: int) -> None:
        """Poll once; ``put`` receives a ``PollResult``."""
        with self._lock:
            if self._wait_until is not None:
                return
            thread = threading.Thread(
                target=self._run,
                args=(agent_id, guid, failures),
                name=f"poll-{agent_id}",
                daemon=True,  # a poll that outlives the stop ends with the process
            )
            self._threads.add(thread)
            thread.start()

    def stop(self) -> None:
        """Start no further polls."""
        with self._lock:
            if self._wait_until is None:
                self._wait_until = time.monotonic() + min(self._timeout, self._last_poll)

    def close(self) -> None:
        """Wait for the polls in flight, for ``last_poll`` seconds from ``stop`` at most.

        A poll's response may consume an event, which must not be lost.
        """
        self.stop()
        with self._lock:
            threads, until = tuple(self._threads), self._wait_until or 0.0
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self, agent_id: str, guid: Guid, failures: int) -> None:
        new_guid, event, error = self._poll(agent_id, guid)
        result = PollResult(
            agent_id=agent_id,
            guid=guid,
            failures=failures,
            jitter=random.random(),  # noqa: S311 - spreads polls
            new_guid=new_guid,
            event=event,
            call_ids=_calls_of(event),
            error=error,
        )
        try:
            self._put(result)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _poll(self, agent_id: str, guid: Guid) -> _Polled:
        # Without a result, polling would end and the session would be lost.
        with Unexpected(logger, "A poll failed unexpectedly: %s agent_id=%s", agent_id):
            try:
                pushed = agent_id in self._pushed
                timeout = HANDSHAKE_SECONDS if pushed else self._timeout
                response = self._client.call(
                    agent_id,
                    wire.handshake(agent_id) if pushed else wire.poll(agent_id),
                    guid=guid,
                    timeout=timeout,
                    read_timeout=timeout,
                )
                return response.guid, wire.event(response.content), None
            except GatewayError as error:
                return None, None, error
        return None, None, UnknownOutcomeError("the bridge failed while polling")
