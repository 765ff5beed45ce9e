"""The edge's end of the channel on a core's: each gets its own answer, whatever happens between."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from bridge.core.command_queue import CAPACITY, FullError, QueuedCommand
from bridge.core.port import GRACE
from bridge.errors import BridgeError, FinalError, RetryableError, SessionGoneError, StoreError
from bridge.frames import pack
from bridge.process.client import CoreClient
from bridge.state.commands import CheckStore, Command, DomainResult
from tests.core.clock import until
from tests.process.conftest import Run, Serve
from tests.process.serving import Edge, echo, give, listening_at, silent

SECONDS = 20.0  # that an answer is awaited which is to come
ALL = 200  # asks at once


@asynccontextmanager
async def client_of(address: str) -> AsyncIterator[CoreClient]:
    """An edge's end, ended in the end with all that it began."""
    client = CoreClient(address)
    try:
        yield client
    finally:
        client.close()
        await met(lambda: client._transport is None)
        if client._connecting is not None:
            await asyncio.wait([client._connecting])


async def met(condition: Callable[[], bool]) -> None:
    """Wait for something, while the event loop goes on."""
    await asyncio.to_thread(until, condition)


async def connected(client: CoreClient) -> None:
    """Be answered once."""
    await client.ask(CheckStore(), seconds=SECONDS)


async def ask_all(client: CoreClient, commands: list[CheckStore]) -> list[Any]:
    """The answers of asks that are put at once, in their order."""
    return await asyncio.gather(*(client.ask(each, seconds=SECONDS) for each in commands))


async def error_of(asked: Awaitable[Any]) -> BridgeError:
    """Why it could not be done."""
    with pytest.raises(BridgeError) as raised:
        await asked
    return raised.value


# -- each its own answer ---------------------------------------------------------------------------


def test_an_ask_is_answered_with_its_value(run: Run, serve: Serve, address: str) -> None:
    value = {"words": ["grüß", None, 1.5], "nested": ({"a": b"\0"},)}
    serving = serve(lambda request: give(request, value))

    async def story() -> None:
        command = DomainResult(responses={"utter": [{"text": "hello"}]})
        async with client_of(address) as client:
            assert await client.ask(command, seconds=SECONDS) == value
        assert serving.taken == [command]

    run(story())


@pytest.mark.parametrize(
    "error",
    [
        RetryableError("later", retcode="106-001", status=503, retry_after=2.5),
        SessionGoneError("gone", retcode="100-006", seen=7),
        FinalError("never", status=400),
        FullError("too many"),
        StoreError("no database"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_raised_as_the_core_raised_it(
    run: Run, serve: Serve, address: str, error: BridgeError
) -> None:
    serve(lambda request: give(request, error=error))

    async def story() -> None:
        async with client_of(address) as client:
            found = await error_of(client.ask(CheckStore(), seconds=SECONDS))
            assert type(found) is type(error)
            assert vars(found) == vars(error)

    run(story())


def test_many_asks_at_once_get_their_own_answers_and_are_taken_in_their_order(
    run: Run, serve: Serve, address: str
) -> None:
    serving = serve()

    async def story() -> None:
        commands = [CheckStore() for _ in range(ALL)]
        keys = [command.key for command in commands]
        async with client_of(address) as client:
            for _ in range(2):  # before it is connected, and after
                assert await ask_all(client, commands) == keys
        assert serving.keys == keys * 2

    run(story())


def test_answers_in_any_order_come_to_those_who_asked(run: Run, serve: Serve, address: str) -> None:
    requests: list[QueuedCommand] = []
    serve(requests.append)

    async def story() -> None:
        commands = [CheckStore() for _ in range(ALL)]
        async with client_of(address) as client:
            asked = asyncio.ensure_future(ask_all(client, commands))
            await met(lambda: len(requests) == ALL)
            for request in reversed(requests):
                echo(request)
            assert await asked == [command.key for command in commands]

    run(story())


def test_two_edges_get_their_own_answers(run: Run, serve: Serve, address: str) -> None:
    serving = serve()

    async def story() -> None:
        commands = [CheckStore() for _ in range(2 * ALL)]
        keys = [command.key for command in commands]
        async with client_of(address) as one, client_of(address) as other:
            found = await asyncio.gather(
                ask_all(one, commands[:ALL]), ask_all(other, commands[ALL:])
            )
            assert serving.channel.edges == 2
        assert [*found[0], *found[1]] == keys
        assert [key for key in serving.keys if key in set(keys[:ALL])] == keys[:ALL]
        assert [key for key in serving.keys if key in set(keys[ALL:])] == keys[ALL:]

    run(story())


def test_commands_and_answers_of_several_megabytes_arrive_whole_amid_small_ones(
    run: Run, serve: Serve, address: str
) -> None:
    def back(request: QueuedCommand) -> None:
        command = request.command
        give(request, command.responses if isinstance(command, DomainResult) else command.key)

    serving = serve(back)
    responses = {"utter": ["ä" * 3_000_000, bytes(range(256)) * 8_000]}

    async def story() -> None:
        big, small = DomainResult(responses=responses), CheckStore()
        async with client_of(address) as client:
            await connected(client)
            found = await asyncio.gather(
                *(client.ask(each, seconds=SECONDS) for each in (big, small, big, small))
            )
        assert found == [responses, small.key] * 2
        assert serving.taken[1:] == [big, small, big, small]

    run(story())


def test_whoever_gives_up_is_not_answered_and_the_others_are(
    run: Run, serve: Serve, address: str
) -> None:
    requests: list[QueuedCommand] = []
    serve(requests.append)

    async def story() -> None:
        async with client_of(address) as client:
            asked = [
                asyncio.ensure_future(client.ask(CheckStore(), seconds=SECONDS)) for _ in range(3)
            ]
            await met(lambda: len(requests) == 3)
            asked[1].cancel()
            await asyncio.wait([asked[1]])
            for request in requests:
                echo(request)
            assert await asked[0] == requests[0].command.key
            assert await asked[2] == requests[2].command.key
            assert asked[1].cancelled()
            assert client._waiting == {}

    run(story())


# -- what cannot be passed on ----------------------------------------------------------------------


def test_an_answer_that_cannot_be_pickled_is_that_askers_error_alone(
    run: Run, serve: Serve, address: str
) -> None:
    def answer(request: QueuedCommand) -> None:
        give(request, threading.Lock() if isinstance(request.command, DomainResult) else "fine")

    serve(answer)

    async def story() -> None:
        async with client_of(address) as client:
            asked = [CheckStore(), DomainResult(responses=None), CheckStore()]
            first, second, third = await asyncio.gather(
                *(client.ask(each, seconds=SECONDS) for each in asked), return_exceptions=True
            )
            assert (first, third) == ("fine", "fine")
            assert type(second) is StoreError
            assert "cannot be passed on" in str(second)
            assert await client.ask(CheckStore(), seconds=SECONDS) == "fine"

    run(story())


def test_a_command_that_cannot_be_pickled_is_that_askers_error_alone(
    run: Run, serve: Serve, address: str
) -> None:
    serving = serve()

    async def story() -> None:
        one, two = CheckStore(), CheckStore()
        asked = [one, DomainResult(responses={"utter": lambda: None}), two]
        async with client_of(address) as client:
            for _ in range(2):  # before it is connected, and after
                found = await asyncio.gather(
                    *(client.ask(each, seconds=SECONDS) for each in asked), return_exceptions=True
                )
                assert (found[0], found[2]) == (one.key, two.key)
                assert type(found[1]) is StoreError
                assert "cannot be passed on" in str(found[1])
            assert client._waiting == {}
        assert serving.taken == [one, two] * 2

    run(story())


class Fragile:
    """Can be packed, and not read."""

    def __reduce__(self) -> Any:
        return _break, ()


def _break() -> None:
    msg = "a customer's words"
    raise ValueError(msg)


def test_what_cannot_be_read_at_the_other_end_is_one_askers_error_and_breaks_no_connection(
    run: Run, serve: Serve, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(request: QueuedCommand) -> None:
        give(request, Fragile() if isinstance(request.command, DomainResult) else "fine")

    serving = serve(answer)

    async def story() -> None:
        asked = [
            CheckStore(),
            DomainResult(responses={"utter": Fragile()}),
            DomainResult(responses=None),
            CheckStore(),
        ]
        async with client_of(address) as client:
            found = await asyncio.gather(
                *(client.ask(each, seconds=SECONDS) for each in asked), return_exceptions=True
            )
            assert (found[0], found[3]) == ("fine", "fine")
            assert [type(each) for each in found[1:3]] == [StoreError, StoreError]
            assert serving.channel.edges == 1
            assert len(serving.taken) == 3  # nothing was put again

    run(story())
    assert "a customer's words" not in caplog.text


# -- too many --------------------------------------------------------------------------------------


def test_more_than_the_channel_takes_are_refused_and_the_others_answered(
    run: Run, serve: Serve, address: str
) -> None:
    serving = serve(capacity=2)

    async def story() -> None:
        commands = [CheckStore() for _ in range(5)]
        async with client_of(address) as client:
            await connected(client)
            asked = [client.ask(each, seconds=SECONDS) for each in commands]  # one message
            found = await asyncio.gather(*asked, return_exceptions=True)
            assert found[:2] == [command.key for command in commands[:2]]
            assert [type(each) for each in found[2:]] == [FullError] * 3
            await connected(client)
        assert serving.taken[1:3] == commands[:2]
        assert len(serving.taken) == 4

    run(story())


def test_an_edge_lets_1024_wait_and_no_more(run: Run, serve: Serve, address: str) -> None:
    serve(silent)

    async def story() -> None:
        async with client_of(address) as client:
            asked = [
                asyncio.ensure_future(client.ask(CheckStore(), seconds=SECONDS))
                for _ in range(CAPACITY)
            ]
            await met(lambda: client._transport is not None and len(client._waiting) == CAPACITY)
            assert isinstance(await error_of(client.ask(CheckStore(), seconds=SECONDS)), FullError)
            asked.pop().cancel()
            await asyncio.sleep(0)
            asked.append(asyncio.ensure_future(client.ask(CheckStore(), seconds=SECONDS)))
            await asyncio.sleep(0)
            assert not asked[-1].done()
            client.close()
            found = await asyncio.gather(*asked, return_exceptions=True)
            assert [type(each) for each in found] == [StoreError] * CAPACITY

    run(story())


# -- a core that goes away -------------------------------------------------------------------------


def test_what_was_not_answered_is_put_again_to_the_next_core(
    run: Run, serve: Serve, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = serve(silent)

    async def story() -> None:
        commands = [CheckStore() for _ in range(ALL)]
        keys = [command.key for command in commands]
        async with client_of(address) as client:
            asked = asyncio.ensure_future(ask_all(client, commands))
            await met(lambda: len(first.taken) == ALL)
            first.close()
            await met(lambda: client._transport is None)
            second = serve()
            assert await asked == keys
            assert second.keys == keys
            assert first.keys == keys
            await connected(client)
            assert len(second.taken) == ALL + 1
            assert client._waiting == {}

    run(story())
    assert f"The connection to the core was lost: {ALL} requests are sent again" in caplog.text


def test_what_was_answered_is_not_put_again(run: Run, serve: Serve, address: str) -> None:
    def every_other(request: QueuedCommand) -> None:
        if len(first.taken) % 2:
            give(request, "the first core's")

    first = serve(every_other)

    async def story() -> None:
        commands = [CheckStore() for _ in range(ALL)]
        async with client_of(address) as client:
            asked = [asyncio.ensure_future(client.ask(each, seconds=SECONDS)) for each in commands]
            await met(lambda: sum(each.done() for each in asked) == ALL // 2)
            first.close()
            second = serve(lambda request: give(request, "the second core's"))
            found = await asyncio.gather(*asked)
            assert found == ["the first core's", "the second core's"] * (ALL // 2)
            assert second.keys == [command.key for command in commands[1::2]]

    run(story())


def test_what_is_put_while_no_core_is_there_is_taken_by_the_next_one_in_its_order(
    run: Run, serve: Serve, address: str
) -> None:
    first = serve()

    async def story() -> None:
        commands = [CheckStore() for _ in range(ALL)]
        async with client_of(address) as client:
            await connected(client)
            first.close()
            await met(lambda: client._transport is None)
            asked = asyncio.ensure_future(ask_all(client, commands))
            await met(lambda: len(client._waiting) == ALL)
            second = serve()
            assert await asked == [command.key for command in commands]
            assert second.taken == commands

    run(story())


def test_core_after_core_goes_away_and_each_is_answered_once(
    run: Run, serve: Serve, address: str
) -> None:
    """Each core answers some and dies; what arrives is the answer of the core that gave it."""
    answered: dict[str, list[int]] = {}

    def dying(number: int) -> Callable[[QueuedCommand], None]:
        def answer(request: QueuedCommand) -> None:
            if len(answered) < 10 * number:
                answered.setdefault(request.command.key, []).append(number)
                give(request, number)

        return answer

    async def story() -> None:
        commands = [CheckStore() for _ in range(60)]
        async with client_of(address) as client:
            asked = [asyncio.ensure_future(client.ask(each, seconds=SECONDS)) for each in commands]
            for number in range(1, 7):
                serving = serve(dying(number))
                await met(lambda wanted=10 * number: len(answered) == wanted)  # type: ignore[misc]
                await met(
                    lambda wanted=10 * number: sum(each.done() for each in asked) == wanted  # type: ignore[misc]
                )
                serving.close()
            found = await asyncio.gather(*asked)
        assert found == [number for number in range(1, 7) for _ in range(10)]
        assert answered == {
            command.key: [number] for command, number in zip(commands, found, strict=True)
        }

    run(story())


def test_an_answer_that_broke_off_is_given_whole_by_the_next_core(
    run: Run, serve: Serve, address: str
) -> None:
    big = "ä" * 3_000_000
    first = serve(silent)

    async def story() -> None:
        command = CheckStore()
        async with client_of(address) as client:
            asked = asyncio.ensure_future(client.ask(command, seconds=SECONDS))
            await met(lambda: first.taken != [])
            (edge,) = first.channel._edges
            with first.held():
                edge.link.sendall(pack(1, (big, None))[:100_000])
            first.close()
            second = serve(lambda request: give(request, big))
            assert await asked == big
            assert second.taken == [command]

    run(story())


def test_without_a_core_an_ask_ends_in_its_time(run: Run, address: str) -> None:
    async def story() -> None:
        async with client_of(address) as client:
            began = time.monotonic()
            error = await error_of(client.ask(CheckStore(), seconds=0.1))
            gone = time.monotonic() - began
            assert type(error) is StoreError
            assert 0.1 + GRACE <= gone < 5 * (0.1 + GRACE)
            assert client._waiting == {}

    run(story())


def test_a_core_that_answers_nobody_lets_each_ask_end_in_its_own_time(
    run: Run, serve: Serve, address: str
) -> None:
    serve(silent)

    async def story() -> None:
        async with client_of(address) as client:
            began = time.monotonic()
            longer = asyncio.ensure_future(client.ask(CheckStore(), seconds=SECONDS))
            error = await error_of(client.ask(CheckStore(), seconds=0.1))
            assert type(error) is StoreError
            assert 0.1 + GRACE <= time.monotonic() - began < 5 * (0.1 + GRACE)
            assert not longer.done()
            client.close()
            await error_of(longer)

    run(story())


# -- how the core is -------------------------------------------------------------------------------


def test_without_a_core_it_is_not_alive_and_says_why(run: Run, address: str) -> None:
    async def story() -> None:
        async with client_of(address) as client:
            status = await client.status()
            assert not status.alive
            assert status.reason

    run(story())


def test_a_core_says_how_it_is_and_what_its_figures_are(
    run: Run, serve: Serve, address: str
) -> None:
    serving = serve()

    async def story() -> None:
        async with client_of(address) as client:
            assert await client.status() == serving.status
            assert await client.metrics("text/plain", version="1.2") == (b"of 1.2", "text/plain")

    run(story())


def test_of_a_busy_core_it_is_told_what_it_said_last(run: Run, serve: Serve, address: str) -> None:
    serving = serve()

    async def story() -> None:
        async with client_of(address) as client:
            before = await client.status()
            with serving.held():
                serving.status = type(before)(alive=True, breaker="closed", since=6.0)
                told = await asyncio.gather(*(client.status() for _ in range(20)))
                assert told == [before] * 20
            assert await client.status() == serving.status != before

    run(story())


def test_a_core_that_went_away_is_not_alive_until_the_next_one_is_there(
    run: Run, serve: Serve, address: str
) -> None:
    first = serve()

    async def story() -> None:
        async with client_of(address) as client:
            assert (await client.status()).alive
            first.close()
            await met(lambda: client._transport is None)
            assert not (await client.status()).alive
            serve()
            assert (await client.status()).alive

    run(story())


def test_a_core_that_is_only_being_started_is_not_alive(
    run: Run, serve: Serve, address: str
) -> None:
    """Its socket takes connections already, and nobody is there to answer."""
    first = serve()

    async def story() -> None:
        async with client_of(address) as client:
            assert (await client.status()).alive
            first.close()
            with closing(listening_at(address)):
                await met(lambda: client._transport is not None)
                found = await client.status()
            assert not found.alive
            assert found.reason

    run(story())
    Path(address).unlink()


def test_what_may_have_been_done_is_not_refused_by_the_next_core_that_has_no_room(
    run: Run, serve: Serve, address: str
) -> None:
    first = serve(silent)
    refused: list[QueuedCommand] = []

    def answer(request: QueuedCommand) -> None:
        refused.append(request)
        if len(refused) < 3:
            give(request, error=FullError("too many requests wait already"))
        else:
            give(request, "done")

    async def story() -> None:
        async with client_of(address) as client:
            asked = asyncio.create_task(client.ask(CheckStore(), seconds=SECONDS))
            await met(lambda: len(first.taken) == 1)
            first.close()
            serve(answer)
            assert await asked == "done"
            assert len({each.command.key for each in refused}) == 1

    run(story())


def test_asking_after_the_end_is_refused_at_once(run: Run, serve: Serve, address: str) -> None:
    serve()

    async def story() -> None:
        async with client_of(address) as client:
            await connected(client)
            client.close()
            began = time.monotonic()
            assert "stopping" in str(await error_of(client.ask(CheckStore(), seconds=SECONDS)))
            assert time.monotonic() - began < SECONDS / 4

    run(story())


# -- from threads, and the end ---------------------------------------------------------------------


def test_a_thread_may_wait_for_an_answer(run: Run, serve: Serve, address: str) -> None:
    def answer(request: QueuedCommand) -> None:
        if isinstance(request.command, DomainResult):
            give(request, error=FinalError("never", retcode="1"))
        else:
            echo(request)

    serve(answer)

    async def story() -> None:
        async with client_of(address) as client:
            await connected(client)
            commands: list[Command] = [CheckStore() for _ in range(20)]
            found = await asyncio.gather(
                *(asyncio.to_thread(client.call, each, seconds=SECONDS) for each in commands)
            )
            assert found == [command.key for command in commands]
            refused = asyncio.to_thread(client.call, DomainResult(responses=None), seconds=SECONDS)
            error = await error_of(refused)
            assert type(error) is FinalError
            assert error.retcode == "1"

    run(story())


def test_a_thread_is_told_where_nothing_was_connected_yet(address: str) -> None:
    with pytest.raises(StoreError, match="not connected"):
        CoreClient(address).call(CheckStore())


@pytest.mark.parametrize("elsewhere", [False, True])
def test_closing_ends_whoever_waits(
    run: Run, serve: Serve, address: str, *, elsewhere: bool
) -> None:
    serving = serve(silent)

    async def story() -> None:
        async with client_of(address) as client:
            asked = [
                asyncio.ensure_future(client.ask(CheckStore(), seconds=SECONDS)) for _ in range(9)
            ]
            await met(lambda: len(serving.taken) == 9)
            waiting = asyncio.to_thread(client.call, CheckStore(), seconds=SECONDS)
            asked.append(asyncio.ensure_future(waiting))
            await met(lambda: len(serving.taken) == 10)
            if elsewhere:
                await asyncio.to_thread(client.close)
            else:
                client.close()
            found = await asyncio.gather(*asked, return_exceptions=True)
            assert [type(each) for each in found] == [StoreError] * 10
            assert {str(each) for each in found} == {"the bridge is stopping"}
            await met(lambda: serving.channel.edges == 0)

    run(story())


def test_closing_where_no_core_is_there_ends_whoever_waits_and_connects_no_more(
    run: Run, serve: Serve, address: str
) -> None:
    async def story() -> None:
        async with client_of(address) as client:
            asked = asyncio.ensure_future(client.ask(CheckStore(), seconds=SECONDS))
            await met(lambda: len(client._waiting) == 1)
            client.close()
            assert str(await error_of(asked)) == "the bridge is stopping"
            assert client._connecting is not None
            await asyncio.wait([client._connecting])
            serving = serve()
            edge = Edge(address)
            edge.close()  # it came and went; nobody else comes
            await met(lambda: serving.channel.edges == 0)
            assert client._transport is None

    run(story())


def test_closing_while_it_connects_leaves_no_connection(
    run: Run, serve: Serve, address: str
) -> None:
    serving = serve()

    async def story(turns: int) -> None:
        client = CoreClient(address)
        asked = asyncio.ensure_future(client.ask(CheckStore(), seconds=SECONDS))
        for _ in range(turns):
            await asyncio.sleep(0)
        client.close()
        assert str(await error_of(asked)) == "the bridge is stopping"
        assert client._connecting is not None
        await asyncio.wait([client._connecting])

    for turns in range(1, 5):
        with serving.held():
            run(story(turns))
        edge = Edge(address)  # behind the other one, if that came at all
        edge.send(1, CheckStore())
        assert edge.receive()[0] == 1
        until(lambda: serving.channel.edges == 1)
        edge.close()
        until(lambda: serving.channel.edges == 0)


def test_a_client_that_was_never_used_is_closed_for_good(
    run: Run, serve: Serve, address: str
) -> None:
    serving = serve()

    async def story() -> None:
        client = CoreClient(address)
        client.close()
        error = await error_of(client.ask(CheckStore(), seconds=SECONDS))
        assert str(error) == "the bridge is stopping"
        assert not (await client.status()).alive
        assert serving.channel.edges == 0

    run(story())
