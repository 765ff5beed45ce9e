"""What the core requires of its senders: the blocking HTTP calls, outside the core's thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bridge.frames import Watch
from bridge.model import Delivery, Guid
from bridge.state import plan as plans
from bridge.state.calls import CallRequest
from bridge.state.commands import PutCommand, ResultCallback
from bridge.state.inquiries import Inquiry
from bridge.state.records import AgentRequest, Alert, RasaUpdate


class Senders(Protocol):
    """Blocking HTTP calls, outside the core's thread.

    Each method returns at once; its result arrives as a command.
    """

    def start(self, put: PutCommand, watch: Watch) -> None:
        """Start; pass results to ``put``, and register sockets with ``watch``."""

    def send(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        """Queue a delivery for the next ``flush``. Result: ``SendingResult``."""

    def flush(self) -> None:
        """Hand the queued deliveries to the sender process in one write."""

    def sign_in(self, wanted: plans.SignInAgent) -> None:
        """Sign an agent in. Result: ``SignInResult``."""

    def sign_out(self, agent_id: str, guid: Guid, reply: ResultCallback | None) -> None:
        """Sign an agent out, and pass the outcome to ``reply``."""

    def ask_agent(
        self, agent_id: str, guid: Guid, request: AgentRequest, reply: ResultCallback | None
    ) -> None:
        """Make a request for an agent. Result: ``AgentAnswered``, with ``reply``."""

    def poll(self, agent_id: str, guid: Guid, failures: int) -> None:
        """Poll for an agent's events, or shake hands. Result: ``PollResult``."""

    def stop_polling(self) -> None:
        """Start no further polls."""

    def finish_polling(self) -> None:
        """Wait for the polls in flight, within their deadlines."""

    def send_update(self, update: RasaUpdate, events: Sequence[Mapping[str, Any]]) -> None:
        """Append events to a conversation in Rasa. Result: ``UpdateResult``."""

    def send_alert(self, alert: Alert) -> None:
        """Report an alert to the operator's webhook. Result: ``AlertResult``."""

    def request(self, request: CallRequest, guid: Guid, caller: str) -> None:
        """Make a request about a call. Result: ``RequestResult``."""

    def ask_bot(self, update: RasaUpdate, inquiry: Inquiry) -> None:
        """Ask the bot about a customer's message. Result: ``BotAnswered``."""

    def ask_domain(self) -> None:
        """Request Rasa's domain. Result: ``DomainResult``."""

    def close(self) -> None:
        """Finish the calls in flight within their deadlines; start no new ones."""
