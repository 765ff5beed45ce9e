"""The core's end of the channel: the core's thread waits on the sockets of the edges itself.

There is no thread between a socket and the core: ``take`` reads the commands and writes the
answers.
"""

from __future__ import annotations

import logging
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from bridge.core.clock import Clock
from bridge.core.command_queue import CAPACITY, CommandQueue, FullError, QueuedCommand
from bridge.errors import StoreError
from bridge.frames import Unpacker, Unreadable, pack
from bridge.state.commands import Command, ResultCallback
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)

_RECEIVE = 1 << 18  # bytes per recv
_LONGEST_UNSENT = 64 << 20  # bytes of unsent answers at which the edge is disconnected
_LAST_WORDS = 1.0  # seconds to send the remaining answers when the channel is shut
_PAUSE = 0.05  # seconds

Query = Callable[[Any, ResultCallback], None]
EdgeAnswer = tuple["_Edge", int, Any, "BaseException | None"]


class _Edge:
    """One edge's connection."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.unpacker = Unpacker()
        self.unsent = bytearray()
        self.open = True


class SocketChannel(CommandQueue):
    """A channel for the edges of one server and the threads of this process.

    Args:
        clock: the core's clock.
        listening: the socket to which the edges connect.
        query: handles requests other than commands; may reply later, from any thread.
        capacity: maximum number of queued commands.
    """

    def __init__(
        self,
        clock: Clock,
        listening: socket.socket,
        query: Query,
        capacity: int = CAPACITY,
    ) -> None:
        super().__init__(clock, capacity)
        self._query = query
        self._answers: deque[EdgeAnswer] = deque()
        self._asleep = False
        self._selector = selectors.DefaultSelector()
        self._waking, self._woke = socket.socketpair()
        for link in (listening, self._waking, self._woke):
            link.settimeout(0)
        self._listening = listening
        self._edges: set[_Edge] = set()
        self._selector.register(listening, selectors.EVENT_READ, self._accept)
        self._selector.register(self._woke, selectors.EVENT_READ, self._drain)

    @property
    def edges(self) -> int:
        """The number of connected edges."""
        return len(self._edges)

    def put(
        self, request: QueuedCommand, *, bounded: bool = True, background: bool = False
    ) -> None:
        """Queue a command from this process.

        Raises:
            FullError: the queue is full.
            StoreError: the core has ended.
        """
        super().put(request, bounded=bounded, background=background)
        self._wake_selector()

    def wake(self) -> None:
        """Make ``take`` return immediately."""
        super().wake()
        self._wake_selector()

    def take(self, *, most: int, until: float) -> list[QueuedCommand]:
        """Wait for a command until ``until``; return up to ``most``, or none at the timeout.

        Sends the answers queued since the last call first.
        """
        self._send_answers()
        self._asleep = True  # before the check: a later ``put`` writes to the wake-up socket
        seconds = max(0.0, until - self._clock.now()) if self.is_idle() else 0.0
        if self._answers:  # queued by another thread in the meantime
            seconds = 0.0
        ready = self._selector.select(seconds)
        self._asleep = False
        for key, _ in ready:
            key.data()
        return self.taken(most)

    def watch(self, link: socket.socket, ready: Callable[[], bool]) -> Callable[[], None]:
        """Call ``ready`` from ``take`` whenever ``link`` is readable, until it returns False.

        Returns:
            A function that ends the watch; any thread may call it.
        """

        def end() -> None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(link)

        def look() -> None:
            if not ready():
                end()

        self._selector.register(link, selectors.EVENT_READ, look)
        self._wake_selector()
        return end

    def close(self) -> list[QueuedCommand]:
        """Accept no more commands, send the queued answers, and return the queued commands."""
        unprocessed = super().close()
        self._send_answers()
        return unprocessed

    def shut(self) -> None:
        """Close the sockets. Call once, when no thread uses the channel any more."""
        self._send_answers()
        until = self._clock.monotonic() + _LAST_WORDS
        for edge in tuple(self._edges):
            if edge.unsent:
                with suppress(OSError):
                    edge.link.settimeout(max(0.01, until - self._clock.monotonic()))
                    edge.link.sendall(edge.unsent)
            self._disconnect(edge)
        self._selector.close()
        for link in (self._listening, self._waking, self._woke):
            link.close()

    # -- the edges -------------------------------------------------------------------------------

    def _wake_selector(self) -> None:
        if self._asleep:
            self._asleep = False  # one wake-up is enough
            with suppress(OSError):  # full: a wake-up is pending; closed: no thread is waiting
                self._waking.send(b"\0")

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            self._woke.recv(4096)

    def _accept(self) -> None:
        try:
            link, _ = self._listening.accept()
        except BlockingIOError:
            return
        except OSError as error:  # too many open files
            logger.error("An edge cannot be connected: %s", error.strerror)  # noqa: TRY400
            time.sleep(_PAUSE)
            return
        link.settimeout(0)
        edge = _Edge(link)
        self._edges.add(edge)
        self._selector.register(link, selectors.EVENT_READ, partial(self._ready, edge))

    def _ready(self, edge: _Edge) -> None:
        """Handle a readable or writable connection."""
        if edge.unsent:
            self._write(edge)
        try:
            data = edge.link.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._disconnect(edge)
            return
        with Unexpected(logger, "An edge sent unreadable data: %s") as failure:
            for number, content in edge.unpacker.feed(data):
                self._received(edge, number, content)
        if failure.error is not None:  # perhaps another version; the edge reconnects
            self._disconnect(edge)

    def _received(self, edge: _Edge, number: int, content: Any) -> None:
        reply = partial(self._answer, edge, number)
        if isinstance(content, Unreadable):
            logger.error("A request of an edge cannot be read: %s", content.reason)
            reply(None, StoreError("the request cannot be passed on; the log says why"))
            return
        if not isinstance(content, Command):
            self._query(content, reply)
            return
        try:
            super().put(QueuedCommand(content, reply))
        except (FullError, StoreError) as error:
            reply(None, error)

    def _answer(self, edge: _Edge, number: int, value: Any, error: BaseException | None) -> None:
        """Queue an answer for an edge; callable from any thread."""
        self._answers.append((edge, number, value, error))
        self._wake_selector()

    def _send_answers(self) -> None:
        answers = self._answers
        if not answers:
            return
        touched: set[_Edge] = set()
        while answers:
            edge, number, value, error = answers.popleft()
            if edge.open:
                edge.unsent += _packed(number, value, error)
                touched.add(edge)
        for edge in touched:
            self._write(edge)

    def _write(self, edge: _Edge) -> None:
        try:
            sent = edge.link.send(edge.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._disconnect(edge)
            return
        del edge.unsent[:sent]
        if len(edge.unsent) > _LONGEST_UNSENT:
            logger.error("An edge does not read its answers; its connection is closed")
            self._disconnect(edge)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if edge.unsent else 0)
        if self._selector.get_key(edge.link).events != wanted:
            self._selector.modify(edge.link, wanted, partial(self._ready, edge))

    def _disconnect(self, edge: _Edge) -> None:
        if edge.open:
            edge.open = False
            self._edges.discard(edge)
            self._selector.unregister(edge.link)
            edge.link.close()


def _packed(number: int, value: Any, error: BaseException | None) -> bytes:
    with Unexpected(logger, "An answer cannot be passed on: %s"):  # pickle may raise anything
        return pack(number, (value, error))
    return pack(number, (None, StoreError("the answer cannot be passed on; the log says why")))
