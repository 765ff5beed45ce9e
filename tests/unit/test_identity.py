"""Whose lease need not be waited for: only a process that would be seen here if it lived."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bridge import identity


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    identity._place.cache_clear()
    yield
    identity._place.cache_clear()


def _of_a_process_that_ended() -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from bridge import identity; print(identity.name())"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_process_of_this_machine_that_ended_is_dead() -> None:
    holder = _of_a_process_that_ended()
    assert identity.is_dead(holder)
    assert identity.is_dead(f"{holder}:17")  # a lease of its
    assert not identity.is_dead(identity.name())
    assert not identity.is_dead(None)


@pytest.mark.parametrize("mark", ["_read", "_link"])
def test_of_another_machine_or_container_of_that_name_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    holder = _of_a_process_that_ended()
    monkeypatch.setattr(identity, mark, lambda _path: ["another"])
    assert not identity.is_dead(holder)


def test_replicas_whose_names_differ_in_the_end_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = []
    for end in ("x2x4k", "q8zpw"):
        identity._place.cache_clear()
        monkeypatch.setattr("platform.node", lambda end=end: f"rasa-cc-bridge-7d9f8c6b5-{end}")
        names.append(identity.name())
    assert len({name.partition(":")[0] for name in names}) == 2
    assert all(len(name) <= 64 - len(":1000000000") for name in names)


def test_what_is_no_name_of_ours_is_not_judged() -> None:
    place = identity.name().partition(":")[0]
    for holder in ("", place, f"{place}:", f"{place}:x:y", f"{place}:{'9' * 30}:y"):
        assert not identity.is_dead(holder)
    assert not identity.is_dead(f"{place}:{os.getpid()}:y")
