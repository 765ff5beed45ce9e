"""How messages cross the sockets between a server's processes: a length, a number, a pickle.

Both ends are of one version, behind a socket that only their user can open; that is why pickles may
be trusted.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bridge.errors import describe

_HEAD = struct.Struct("<IQ")  # bytes of the pickle, number of the request
_LONGEST = 1 << 28  # bytes of a pickle; a request's body is far below that


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands for a message that could not be read; those after it can."""

    reason: str


def pack(number: int, content: Any) -> bytes:
    """A message as it is sent.

    Raises:
        Exception: pickle's, where ``content`` cannot be passed on.
    """
    body = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return _HEAD.pack(len(body), number) + body


class Unpacker:
    """Cuts what is received into messages."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, Any]]:
        """The messages that are complete by now, with their numbers.

        Raises:
            ValueError: what is received is no message of this program; nothing more can be read.
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
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this message's alone
            return Unreadable(describe(error))
