"""A total deadline for an HTTP exchange, and whether its request was begun.

urllib3 offers neither: its read timeout restarts with every byte received, and its errors do not
say whether any of the request was sent, which decides whether a retry is safe or the outcome is
unknown. Both are kept per thread for the duration of one exchange.
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
    """Limit this thread's exchange within the block to ``seconds`` in total."""
    _current.at = time.monotonic() + seconds
    _current.begun = False
    try:
        yield
    finally:
        _current.at = None


def begun() -> bool:
    """Return whether sending this thread's last request was begun."""
    return bool(getattr(_current, "begun", False))


def left(longest: float) -> float:
    """Return the seconds until the deadline, at most ``longest``.

    Raises:
        TimeoutError: the deadline has passed.
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
    """Reads from a socket, blocking no longer than the deadline allows."""

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
    """Connect, then mark the request as begun; a failure to connect leaves it not begun."""
    if connection.sock is None:
        connection.connect()
    _current.begun = True


class _OneWriteConnection(HTTPConnection):
    """A connection that sends a request's head and body in one write."""

    response_class = _Response
    _buffer: list[bytes] | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        buffer = self._buffer = []
        try:
            super().request(*args, **kwargs)
        finally:
            self._buffer = None
        self.send(b"".join(buffer))

    def send(self, data: Any) -> None:
        if self._buffer is not None:
            self._buffer.append(data)
            return
        _begin(self)
        super().send(data)


class _Connection(_OneWriteConnection):
    pass


class _SecureConnection(_OneWriteConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
    """An adapter for requests whose connections respect the thread's deadline."""

    _pool: Any = None

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return the single pool, creating it on first use."""
        if self._pool is None:
            self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return self._pool

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pool manager with pools of our connection classes."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
