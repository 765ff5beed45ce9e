"""The edge's end of the channel: commands to the core's process, and its answers.

Whatever is not answered when the connection breaks is put again, under the same keys, as soon as
there is another: the core gives a command that it knows the outcome that it has.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from bridge.core.channel import CAPACITY, FullError
from bridge.core.clock import Clock
from bridge.core.port import GRACE, AskMetrics, AskStatus, Status
from bridge.errors import BridgeError, StoreError, describe
from bridge.frames import Unpacker, Unreadable, pack
from bridge.state.commands import Command

logger = logging.getLogger(__name__)

_SWEEP = 0.25  # seconds between looks for those who waited too long
_PAUSES = (0.02, 0.05, 0.1, 0.2)  # seconds between attempts to connect; then the last
_STATUS_WITHIN = 1.5  # seconds
_METRICS_WITHIN = 10.0


@dataclass(slots=True)
class _Waiting:
    """A request that is not answered yet."""

    message: bytes
    future: asyncio.Future[Any]
    until: float  # by the loop's time
    again: bool = False  # it was put before, and the connection broke


class CoreClient(asyncio.Protocol):
    """One connection to a core's process, kept by the event loop in which it is first used.

    Args:
        address: the path of the core's socket.
        clock: the time; the core has its own, of the same machine.
    """

    def __init__(self, address: str, clock: Clock | None = None) -> None:
        self._address = address
        self._clock = clock or Clock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._numbers = count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._attempts = 0  # to connect, since the core last answered
        self._unsent: list[bytes] = []
        self._unpacker = Unpacker()
        self._sweeping = False
        self._closed = False
        self._status = Status(alive=False, reason="the core was not reached yet")

    @property
    def clock(self) -> Clock:
        """The time."""
        return self._clock

    async def ask(self, command: Command, *, seconds: float) -> Any:
        """Put a command; its answer, which is awaited ``seconds`` and a grace at most.

        Raises:
            BridgeError: why the command cannot be done; FullError where too many wait already;
                StoreError where no answer came in time.
        """
        if len(self._waiting) >= CAPACITY:
            raise FullError("too many requests wait already; try again in a moment")
        return await self._ask(command, seconds + GRACE)

    def call(self, command: Command, *, seconds: float = 60.0) -> Any:
        """Put a command from a thread that may block, and wait for its answer.

        Raises:
            BridgeError: as ``ask``.
        """
        if self._loop is None:
            raise StoreError("the core is not connected yet")
        return asyncio.run_coroutine_threadsafe(
            self.ask(command, seconds=seconds), self._loop
        ).result()

    async def status(self) -> Status:
        """Whether the core works; while it waits for its database, what it said last."""
        try:
            self._status = await self._ask(AskStatus(), _STATUS_WITHIN)
        except BridgeError as error:
            if self._transport is None:
                self._status = Status(alive=False, reason=error.message)
        return self._status

    async def metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """What Prometheus is told, and its content type.

        Raises:
            StoreError: the core does not answer.
        """
        found: tuple[bytes, str] = await self._ask(AskMetrics(accept, version), _METRICS_WITHIN)
        return found

    def close(self) -> None:
        """End the connection; whoever still waits is told. Any thread may call this."""
        loop = self._loop
        self._closed = True
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(self._close)

    # -- asking ----------------------------------------------------------------------------------

    async def _ask(self, content: object, seconds: float) -> Any:
        if self._closed:
            raise StoreError("the bridge is stopping")
        loop = self._loop or self._begin()
        number = next(self._numbers)
        try:
            message = pack(number, content)
        except Exception as error:  # whatever pickle raises, it is this request's alone
            reason = f"the request cannot be passed on ({type(error).__name__})"
            raise StoreError(reason) from error
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting[number] = _Waiting(message, future, loop.time() + seconds)
        if self._transport is not None:
            if not self._unsent:
                loop.call_soon(self._flush)  # with what else this turn of the loop brings
            self._unsent.append(message)
        if not self._sweeping:
            self._sweeping = True
            loop.call_later(_SWEEP, self._sweep)
        try:
            return await future
        finally:
            self._waiting.pop(number, None)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._transport is not None:
            self._transport.write(b"".join(unsent))

    def _sweep(self) -> None:
        assert self._loop is not None  # noqa: S101 - it is what calls
        now = self._loop.time()
        for each in self._waiting.values():
            if now > each.until and not each.future.done():
                each.future.set_exception(StoreError("the store did not answer in time"))
        self._sweeping = bool(self._waiting)
        if self._sweeping:
            self._loop.call_later(_SWEEP, self._sweep)

    # -- the connection --------------------------------------------------------------------------

    def _begin(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        self._connecting = self._loop.create_task(self._connect())
        return self._loop

    async def _connect(self) -> None:
        assert self._loop is not None  # noqa: S101 - it runs this
        while not self._closed:
            if self._attempts:
                await asyncio.sleep(_PAUSES[min(self._attempts, len(_PAUSES)) - 1])
            self._attempts += 1
            try:
                await self._loop.create_unix_connection(lambda: self, self._address)
            except OSError:  # it is being started, or there is none any more
                continue
            return

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Put what waits, in its order; those among it that were put before keep their outcome."""
        transport = cast("asyncio.WriteTransport", transport)  # a stream's; uvloop's is no subclass
        if self._closed:
            transport.close()
            return
        self._unpacker = Unpacker()
        self._unsent = []
        self._transport = transport
        if self._waiting:
            transport.write(b"".join(each.message for each in self._waiting.values()))

    def data_received(self, data: bytes) -> None:
        """Give the answers to those who wait for them."""
        self._attempts = 0
        for number, content in self._unpacker.feed(data):
            found = self._waiting.get(number)
            if found is None or found.future.done():
                continue
            if isinstance(content, Unreadable):
                logger.error("An answer of the core cannot be read: %s", content.reason)
                found.future.set_exception(StoreError("the answer cannot be read"))
                continue
            value, error = content
            if isinstance(error, FullError) and found.again and self._loop is not None:
                # It may have been done before the connection broke: it is not refused now.
                self._loop.call_later(_PAUSES[-1], self._put_again, number)
            elif error is not None:
                found.future.set_exception(error)
            else:
                found.future.set_result(value)

    def _put_again(self, number: int) -> None:
        found = self._waiting.get(number)
        if found is not None and self._transport is not None:
            self._transport.write(found.message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Connect again: the core's process ended, and another one is being started."""
        self._transport = None
        if self._closed or self._loop is None:
            return
        self._status = Status(alive=False, reason="the core's process ended, another is started")
        for each in self._waiting.values():
            each.again = True
        if self._waiting:
            logger.warning(
                "The core's process went away: %d requests are put again%s",
                len(self._waiting),
                f" ({describe(exc)})" if exc is not None else "",
            )
        self._connecting = self._loop.create_task(self._connect())

    def _close(self) -> None:
        for each in self._waiting.values():
            if not each.future.done():
                each.future.set_exception(StoreError("the bridge is stopping"))
        if self._connecting is not None:
            self._connecting.cancel()
        if self._transport is not None:
            self._transport.close()
