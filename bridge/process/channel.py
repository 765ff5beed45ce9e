"""The core's end of the channel: its thread waits for the edges' sockets as for everything else.

No thread stands between a socket and the core: commands are read, and answers written, where the
loop takes its next batch.
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

from bridge.core.channel import CAPACITY, Channel, FullError, Reply, Request
from bridge.core.clock import Clock
from bridge.errors import StoreError, describe
from bridge.frames import Unpacker, Unreadable, pack
from bridge.state.commands import Command

logger = logging.getLogger(__name__)

_RECEIVE = 1 << 18  # bytes at a time
_LONGEST_UNSENT = 64 << 20  # bytes of answers that an edge does not take, until it is given up
_LAST_WORDS = 1.0  # seconds for the answers that are left when the channel is shut
_PAUSE = 0.05  # seconds

Query = Callable[[Any, Reply], None]
Answer = tuple["_Edge", int, Any, "BaseException | None"]


class _Edge:
    """One edge's connection."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.unpacker = Unpacker()
        self.unsent = bytearray()
        self.open = True


class SocketChannel(Channel):
    """Commands from the edges of one server, and from the threads of this process.

    Args:
        listening: the socket to which the edges connect.
        query: answers what is no command, at once or later, from any thread.
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
        self._answers: deque[Answer] = deque()
        self._asleep = False
        self._selector = selectors.DefaultSelector()
        self._waking, self._woke = socket.socketpair()
        for each in (listening, self._waking, self._woke):
            each.settimeout(0)
        self._listening = listening
        self._edges: set[_Edge] = set()
        self._selector.register(listening, selectors.EVENT_READ, self._accept)
        self._selector.register(self._woke, selectors.EVENT_READ, self._drain)

    @property
    def edges(self) -> int:
        """How many edges are connected."""
        return len(self._edges)

    def put(self, request: Request, *, bounded: bool = True, background: bool = False) -> None:
        """Put a command of this process's own.

        Raises:
            FullError: too many wait already.
            StoreError: the core has ended.
        """
        super().put(request, bounded=bounded, background=background)
        self._stir()

    def wake(self) -> None:
        """Let ``take`` return now."""
        super().wake()
        self._stir()

    def take(self, *, most: int, until: float) -> list[Request]:
        """Up to ``most`` commands, as soon as there is one; none when it is ``until``.

        What the edges were answered since the last call is sent first.
        """
        self._send_answers()
        self._asleep = True  # before looking: what is put from now on wakes
        seconds = max(0.0, until - self._clock.now()) if self.is_idle() else 0.0
        if self._answers:  # another thread's, of this moment
            seconds = 0.0
        found = self._selector.select(seconds)
        self._asleep = False
        for key, _ in found:
            key.data()
        return self.taken(most)

    def watch(self, link: socket.socket, ready: Callable[[], bool]) -> Callable[[], None]:
        """Call ``ready`` in ``take``, whenever something can be received, until it answers False.

        Returns:
            What ends that; any thread may call it.
        """

        def end() -> None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(link)

        def look() -> None:
            if not ready():
                end()

        self._selector.register(link, selectors.EVENT_READ, look)
        self._stir()
        return end

    def close(self) -> list[Request]:
        """Take no more commands; those that wait. The answers that are there are sent."""
        left = super().close()
        self._send_answers()
        return left

    def shut(self) -> None:
        """Close the sockets; once, when no thread uses the channel any more."""
        self._send_answers()
        until = self._clock.monotonic() + _LAST_WORDS
        for edge in tuple(self._edges):
            if edge.unsent:
                with suppress(OSError):
                    edge.link.settimeout(max(0.01, until - self._clock.monotonic()))
                    edge.link.sendall(edge.unsent)
            self._part(edge)
        self._selector.close()
        for each in (self._listening, self._waking, self._woke):
            each.close()

    # -- the edges -------------------------------------------------------------------------------

    def _stir(self) -> None:
        if self._asleep:
            self._asleep = False  # once is enough
            with suppress(OSError):  # full: it is awake in any case; closed: nobody sleeps
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
        """An edge sent something, or can be sent something."""
        if edge.unsent:
            self._write(edge)
        try:
            data = edge.link.recv(_RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._part(edge)
            return
        try:
            for number, content in edge.unpacker.feed(data):
                self._received(edge, number, content)
        except Exception as error:  # noqa: BLE001 - another version's, perhaps: it connects again
            logger.error("An edge sent what cannot be read: %s", describe(error))  # noqa: TRY400
            self._part(edge)

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
            super().put(Request(content, reply))
        except (FullError, StoreError) as error:
            reply(None, error)

    def _answer(self, edge: _Edge, number: int, value: Any, error: BaseException | None) -> None:
        """Answer an edge; any thread may do so."""
        self._answers.append((edge, number, value, error))
        self._stir()

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
            self._part(edge)
            return
        del edge.unsent[:sent]
        if len(edge.unsent) > _LONGEST_UNSENT:
            logger.error("An edge takes no answers; its connection is closed")
            self._part(edge)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if edge.unsent else 0)
        if self._selector.get_key(edge.link).events != wanted:
            self._selector.modify(edge.link, wanted, partial(self._ready, edge))

    def _part(self, edge: _Edge) -> None:
        if edge.open:
            edge.open = False
            self._edges.discard(edge)
            self._selector.unregister(edge.link)
            edge.link.close()


def _packed(number: int, value: Any, error: BaseException | None) -> bytes:
    try:
        return pack(number, (value, error))
    except Exception as raised:  # noqa: BLE001 - whatever pickle raises, whoever asked is told
        logger.error("An answer cannot be passed on: %s", describe(raised))  # noqa: TRY400
        return pack(number, (None, StoreError("the answer cannot be passed on; the log says why")))
