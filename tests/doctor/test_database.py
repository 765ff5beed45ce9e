"""The database is examined, and not changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from bridge.config.settings import BridgeSettings
from bridge.doctor import database
from bridge.doctor.diagnosis import Diagnosis, Severity
from bridge.model import Owner, SenderId
from bridge.state.records import AssignmentRecord
from bridge.store import Store, condition
from bridge.store.engine import open_engine
from bridge.store.migrate import HEAD
from tests.making import NOW, assignment
from tests.store.machine import keep, signed_in


def examined(url: str, workers: int = 1) -> list[Diagnosis]:
    settings = BridgeSettings.model_validate(
        {"gateway": {"url": "http://127.0.0.1:9"}, "storage": {"url": url}}
    )
    return list(database.examine(settings, workers))


@pytest.fixture
def made_url(store_url: str) -> str:
    Store(store_url).close()
    return store_url


@pytest.mark.both_engines
def test_a_database_of_this_version_is_in_order(made_url: str) -> None:
    (found,) = examined(made_url)
    assert (found.severity, found.found) == (Severity.OK, f"version {HEAD}, writable")


@pytest.mark.both_engines
def test_an_empty_one_is_in_order(empty_store_url: str) -> None:
    (found,) = examined(empty_store_url)
    assert found.severity is Severity.OK
    assert "created when the server starts" in found.found


def test_a_file_that_does_not_exist_is_not_created(sqlite_url: str, tmp_path: Path) -> None:
    examined(sqlite_url)
    assert condition.session(sqlite_url, "291") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("version", "severity", "hint"),
    [("0102", Severity.WARNING, "it upgrades"), ("9999", Severity.ERROR, "newer version again")],
)
def test_another_version_is_named_and_left_alone(
    made_url: str, version: str, severity: Severity, hint: str
) -> None:
    engine = open_engine(made_url, connections=1)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{version}'"))  # noqa: S608
    engine.dispose()
    for _ in range(2):
        (found,) = examined(made_url)
        assert found.severity is severity
        assert (found.found.split(",")[0], found.allowed) == (
            f"version {version}",
            f"version {HEAD}",
        )
        assert hint in found.hint


def test_a_file_in_use_by_a_server_is_in_order(sqlite_url: str) -> None:
    with closing(Store(sqlite_url)) as store:
        store.require_writable()
        assert [each.severity for each in examined(sqlite_url)] == [Severity.OK]
        store.require_writable()


@pytest.mark.parametrize("wrong", ["no folder", "no database", "a folder", "locked"])
def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / ("none/bridge.db" if wrong == "no folder" else "bridge.db")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        if wrong == "no database":
            path.write_bytes(b"something else" * 100)
        elif wrong == "a folder":
            path.mkdir()
        elif wrong == "locked":
            Store(f"sqlite:///{path}").close()
            other = sqlite3.connect(path, isolation_level=None)  # noqa: PLW2901
            other.execute("BEGIN EXCLUSIVE")
        (found,) = examined(f"sqlite:///{path}")
        other.close()
    assert (found.severity, found.key) == (Severity.ERROR, "storage.url")
    assert str(path) in found.found
    assert found.hint


def test_a_folder_in_which_nothing_can_be_created_is_an_error() -> None:
    """Also if the permissions allow it, as they do to root."""
    (found,) = examined("sqlite:////proc/bridge.db")
    assert (found.severity, found.key) == (Severity.ERROR, "storage.url")
    assert "/proc/bridge.db cannot be created" in found.found
    assert found.hint


def test_too_few_connections_are_named(postgres_url: str) -> None:
    assert [each.severity for each in examined(postgres_url, workers=2)] == [Severity.OK]
    *_, found = examined(postgres_url, workers=30)  # the tests' server allows 200
    assert (found.severity, found.key) == (Severity.WARNING, "storage.connections")
    assert found.allowed.startswith("250 ")


def test_a_server_that_does_not_run_is_an_error() -> None:
    (found,) = examined("postgresql+psycopg://bridge:secret@127.0.0.1:1/bridge")
    assert found.severity is Severity.ERROR
    assert "secret" not in found.found


@pytest.mark.both_engines
def test_a_stored_session_is_found(made_url: str) -> None:
    with closing(Store(made_url)) as store:
        keep(store, sessions=[signed_in("291")])
    stored = condition.session(made_url, "291")
    assert stored is not None
    assert stored.agent_id == "291"
    assert condition.session(made_url, "305") is None


@pytest.mark.both_engines
def test_a_stored_assignment_is_found(made_url: str) -> None:
    made = AssignmentRecord(assignment(sender_id=SenderId("maria")), Owner.BOT, "http", NOW)
    with closing(Store(made_url)) as store:
        keep(store, assignments=[made])
    stored = condition.assignment(made_url, "maria")
    assert stored is not None
    assert (stored.source, stored.ended_at) == ("http", None)
    assert condition.assignment(made_url, "jon") is None
