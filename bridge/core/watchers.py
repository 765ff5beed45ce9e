"""Callers that wait for the next change of the store, for the event stream."""

from __future__ import annotations

import logging
import threading

from bridge.errors import StoreError
from bridge.state.commands import ResultCallback
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)


class ChangeWatchers:
    """Answers each waiting caller once, at the next change. Thread-safe.

    The answer is the highest number of a change that this core knows of: everything up to it is
    committed. There may be more, because commits of other processes may have no known number.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[ResultCallback] = []
        self._newest = 0

    def wait(self, after: int, reply: ResultCallback) -> None:
        """Call ``reply`` when there may be changes after the number ``after``."""
        with self._lock:
            if self._newest <= after:
                self._waiting.append(reply)
                return
        reply(self._newest, None)

    def announce(self, newest: int = 0) -> None:
        """Answer the waiting callers: changes up to ``newest`` are committed, or there may be."""
        with self._lock:
            self._newest = max(self._newest, newest)
            waiting, self._waiting = self._waiting, []
        self._answer(waiting, self._newest, None)

    def close(self) -> None:
        """Answer the waiting callers that the core ends."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        self._answer(waiting, None, StoreError("the bridge is stopping"))

    def _answer(
        self, waiting: list[ResultCallback], value: int | None, error: StoreError | None
    ) -> None:
        for reply in waiting:
            with Unexpected(logger, "A change could not be announced: %s"):
                reply(value, error)
