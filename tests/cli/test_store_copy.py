"""``cc-bridge store copy`` as an operator runs it."""

from __future__ import annotations

import json
import shlex
import time
from contextlib import closing
from pathlib import Path

import pytest

from bridge.store import Store
from tests.cli.running import at_terminal, piped, within
from tests.store.people import dump, history


@pytest.fixture
def filled(sqlite_url: str) -> str:
    with closing(Store(sqlite_url)) as store:
        history(store, "maria", "call-1", "40001", time.time())
    return sqlite_url


def contents(url: str) -> dict[str, list[dict[str, object]]]:
    with closing(Store(url)) as store:
        return dump(store)


def test_sqlite_moves_to_postgresql_and_back(
    filled: str, empty_postgres_url: str, tmp_path: Path
) -> None:
    ran = piped(tmp_path, "store", "copy", filled, empty_postgres_url)
    assert (ran.code, ran.err) == (0, "")
    assert ["deliveries", "1"] in ran.rows
    assert contents(empty_postgres_url) == contents(filled)
    back = within(tmp_path, "store", "copy", "--json", empty_postgres_url, "sqlite:///back.db")
    assert back.code == 0
    said = json.loads(back.out)
    assert said["total"] == sum(said["rows"].values()) > 0
    assert contents(f"sqlite:///{tmp_path}/back.db") == contents(filled)


def test_at_a_terminal_it_shows_what_was_copied(filled: str, tmp_path: Path) -> None:
    ran = at_terminal(tmp_path, "store", "copy", filled, "sqlite:///copy.db")
    assert ran.code == 0
    assert "rows copied" in ran.out


def test_it_says_what_is_in_the_way(filled: str, tmp_path: Path) -> None:
    for arguments, said in (
        ((filled, filled), "the two databases are the same"),
        (("sqlite:///none.db", "sqlite:///copy.db"), "there is no database none.db"),
        ((filled, "mysql://x"), "is not a database URL"),
    ):
        ran = within(tmp_path, "store", "copy", *arguments)
        assert (ran.code, ran.out) == (2, "")
        assert said in ran.err
    with closing(Store(filled)) as store:
        store.require_writable()
        ran = within(tmp_path, "store", "copy", filled, "sqlite:///copy.db")
    assert ran.code == 2
    assert "is in use: stop every server and command that works on it" in ran.err


def test_the_command_of_the_operations_page(
    filled: str, empty_postgres_url: str, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    (line,) = (
        line for line in page.splitlines() if "cc-bridge store copy " in line and "/bin/" in line
    )
    _, *arguments, source, target = shlex.split(line)
    assert (source, target.partition("@")[0]) == (
        "sqlite:///bridge.db",
        "postgresql+psycopg://bridge",
    )
    ran = within(tmp_path, *arguments, source, empty_postgres_url)
    assert (ran.code, ran.err) == (0, "")
    assert contents(empty_postgres_url) == contents(filled)
