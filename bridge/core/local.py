"""A core in this process, as the edge sees one: its answers are awaited in an event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from bridge.core.clock import Clock
from bridge.core.core import Core
from bridge.core.port import GRACE, Status
from bridge.errors import StoreError
from bridge.state.commands import Command

_SWEEP = 0.25  # seconds between looks for those who waited too long


class LocalCore:
    """A core whose thread is one of this process's."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._answers: WeakKeyDictionary[asyncio.AbstractEventLoop, _Answers] = WeakKeyDictionary()

    @property
    def clock(self) -> Clock:
        """The time, as the core sees it."""
        return self.core.clock

    async def ask(self, command: Command, *, seconds: float) -> Any:
        """Put a command; its answer, which is awaited ``seconds`` and a grace at most.

        Raises:
            BridgeError: why the command cannot be done; FullError where too many wait already;
                StoreError where no answer came in time.
        """
        loop = asyncio.get_running_loop()
        answers = self._answers.get(loop)
        if answers is None:
            answers = self._answers[loop] = _Answers(loop)
        future: asyncio.Future[Any] = loop.create_future()
        give = answers.add
        self.core.submit(command, lambda value, error: give(future, value, error))
        return await answers.wait(future, seconds + GRACE)

    def call(self, command: Command, *, seconds: float = 60.0) -> Any:
        """Put a command from a thread that may block, and wait for its answer.

        Raises:
            BridgeError: as ``ask``.
        """
        return self.core.call(command, seconds=seconds)

    async def status(self) -> Status:
        """Whether the core works."""
        return self.core.status()

    async def metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """What Prometheus is told, and its content type."""
        return await asyncio.get_running_loop().run_in_executor(
            None, lambda: self.core.tell_metrics(accept, version=version)
        )


class _Answers:
    """The answers for one event loop; those that come together are given out together."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._came: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._called = False
        self._waiting: dict[asyncio.Future[Any], float] = {}  # until when, by the loop's time
        self._sweeping = False

    async def wait(self, future: asyncio.Future[Any], seconds: float) -> Any:
        """What ``future`` is answered; one timer looks after all who wait.

        Raises:
            StoreError: no answer came in so many seconds.
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
            self._loop.call_later(_SWEEP, self._sweep)

    def add(self, future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
        """Answer ``future``; called in the core's thread."""
        self._came.append((future, value, error))
        if not self._called:
            self._called = True
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._give)

    def _give(self) -> None:
        self._called = False  # first: what is added from now on calls again
        while self._came:
            future, value, error = self._came.popleft()
            if future.done():
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)
