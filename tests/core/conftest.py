"""An open store, on each engine, and cores on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from bridge.store import Store
from tests.core.rig import Making, Rig


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open, on an empty database."""
    opened = Store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def make(store: Store) -> Iterator[Making]:
    """Make cores that are ready to step; they are closed in the end."""
    with ExitStack() as made:

        def make_one(on: Store | None = None, **options: Any) -> Rig:
            rig = Rig(on or store, **options)
            rig.core.prepare()
            made.callback(rig.core.close, within=1.0)
            return rig

        yield make_one


@pytest.fixture
def rig(make: Making) -> Rig:
    """One core."""
    return make()
