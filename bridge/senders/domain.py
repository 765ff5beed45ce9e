"""The domain as inquiries need it, and the time within which an inquiry has to be made."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from bridge.errors import RasaError
from bridge.rasa import Rasa
from bridge.turn.coerce import mapping

_DOMAIN_FRESH = 60.0  # seconds that the domain is kept


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


class RequestedDomain:
    """The domain's responses and slots, requested from Rasa once a minute at most.

    Args:
        responses: the responses, if they come from a file.
    """

    def __init__(self, responses: Mapping[str, Any] | None) -> None:
        self._lock = threading.Lock()
        self._fixed = responses
        self._responses = responses
        self._slots: Mapping[str, Any] = {}
        self._until = 0.0

    @property
    def known(self) -> Mapping[str, Any]:
        """The responses as they were last returned; none if they never were."""
        return self._responses or {}

    def responses(self, rasa: Rasa, until: Deadline) -> Mapping[str, Any]:
        """Return the responses; those of the last minute without a request."""
        if self._fixed is not None:
            return self._fixed
        self._read(rasa, until)
        return self.known

    def initial_slots(self, rasa: Rasa, until: Deadline) -> Mapping[str, Any]:
        """Return the slots of a conversation that begins."""
        self._read(rasa, until)
        return self._slots

    def _read(self, rasa: Rasa, until: Deadline) -> None:
        if time.monotonic() < self._until:
            return
        domain = rasa.domain(within=until.left())
        slots = {
            str(name): mapping(slot).get("initial_value")
            for name, slot in mapping(domain.get("slots")).items()
        }
        with self._lock:
            if self._fixed is None:
                self._responses = mapping(domain.get("responses"))
            self._slots, self._until = slots, time.monotonic() + _DOMAIN_FRESH
