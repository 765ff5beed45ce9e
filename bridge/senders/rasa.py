"""Sends updates to Rasa, and requests its domain.

Before a retry, the tracker is checked for the previous attempt, so that no update is applied twice.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bridge.errors import RasaError, describe
from bridge.rasa import Rasa
from bridge.state.commands import Command, DomainResult, UpdateResult
from bridge.state.records import UPDATE_MARK, RasaUpdate, UpdateKind
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)

_AT_A_TIME = 5


class RasaSender:
    """A thread pool for calls to Rasa. Thread-safe; close it once."""

    def __init__(self, rasa: Rasa | None, put: Callable[[Command], None]) -> None:
        self._rasa = rasa
        self._put = put
        self._pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="rasa")
        self._closing = False

    def send(self, update: RasaUpdate, events: Sequence[Mapping[str, Any]]) -> None:
        """Append ``events`` to the update's conversation; ``put`` receives an ``UpdateResult``."""
        try:
            self._pool.submit(self._send, update, events)
        except RuntimeError:  # the process is stopping
            self._put(UpdateResult(update=update, unsent=True))

    def ask_domain(self) -> None:
        """Request the domain; ``put`` receives a ``DomainResult``."""
        try:
            self._pool.submit(self._ask_domain)
        except RuntimeError:
            self._put(DomainResult(responses=None))

    def close(self) -> None:
        """Finish the calls in flight; start no new ones."""
        self._closing = True
        self._pool.shutdown(wait=True)

    def _send(self, update: RasaUpdate, events: Sequence[Mapping[str, Any]]) -> None:
        if self._closing or self._rasa is None:
            self._put(UpdateResult(update=update, unsent=True))
            return
        error: RasaError | None = None
        with Unexpected(
            logger, "An update failed unexpectedly: %s update=%d", update.seq
        ) as failure:
            try:
                repeats = update.attempts > 1 or "asked_as" in update.body
                again = repeats and update.kind is not UpdateKind.RESUME
                if not (again and self._arrived(update)):
                    to_customer = update.kind is UpdateKind.MESSAGE
                    self._rasa.add_events(update.sender_id, events, to_customer=to_customer)
            except RasaError as raised:
                error = raised
        if failure.error is not None:
            error = RasaError(describe(failure.error))
        self._put(
            UpdateResult(update=update, error=error, jitter=random.random())  # noqa: S311 - spreads retries
        )

    def _arrived(self, update: RasaUpdate) -> bool:
        """Return True if the tracker contains an earlier attempt of the update.

        Or the message with which the bot was asked, if it is the same.
        """
        assert self._rasa is not None  # noqa: S101 - checked by the caller
        tracker = self._rasa.find_tracker(update.sender_id)
        if tracker is None:
            return False
        events = tracker.get("events")
        if not isinstance(events, list):
            raise RasaError("Rasa's tracker has no events")
        marks = (update.id, update.body.get("asked_as", update.id))
        return any(
            isinstance(event, dict)
            and isinstance(metadata := event.get("metadata"), dict)
            and metadata.get(UPDATE_MARK) in marks
            for event in reversed(events)
        )

    def _ask_domain(self) -> None:
        responses: Mapping[str, Any] | None = None
        with Unexpected(logger, "The domain could not be read: %s", level=logging.WARNING):
            if self._rasa is not None:
                value = self._rasa.domain().get("responses")
                responses = value if isinstance(value, Mapping) else {}
        self._put(DomainResult(responses=responses))
