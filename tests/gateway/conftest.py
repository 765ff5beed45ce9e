"""A simulated gateway for the folder, begun anew for each test, and a fresh database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'bridge.db'}"
