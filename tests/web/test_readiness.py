"""Ready means that a handoff can be made, and it is said in time."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.errors import StoreError
from bridge.web import lifecycle
from tests.simulator.harness import Simulator
from tests.web.serving import ActionServer, assignment, slots, turn


def test_a_database_that_hangs_is_not_ready_and_recovers(server: ActionServer) -> None:
    lock = sqlite3.connect(server.folder / "bridge.db", isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
        assert server.wait_for("/bridge/ready", 503)
        found = server.get("/bridge/ready")
        if found.status_code == 503:
            assert found.json()["status"] == "not_ready"
            assert found.json()["checks"]["store"] == "slow"
        assert server.get("/bridge/health").status_code == 200
        lock.execute("ROLLBACK")
    finally:
        lock.close()
    assert server.wait_for("/bridge/ready")


def test_a_gateway_that_is_away_degrades_it_and_it_still_takes_handoffs(tmp_path: Path) -> None:
    with Simulator("--poll-seconds", "0.2") as gateway:
        gateway.fault("status", path="*sendmessage", status=503, times=None)
        bridge = {"gateway": {"url": gateway.url}, "delivery": {"wait": 0}}
        with ActionServer(tmp_path, bridge=bridge) as server:
            closed = server.get("/bridge/ready", token=None).json()
            assert closed["status"] == "ready"
            assert closed["gateway"]["breaker"] == "closed"
            for name in ("anna", "ben", "cleo"):
                server.put(f"/bridge/assignments/{name}", json=assignment(call_id=name))
                assert slots(server.webhook(turn(name)))["handoff_delivery"] == "pending"
            server.until(lambda: server.get("/bridge/ready").json()["status"] == "degraded")
            found = server.get("/bridge/ready", token=None)
            assert found.status_code == 200  # it takes them, and sends later
            assert found.json()["gateway"]["breaker"] in ("open", "half_open")
            assert found.json()["gateway"]["since"] > closed["gateway"]["since"]
            gateway.clear_faults()
            gateway.wait_for(messages=3)
            assert server.get("/bridge/ready").json()["status"] == "ready"
            assert server.log().count("The gateway is unavailable") == 1
            assert server.log().count("The gateway is available again") == 1


@pytest.fixture
def collecting() -> Iterator[None]:
    """The garbage collector as it is, also after the test."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("collecting")
def test_opening_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Exception | None] = [
        StoreError("the database is away"),
        ValueError("the customer's words"),
        None,
    ]

    frozen = [gc.get_freeze_count()]

    async def opening() -> None:
        frozen.append(gc.get_freeze_count())
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    asyncio.run(lifecycle.open_until_ready(opening, (0.0, 0.0)))
    assert outcomes == []
    assert set(frozen) == {frozen[0]}  # once, when all is loaded that stays
    assert gc.get_freeze_count() > frozen[0] + 10_000
    assert "the database is away" in caplog.text
    assert "ValueError" in caplog.text
    assert "the customer's words" not in caplog.text


def test_closing_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    released = threading.Event()

    async def never() -> None:
        await lifecycle.close_within(0.01, released.wait)
        released.set()

    asyncio.run(never())
    assert "not closed in time" in caplog.text
