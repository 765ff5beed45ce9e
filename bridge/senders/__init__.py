"""Senders: what blocks, away from the core. Each call's result comes back as a command.

Deliveries are sent by a process of its own; sign-ins, polls and Rasa have threads of their own, so
that none starves another. Nothing is decided here, and nothing is read from or written to the
store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bridge.config.settings import BridgeSettings
from bridge.gateway.client import GatewayClient
from bridge.model import Delivery, Guid
from bridge.rasa import Rasa
from bridge.senders.deliveries import SenderProcess, Watch
from bridge.senders.polls import LAST_POLL, EventPoller
from bridge.senders.rasa import RasaSender
from bridge.senders.sessions import SessionSender
from bridge.state.commands import Command
from bridge.state.records import RasaUpdate

__all__ = ["AllSenders"]

Reply = Callable[[Any, "BaseException | None"], None]


class AllSenders:
    """All senders of one process. ``start`` them once; ``close`` them once.

    Args:
        client: makes the calls of the gateway, and keeps its cookies.
        rasa: None where Rasa cannot be asked.
        settings: as the operators gave them.
        last_poll: seconds that a stop waits for polls under way.
    """

    def __init__(
        self,
        client: GatewayClient,
        rasa: Rasa | None,
        settings: BridgeSettings,
        *,
        last_poll: float = LAST_POLL,
    ) -> None:
        self._last_poll = last_poll
        self._client = client
        self._rasa = rasa
        self._settings = settings

    def start(self, put: Callable[[Command], None], watch: Watch) -> None:
        """Begin; results are given to ``put``, from any thread."""
        settings = self._settings
        self._deliveries = SenderProcess(self._client, settings, put, watch)
        self._sessions = SessionSender(self._client, settings, put)
        self._polls = EventPoller(self._client, settings.gateway, put, last_poll=self._last_poll)
        self._updates = RasaSender(self._rasa, put)

    def send(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        """Send a delivery within ``timeout`` seconds in all, once ``flush`` is called."""
        self._deliveries.submit(delivery, guid, timeout, retried=retried)

    def flush(self) -> None:
        """Hand over the deliveries that were given to ``send``, in one go."""
        self._deliveries.flush()

    def sign_in(self, agent_id: str, *, forced: bool, interrupted: bool) -> None:
        """Sign an agent in."""
        self._sessions.sign_in(agent_id, forced=forced, interrupted=interrupted)

    def sign_out(self, agent_id: str, guid: Guid, reply: Reply | None) -> None:
        """Sign an agent out, and tell ``reply`` what came of it."""
        self._sessions.sign_out(agent_id, guid, reply)

    def poll(self, agent_id: str, guid: Guid, failures: int) -> None:
        """Poll for an agent's events once."""
        self._polls.poll(agent_id, guid, failures)

    def stop_polling(self) -> None:
        """Begin no other poll."""
        self._polls.stop()

    def tell_rasa(self, update: RasaUpdate, events: Sequence[Mapping[str, Any]]) -> None:
        """Tell Rasa something."""
        self._updates.tell(update, events)

    def ask_domain(self) -> None:
        """Ask Rasa for its domain."""
        self._updates.ask_domain()

    def close(self) -> None:
        """Let what is under way finish within its deadlines; begin nothing."""
        self._polls.stop()
        self._sessions.close()
        self._deliveries.close()
        self._updates.close()
        self._polls.close()
