"""Sends deliveries: ``POST mediacall/{agentid}/sendmessage``, as many at a time as configured."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bridge.config.settings import BridgeSettings
from bridge.errors import GatewayError, UnknownOutcomeError, describe
from bridge.gateway import wire
from bridge.gateway.client import GatewayClient
from bridge.model import Delivery, Guid
from bridge.state.commands import Command, SendingResult

logger = logging.getLogger(__name__)


class DeliverySender:
    """One pool of threads. Thread-safe; close it once."""

    def __init__(
        self, client: GatewayClient, settings: BridgeSettings, put: Callable[[Command], None]
    ) -> None:
        self._client = client
        self._settings = settings.gateway
        self._put = put
        self._pool = ThreadPoolExecutor(
            settings.delivery.workers, thread_name_prefix="deliveries"
        )

    def submit(self, delivery: Delivery, guid: Guid, timeout: float, *, retried: bool) -> None:
        """Send ``delivery`` with ``guid`` within ``timeout`` seconds; the result is put."""
        try:
            self._pool.submit(self._send, delivery, guid, timeout, retried)
        except RuntimeError:  # the process is stopping
            self._put(SendingResult(delivery=delivery, guid=None, unsent=True))

    def close(self) -> None:
        """Let what is being sent finish; its deadline bounds that."""
        self._pool.shutdown(wait=True)

    def _send(self, delivery: Delivery, guid: Guid, timeout: float, retried: bool) -> None:  # noqa: FBT001 - the pool passes positions
        began = time.perf_counter()
        error: GatewayError | None = None
        new_guid: Guid | None = None
        try:
            request = wire.send_message(delivery, self._settings)
            answer = self._client.call(
                delivery.envelope.agent_id, request, guid=guid, timeout=timeout
            )
            new_guid = answer.guid
        except GatewayError as raised:
            error = raised
        except Exception as raised:  # noqa: BLE001 - a delivery must be completed whatever happens
            logger.error(  # noqa: TRY400 - no customer's words
                "A sending failed unexpectedly: %s delivery=%s", describe(raised), delivery.id
            )
            error = UnknownOutcomeError("the bridge failed while sending")
        self._put(
            SendingResult(
                delivery=delivery,
                guid=guid,
                error=error,
                new_guid=new_guid,
                retried=retried,
                jitter=random.random(),  # noqa: S311 - spreads attempts, guards nothing
                seconds=time.perf_counter() - began,
            )
        )
