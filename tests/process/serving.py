"""A core's end of the channel whose thread answers as a test says, and edges of bare sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bridge.core.clock import Clock
from bridge.core.command_queue import CAPACITY, QueuedCommand
from bridge.core.port import AskMetrics, AskStatus, Status
from bridge.errors import StoreError
from bridge.frames import Unpacker, pack
from bridge.process.channel import SocketChannel
from bridge.state.commands import Command, ResultCallback

LONG = 30.0  # seconds that the core's thread sleeps if nobody wakes it
SOON = 5.0  # seconds: whoever is woken at once returns long before

Answering = Callable[[QueuedCommand], None]


def give(request: QueuedCommand, value: Any = None, error: BaseException | None = None) -> None:
    """Answer whoever put a command."""
    assert request.reply is not None
    request.reply(value, error)


def echo(request: QueuedCommand) -> None:
    """Each is answered the key of its own command."""
    give(request, request.command.key)


def silent(_: QueuedCommand) -> None:
    """Nobody is answered."""


def listening_at(address: str) -> socket.socket:
    """A socket to which edges connect."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(address)
    listening.listen(16)
    return listening


class Serving:
    """A channel at ``address``, and the thread that takes from it.

    Args:
        answer: called in that thread with each command, in the order in which they are taken.
    """

    def __init__(self, address: str, answer: Answering = echo, *, capacity: int = CAPACITY) -> None:
        self.address = address
        self.answer = answer
        self.channel = SocketChannel(Clock(), listening_at(address), self._query, capacity)
        self.taken: list[Command] = []
        self.status = Status(alive=True, breaker="open", since=5.0)
        self._going = threading.Event()
        self._going.set()
        self._resting = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._serve, name="serving", daemon=True)
        self._thread.start()

    @property
    def keys(self) -> list[str]:
        """The keys of what was taken, in that order."""
        return [command.key for command in self.taken]

    @contextmanager
    def held(self) -> Iterator[None]:
        """The thread is busy elsewhere: it takes nothing, and answers nothing."""
        self._resting.clear()
        self._going.clear()
        self.channel.wake()
        assert self._resting.wait(SOON)
        try:
            yield
        finally:
            self._going.set()

    def close(self) -> None:
        """End, as a process that dies: whoever waits is not answered; once or more."""
        if self._ended:
            return
        self._ended = True
        self._going.set()
        self.channel.wake()
        self._thread.join(SOON)
        assert not self._thread.is_alive()
        self.channel.close()
        self.channel.shut()
        Path(self.address).unlink()

    def _serve(self) -> None:
        while not self._ended:
            for request in self.channel.take(most=16, until=time.time() + LONG):
                self.taken.append(request.command)
                self.answer(request)
            if not self._going.is_set():
                self._resting.set()
                self._going.wait()

    def _query(self, asked: Any, reply: ResultCallback) -> None:
        if isinstance(asked, AskStatus):
            reply(self.status, None)
        elif isinstance(asked, AskMetrics):
            reply((f"of {asked.version}".encode(), asked.accept), None)
        else:
            reply(None, StoreError("nobody asks that"))


class Edge:
    """An edge of a bare socket: what it sent is on its way when ``send`` returns."""

    def __init__(self, address: str) -> None:
        self.link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.link.settimeout(SOON)
        self.link.connect(address)
        self._unpacker = Unpacker()
        self._found: list[tuple[int, Any]] = []

    def send(self, number: int, content: object) -> None:
        self.link.sendall(pack(number, content))

    def receive(self) -> tuple[int, Any, BaseException | None]:
        """The next answer: whose it is, the value, and the error."""
        while not self._found:
            data = self.link.recv(1 << 20)
            assert data, "the core closed the connection"
            self._found += self._unpacker.feed(data)
        number, (value, error) = self._found.pop(0)
        return number, value, error

    def parted(self) -> bool:
        """Whether the core closes the connection."""
        try:
            return not self.link.recv(1)
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.link.close()
