"""PostgreSQL that lets nobody in: what is wrong and how to mend it, and never the password."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from bridge.errors import StoreError
from bridge.store import Store
from tests.postgres import PostgresServer

PASSWORD = "hunter2-and-more"


@pytest.fixture
def strict(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """It asks one user for a password."""
    postgres.execute(f"CREATE ROLE strict LOGIN PASSWORD '{PASSWORD}'")
    postgres.allow("local all strict scram-sha-256")
    yield postgres
    postgres.allow("")
    postgres.execute("DROP ROLE strict")


def refused(url: str) -> str:
    with pytest.raises(StoreError) as raised:
        Store(url)
    said = str(raised.value)
    assert "storage.url" in said
    assert PASSWORD not in said
    assert "\n" not in said
    return said


def test_a_wrong_password(strict: PostgresServer) -> None:
    url = strict.url().replace("postgres@", f"strict:{PASSWORD}x@")
    said = refused(url)
    assert "password authentication failed" in said
    assert "'strict'" in said
    assert str(strict.folder) in said


def test_a_database_that_is_not_there(postgres: PostgresServer) -> None:
    assert '"nowhere" does not exist' in refused(postgres.url("nowhere"))


def test_a_user_who_may_make_no_tables(strict: PostgresServer) -> None:
    url = strict.url().replace("postgres@", f"strict:{PASSWORD}@")
    assert "permission denied" in refused(url)


def test_a_server_that_is_down() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        url = f"postgresql+psycopg://bridge:{PASSWORD}@127.0.0.1:{port}/bridge"
        said = refused(url)
    assert "refused" in said
    assert f"127.0.0.1:{port}" in said
    assert "that the server runs" in said


def test_a_host_that_is_not_known() -> None:
    assert "nowhere.invalid" in refused(
        f"postgresql+psycopg://bridge:{PASSWORD}@nowhere.invalid/bridge"
    )


def test_a_password_with_an_at_sign_that_is_not_escaped() -> None:
    said = refused(f"postgresql+psycopg://bridge:x@{PASSWORD}@db.example/bridge")
    assert "%40" in said


def test_an_option_that_is_none(postgres: PostgresServer) -> None:
    assert "colour" in refused(f"{postgres.url()}&colour=red")


def test_a_password_with_signs_that_are_escaped_lets_in(strict: PostgresServer) -> None:
    strict.execute("ALTER ROLE strict PASSWORD 'a@b:c/d%'")
    strict.execute("CREATE DATABASE of_strict OWNER strict")
    url = strict.url("of_strict").replace("postgres@", "strict:a%40b%3Ac%2Fd%25@")
    Store(url).close()
    strict.execute("DROP DATABASE of_strict")


@pytest.mark.parametrize(("seconds", "words"), [(-60, "60 s behind"), (60, "60 s ahead of")])
def test_a_clock_that_is_not_the_databases_is_warned_of(
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    seconds: int,
    words: str,
) -> None:
    Store(postgres_url).close()
    assert caplog.messages == []
    here = time.time
    monkeypatch.setattr(time, "time", lambda: here() + seconds)
    Store(postgres_url).close()
    assert words in caplog.text
