"""A simulated gateway for the folder, begun anew for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.harness import Simulator


@pytest.fixture(scope="session")
def running() -> Iterator[Simulator]:
    with Simulator("--poll-seconds", "0.1") as simulator:
        yield simulator


@pytest.fixture
def gateway(running: Simulator) -> Simulator:
    running.reset()
    return running
