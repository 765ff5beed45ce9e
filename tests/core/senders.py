"""Senders of the tests' own: they note what they are given, and a test says what comes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.errors import GatewayError
from bridge.model import Delivery, Guid
from bridge.state.calls import CallRequest
from bridge.state.commands import AgentAnswered, PutCommand, ResultCallback, SendingResult
from bridge.state.inquiries import Inquiry
from bridge.state.plan import SignInAgent
from bridge.state.records import AgentRequest, Alert, RasaUpdate


@dataclass(frozen=True)
class Sending:
    """A delivery as it was given to be sent."""

    delivery: Delivery
    guid: Guid
    timeout: float
    retried: bool = False

    @property
    def words(self) -> str:
        return self.delivery.draft.content

    def result(self, error: GatewayError | None = None, **more: Any) -> SendingResult:
        """What the attempt came to."""
        return SendingResult(
            delivery=self.delivery, guid=self.guid, error=error, retried=self.retried, **more
        )


@dataclass
class NotingSenders:
    """Keep what they are given until the test takes it."""

    sent: list[Sending] = field(default_factory=list)
    sign_ins: list[SignInAgent] = field(default_factory=list)
    signed_out: list[tuple[str, Guid]] = field(default_factory=list)
    polled: list[tuple[str, Guid, int]] = field(default_factory=list)
    asked: list[tuple[str, Guid, AgentRequest]] = field(default_factory=list)
    told: list[tuple[RasaUpdate, Sequence[Mapping[str, Any]]]] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    requested: list[tuple[CallRequest, Guid, str]] = field(default_factory=list)
    inquired: list[tuple[RasaUpdate, Inquiry]] = field(default_factory=list)
    domain_asked: int = 0
    polls_stopped: bool = False
    closed: bool = False

    def start(self, put: PutCommand, _watch: object = None) -> None:
        self.put = put

    def send(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        self.sent.append(Sending(delivery, guid, timeout, retried))

    def flush(self) -> None:
        """Nothing was held back."""

    def sign_in(self, wanted: SignInAgent) -> None:
        self.sign_ins.append(wanted)

    def ask_agent(
        self, agent_id: str, guid: Guid, request: AgentRequest, reply: ResultCallback | None
    ) -> None:
        self.asked.append((agent_id, guid, request))
        if reply is not None:  # somebody waits: the gateway agrees at once
            self.put(AgentAnswered(agent_id=agent_id, request=request, guid=guid), reply)

    def sign_out(self, agent_id: str, guid: Guid, reply: ResultCallback | None) -> None:
        self.signed_out.append((agent_id, guid))
        if reply is not None:
            reply(True, None)  # noqa: FBT003 - as the core answers

    def poll(self, agent_id: str, guid: Guid, failures: int) -> None:
        self.polled.append((agent_id, guid, failures))

    def stop_polling(self) -> None:
        self.polls_stopped = True

    def finish_polling(self) -> None:
        """None waits: what the test does not answer is never answered."""

    def send_update(self, update: RasaUpdate, events: Sequence[Mapping[str, Any]]) -> None:
        self.told.append((update, events))

    def send_alert(self, alert: Alert) -> None:
        self.alerts.append(alert)

    def request(self, request: CallRequest, guid: Guid, caller: str) -> None:
        self.requested.append((request, guid, caller))

    def ask_bot(self, update: RasaUpdate, inquiry: Inquiry) -> None:
        self.inquired.append((update, inquiry))

    def ask_domain(self) -> None:
        self.domain_asked += 1

    def close(self) -> None:
        self.closed = True

    @property
    def words(self) -> list[str]:
        """What was given to be sent, in order."""
        return [item.words for item in self.sent]


class ThreadedSenders(NotingSenders):
    """Make each attempt on a thread of its own, as ``attempt`` says: it returns its outcome.

    What ``attempt`` raises that is no GatewayError ends the thread: no result is ever put.
    """

    def __init__(self, attempt: Callable[[Sending], GatewayError | None]) -> None:
        super().__init__()
        self.attempt = attempt
        self._threads: list[threading.Thread] = []

    def send(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        super().send(delivery, guid, timeout, retried=retried)
        thread = threading.Thread(target=self._run, args=(self.sent[-1],), daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()]
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        super().close()
        for thread in self._threads:
            thread.join(10)

    def _run(self, sending: Sending) -> None:
        self.put(sending.result(self.attempt(sending)))
