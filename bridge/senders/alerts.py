"""Reports alerts to the operator's webhook."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bridge.alerts import Webhook
from bridge.config.settings import AlertSettings
from bridge.errors import WebhookError, describe
from bridge.gateway import deadline
from bridge.state.commands import AlertResult, Command
from bridge.state.records import Alert
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)

_AT_A_TIME = 8
_WITHIN = 8.0  # seconds that a request takes in all


class AlertSender:
    """A thread pool for the webhook's requests. Thread-safe; close it once."""

    def __init__(self, settings: AlertSettings, put: Callable[[Command], None]) -> None:
        adapter = deadline.DeadlineAdapter(pool_maxsize=_AT_A_TIME)
        self._webhook = Webhook(settings, adapter) if settings.url is not None else None
        self._put = put
        self._pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="alerts")

    def send(self, alert: Alert) -> None:
        """Report an alert; ``put`` receives an ``AlertResult``.

        A process that stops reports nothing: the alert is due again when its lease has ended.
        """
        try:
            self._pool.submit(self._send, alert)
        except RuntimeError:
            logger.debug("An alert is not reported by a process that stops")

    def close(self) -> None:
        """Finish the requests in flight; start no new ones."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._webhook is not None:
            self._webhook.close()

    def _send(self, alert: Alert) -> None:
        error: str | None = None
        with Unexpected(logger, "An alert failed unexpectedly: %s") as failure:
            try:
                self._post(alert)
            except WebhookError as raised:
                error = str(raised)
        if failure.error is not None:
            error = describe(failure.error)
        jitter = random.random()  # noqa: S311 - spreads retries
        self._put(AlertResult(alert=alert, error=error, jitter=jitter))

    def _post(self, alert: Alert) -> None:
        if self._webhook is None:
            raise WebhookError("alerts.url is not set")
        with deadline.total(_WITHIN):
            self._webhook.post(alert)
