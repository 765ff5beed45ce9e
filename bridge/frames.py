"""Framing for the sockets between a server's processes: length, request number, pickle.

Pickles are trusted because both ends run the same version, on a socket that only their user can
open.
"""

from __future__ import annotations

import io
import pickle
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from bridge.errors import describe

_HEAD = struct.Struct("<IQ")  # bytes of the pickle, number of the request
_DEEPEST = 1 << 16  # frames; Python 3.13 reads JSON of 10,000 levels, each takes four
_LONGEST = 1 << 28  # bytes of a pickle; a request's body is far below that

# Calls back while a socket is readable, until the callback returns False; returns a function that
# ends the watch.
Watch: TypeAlias = Callable[[socket.socket, Callable[[], bool]], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Placeholder for a message that could not be unpickled; later messages are unaffected."""

    reason: str


def pack(number: int, content: Any) -> bytes:
    """Encode a message as a frame.

    Raises:
        Exception: any exception of pickle, if ``content`` cannot be pickled.
    """
    try:
        body = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    except RecursionError:
        body = _dump_nested(content)
    return _HEAD.pack(len(body), number) + body


def _dump_nested(content: Any) -> bytes:
    """Pickle what JSON's parser could read: it allows twice the depth that pickle does.

    The pickler in C has a limit of its own from Python 3.12 on; the one in Python does not.
    """
    body = io.BytesIO()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEEPEST))
    try:
        pickle._Pickler(body, pickle.HIGHEST_PROTOCOL).dump(content)  # noqa: SLF001
    finally:
        sys.setrecursionlimit(limit)
    return body.getvalue()


class Unpacker:
    """Decodes a byte stream into messages."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, Any]]:
        """Add received bytes, and yield the complete messages with their request numbers.

        Raises:
            ValueError: the stream is not in this format; nothing more can be decoded.
        """
        received = self._received
        received += data
        start = 0
        try:
            while len(received) - start >= _HEAD.size:
                length, number = _HEAD.unpack_from(received, start)
                if length > _LONGEST:
                    msg = f"a message of {length} bytes"
                    raise ValueError(msg)
                end = start + _HEAD.size + length
                if len(received) < end:
                    break
                content = _read(received, start + _HEAD.size, end)
                start = end
                yield number, content
        finally:
            del received[:start]


def _read(received: bytearray, start: int, end: int) -> Any:
    with memoryview(received) as whole, whole[start:end] as part:
        try:
            return pickle.loads(part)  # noqa: S301 - see above
        except Exception as error:  # noqa: BLE001 - any error affects this message only
            return Unreadable(describe(error))
