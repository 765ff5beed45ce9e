"""How messages cross the socket between the edge and the core: a length, a number, a pickle.

Both ends are processes of one server, of one version, behind a socket that only their user can
open; that is why pickles may be trusted.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_HEAD = struct.Struct("<IQ")  # bytes of the pickle, number of the request


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Ask a core's process for its ``Status``."""


@dataclass(frozen=True, slots=True)
class AskMetrics:
    """Ask a core's process for what Prometheus is told."""

    accept: str
    version: str


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
        """The messages that are complete by now, with their numbers."""
        received = self._received
        received += data
        start = 0
        try:
            while len(received) - start >= _HEAD.size:
                length, number = _HEAD.unpack_from(received, start)
                end = start + _HEAD.size + length
                if len(received) < end:
                    break
                with memoryview(received) as view:
                    content = pickle.loads(view[start + _HEAD.size : end])  # noqa: S301 - see above
                start = end
                yield number, content
        finally:
            del received[:start]
