"""The databases that tests run on: SQLite, and where that matters PostgreSQL too.

Whatever runs here runs in several processes at once, each with servers of its own: nothing has a
fixed port or a fixed place.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from bridge.store import Store
from tests.postgres import PostgresServer

# What asks for ``store_url`` in these folders runs on each engine; elsewhere on SQLite, unless it
# is marked ``both_engines``.
ON_BOTH = ("store", "core", "campaign")
ENGINES = ("sqlite", "postgres")

# Tests that share what takes seconds to start run in one process, one after the other; so do those
# of a file that is named. All others run wherever there is room.
TOGETHER = (
    "tests/web/",
    "tests/demo/",
    "tests/store/test_a_database_that_goes_away.py",
    "tests/core/test_a_database_that_goes_away.py",
)
ON_THEIR_OWN = ("tests/web/test_signals.py", "tests/web/test_start_and_stop.py")


class Scheduler(LoadScopeScheduling):
    """Deals tests out one by one, and those of ``TOGETHER`` as one, these first."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ON_THEIR_OWN):
            return nodeid
        return next((found for found in TOGETHER if nodeid.startswith(found)), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduler:
    """Take this one, whatever ``--dist`` says."""
    return Scheduler(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for a database once for each engine that it is to run on."""
    if "engine" in metafunc.fixturenames:
        test = metafunc.definition
        both = test.path.parent.name in ON_BOTH or test.get_closest_marker("both_engines")
        metafunc.parametrize("engine", ENGINES if both else ENGINES[:1], indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """``sqlite`` or ``postgres``: what the test's database is."""
    chosen: str = request.param
    return chosen


def make_tables(url: str) -> None:
    """Bring an empty database to this version's schema, and leave nobody connected to it."""
    Store(url).close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """PostgreSQL, started for the first test of this process that asks for it."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> Iterator[str]:
    """A database with tables, to be copied: a third of what making the tables takes."""
    with postgres.database() as url:
        make_tables(url)
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """``storage.url`` of a file that is not there yet: its tables take some 10 ms."""
    return f"sqlite:///{tmp_path / 'bridge.db'}"


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    """``storage.url`` of a database of the tests' PostgreSQL that has its tables and no rows."""
    with postgres.database(like=postgres_template) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """``storage.url`` of a database of the tests' PostgreSQL in which there is nothing."""
    with postgres.database() as url:
        yield url


@pytest.fixture
def store_url(request: pytest.FixtureRequest, engine: str) -> str:
    """``storage.url`` of a database without rows, on the engines of the test's folder."""
    url: str = request.getfixturevalue(f"{engine}_url")
    return url


@pytest.fixture
def empty_store_url(request: pytest.FixtureRequest, engine: str) -> str:
    """The same where the tables are to be made by the test."""
    url: str = request.getfixturevalue("sqlite_url" if engine == "sqlite" else "empty_postgres_url")
    return url
