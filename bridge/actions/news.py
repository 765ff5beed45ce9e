"""News from other threads for those who wait in the event loop, many at one wake-up."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from weakref import WeakKeyDictionary


class _Wakes:
    """Wakes one event loop; what rings meanwhile is woken by the same call."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._rung: deque[News] = deque()
        self._called = False

    def add(self, news: News) -> None:
        self._rung.append(news)
        if not self._called:
            self._called = True
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        self._called = False  # before looking: what is added from now on calls again
        while self._rung:
            self._rung.popleft().wake()


_wakes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Wakes] = WeakKeyDictionary()


class News:
    """Somebody who waits. Make and await it in the loop; ``ring`` from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        wakes = _wakes.get(self._loop)
        if wakes is None:
            wakes = _wakes[self._loop] = _Wakes(self._loop)
        self._wakes = wakes
        self._future: asyncio.Future[None] | None = None
        self._rung = False

    def ring(self) -> None:
        """There is news."""
        self._rung = True
        self._wakes.add(self)

    def wake(self) -> None:
        """Let whoever waits look; called in the loop."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def within(self, seconds: float) -> bool:
        """Wait for news, at most so long; whether there is."""
        if not self._rung:
            self._future = self._loop.create_future()
            timer = self._loop.call_later(seconds, self.wake)
            try:
                await self._future
            finally:
                timer.cancel()
                self._future = None
        rung, self._rung = self._rung, False
        return rung
