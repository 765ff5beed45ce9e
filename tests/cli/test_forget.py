"""``cc-bridge forget`` as an operator runs it, on a database that nobody works on."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bridge.model import DeliveryState
from bridge.store import Store
from tests.cli.running import Ran, at_terminal, configure, piped, within
from tests.store.people import history, written

KINDS = (
    "deliveries",
    "messages",
    "suggestions",
    "assignments",
    "rasa_updates",
    "turns",
    "changes",
    "events",
    "calls",
    "call_requests",
)


@pytest.fixture
def folder(tmp_path: Path, sqlite_url: str) -> Path:
    return filled(tmp_path, sqlite_url)


def filled(folder: Path, url: str) -> Path:
    """Maria with two calls, and Jon with one."""
    store = Store(url)
    at = time.time() - 60
    history(store, "maria", "call-1", "40001", at)
    history(store, "maria", "call-2", "40001", at, DeliveryState.WAITING)
    history(store, "jon", "call-3", "40002", at)
    store.close()
    return configure(folder, url)


def left(url: str) -> str:
    store = Store(url)
    found = written(store)
    store.close()
    return found


def test_it_shows_what_there_is_and_erases_nothing(folder: Path, sqlite_url: str) -> None:
    before = left(sqlite_url)
    ran = within(folder, "forget", "--user", "40001", "--dry-run")
    assert ran.code == 0
    assert sorted(ran.rows) == sorted([kind, "2"] for kind in KINDS)
    assert left(sqlite_url) == before


@pytest.mark.both_engines
def test_it_erases_and_reports_by_kind(tmp_path: Path, store_url: str) -> None:
    folder = filled(tmp_path, store_url)
    ran = piped(folder, "forget", "--sender", "maria", "--yes", "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {
        "conversations": ["maria"],
        "calls": ["call-1", "call-2"],
        "users": ["40001"],
        "rasa_conversations": ["assist-maria-call-1", "assist-maria-call-2"],
        "erased": True,
        "rows": dict.fromkeys(KINDS, 2),
        "total": 2 * len(KINDS),
        "clean": True,
    }
    assert not any(known in left(store_url) for known in ("maria", "40001", "call-1"))
    assert "jon" in left(store_url)
    again = within(folder, "forget", "--sender", "maria", "--yes")
    # No bar where nobody sees it.
    assert (again.code, again.out, again.err) == (1, "", "No data of sender maria was found.\n")


def test_it_asks_first_and_takes_no_for_an_answer(folder: Path, sqlite_url: str) -> None:
    no = at_terminal(folder, "forget", "--call", "call-1", say="n\n")
    assert no.code == 1
    assert f"Erase {len(KINDS)} rows permanently? [y/N]" in no.out
    assert "Searching" in no.out  # the bar
    assert "call-1" in left(sqlite_url)
    yes = at_terminal(folder, "forget", "--call", "call-1", say="y\n")
    assert yes.code == 0
    assert f"{len(KINDS)} rows erased." in yes.out.splitlines()
    assert yes.out.splitlines()[-1].endswith("delete them there: assist-maria-call-1")
    assert "call-1" not in left(sqlite_url)
    assert "call-2" in left(sqlite_url)


def test_it_shows_whom_it_means(folder: Path) -> None:
    ran = at_terminal(folder, "forget", "--user", "40001", "--dry-run")
    seen = [line.rstrip() for line in ran.out.splitlines()]
    for line in (
        "conversation  maria",
        "calls         call-1, call-2",
        "user          40001",
        "2  messages to the customer",
        "2  calls, with their handoff cards",
        f"{2 * len(KINDS)} rows found.",
    ):
        assert line in seen


def test_where_nobody_can_be_asked_nothing_is_erased(folder: Path, sqlite_url: str) -> None:
    ran = within(folder, "forget", "--sender", "maria")
    assert ran.code == 2
    assert "add --yes" in ran.err
    assert "maria" in left(sqlite_url)


def test_one_is_named_and_only_one(folder: Path) -> None:
    def refused(*arguments: str) -> Ran:
        ran = within(folder, "forget", *arguments)
        assert ran.code == 2
        return ran

    assert "Use exactly one of" in refused().err
    assert "Use exactly one of" in refused("--call", "a", "--user", "b").err
    assert "Use exactly one of" in refused("--sender", "").err


def test_a_file_that_is_not_written_anew_is_told(tmp_path: Path, sqlite_url: str) -> None:
    store = Store(sqlite_url)
    history(store, "maria", "call-1", "40001", time.time())
    store.close()
    ran = within(configure(tmp_path, sqlite_url), "forget", "--user", "40001", "-y", "--no-compact")
    assert ran.code == 0
    assert "--compact" in ran.err
