"""What is promised waits for the disk; that a message was taken does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.errors import GatewayError, UnknownOutcomeError
from bridge.model import Guid, Owner
from bridge.state.commands import AssignCall, PushGuid
from bridge.store import Store
from bridge.store.statements import Transaction
from tests.core.rig import GUID, Asked, Making, Rig, call, given, reply


class Noting(Store):
    """Notes of each transaction whether SQLite was to wait for the disk."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.waited: list[bool] = []

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        with super().transaction(durable=durable) as tx:
            (level,) = tx.connection.connection.cursor().execute("PRAGMA synchronous").fetchone()
            self.waited.append(level == FULL)
            yield tx


FULL = 2  # of PRAGMA synchronous; 1 is NORMAL


@pytest.fixture
def noting(tmp_path: Path) -> Iterator[Noting]:
    opened = Noting(f"sqlite:///{tmp_path}/noting.db")
    yield opened
    opened.close()


@pytest.fixture
def noted(noting: Noting, make: Making) -> Rig:
    """A core on it; two calls are their agent's."""
    rig = make(noting)
    rig.do(PushGuid(agent_id="291", guid=GUID))
    for each in ("A", "B"):
        rig.do(AssignCall(assignment=given(each), owner=Owner.AGENT))
    return rig


def test_what_is_promised_waits_and_that_it_was_taken_does_not(noting: Noting, noted: Rig) -> None:
    noting.waited.clear()
    noted.do(reply("A"))
    assert noting.waited == [True]
    noted.complete()
    assert noting.waited == [True, False]
    assert [item.state.value for item in noted.all()] == ["delivered"]
    noted.do(reply("B"))
    assert noting.waited == [True, False, True]  # and with it what came before


def test_an_action_call_waits(noting: Noting, noted: Rig) -> None:
    noting.waited.clear()
    noted.ask(call("somebody", brought=given("C", sender="somebody")))
    assert noting.waited == [True]


@pytest.mark.parametrize(
    ("error", "new_guid"),
    [(UnknownOutcomeError("no answer came"), None), (None, Guid("guid-2"))],
    ids=["it failed", "the GUID is a new one"],
)
def test_what_else_an_attempt_came_to_waits(
    noting: Noting, noted: Rig, error: GatewayError | None, new_guid: Guid | None
) -> None:
    noted.do(reply("A"))
    noting.waited.clear()
    noted.complete(error, new_guid=new_guid)
    assert noting.waited[0] is True


def test_a_batch_waits_where_one_of_its_commands_does(noting: Noting, noted: Rig) -> None:
    noted.do(reply("A"))
    noting.waited.clear()
    asked = Asked()
    noted.core.put(noted.senders.sent.pop(0).result())
    noted.core.submit(reply("B"), asked)
    noted.step()
    assert asked.answered
    assert noting.waited == [True]


def test_a_connection_that_is_opened_anew_waits(noting: Noting) -> None:
    with noting.transaction(durable=False):
        pass
    noting._drop()  # as after an error of the disk's
    with noting.transaction():
        pass
    with noting.transaction(durable=False):
        pass
    assert noting.waited == [False, True, False]
