"""Whose lease need not be waited for: only a process that would be seen here if it lived."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from bridge import identity


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


@pytest.mark.parametrize("mark", [0, 1], ids=["boot", "container"])
def test_of_another_machine_or_container_of_that_name_nothing_is_claimed(mark: int) -> None:
    holder = _of_a_process_that_ended()
    marks = identity.marks()
    assert identity.is_dead(holder, identity.place(platform.node(), *marks))
    marks[mark] = "another"
    assert not identity.is_dead(holder, identity.place(platform.node(), *marks))


def test_replicas_whose_names_differ_in_the_end_are_told_apart() -> None:
    hosts = [f"rasa-cc-bridge-7d9f8c6b5-{end}" for end in ("x2x4k", "q8zpw")]
    names = [identity.name(identity.place(host, *identity.marks())) for host in hosts]
    assert len({name.partition(":")[0] for name in names}) == 2
    assert all(len(name) <= 64 - len(":1000000000") for name in names)


def test_what_is_no_name_of_ours_is_not_judged() -> None:
    place = identity.name().partition(":")[0]
    for holder in ("", place, f"{place}:", f"{place}:x:y", f"{place}:{'9' * 30}:y"):
        assert not identity.is_dead(holder)
    assert not identity.is_dead(f"{place}:{os.getpid()}:y")
