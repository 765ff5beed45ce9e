"""``CorePort`` for a core in this process: delivers its answers to asyncio event loops."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from bridge.core.clock import Clock
from bridge.core.core import Core
from bridge.core.deadlines import Deadlines
from bridge.core.port import CHANGED_WITHIN, GRACE, Status
from bridge.state.commands import Command, ResultCallback


class LocalCore:
    """Adapter from a ``Core`` in this process to ``CorePort``."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._answers: WeakKeyDictionary[asyncio.AbstractEventLoop, _Answers] = WeakKeyDictionary()

    @property
    def clock(self) -> Clock:
        """The core's clock."""
        return self.core.clock

    async def ask(self, command: Command, *, seconds: float) -> Any:
        """Queue a command and return its answer, within ``seconds`` plus ``GRACE``.

        Raises:
            BridgeError: the command failed; FullError if the queue is full; StoreError if no
                answer arrives in time.
        """
        return await self._ask(lambda reply: self.core.submit(command, reply), seconds + GRACE)

    async def changed(self, after: int) -> int:
        """Wait until there may be changes after the number ``after``: a second or two at most.

        Returns:
            The highest number that the core knows: everything up to it is committed.

        Raises:
            StoreError: the core does not answer.
        """
        newest: int = await self._ask(
            lambda reply: self.core.changes.wait(after, reply), CHANGED_WITHIN
        )
        return newest

    async def _ask(self, ask: Callable[[ResultCallback], None], seconds: float) -> Any:
        loop = asyncio.get_running_loop()
        answers = self._answers.get(loop)
        if answers is None:
            answers = self._answers[loop] = _Answers(loop)
        future: asyncio.Future[Any] = loop.create_future()
        add = answers.add
        ask(lambda value, error: add(future, value, error))
        return await answers.deadlines.wait(future, seconds)

    def call(self, command: Command, *, seconds: float = 60.0) -> Any:
        """Queue a command from a thread that may block, and return its answer.

        Raises:
            BridgeError: as ``ask``.
        """
        return self.core.call(command, seconds=seconds)

    async def status(self) -> Status:
        """Return the core's status."""
        return self.core.status()

    async def metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """Return the metrics for Prometheus and their content type."""
        return await asyncio.get_running_loop().run_in_executor(
            None, lambda: self.core.render_metrics(accept, version=version)
        )


class _Answers:
    """Answers for one event loop; one wake-up of the loop delivers all that are ready."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ready: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._scheduled = False
        self.deadlines = Deadlines(loop)

    def add(self, future: asyncio.Future[Any], value: Any, error: BaseException | None) -> None:
        """Queue an answer for ``future``; called in the core's thread."""
        self._ready.append((future, value, error))
        if not self._scheduled:
            self._scheduled = True
            with suppress(RuntimeError):  # the loop is closed, and no caller waits
                self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._scheduled = False  # first, so that a later ``add`` schedules another call
        while self._ready:
            future, value, error = self._ready.popleft()
            if future.done():
                continue
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)
