"""The store on each engine that a test runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.store import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An empty database."""
    return f"sqlite:///{tmp_path / 'bridge.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open store."""
    opened = Store(url)
    yield opened
    opened.close()
