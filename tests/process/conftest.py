"""Places for sockets, cores that are closed in the end, and the event loops an edge may have."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
import uvloop

from bridge.core.command_queue import CAPACITY
from tests.process.serving import Answering, Edge, Serving, echo

T = TypeVar("T")
AT_MOST = 60.0  # seconds


class Serve(Protocol):
    """Begins to serve at the test's address."""

    def __call__(self, answer: Answering = echo, *, capacity: int = CAPACITY) -> Serving: ...


class Run(Protocol):
    """Runs a coroutine to its end; the test's event loop is the same each time."""

    def __call__(self, story: Coroutine[Any, Any, T], /) -> T: ...


@pytest.fixture
def address() -> Iterator[str]:
    """A path short enough for a socket; nothing is there yet."""
    folder = Path(tempfile.mkdtemp(prefix="cc-"))
    yield str(folder / "core")
    shutil.rmtree(folder)


@pytest.fixture
def serve(address: str) -> Iterator[Serve]:
    """Make a core that answers; the last one is closed in the end, as were those before it."""
    with ExitStack() as made:

        def make_one(answer: Answering = echo, *, capacity: int = CAPACITY) -> Serving:
            serving = Serving(address, answer, capacity=capacity)
            made.callback(serving.close)
            return serving

        yield make_one


@pytest.fixture
def connect(address: str) -> Iterator[Callable[[], Edge]]:
    """Connect an edge of a bare socket."""
    with ExitStack() as made:

        def make_one() -> Edge:
            edge = Edge(address)
            made.callback(edge.close)
            return edge

        yield make_one


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Run stories in an event loop of each kind; nothing may go wrong in it unnoticed."""
    if request.param == "uvloop":
        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    faults: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: faults.append(context))

    def run_one(story: Coroutine[Any, Any, T], /) -> T:
        return loop.run_until_complete(asyncio.wait_for(story, AT_MOST))

    yield run_one
    left = asyncio.all_tasks(loop)
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    assert left == set()
    assert faults == []
