"""An open store, on each engine, and a core beside it as another process would have one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.core.core import Core
from bridge.store import Store
from tests.core.clock import HeldClock
from tests.store.machine import working


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open, on an empty database."""
    opened = Store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> HeldClock:
    """What the core goes by."""
    return HeldClock()


@pytest.fixture
def core(store: Store, store_url: str, clock: HeldClock) -> Iterator[Core]:
    """One without senders; ``store`` has made the tables."""
    assert store
    with working(store_url, clock) as opened:
        yield opened
