"""The bounded channel of commands into the core."""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from bridge.core.clock import Clock
from bridge.errors import BridgeError, StoreError
from bridge.state.commands import Command

CAPACITY = 1024
_ENDS_WITHIN = 5.0  # seconds

Reply = Callable[[Any, "BaseException | None"], None]


class FullError(BridgeError):
    """Too many commands wait already."""


class Request(NamedTuple):
    """A command, and whom to answer; ``reply`` is called once, in the core's thread."""

    command: Command
    reply: Reply | None = None


class Channel:
    """Commands in the order in which they came, those of maintenance behind all others.

    Results and timers are never refused: only what comes from outside is bounded.
    """

    def __init__(self, clock: Clock, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._condition = threading.Condition()
        self._queue: deque[Request] = deque()
        self._background: deque[Request] = deque()
        self._woken = False
        self._closed = False

    def put(self, request: Request, *, bounded: bool = True, background: bool = False) -> None:
        """Put a command.

        Raises:
            FullError: too many wait already.
            StoreError: the core has ended.
        """
        with self._condition:
            if self._closed:
                raise StoreError("the bridge is stopping")
            if background:
                self._background.append(request)
            elif bounded and len(self._queue) >= self._capacity:
                raise FullError("too many requests wait already; try again in a moment")
            else:
                self._queue.append(request)
            self._condition.notify()

    def wake(self) -> None:
        """Let ``take`` return now."""
        with self._condition:
            self._woken = True
            self._condition.notify()

    def take(self, *, most: int, until: float) -> list[Request]:
        """Up to ``most`` commands, as soon as there is one; none when it is ``until``."""
        with self._condition:
            if self.is_idle():
                self._clock.wait(self._condition, until)
            return self.taken(most)

    def is_idle(self) -> bool:
        """Whether ``take`` has a reason to wait."""
        with self._condition:
            return not (self._queue or self._background or self._woken)

    def taken(self, most: int) -> list[Request]:
        """Up to ``most`` of the commands that are there."""
        with self._condition:
            self._woken = False
            found = self._queue
            if found:
                return [found.popleft() for _ in range(min(most, len(found)))]
            return [self._background.popleft()] if self._background else []

    def watch(self, link: socket.socket, ready: Callable[[], bool]) -> Callable[[], None]:
        """Call ``ready`` whenever something can be received, until it answers False.

        Here in a thread; where the core waits for sockets itself, in its own.

        Returns:
            What ends that; ``link`` is of no use afterwards.
        """
        ended = threading.Event()

        def look() -> None:
            with selectors.DefaultSelector() as selector:
                selector.register(link, selectors.EVENT_READ)
                while not ended.is_set():
                    selector.select()
                    if not ready():
                        return

        def end() -> None:
            ended.set()
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)  # it may be waited for
            thread.join(_ENDS_WITHIN)

        thread = threading.Thread(target=look, name="watching", daemon=True)
        thread.start()
        return end

    def close(self) -> list[Request]:
        """Take no more commands; those that wait."""
        with self._condition:
            self._closed = True
            left = [*self._queue, *self._background]
            self._queue.clear()
            self._background.clear()
            return left

    def __len__(self) -> int:
        return len(self._queue)
