"""The core's end of the channel: its thread sleeps until something comes, and no edge can harm it.

The edges are bare sockets: what they sent is there before the core looks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bridge.core.clock import Clock
from bridge.core.command_queue import FullError, QueuedCommand
from bridge.core.port import AskStatus, Status
from bridge.errors import StoreError
from bridge.frames import pack
from bridge.process.channel import SocketChannel
from bridge.state.commands import CheckStore, DomainResult, PruneRows
from tests.core.clock import until
from tests.core.rig import Asked
from tests.process.conftest import Serve
from tests.process.serving import LONG, SOON, Edge, Serving, give, listening_at, silent

JUNK = b"GET / HTTP/1.1\r\n\r\njunk"  # as the length of a message, half a gigabyte
NO_PICKLE = (4).to_bytes(4, "little") + bytes(8) + b"junk"  # a message of four bytes
CHORE = PruneRows(table="events", keys=(), before=0.0, quiet=0.0, whole=False)

Connect = Callable[[], Edge]


def works(serving: Serving, edge: Edge) -> bool:
    """Whether an edge is answered."""
    command = CheckStore()
    edge.send(99, command)
    return edge.receive() == (99, command.key, None) and serving.keys[-1] == command.key


# -- sleeping --------------------------------------------------------------------------------------


class Sleeper:
    """A thread that takes once, for a long time if nobody wakes it."""

    def __init__(self, channel: SocketChannel) -> None:
        self.channel = channel
        self.found: list[QueuedCommand] | None = None
        self.seconds = 0.0
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()
        until(lambda: channel._asleep)

    def woken(self) -> list[QueuedCommand]:
        """What it took; it returned at once."""
        self._thread.join(LONG)
        assert self.found is not None
        assert self.seconds < SOON
        return self.found

    def _take(self) -> None:
        began = time.monotonic()
        self.found = self.channel.take(most=16, until=time.time() + LONG)
        self.seconds = time.monotonic() - began


@pytest.fixture
def channel(address: str) -> Iterator[SocketChannel]:
    """A channel from which nobody takes yet."""
    made = SocketChannel(Clock(), listening_at(address), lambda _, reply: reply("told", None))
    yield made
    made.close()
    made.shut()


def test_what_another_thread_puts_wakes_the_core_at_once(channel: SocketChannel) -> None:
    for _ in range(3):
        sleeper, request = Sleeper(channel), QueuedCommand(CheckStore())
        channel.put(request)
        assert sleeper.woken() == [request]


def test_a_chore_wakes_the_core_at_once(channel: SocketChannel) -> None:
    sleeper, request = Sleeper(channel), QueuedCommand(CHORE)
    channel.put(request, background=True)
    assert sleeper.woken() == [request]


def test_the_core_is_woken_without_anything_to_take(channel: SocketChannel) -> None:
    for _ in range(3):
        sleeper = Sleeper(channel)
        channel.wake()
        assert sleeper.woken() == []


def test_a_core_that_was_woken_before_it_sleeps_does_not_sleep(channel: SocketChannel) -> None:
    channel.wake()
    began = time.monotonic()
    assert channel.take(most=16, until=time.time() + LONG) == []
    assert time.monotonic() - began < SOON


def test_what_an_edge_sends_wakes_the_core_at_once(
    channel: SocketChannel, connect: Connect
) -> None:
    command, edge = CheckStore(), connect()
    channel.take(most=16, until=time.time() + LONG)  # it connects
    sleeper = Sleeper(channel)
    edge.send(1, command)
    assert [request.command for request in sleeper.woken()] == [command]


def test_an_answer_of_another_thread_is_sent_while_nothing_else_happens(
    serve: Serve, connect: Connect
) -> None:
    kept: list[QueuedCommand] = []
    serving, edge = serve(kept.append), connect()
    edge.send(5, CheckStore())
    until(lambda: kept != [] and serving.channel._asleep)
    began = time.monotonic()
    give(kept[0], "late")
    assert edge.receive() == (5, "late", None)
    assert time.monotonic() - began < SOON


def test_it_sleeps_until_it_is_time_and_no_longer(channel: SocketChannel) -> None:
    began = time.monotonic()
    assert channel.take(most=16, until=time.time() + 0.2) == []
    assert 0.15 < time.monotonic() - began < SOON


def test_nothing_that_many_threads_put_is_slept_through(serve: Serve) -> None:
    """Each waits for its own answer before it puts the next: one that is missed takes seconds."""
    serving = serve()
    began = time.monotonic()

    def put_many() -> None:
        for _ in range(200):
            done = threading.Event()

            def told(_value: object, _error: object, done: threading.Event = done) -> None:
                done.set()

            serving.channel.put(QueuedCommand(CheckStore(), told))
            assert done.wait(SOON)

    threads = [threading.Thread(target=put_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert len(serving.taken) == 800
    assert time.monotonic() - began < LONG


# -- order, and how much there may be --------------------------------------------------------------


def test_chores_come_behind_what_edges_and_other_threads_put(
    serve: Serve, connect: Connect
) -> None:
    serving, edge = serve(), connect()
    assert works(serving, edge)
    done, own, first, second = Asked(), CheckStore(), CheckStore(), CheckStore()
    serving.taken.clear()
    with serving.held():
        serving.channel.put(QueuedCommand(CHORE, done), background=True)
        edge.send(1, first)
        edge.send(2, second)
        serving.channel.put(QueuedCommand(own, Asked()))
    until(lambda: done.answered)
    assert serving.taken == [own, first, second, CHORE]


def test_an_edge_is_refused_where_too_many_wait_and_results_are_not(
    serve: Serve, connect: Connect
) -> None:
    serving, edge = serve(capacity=2), connect()
    assert works(serving, edge)
    serving.taken.clear()
    asked, result, own = CheckStore(), DomainResult(responses=None), [CheckStore(), CheckStore()]
    with serving.held():
        for command in own:
            serving.channel.put(QueuedCommand(command, Asked()))
        with pytest.raises(FullError):
            serving.channel.put(QueuedCommand(CheckStore(), Asked()))
        serving.channel.put(QueuedCommand(result, Asked()), bounded=False)
        edge.send(1, asked)
    number, value, error = edge.receive()
    assert (number, value) == (1, None)
    assert isinstance(error, FullError)
    until(lambda: len(serving.taken) == 3)
    assert serving.taken == [*own, result]
    assert works(serving, edge)


def test_no_more_are_taken_at_once_than_were_asked_for(
    channel: SocketChannel, connect: Connect
) -> None:
    edge, commands = connect(), [CheckStore() for _ in range(5)]
    for number, command in enumerate(commands):
        edge.send(number, command)
    taken: list[list[object]] = []
    while sum(map(len, taken)) < 5:
        found = channel.take(most=2, until=time.time() + SOON)
        taken.append([request.command for request in found])
    assert [each for each in taken if each] == [commands[:2], commands[2:4], commands[4:]]


def test_a_closed_channel_refuses_edges_and_threads_and_hands_back_what_waits(
    channel: SocketChannel, connect: Connect
) -> None:
    waiting = QueuedCommand(CheckStore())
    channel.put(waiting)
    edge = connect()
    assert channel.close() == [waiting]
    with pytest.raises(StoreError):
        channel.put(waiting, bounded=False)
    edge.send(1, CheckStore())
    for _ in range(3):  # it connects, it is read, it is answered
        assert channel.take(most=16, until=time.time() + 0.05) == []
    number, value, error = edge.receive()
    assert (number, value) == (1, None)
    assert isinstance(error, StoreError)


def test_what_is_answered_before_the_sockets_are_closed_arrives(
    channel: SocketChannel, connect: Connect
) -> None:
    edge = connect()
    edge.send(1, CheckStore())
    edge.send(2, CheckStore())
    taken: list[QueuedCommand] = []
    while len(taken) < 2:
        taken += channel.take(most=1, until=time.time() + SOON)
    give(taken[0], "before it was closed")
    channel.close()
    give(taken[1], error=StoreError("the bridge is stopping"))
    channel.shut()
    assert edge.receive() == (1, "before it was closed", None)
    number, _, error = edge.receive()
    assert (number, str(error)) == (2, "the bridge is stopping")
    assert edge.parted()


@pytest.fixture
def kept(serve: Serve) -> tuple[Serving, list[QueuedCommand]]:
    """A core that answers nobody; the test does."""
    requests: list[QueuedCommand] = []
    return serve(requests.append), requests


# -- edges that go, or send what nobody can read ---------------------------------------------------


@contextmanager
def one_fewer(serving: Serving) -> Iterator[None]:
    """An edge is given up within."""
    before = serving.channel.edges
    yield
    until(lambda: serving.channel.edges == before - 1)


@pytest.mark.parametrize(
    "sent", [NO_PICKLE, pack(0, CheckStore())[:12] + b"\xff" * len(pack(0, CheckStore())[12:])]
)
def test_what_cannot_be_read_is_refused_and_what_comes_after_it_is_not(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    serving, edge = serve(), connect()
    command = CheckStore()
    edge.link.sendall(sent + pack(2, command))
    number, _, error = edge.receive()
    assert (number, type(error)) == (0, StoreError)
    assert edge.receive() == (2, command.key, None)
    assert works(serving, edge)
    assert "cannot be read" in caplog.text
    assert "junk" not in caplog.text


@pytest.mark.parametrize("sent", [JUNK, b"\xff" * 200])
def test_an_edge_that_sends_garbage_is_disconnected_and_others_go_on(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    serving, good, bad = serve(), connect(), connect()
    assert works(serving, good)
    assert works(serving, bad)
    with one_fewer(serving):
        bad.link.sendall(sent)
        assert bad.parted()
    assert works(serving, good)
    assert works(serving, connect())
    assert "An edge sent unreadable data" in caplog.text
    assert "junk" not in caplog.text


def test_what_came_before_garbage_is_done_and_nobody_is_answered(
    serve: Serve, connect: Connect
) -> None:
    serving, good, bad = serve(), connect(), connect()
    command = CheckStore()
    bad.link.sendall(pack(1, command) + JUNK)
    assert bad.parted()
    until(lambda: command.key in serving.keys)
    assert works(serving, good)


@pytest.mark.parametrize("kept_bytes", [1, 11, 12, 1000, 300_000])
def test_an_edge_that_disappears_in_the_middle_of_a_message_leaves_the_others(
    serve: Serve, connect: Connect, kept_bytes: int
) -> None:
    serving, good, bad = serve(), connect(), connect()
    assert works(serving, good)
    assert works(serving, bad)
    serving.taken.clear()
    with one_fewer(serving):
        bad.link.sendall(pack(1, DomainResult(responses={"text": "x" * 400_000}))[:kept_bytes])
        bad.close()
    assert serving.taken == []
    assert works(serving, good)


def test_an_answer_for_an_edge_that_is_gone_is_dropped(
    kept: tuple[Serving, list[QueuedCommand]], connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    serving, requests = kept
    good, gone = connect(), connect()
    gone.send(1, CheckStore())
    good.send(2, CheckStore())
    until(lambda: len(requests) == 2)
    with one_fewer(serving):
        gone.close()
    for request in requests:
        give(request, "an answer")
    assert good.receive() == (2, "an answer", None)
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
    assert serving.channel.edges == 1


def test_edges_come_and_go_and_none_is_left(serve: Serve, connect: Connect) -> None:
    serving = serve()
    for _ in range(50):
        edge = connect()
        assert works(serving, edge)
        edge.close()
    until(lambda: serving.channel.edges == 0)


def test_an_edge_that_takes_no_answers_is_given_up_and_others_go_on(
    kept: tuple[Serving, list[QueuedCommand]], connect: Connect
) -> None:
    serving, requests = kept
    good, deaf = connect(), connect()
    for number in range(5):
        deaf.send(number, CheckStore())
    until(lambda: len(requests) == 5)
    with one_fewer(serving):
        for request in requests:
            give(request, bytes(16 << 20))
    good.send(7, AskStatus())
    assert good.receive() == (7, serving.status, None)


def test_the_answers_of_an_edge_that_is_slow_to_take_them_arrive_in_their_order(
    kept: tuple[Serving, list[QueuedCommand]], connect: Connect
) -> None:
    serving, requests = kept
    slow, other = connect(), connect()
    for number in range(8):
        slow.send(number, CheckStore())
    until(lambda: len(requests) == 8)
    for number, request in enumerate(requests):
        give(request, bytes([number]) * 1_000_000)
    other.send(1, AskStatus())  # the first ones wait to be taken meanwhile
    assert other.receive() == (1, serving.status, None)
    for number in range(8):
        assert slow.receive() == (number, bytes([number]) * 1_000_000, None)


# -- what is no command ----------------------------------------------------------------------------


def test_a_question_is_answered_and_does_not_count_as_a_command(
    serve: Serve, connect: Connect
) -> None:
    serving, edge = serve(silent, capacity=1), connect()
    edge.send(1, AskStatus())
    edge.send(2, "what is that?")
    assert edge.receive() == (1, Status(alive=True, breaker="open", since=5.0), None)
    number, _, error = edge.receive()
    assert (number, str(error)) == (2, "nobody asks that")
    assert serving.taken == []


def test_an_answer_of_several_megabytes_given_just_before_the_end_arrives(
    serve: Serve, connect: Connect
) -> None:
    serving, edge = serve(lambda request: give(request, "x" * 3_000_000)), connect()
    edge.send(1, CheckStore())
    until(lambda: bool(serving.taken))
    ending = threading.Thread(target=serving.close)
    ending.start()
    number, value, error = edge.receive()
    ending.join(SOON)
    assert (number, len(value), error) == (1, 3_000_000, None)
