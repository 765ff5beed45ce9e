"""The edge's end of the channel: sends commands to the core's process and receives the answers.

Requests that are unanswered when the connection breaks are sent again, under the same keys, after
reconnecting. This is safe, because the core answers a known key with its stored outcome.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

from bridge.core.clock import Clock
from bridge.core.command_queue import CAPACITY, FullError
from bridge.core.deadlines import Deadlines
from bridge.core.port import CHANGED_WITHIN, GRACE, AskMetrics, AskStatus, AwaitChange, Status
from bridge.errors import BridgeError, StoreError, describe
from bridge.frames import Unpacker, Unreadable, pack
from bridge.state.commands import Command

logger = logging.getLogger(__name__)

_PAUSES = (0.02, 0.05, 0.1, 0.2)  # seconds between attempts to connect; the last one repeats
_STATUS_WITHIN = 1.5  # seconds
_METRICS_WITHIN = 10.0


@dataclass(slots=True)
class _Waiting:
    """An unanswered request."""

    message: bytes
    future: asyncio.Future[Any]
    again: bool = False  # sent before on a connection that broke


class CoreClient(asyncio.Protocol):
    """One connection to the core's process, owned by the event loop that first uses it.

    Args:
        address: the path of the core's socket.
        clock: defaults to the machine's clock, as in the core.
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
        self._closed = False
        self._status = Status(alive=False, reason="the core was not reached yet")

    @property
    def clock(self) -> Clock:
        """The client's clock."""
        return self._clock

    async def ask(self, command: Command, *, seconds: float) -> Any:
        """Send a command and return its answer, within ``seconds`` plus ``GRACE``.

        Raises:
            BridgeError: the command failed; FullError if too many requests are waiting;
                StoreError if no answer arrives in time.
        """
        if len(self._waiting) >= CAPACITY:
            raise FullError("too many requests wait already; try again in a moment")
        return await self._ask(command, seconds + GRACE)

    def call(self, command: Command, *, seconds: float = 60.0) -> Any:
        """Send a command from a thread that may block, and return its answer.

        Raises:
            BridgeError: as ``ask``.
        """
        if self._loop is None:
            raise StoreError("the core is not connected yet")
        return asyncio.run_coroutine_threadsafe(
            self.ask(command, seconds=seconds), self._loop
        ).result()

    async def status(self) -> Status:
        """Return the core's status, or the last known one while the core waits for the database."""
        try:
            self._status = await self._ask(AskStatus(), _STATUS_WITHIN)
        except BridgeError as error:
            if self._transport is None:
                self._status = Status(alive=False, reason=error.message)
        return self._status

    async def changed(self, after: int) -> int:
        """Wait until there may be changes after the number ``after``: a second or two at most.

        Returns:
            The highest number that the core knows: everything up to it is committed.

        Raises:
            StoreError: the core does not answer.
        """
        newest: int = await self._ask(AwaitChange(after), CHANGED_WITHIN)
        return newest

    async def metrics(self, accept: str, *, version: str) -> tuple[bytes, str]:
        """Return the metrics for Prometheus and their content type.

        Raises:
            StoreError: the core does not answer.
        """
        page: tuple[bytes, str] = await self._ask(AskMetrics(accept, version), _METRICS_WITHIN)
        return page

    def close(self) -> None:
        """Close the connection and fail the waiting requests. Callable from any thread."""
        loop = self._loop
        self._closed = True
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(self._close)

    # -- requests --------------------------------------------------------------------------------

    async def _ask(self, content: object, seconds: float) -> Any:
        if self._closed:
            raise StoreError("the bridge is stopping")
        loop = self._loop or self._begin()
        number = next(self._numbers)
        try:
            message = pack(number, content)
        except Exception as error:  # pickle may raise anything; only this request fails
            reason = f"the request cannot be passed on ({type(error).__name__})"
            raise StoreError(reason) from error
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting[number] = _Waiting(message, future)
        if self._transport is not None:
            if not self._unsent:
                loop.call_soon(self._flush)  # one write for all requests of this loop iteration
            self._unsent.append(message)
        try:
            return await self._deadlines.wait(future, seconds)
        finally:
            self._waiting.pop(number, None)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self._transport is not None:
            self._transport.write(b"".join(unsent))

    # -- the connection --------------------------------------------------------------------------

    def _begin(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.get_running_loop()
        self._deadlines = Deadlines(self._loop)
        self._connecting = self._loop.create_task(self._connect())
        return self._loop

    async def _connect(self) -> None:
        assert self._loop is not None  # noqa: S101 - the loop runs this
        while not self._closed:
            if self._attempts:
                await asyncio.sleep(_PAUSES[min(self._attempts, len(_PAUSES)) - 1])
            self._attempts += 1
            try:
                await self._loop.create_unix_connection(lambda: self, self._address)
            except OSError:  # the core is starting, or gone
                continue
            return

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the waiting requests in order, including those sent before the reconnect."""
        transport = cast("asyncio.WriteTransport", transport)  # a stream's; uvloop's is no subclass
        if self._closed:
            transport.close()
            return
        self._unpacker = Unpacker()
        self._unsent = []
        self._transport = transport
        if self._waiting:
            transport.write(b"".join(request.message for request in self._waiting.values()))

    def data_received(self, data: bytes) -> None:
        """Resolve the requests whose answers arrived."""
        self._attempts = 0
        for number, content in self._unpacker.feed(data):
            request = self._waiting.get(number)
            if request is None or request.future.done():
                continue
            if isinstance(content, Unreadable):
                logger.error("An answer of the core cannot be read: %s", content.reason)
                request.future.set_exception(StoreError("the answer cannot be read"))
                continue
            value, error = content
            if isinstance(error, FullError) and request.again and self._loop is not None:
                # The core may have committed it before the connection broke: retry, do not refuse.
                self._loop.call_later(_PAUSES[-1], self._put_again, number)
            elif error is not None:
                request.future.set_exception(error)
            else:
                request.future.set_result(value)

    def _put_again(self, number: int) -> None:
        request = self._waiting.get(number)
        if request is not None and self._transport is not None:
            self._transport.write(request.message)

    def connection_lost(self, exc: Exception | None) -> None:
        """Reconnect: the core's process ended, and main starts another."""
        self._transport = None
        if self._closed or self._loop is None:
            return
        self._status = Status(alive=False, reason="the core's process ended, another is started")
        for request in self._waiting.values():
            request.again = True
        if self._waiting:
            logger.warning(
                "The connection to the core was lost: %d requests are sent again%s",
                len(self._waiting),
                f" ({describe(exc)})" if exc is not None else "",
            )
        self._connecting = self._loop.create_task(self._connect())

    def _close(self) -> None:
        for request in self._waiting.values():
            if not request.future.done():
                request.future.set_exception(StoreError("the bridge is stopping"))
        if self._connecting is not None:
            self._connecting.cancel()
        if self._transport is not None:
            self._transport.close()
