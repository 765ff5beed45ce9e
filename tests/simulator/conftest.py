"""One simulator for the whole folder, begun anew for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.harness import Simulator


@pytest.fixture(scope="session")
def running() -> Iterator[Simulator]:
    with Simulator("--poll-seconds", "0.05") as simulator:
        yield simulator


@pytest.fixture
def gateway(running: Simulator) -> Simulator:
    running.reset()
    return running


@pytest.fixture
def guid(gateway: Simulator) -> str:
    """Agent 291's GUID, signed in as its desktop would."""
    return gateway.sign_in("291")
