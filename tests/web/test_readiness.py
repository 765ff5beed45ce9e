"""Ready means that a handoff can be made, and it is said in time."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sanic import Sanic

from bridge import runtime
from bridge.errors import StoreError
from bridge.web import lifecycle
from tests.web.serving import ActionServer


def test_a_database_that_hangs_is_not_ready_and_recovers(tmp_path: Path) -> None:
    with ActionServer(tmp_path) as server:
        lock = sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        assert server.wait_for("/bridge/ready", 503)
        found = server.get("/bridge/ready")
        if found.status_code == 503:
            assert found.json()["status"] == "not_ready"
            assert found.json()["checks"]["store"] == "slow"
        assert server.get("/bridge/health").status_code == 200
        lock.execute("ROLLBACK")
        lock.close()
        assert server.wait_for("/bridge/ready")


def test_opening_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes: list[Exception | None] = [
        StoreError("the database is away"),
        ValueError("the customer's words"),
        None,
    ]

    def current() -> None:
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    monkeypatch.setattr(runtime, "current", current)
    monkeypatch.setattr(lifecycle, "_PAUSES", (0.0, 0.0))
    asyncio.run(lifecycle._open())
    assert outcomes == []
    assert "the database is away" in caplog.text
    assert "ValueError" in caplog.text
    assert "the customer's words" not in caplog.text


def test_closing_is_bounded(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def never() -> None:
        released = asyncio.Event()
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(
            runtime,
            "close_current",
            lambda: asyncio.run_coroutine_threadsafe(released.wait(), loop).result(),
        )
        await lifecycle._close(Sanic("tests-web-readiness"))
        released.set()

    monkeypatch.setattr(lifecycle, "_CLOSING", 0.01)
    asyncio.run(never())
    assert "not closed in time" in caplog.text
