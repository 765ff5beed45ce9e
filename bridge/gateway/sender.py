"""Sends one delivery under its agent's session: what the outbox calls a gateway."""

from __future__ import annotations

import time
from collections.abc import Callable

from bridge.config.settings import GatewaySettings
from bridge.errors import GatewayError, RetryableError, SessionGoneError, StoreError
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.gateway.courier import Courier
from bridge.gateway.sessions import Sessions
from bridge.model import Delivery, Guid

_MANY = 8  # sendings under way at once, from which on a process of their own is quicker

Later = Callable[[Callable[[], None]], None]
Done = Callable[["GatewayError | None"], None]


class Sender:
    """``POST mediacall/{agentid}/sendmessage`` with the newest GUID, once more if it was stale."""

    def __init__(
        self,
        client: GatewayClient,
        sessions: Sessions,
        settings: GatewaySettings,
        courier: Courier | None = None,
    ) -> None:
        self._client = client
        self._sessions = sessions
        self._settings = settings
        self._courier = courier

    def send(self, delivery: Delivery, *, timeout: float) -> None:
        """Send within ``timeout`` seconds in all.

        Raises:
            GatewayError: what it came to.
        """
        agent_id = delivery.envelope.agent_id
        until = time.monotonic() + timeout
        try:
            guid = self._sessions.guid(agent_id)
        except StoreError as error:
            message = "the agent's GUID could not be read, and nothing was sent"
            raise RetryableError(message) from error
        try:
            self._send(delivery, guid, timeout)
        except SessionGoneError as error:
            self._once_more(delivery, guid, error, until)

    def begin(
        self, delivery: Delivery, *, timeout: float, busy: int, later: Later, done: Done
    ) -> bool:
        """Have it sent without waiting; False where that cannot be, and ``send`` is the way.

        Args:
            delivery: what is to be sent.
            timeout: seconds in all.
            busy: how many sendings are under way.
            later: runs what blocks.
            done: called once with what it came to; from any thread, and must be quick.
        """
        courier, agent_id = self._courier, delivery.envelope.agent_id
        if courier is None:
            return False
        if not courier.ready:
            if busy >= _MANY:
                courier.start_soon()
            return False
        guid = self._sessions.at_hand(agent_id)
        if guid is None:
            return False
        until = time.monotonic() + timeout
        request = wire.send_message(delivery, self._settings)

        def came(given: Guid | None, cookies: tuple[str, ...], error: GatewayError | None) -> None:
            if cookies:
                self._client.keep(agent_id, request, cookies)
            if isinstance(error, SessionGoneError):
                later(lambda: done(self._again(delivery, guid, error, until)))
            elif error is None and given not in (None, guid):
                later(lambda: self._renewed(agent_id, guid, given, done))
            else:
                done(error)

        return courier.take(
            agent_id,
            request,
            guid,
            cookies=self._client.cookies(agent_id, request),
            timeout=timeout,
            done=came,
        )

    def _renewed(self, agent_id: str, guid: Guid, given: Guid | None, done: Done) -> None:
        """The GUID rotated; the message was taken."""
        self._sessions.took(agent_id, guid, given)
        done(None)

    def _again(
        self, delivery: Delivery, guid: Guid, error: SessionGoneError, until: float
    ) -> GatewayError | None:
        try:
            self._once_more(delivery, guid, error, until)
        except GatewayError as found:
            return found
        return None

    def _once_more(
        self, delivery: Delivery, guid: Guid, error: SessionGoneError, until: float
    ) -> None:
        """The GUID was refused: try a newer one, if there is one.

        Raises:
            GatewayError: what it came to.
        """
        agent_id = delivery.envelope.agent_id
        newer = self._newer(agent_id, guid, error)
        left = until - time.monotonic()
        if left <= 0:  # the store was slow, and the lease may be another's by now
            raise error
        try:
            self._send(delivery, newer, left)
        except SessionGoneError as again:
            self._newer(agent_id, newer, again)
            raise

    def _newer(self, agent_id: str, guid: Guid, error: SessionGoneError) -> Guid:
        try:
            return self._sessions.lost(agent_id, guid, error)
        except StoreError:
            raise error from None  # the gateway took nothing, whatever the store does

    def _send(self, delivery: Delivery, guid: Guid, timeout: float) -> None:
        agent_id = delivery.envelope.agent_id
        request = wire.send_message(delivery, self._settings)
        answer = self._client.call(agent_id, request, guid=guid, timeout=timeout)
        self._sessions.took(agent_id, guid, answer.guid)
