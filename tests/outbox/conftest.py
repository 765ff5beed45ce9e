"""An open store, on each engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.store import Store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open, on an empty database."""
    opened = Store(store_url)
    yield opened
    opened.close()
