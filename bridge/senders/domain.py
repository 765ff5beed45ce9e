"""The domain as inquiries need it, and the time within which an inquiry has to be made."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from bridge.errors import RasaError
from bridge.rasa import Rasa
from bridge.turn.coerce import mapping

_DOMAIN_FRESH = 60.0  # seconds that the domain's responses are kept


class Deadline:
    """The time within which all requests of one attempt have to be made."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left.

        Raises:
            RasaError: none are.
        """
        rest = self._at - time.monotonic()
        if rest <= 0:
            message = "Rasa did not answer in time"
            raise RasaError(message, unknown=True, sent=True)
        return rest


class Domain:
    """The domain's responses, requested from Rasa once a minute at most."""

    def __init__(self, responses: Mapping[str, Any] | None) -> None:
        self._lock = threading.Lock()
        self._responses = responses
        self._until = float("inf") if responses is not None else 0.0

    @property
    def known(self) -> Mapping[str, Any]:
        """The responses as they were last returned; none if they never were."""
        return self._responses or {}

    def responses(self, rasa: Rasa, until: Deadline) -> Mapping[str, Any]:
        """Return the responses; those of the last minute without a request."""
        if time.monotonic() >= self._until or self._responses is None:
            found = mapping(rasa.domain(within=until.left()).get("responses"))
            with self._lock:
                self._responses, self._until = found, time.monotonic() + _DOMAIN_FRESH
        return self._responses
