"""Blocking calls to the gateway and to Rasa, outside the core's thread; results are commands.

A separate process sends the deliveries; sign-ins, polls and Rasa have their own threads, so that
none starves another. No decisions and no access to the store belong here. Read ``deliveries``
first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.config.settings import BridgeSettings, HandoffSettings
from bridge.frames import Watch
from bridge.gateway.client import GatewayClient
from bridge.gateway.workbench import Workbench
from bridge.model import Delivery, Guid
from bridge.rasa import Rasa
from bridge.senders.alerts import AlertSender
from bridge.senders.calls import CallSender
from bridge.senders.deliveries import SenderProcess
from bridge.senders.polls import LAST_POLL, EventPoller
from bridge.senders.questions import QuestionSender
from bridge.senders.rasa import RasaSender
from bridge.senders.sessions import SessionSender
from bridge.state.calls import CallRequest
from bridge.state.commands import PutCommand, ResultCallback
from bridge.state.inquiries import Inquiry
from bridge.state.plan import SignInAgent
from bridge.state.records import AgentRequest, Alert, RasaUpdate

__all__ = ["AllSenders"]


class AllSenders:
    """All senders of one process. Call ``start`` once and ``close`` once.

    Args:
        client: the gateway's HTTP client; stores its cookies.
        rasa: None if no Rasa server is configured.
        settings: the contents of bridge.yml.
        designer: the contents of handoff.yml.
        responses: the domain's responses, if they come from a file.
        last_poll: seconds that a stop waits for polls in flight.
    """

    def __init__(
        self,
        client: GatewayClient,
        rasa: Rasa | None,
        settings: BridgeSettings,
        *,
        designer: HandoffSettings | None = None,
        responses: Mapping[str, Any] | None = None,
        last_poll: float = LAST_POLL,
    ) -> None:
        self._designer = designer or HandoffSettings()
        self._responses = responses
        self._last_poll = last_poll
        self._client = client
        self._rasa = rasa
        self._settings = settings

    def start(self, put: PutCommand, watch: Watch) -> None:
        """Start the senders; they pass their results to ``put``, from any thread."""
        settings = self._settings
        self._deliveries = SenderProcess(self._client, settings, put, watch)
        self._sessions = SessionSender(self._client, settings, put)
        self._polls = EventPoller(self._client, settings, put, last_poll=self._last_poll)
        self._updates = RasaSender(self._rasa, put)
        self._alerts = AlertSender(settings.alerts, put)
        workbench = None
        if settings.reader.lookup == "workbench":
            workbench = Workbench(settings.reader.workbench, settings.gateway)
        self._calls = CallSender(self._client, workbench, put)
        self._questions = QuestionSender(self._rasa, settings, self._designer, self._responses, put)

    def send(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        """Queue a delivery for the next ``flush``; it is sent within ``timeout`` seconds in all."""
        self._deliveries.submit(delivery, guid, timeout, retried=retried)

    def flush(self) -> None:
        """Hand the queued deliveries to the sender process in one write."""
        self._deliveries.flush()

    def sign_in(self, wanted: SignInAgent) -> None:
        """Sign an agent in."""
        self._sessions.sign_in(wanted)

    def sign_out(self, agent_id: str, guid: Guid, reply: ResultCallback | None) -> None:
        """Sign an agent out, and pass the outcome to ``reply``."""
        self._sessions.sign_out(agent_id, guid, reply)

    def ask_agent(
        self, agent_id: str, guid: Guid, request: AgentRequest, reply: ResultCallback | None
    ) -> None:
        """Make a request for an agent, and pass the result's answer to ``reply``."""
        self._sessions.ask(agent_id, guid, request, reply)

    def poll(self, agent_id: str, guid: Guid, failures: int) -> None:
        """Poll for an agent's events once, or shake hands once."""
        self._polls.poll(agent_id, guid, failures)

    def stop_polling(self) -> None:
        """Start no further polls."""
        self._polls.stop()

    def finish_polling(self) -> None:
        """Wait for the polls in flight, within their deadlines."""
        self._polls.close()

    def send_update(self, update: RasaUpdate, events: Sequence[Mapping[str, Any]]) -> None:
        """Append ``events`` to the update's conversation in Rasa."""
        self._updates.send(update, events)

    def send_alert(self, alert: Alert) -> None:
        """Report an alert to the operator's webhook."""
        self._alerts.send(alert)

    def request(self, request: CallRequest, guid: Guid, caller: str) -> None:
        """Make a request about a call."""
        self._calls.request(request, guid, caller)

    def ask_bot(self, update: RasaUpdate, inquiry: Inquiry) -> None:
        """Ask the bot about a customer's message."""
        self._questions.ask(update, inquiry)

    def ask_domain(self) -> None:
        """Request Rasa's domain."""
        self._updates.ask_domain()

    def close(self) -> None:
        """Finish the calls in flight within their deadlines; start no new ones."""
        self._polls.stop()
        self._sessions.close()
        self._calls.close()
        self._deliveries.close()
        self._questions.close()
        self._updates.close()
        self._alerts.close()
        self._polls.close()
