"""What the gateway gives only once is kept while the database takes nothing."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from bridge.model import DeliveryState
from bridge.store import lists
from tests.gateway.rig import Rig, fresh, settings, until
from tests.simulator.harness import Simulator

Lock = Callable[[], AbstractContextManager[None]]
BUSY_TIMEOUT = 0.2  # seconds that the bridge waits for another program


@pytest.fixture
def locked(sqlite_url: str) -> Lock:
    """Let another program hold the database."""

    @contextmanager
    def hold() -> Iterator[None]:
        file = Path(sqlite_url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    return hold


def warned(caplog: pytest.LogCaptureFixture) -> None:
    """Wait until the bridge says that it cannot store what it was told."""
    until(lambda: any("could not be stored yet" in message for message in caplog.messages))


def test_a_sign_in_that_could_not_be_stored_is_not_made_again(
    gateway: Simulator, sqlite_url: str, locked: Lock, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.fault("delay", path="onlineagent/*", ms=500)
    with Rig(sqlite_url, settings(gateway.url), busy_timeout=BUSY_TIMEOUT) as rig:
        rig.send(fresh(1))
        gateway.wait_for(requests=1, operation="sign_in")
        rig.wait(lambda batch: batch[0].state is DeliveryState.WAITING)
        with locked():
            warned(caplog)
        gateway.wait_for(messages=1, timeout=20)
        assert len(gateway.recorded(operation="sign_in")) == 1
        assert gateway.recorded(operation="force_sign_in") == []


def test_a_message_is_delivered_though_the_guid_that_came_with_it_could_not_be_stored(
    gateway: Simulator, sqlite_url: str, locked: Lock, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.settings(rotate_on="any")
    with Rig(sqlite_url, settings(gateway.url), busy_timeout=BUSY_TIMEOUT) as rig:
        rig.send(fresh(1))
        rig.settled(1)
        gateway.fault("delay", path="*sendmessage", ms=500)
        gateway.rotate("291")
        rig.send(fresh(2))
        gateway.wait_for(requests=2, operation="send_message")
        with locked():
            warned(caplog)
        done = rig.settled(2)[1]
        assert (done.state, done.attempts) == (DeliveryState.DELIVERED, 1)
        assert len(gateway.messages()) == 2


def test_an_event_that_was_read_while_the_database_was_locked_is_kept_before_the_next_poll(
    gateway: Simulator, sqlite_url: str, locked: Lock, caplog: pytest.LogCaptureFixture
) -> None:
    with Rig(sqlite_url, settings(gateway.url), busy_timeout=BUSY_TIMEOUT) as rig:
        rig.send(fresh(1))
        rig.settled(1)
        gateway.wait_for(requests=2, operation="poll")  # the event of the sign-in is kept
        with locked():
            gateway.event("291", "AgentEvent_Talking", {"callid": "c-1"})
            warned(caplog)
            polls = len(gateway.recorded(operation="poll"))
            time.sleep(1.5)  # it is tried again and again
            assert len(gateway.recorded(operation="poll")) == polls
        gateway.wait_for(requests=polls + 1, operation="poll")
        kept = rig.store.read(lambda tx: lists.events_of_agent(tx, "291"))
        assert kept[-1].event_type == "AgentEvent_Talking"
