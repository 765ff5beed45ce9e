"""HTTP/1.1 as the load generator and the gateway of the benchmarks speak it: as cheap as it can be.

Only messages with a Content-Length, on connections that stay open. Both processes run on one core
beside the server that is measured, so nothing is done here that a measurement does not need.
"""

from __future__ import annotations

import asyncio
from typing import cast

_END = b"\r\n\r\n"
_LENGTH = b"ontent-length:"


class Messages(asyncio.Protocol):
    """One connection; ``took`` is called with each message that is whole."""

    def __init__(self) -> None:
        self.transport: asyncio.WriteTransport | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)  # uvloop's are of no class

    def data_received(self, data: bytes) -> None:
        self._read = self._read + data if self._read else data
        while (whole := _whole(self._read)) is not None:
            end, size = whole
            message, self._read = self._read[:size], self._read[size:]
            self.took(message[:end], message[end:])

    def took(self, head: bytes, body: bytes) -> None:
        """A message came: its first lines, and what they announced."""
        raise NotImplementedError

    def write(self, data: bytes) -> None:
        """Send; to a connection that was closed meanwhile, nothing."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)


def _whole(read: bytes) -> tuple[int, int] | None:
    """Where the head ends and the message ends, once all of it is there."""
    end = read.find(_END)
    if end < 0:
        return None
    head = read[:end].lower()
    at = head.find(_LENGTH)
    length = 0
    if at >= 0:
        line = head.find(b"\r\n", at)
        length = int(head[at + len(_LENGTH) : line if line >= 0 else end])
    size = end + len(_END) + length
    return (end + len(_END), size) if len(read) >= size else None


def loop() -> asyncio.AbstractEventLoop:
    """The quickest event loop that is installed: uvloop comes with Sanic where it can."""
    try:
        import uvloop  # noqa: PLC0415 - not on every platform

        made: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    except ImportError:
        made = asyncio.new_event_loop()
    return made
