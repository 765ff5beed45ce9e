"""Sends one delivery under its agent's session: what the outbox calls a gateway."""

from __future__ import annotations

import time

from bridge.config.settings import GatewaySettings
from bridge.errors import RetryableError, SessionGoneError, StoreError
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.gateway.sessions import Sessions
from bridge.model import Delivery, Guid


class Sender:
    """``POST mediacall/{agentid}/sendmessage`` with the newest GUID, once more if it was stale."""

    def __init__(
        self, client: GatewayClient, sessions: Sessions, settings: GatewaySettings
    ) -> None:
        self._client = client
        self._sessions = sessions
        self._settings = settings

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
            newer = self._newer(agent_id, guid, error)
            left = until - time.monotonic()
            if left <= 0:  # the store was slow, and the lease may be another's by now
                raise
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
