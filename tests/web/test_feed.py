"""A worker's feed: readers that lag behind it, and what other machines commit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing
from typing import Any

import pytest
from sqlalchemy import select

from bridge.config.settings import BridgeSettings, HandoffSettings, Settings
from bridge.context import Context
from bridge.errors import RefusedError
from bridge.model import AgentId
from bridge.runtime import Runtime
from bridge.state.commands import AssignCall
from bridge.store import schema
from bridge.web.auth import SYSTEM, Principal, PrincipalKind
from bridge.web.feed import MOST_OF_A_PERSON, Feed
from tests.core.rig import given
from tests.core.senders import NotingSenders

pytestmark = pytest.mark.both_engines
SOON = 5.0  # seconds; what is awaited comes within milliseconds
ANNA = Principal(PrincipalKind.AGENT, AgentId("291"))


@pytest.fixture
def machines(store_url: str) -> Iterator[list[Runtime]]:
    """Two machines on one database, each with a core."""
    written = {
        "gateway": {"url": "http://127.0.0.1:9"},
        "channel_config_ids": {"WEB": "202301032048582419"},
        "storage": {"url": store_url},
    }
    settings = Settings(bridge=BridgeSettings.model_validate(written), designer=HandoffSettings())
    with ExitStack() as opened:
        made = []
        for _ in range(2):
            runtime = Runtime(Context.of(settings), senders=NotingSenders())
            opened.callback(runtime.close)
            made.append(runtime)
        yield made


async def unchanged() -> None:
    """The token is valid."""


def events(block: bytes) -> list[dict[str, Any]]:
    """The data of a block's events."""
    lines = block.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


async def calls(blocks: AsyncGenerator[bytes, None], last: str) -> list[str]:
    """The call IDs of the events up to the one of the call ``last``."""
    found: list[str] = []
    while last not in found:
        block = await asyncio.wait_for(anext(blocks), SOON)
        found += [data["call_id"] for data in events(block)]
    return found


async def assign(machine: Runtime, *call_ids: str, agent: str = "291") -> None:
    for call_id in call_ids:
        await machine.core.ask(AssignCall(assignment=given(call_id, agent=agent)), seconds=SOON)


def test_what_another_machine_commits_is_told(machines: list[Runtime]) -> None:
    async def story() -> None:
        here, there = machines
        feed = Feed(lambda: here)
        with feed.entered("token", SYSTEM):
            position, first = await feed.begin(None)
            assert f"id: {position}".encode() in first
            async with aclosing(feed.blocks(position, SYSTEM, unchanged)) as blocks:
                await assign(there, "A")
                assert await calls(blocks, "A") == ["A"]
                await assign(here, "B")
                await assign(there, "C")
                assert await calls(blocks, "C") == ["B", "C"]
        feed.close()

    asyncio.run(story())


def test_who_falls_behind_what_is_kept_misses_nothing(machines: list[Runtime]) -> None:
    async def story() -> None:
        here = machines[0]
        feed = Feed(lambda: here, kept=3)
        with feed.entered("slow", SYSTEM), feed.entered("quick", SYSTEM):
            position, _ = await feed.begin(None)
            slow = feed.blocks(position, SYSTEM, unchanged)
            quick = feed.blocks(position, SYSTEM, unchanged)
            async with aclosing(slow), aclosing(quick):
                names = [f"call-{number}" for number in range(12)]
                for name in names:
                    await assign(here, name)
                    assert await calls(quick, name) == [name]
                assert await calls(slow, names[-1]) == names
        feed.close()

    asyncio.run(story())


def test_an_agents_position_advances_with_what_others_do(machines: list[Runtime]) -> None:
    """Else an agent without calls would be reset once the log is pruned."""

    async def story() -> None:
        here = machines[0]
        feed = Feed(lambda: here)
        with feed.entered("token", ANNA):
            position, _ = await feed.begin(None)
            async with aclosing(feed.blocks(position, ANNA, unchanged)) as blocks:
                await assign(here, "theirs", agent="295")
                await assign(here, "own")
                found = await calls(blocks, "own")
                assert found == ["own"]
        feed.close()

    asyncio.run(story())


def test_a_position_from_before_the_log_is_reset(machines: list[Runtime]) -> None:
    async def story() -> None:
        here = machines[0]
        await assign(here, "A", "B")
        feed = Feed(lambda: here)
        with feed.entered("token", SYSTEM):
            # A change has four IDs; the last of them says that all its events were read.
            for last, expected in ((0, 0), (3, 0), (4, 1), (7, 1), (8, 2)):
                position, first = await feed.begin(last)
                assert (position, b"event: reset" in first) == (expected, False)
            position, first = await feed.begin(12)
            assert (position, b"event: reset" in first) == (2, True)
        feed.close()

    asyncio.run(story())


def test_a_stream_ends_with_its_token(machines: list[Runtime]) -> None:
    async def revoked() -> None:
        raise RefusedError(401, "unauthorized", "the access token is missing or invalid")

    async def story() -> None:
        feed = Feed(lambda: machines[0])
        with feed.entered("token", ANNA):
            position, _ = await feed.begin(None)
            left = [block async for block in feed.blocks(position, ANNA, revoked)]
            assert left == []
        feed.close()

    asyncio.run(story())


def test_an_agent_that_reads_is_heard_of_once_for_all_windows(machines: list[Runtime]) -> None:
    async def story() -> None:
        here = machines[0]
        assert here.service is not None
        feed = Feed(lambda: here)
        with feed.entered("anna", ANNA), feed.entered("system", SYSTEM):
            position, _ = await feed.begin(None)
            windows = [feed.blocks(position, ANNA, unchanged) for _ in range(3)]
            system = feed.blocks(position, SYSTEM, unchanged)
            async with AsyncExitStack() as opened:
                for blocks in (*windows, system):
                    await opened.enter_async_context(aclosing(blocks))
                for number in range(3):
                    await assign(here, f"call-{number}")
                    for blocks in (*windows, system):
                        assert await calls(blocks, f"call-{number}") == [f"call-{number}"]
        commits = here.service.core._commits
        assert commits == 3 + 1  # the assignments, and one presence
        with here.service.store.transaction() as tx:
            found = tx.connection.scalars(select(schema.presences.c.agent_id)).all()
        assert list(found) == ["291"]
        feed.close()

    asyncio.run(story())


def test_streams_are_counted_while_they_are_open(machines: list[Runtime]) -> None:
    async def story() -> None:
        feed = Feed(lambda: machines[0])
        with ExitStack() as opened:
            for _ in range(MOST_OF_A_PERSON):
                opened.enter_context(feed.entered("token", ANNA))
            with pytest.raises(RefusedError) as refused, feed.entered("token", ANNA):
                pass
            assert refused.value.status == 429
            opened.enter_context(feed.entered("another", ANNA))
        with feed.entered("token", ANNA):
            pass

    asyncio.run(story())
