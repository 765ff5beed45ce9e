"""A simulated gateway and a bridge in this process, for stories that need no HTTP server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bridge.config.settings import Settings
from bridge.planners import Rules
from tests.scenarios.office import Office
from tests.scenarios.rasa_stub import RasaStub
from tests.simulator.harness import Simulator

OpenOffice = Callable[..., Office]


@pytest.fixture(scope="session")
def running() -> Iterator[Simulator]:
    with Simulator("--poll-seconds", "0.1", "--limit-counts", "data") as simulator:
        yield simulator


@pytest.fixture
def gateway(running: Simulator) -> Simulator:
    running.reset()
    return running


@pytest.fixture
def open_office(gateway: Simulator, store_url: str) -> Iterator[OpenOffice]:
    """Opens bridges with changed settings on one database; each is closed in the end.

    The newest is the one that actions are answered by.
    """
    with ExitStack() as opened:

        def open_one(
            designer: dict[str, Any] | None = None,
            url: str = "",
            rules: Callable[[Settings], Rules] | None = None,
            media: dict[str, Any] | None = None,
            **changes: Any,
        ) -> Office:
            address = url or gateway.url
            office = Office(address, store_url, designer or {}, changes, rules=rules, media=media)
            return opened.enter_context(office)

        yield open_one


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    """A bridge that signs agent 291 in, and an assignment for conversation ``sender``."""
    made = open_office()
    made.assign()
    return made


@pytest.fixture
def rasa() -> Iterator[RasaStub]:
    with RasaStub() as stub:
        yield stub
