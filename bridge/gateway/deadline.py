"""A total deadline for HTTP, and whether anything left: what urllib3 does not tell.

Its timeouts start anew with every byte that dribbles in; and its errors do not say whether the
request was begun, which decides between sending again and not knowing. Both are kept for the
current thread around one exchange.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_current = threading.local()


@contextmanager
def total(seconds: float) -> Iterator[None]:
    """Within the block, this thread's exchange ends ``seconds`` from now at the latest."""
    _current.at = time.monotonic() + seconds
    _current.begun = False
    try:
        yield
    finally:
        _current.at = None


def begun() -> bool:
    """Whether any of the last exchange's request left this machine."""
    return bool(getattr(_current, "begun", False))


def left(longest: float) -> float:
    """Seconds that may still be waited, at most ``longest``.

    Raises:
        TimeoutError: none are left.
    """
    at = getattr(_current, "at", None)
    if at is None:
        return longest
    rest = at - time.monotonic()
    if rest <= 0:
        message = "the total deadline of the exchange has passed"
        raise TimeoutError(message)
    return float(min(longest, rest))


class _Reader(io.RawIOBase):
    """A socket's reading end that waits only as long as the deadline allows."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._timeout = sock.gettimeout() or 60.0
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        longest = left(self._timeout)
        if longest != self._timeout:
            self._sock.settimeout(longest)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Reader(sock))


def _begin(connection: HTTPConnection) -> None:
    """Connect first, so that a failure to do so is not taken for a request that left."""
    if connection.sock is None:
        connection.connect()
    _current.begun = True


class _Whole(HTTPConnection):
    """Sends a request's head and body in one write."""

    response_class = _Response
    _held: list[bytes] | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        held = self._held = []
        try:
            super().request(*args, **kwargs)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        _begin(self)
        super().send(data)


class _Connection(_Whole):
    pass


class _SecureConnection(_Whole, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
    """requests' adapter, with connections that keep the thread's deadline."""

    _pool: Any = None

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The one pool."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return self._pool

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools from our connection classes."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
