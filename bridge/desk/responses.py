"""Where the domain's responses come from when a request carried none: a file, else Rasa."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from bridge.errors import BridgeError

logger = logging.getLogger(__name__)

_FRESH = 60.0  # seconds that Rasa's domain is used before it is asked again
_PATIENCE = 1.0  # seconds that a thread waits for another that asks
_FAILED = 10.0  # seconds before Rasa is asked again after a failure


class DomainSource(Protocol):
    """Gives a whole domain; ``Rasa`` does."""

    def domain(self) -> Mapping[str, Any]:
        """The domain, or a BridgeError."""


class Responses:
    """The ``responses`` of the domain. Thread-safe; blocks while Rasa is asked.

    Args:
        load: reads the domain that ``rasa.domain`` names, once; None where none is named.
        rasa: asked where there is no file.
    """

    def __init__(
        self,
        load: Callable[[], Mapping[str, Any]] | None,
        rasa: DomainSource | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._rasa = rasa
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Mapping[str, Any] | None = None
        self._until = 0.0

    @property
    def at_hand(self) -> bool:
        """Whether ``get`` asks nobody."""
        return self._clock() < self._until or (self._load is None and self._rasa is None)

    def get(self) -> Mapping[str, Any] | None:
        """The responses by name, or None where no domain can be had."""
        if self._load is None and self._rasa is None:
            return None
        # While one thread asks, the others go on with what was known, or without.
        if self._lock.acquire(timeout=_PATIENCE if self._known is None else 0):
            try:
                if self._clock() >= self._until:
                    self._refresh()
            finally:
                self._lock.release()
        return self._known

    def _refresh(self) -> None:
        try:
            if self._load is not None:
                domain = self._load()
                self._until = float("inf")
            else:
                assert self._rasa is not None  # noqa: S101 - one of the two is there
                domain = self._rasa.domain()
                self._until = self._clock() + _FRESH
        except BridgeError as error:
            logger.warning("The domain could not be read: %s", error)
            self._until = self._clock() + _FAILED
            return
        responses = domain.get("responses")
        self._known = responses if isinstance(responses, Mapping) else {}
