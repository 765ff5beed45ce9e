"""A core at work behind the socket: whatever breaks between, a handoff is stored and sent once."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import pytest

from bridge.core.clock import Clock
from bridge.errors import StoreError
from bridge.process.channel import SocketChannel
from bridge.process.client import CoreClient
from bridge.state.commands import CallAction, CheckStore, PushGuid
from bridge.state.records import ActionAnswer
from tests.core.clock import until
from tests.core.rig import GUID, call, given, reply
from tests.core.running import Running, running
from tests.core.senders import Sending
from tests.process.conftest import Run
from tests.process.serving import listening_at
from tests.process.test_channel_and_client import client_of, error_of, met

pytestmark = pytest.mark.both_engines

SECONDS = 25.0  # that an answer is awaited which is to come


class Line:
    """What lies between an edge and a core: it carries all, until a test breaks it.

    Args:
        to: the core's address.
        loses: so many of the core's messages do not arrive: the connection breaks instead.
    """

    def __init__(self, to: str, loses: int = 0) -> None:
        self._to = to
        self.loses = loses
        self.lost: list[bytes] = []
        self.connections = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._busy: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        core_reader, core_writer = await asyncio.open_unix_connection(self._to)
        ends = {writer, core_writer}
        self._open |= ends
        try:
            await asyncio.gather(
                self._carry(reader, core_writer, ends, from_core=False),
                self._carry(core_reader, writer, ends, from_core=True),
            )
        finally:
            self._open -= ends
            self._busy.discard(task)

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: set[asyncio.StreamWriter],
        *,
        from_core: bool,
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                if from_core and self.loses:
                    self.loses -= 1
                    self.lost.append(data)
                    break
                writer.write(data)
                await writer.drain()
        for end in ends:
            end.close()

    def cut(self) -> None:
        """Break the connection that there is."""
        for writer in tuple(self._open):
            writer.close()

    async def ended(self) -> None:
        """Wait until nothing is carried any more."""
        if self._busy:
            await asyncio.wait(self._busy)


@asynccontextmanager
async def line_to(address: str, *, loses: int = 0) -> AsyncIterator[tuple[Line, CoreClient]]:
    """A line to the core, and an edge at its other end."""
    line, at = Line(address, loses), f"{address}-line"
    server = await asyncio.start_unix_server(line.serve, at)
    try:
        async with client_of(at) as client:
            yield line, client
        await line.ended()
    finally:
        server.close()
        await server.wait_closed()


class Phone:
    """A gateway that takes a message when it is told to; at first, at once."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.heard: list[str] = []

    def attempt(self, sending: Sending) -> None:
        self.heard.append(sending.delivery.message_code)
        assert self.go.wait(SECONDS)


@contextmanager
def core_at(address: str, url: str, phone: Phone) -> Iterator[tuple[Running, SocketChannel]]:
    """A core at work on a store, whose agent is signed in, behind a socket."""
    channel = SocketChannel(Clock(), listening_at(address), lambda *_: None)
    try:
        with running(url, phone.attempt, channel=channel) as (core,):
            core.core.call(PushGuid(agent_id="291", guid=GUID))
            yield core, channel
    finally:
        channel.shut()


def handoff() -> CallAction:
    """A customer is handed over, and the action waits until that is delivered."""
    return call("customer-A", brought=given("A"), at=time.time(), wait=SECONDS)


def sent_once(core: Running, phone: Phone) -> bool:
    """Whether one delivery is stored, was sent once, and is settled."""
    until(core.settled)
    (item,) = core.all()
    return phone.heard == [item.message_code] and item.state.value == "delivered"


async def alike(client: CoreClient, command: CallAction, answer: ActionAnswer) -> bool:
    """Whether whoever asks once more, much later, is answered the same."""
    return bool(await client.ask(command, seconds=SECONDS) == answer)


@pytest.mark.parametrize("lost", [1, 3])
def test_an_answer_that_is_lost_is_given_again_and_nothing_is_sent_again(
    run: Run, address: str, store_url: str, lost: int
) -> None:
    phone = Phone()
    with core_at(address, store_url, phone) as (core, _):

        async def story() -> None:
            command = handoff()
            async with line_to(address, loses=lost) as (line, client):
                answer = await client.ask(command, seconds=SECONDS)
                assert isinstance(answer, ActionAnswer)
                assert (answer.delivery, answer.call_id) == ("delivered", "A")
                assert len(line.lost) == lost
                assert line.connections == 1 + lost
                assert all(b"ActionAnswer" in each for each in line.lost)
                assert await alike(client, command, answer)
            assert sent_once(core, phone)

        run(story())


def test_a_line_that_breaks_while_the_message_is_sent_changes_nothing(
    run: Run, address: str, store_url: str
) -> None:
    """It is committed, and its answer waits for the gateway; the edge asks again meanwhile."""
    phone = Phone()
    phone.go.clear()
    with core_at(address, store_url, phone) as (core, channel):

        async def story() -> None:
            command = handoff()
            async with line_to(address) as (line, client):
                asked = asyncio.ensure_future(client.ask(command, seconds=SECONDS))
                try:
                    await met(lambda: phone.heard != [])
                    line.cut()
                    await met(lambda: line.connections == 2 and channel.edges == 1)
                    await client.ask(CheckStore(), seconds=SECONDS)  # behind what was put again
                    assert not asked.done()
                finally:
                    phone.go.set()
                answer = await asked
                assert answer.delivery == "delivered"
                assert await alike(client, command, answer)
            assert sent_once(core, phone)

        run(story())


def test_many_handoffs_over_a_line_that_breaks_again_and_again_are_each_sent_once(
    run: Run, address: str, store_url: str
) -> None:
    phone = Phone()
    with core_at(address, store_url, phone) as (core, _):

        async def story() -> None:
            commands = [
                call(f"customer-{each}", brought=given(f"{each}"), at=time.time(), wait=SECONDS)
                for each in range(40)
            ]
            async with line_to(address, loses=10) as (line, client):
                answers = await asyncio.gather(
                    *(client.ask(each, seconds=SECONDS) for each in commands)
                )
                assert len(line.lost) >= 1
                found = [(answer.call_id, answer.delivery) for answer in answers]
                assert found == [(f"{each}", "delivered") for each in range(40)]
            until(core.settled)
            codes = [item.message_code for item in core.all()]
            assert len(codes) == 40
            assert sorted(phone.heard) == sorted(codes)

        run(story())


def test_an_agents_reply_whose_answer_is_lost_is_one_message(
    run: Run, address: str, store_url: str
) -> None:
    phone = Phone()
    with core_at(address, store_url, phone) as (core, _):
        core.core.call(handoff())
        phone.heard.clear()

        async def story() -> None:
            async with line_to(address, loses=1) as (line, client):
                await client.ask(reply("A", "one"), seconds=SECONDS)
                assert len(line.lost) == 1
            until(core.settled)
            first, second = core.all()
            assert phone.heard == [second.message_code]
            assert second.draft.content == "one"
            assert second.message_code != first.message_code

        run(story())


def test_a_core_that_ends_answers_whoever_still_waits(
    run: Run, address: str, store_url: str
) -> None:
    phone = Phone()
    phone.go.clear()
    with core_at(address, store_url, phone) as (core, channel):

        async def story() -> None:
            async with client_of(address) as client:
                asked = asyncio.ensure_future(client.ask(handoff(), seconds=SECONDS))
                await met(lambda: phone.heard != [])
                ending = asyncio.ensure_future(asyncio.to_thread(core.core.close))
                await met(lambda: core.core.alive is False)
                phone.go.set()  # what is under way is completed
                assert (await asked).delivery == "delivered"
                await ending
                late = asyncio.ensure_future(client.ask(CheckStore(), seconds=0.5))
                await asyncio.to_thread(channel.shut)
                assert type(await error_of(late)) is StoreError
            assert sent_once(core, phone)

        run(story())
