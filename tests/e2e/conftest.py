"""One stage for all stories, begun with the first; each story has a customer of its own."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.e2e import harness
from tests.e2e.harness import Customer, Stage


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with harness.opened(tmp_path_factory.mktemp("stage")) as found:
        yield found


@pytest.fixture
def customer(stage: Stage) -> Customer:
    """Somebody who is assigned to nobody."""
    return stage.customer()


@pytest.fixture
def assigned(customer: Customer) -> Customer:
    """Somebody whose call agent 291 has."""
    customer.is_assigned()
    return customer


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A story that failed shows what the programs said meanwhile."""
    report = yield
    stages = [each for each in item.funcargs.values() if isinstance(each, Stage)]
    said = [(one.name, one.news()) for stage in stages for one in stage.programs]
    if report.failed:
        report.sections += said
    return report
