"""The bounded channel of commands into the core."""

from __future__ import annotations

import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from bridge.core.clock import Clock
from bridge.errors import BridgeError, StoreError
from bridge.state.commands import Command, ResultCallback

CAPACITY = 1024
_ENDS_WITHIN = 5.0  # seconds


class FullError(BridgeError):
    """The queue of commands is full."""


class QueuedCommand(NamedTuple):
    """A command with its callback; ``reply`` is called once, in the core's thread.

    Attributes:
        refusals: how often the store refused it.
        since: the number of commits at the first refusal.
    """

    command: Command
    reply: ResultCallback | None = None
    refusals: int = 0
    since: int = 0


class CommandQueue:
    """A FIFO queue of commands, with a second, low-priority queue for maintenance.

    The capacity applies to external commands only; results and timers are never refused.
    """

    def __init__(self, clock: Clock, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._condition = threading.Condition()
        self._queue: deque[QueuedCommand] = deque()
        self._background: deque[QueuedCommand] = deque()
        self._woken = False
        self._closed = False

    def put(
        self, request: QueuedCommand, *, bounded: bool = True, background: bool = False
    ) -> None:
        """Queue a command.

        Args:
            request: the command and its callback.
            bounded: refuse the command if the queue is full.
            background: use the low-priority queue.

        Raises:
            FullError: the queue is full.
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
        """Make ``take`` return immediately."""
        with self._condition:
            self._woken = True
            self._condition.notify()

    def take(self, *, most: int, until: float) -> list[QueuedCommand]:
        """Wait for a command until ``until``; return up to ``most``, or none at the timeout."""
        with self._condition:
            if self.is_idle():
                self._clock.wait(self._condition, until)
            return self.taken(most)

    def is_idle(self) -> bool:
        """Return True if ``take`` would have to wait."""
        with self._condition:
            return not (self._queue or self._background or self._woken)

    def taken(self, most: int) -> list[QueuedCommand]:
        """Return up to ``most`` queued commands without waiting."""
        with self._condition:
            self._woken = False
            queue = self._queue
            if queue:
                return [queue.popleft() for _ in range(min(most, len(queue)))]
            return [self._background.popleft()] if self._background else []

    def watch(self, link: socket.socket, ready: Callable[[], bool]) -> Callable[[], None]:
        """Call ``ready`` whenever ``link`` is readable, until it returns False.

        This class uses a thread; ``SocketChannel`` calls ``ready`` in the core's thread.

        Returns:
            A function that ends the watch; ``link`` cannot be used afterwards.
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
                link.shutdown(socket.SHUT_RDWR)  # wakes the selector
            thread.join(_ENDS_WITHIN)

        thread = threading.Thread(target=look, name="watching", daemon=True)
        thread.start()
        return end

    def close(self) -> list[QueuedCommand]:
        """Accept no more commands; return those still queued."""
        with self._condition:
            self._closed = True
            unprocessed = [*self._queue, *self._background]
            self._queue.clear()
            self._background.clear()
            return unprocessed

    def __len__(self) -> int:
        return len(self._queue)
