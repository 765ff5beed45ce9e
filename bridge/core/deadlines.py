"""Timeouts of the requests that wait in one event loop."""

from __future__ import annotations

import asyncio
from typing import Any

from bridge.errors import StoreError

_SWEEP = 0.25  # seconds between checks, at most
_SOONEST = 0.01


class Deadlines:
    """Awaits futures for a limited time, with one timer for all of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[asyncio.Future[Any], float] = {}  # until when, by the loop's time
        self._sweeping = False

    async def wait(self, future: asyncio.Future[Any], seconds: float) -> Any:
        """Return the result of ``future``.

        Raises:
            StoreError: no answer arrived within ``seconds``.
        """
        self._waiting[future] = self._loop.time() + seconds
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(_SWEEP, self._sweep)
        try:
            return await future
        finally:
            del self._waiting[future]

    def _sweep(self) -> None:
        now = self._loop.time()
        for future, until in self._waiting.items():
            if now > until and not future.done():
                future.set_exception(StoreError("the store did not answer in time"))
        self._sweeping = bool(self._waiting)
        if self._sweeping:
            left = min(self._waiting.values()) - now
            self._loop.call_later(max(_SOONEST, min(_SWEEP, left)), self._sweep)
