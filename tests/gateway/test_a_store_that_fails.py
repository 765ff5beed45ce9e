"""What the gateway gives only once is kept while the database takes nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.model import Delivery, DeliveryState
from bridge.store import engine, events
from tests.gateway.rig import Rig, settings
from tests.making import delivery
from tests.simulator.harness import Simulator

Lock = Callable[[], Any]


def fresh(number: int) -> Delivery:
    now = time.time()
    return delivery(number, created_at=now, due_at=now, expires_at=now + 300)


@pytest.fixture
def locked(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Lock:
    """Let another program hold the database, which is waited for shortly."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.2)

    @contextmanager
    def hold() -> Iterator[None]:
        file = Path(sqlite_url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    return hold


def warned(caplog: pytest.LogCaptureFixture, words: str, times: int = 1) -> None:
    until = time.monotonic() + 10
    while sum(words in message for message in caplog.messages) < times:
        assert time.monotonic() < until, caplog.messages
        time.sleep(0.01)


def test_a_sign_in_that_could_not_be_stored_is_not_made_again(
    gateway: Simulator, sqlite_url: str, locked: Lock, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.fault("delay", path="onlineagent/*", ms=500)
    with Rig(sqlite_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        gateway.wait_for(requests=1, operation="sign_in")
        rig.wait(lambda batch: batch[0].state is DeliveryState.WAITING)
        with locked():
            warned(caplog, "A sign-in could not be made")
        gateway.wait_for(messages=1, timeout=20)
        assert len(gateway.recorded(operation="sign_in")) == 1
        assert gateway.recorded(operation="force_sign_in") == []


def test_a_message_is_delivered_though_the_guid_that_came_with_it_could_not_be_stored(
    gateway: Simulator, sqlite_url: str, locked: Lock, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.settings(rotate_on="any")
    with Rig(sqlite_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        rig.settled(1)
        gateway.fault("delay", path="*sendmessage", ms=500)
        gateway.rotate("291")
        rig.send(fresh(2))
        gateway.wait_for(requests=2, operation="send_message")
        with locked():
            warned(caplog, "could not be stored yet")
        done = rig.settled(2)[1]
        assert (done.state, done.attempts) == (DeliveryState.DELIVERED, 1)
        assert len(gateway.messages()) == 2


def test_an_event_that_was_read_while_the_database_was_locked_is_kept_before_the_next_poll(
    gateway: Simulator, sqlite_url: str, locked: Lock, caplog: pytest.LogCaptureFixture
) -> None:
    with Rig(sqlite_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        rig.settled(1)
        with locked():
            gateway.event("291", "AgentEvent_Talking", {"callid": "c-1"})
            warned(caplog, "An event cannot be stored yet")
            polls = len(gateway.recorded(operation="poll"))
            warned(caplog, "An event cannot be stored yet", times=2)
            assert len(gateway.recorded(operation="poll")) == polls
        gateway.wait_for(requests=polls + 1, operation="poll")
        kept = rig.store.read(lambda tx: events.of_agent(tx, "291"))
        assert kept[-1].event_type == "AgentEvent_Talking"
