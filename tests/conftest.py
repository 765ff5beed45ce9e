"""The databases that tests run on: the same tests on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """PostgreSQL, started for the first test that asks for it."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """``storage.url`` of a file that is not there yet."""
    return f"sqlite:///{tmp_path / 'bridge.db'}"


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """``storage.url`` of an empty database of the tests' PostgreSQL."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """``storage.url`` of an empty database; a test that asks for it runs on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
