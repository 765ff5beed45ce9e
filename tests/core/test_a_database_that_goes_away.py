"""PostgreSQL goes away and comes back while cores are at work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bridge.errors import StoreError
from bridge.model import Owner
from bridge.state.commands import AssignCall, PushGuid, SendReply
from tests.core.clock import until
from tests.core.rig import GUID, given, reply
from tests.core.running import Running, running
from tests.core.senders import Sending
from tests.postgres import PostgresServer

pytestmark = pytest.mark.timeout(240)


class Gateway:
    """Takes everything; what it does with the next message is the test's."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.reached, self.go = threading.Event(), threading.Event()
        self.go.set()

    def attempt(self, sending: Sending) -> None:
        self.words.append(sending.words)
        self.reached.set()
        self.go.wait(30)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server of this module's own, to be stopped."""
    with PostgresServer() as started:
        yield started


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def core(server: PostgresServer, gateway: Gateway) -> Iterator[Running]:
    with server.database() as url, running(url, gateway.attempt) as (made,):
        made.core.call(PushGuid(agent_id="291", guid=GUID))
        for number in range(10):
            assigned = AssignCall(assignment=given(f"call-{number}"), owner=Owner.AGENT)
            made.core.call(assigned)
        yield made


def stored(core: Running, command: SendReply) -> bool:
    """Whether it is stored: whoever writes tries again, under the same client_id."""
    with suppress(StoreError):
        core.core.call(command)
        return True
    return False


def settled(core: Running) -> bool:
    with suppress(StoreError):
        return core.settled()
    return False


def test_what_was_stored_before_goes_when_it_is_back(
    server: PostgresServer, core: Running, gateway: Gateway
) -> None:
    gateway.go.clear()
    for number in range(3):
        core.core.call(reply("call-0", f"message {number}", f"c-{number}"))
    assert gateway.reached.wait(10)
    server.kill()
    gateway.go.set()  # the gateway took it, and there is nothing to store that in
    until(lambda: not stored(core, reply("call-1", "nobody has it yet")))
    server.start()
    until(lambda: settled(core))
    sent = [item for item in core.all() if item.envelope.call_id == "call-0"]
    assert [(item.state.value, item.attempts) for item in sent] == [("delivered", 1)] * 3
    said = [words for words in gateway.words if words.startswith("message")]
    assert said == [f"message {number}" for number in range(3)]


def test_ten_restarts_lose_and_double_nothing(
    server: PostgresServer, core: Running, gateway: Gateway
) -> None:
    for number in range(10):
        for call_id in ("call-0", f"call-{number}"):
            command = reply(call_id, f"{call_id}: {number}", f"c-{call_id}-{number}")
            until(lambda command=command: stored(core, command))  # type: ignore[misc]
        server.stop()
        server.start()
    until(lambda: settled(core))
    assert {item.state.value for item in core.all()} == {"delivered"}
    assert len(core.all()) == len(gateway.words) == len(set(gateway.words)) == 19
    one_call = [words for words in gateway.words if words.startswith("call-0: ")]
    assert one_call == [f"call-0: {number}" for number in range(10)]
