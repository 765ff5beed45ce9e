"""What one process stores is noticed by the others, without their looking for it.

PostgreSQL tells them what it was; of SQLite's file they see that it changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from bridge.core.core import Core
from bridge.model import DeliveryState, Guid, Owner, derive
from bridge.state.commands import AssignCall, PushGuid, RetryDelivery, RevokeTokens, SendReply
from bridge.state.records import AssignmentRecord
from bridge.store import EVERYTHING, LostError, Notice, Store, notify
from bridge.store.notifier import read
from tests.core.clock import HeldClock
from tests.making import NOW, assignment, delivery
from tests.postgres import PostgresServer
from tests.store.machine import keep, keep_in, rules, working

PATIENCE = 20.0  # seconds; what is awaited comes within milliseconds
OWN = "the listener"
CALL = assignment().call_id


class Listener:
    """Another process's store, from its beginning on."""

    def __init__(self, url: str) -> None:
        self.store = Store(url)
        self._notices: list[Notice] = []
        self._came = threading.Condition()
        self.store.listen(OWN, self._notified)
        if self.store.dialect == "postgresql":
            # Once at the beginning: something may have been stored before.
            assert self.next() == EVERYTHING
        else:
            assert self.store.changed_elsewhere()

    def _notified(self, notice: Notice) -> None:
        with self._came:
            self._notices.append(notice)
            self._came.notify()

    def hears(self) -> bool:
        """Whether there is something that was not asked for before."""
        if self.store.dialect == "postgresql":
            with self._came:
                found = self._came.wait_for(lambda: bool(self._notices), PATIENCE)
                self._notices.clear()
            return found
        until = time.monotonic() + PATIENCE
        while not self.store.changed_elsewhere():
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def hears_nothing(self) -> bool:
        time.sleep(0.2)
        return not self._notices and not self.store.changed_elsewhere()

    def next(self) -> Notice:
        """The next notice; no other has come."""
        with self._came:
            assert self._came.wait_for(lambda: bool(self._notices), PATIENCE)
            (found,) = self._notices
            self._notices.clear()
        return found


@pytest.fixture
def listener(store: Store, store_url: str) -> Iterator[Listener]:
    assert store
    made = Listener(store_url)
    yield made
    made.store.close()


@pytest.fixture
def on_postgres(postgres_url: str) -> Iterator[tuple[Core, Listener]]:
    """A core at work, and a listener of another machine."""
    with working(postgres_url, HeldClock()) as core:
        listener = Listener(postgres_url)
        yield core, listener
        listener.store.close()


def reply(number: int) -> SendReply:
    return SendReply(call_id=CALL, text="Hello", client_id=f"{number}", agent_id=None)


def store_one(store: Store, number: int = 1, **changes: Any) -> None:
    """Store a delivery, as another process does."""
    with store.transaction() as tx:
        keep_in(tx, deliveries=[delivery(number, **changes)])
        notify(tx, "another", due=True, turns=(), agents=())


def test_another_process_hears_what_was_stored(store: Store, listener: Listener) -> None:
    store_one(store)
    assert listener.hears()


def test_it_hears_only_what_was_committed(store: Store, listener: Listener) -> None:
    store_one(store)
    assert listener.hears()

    def fails() -> None:
        with store.transaction() as tx:
            keep_in(tx, deliveries=[delivery(2)])
            notify(tx, "another", due=True, turns=(), agents=())
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert listener.hears_nothing()


def test_it_does_not_hear_itself(listener: Listener) -> None:
    with listener.store.transaction() as tx:
        keep_in(tx, deliveries=[delivery(1)])
        notify(tx, OWN, due=True, turns=("a",), agents=("291",))
    assert listener.hears_nothing()


def test_a_persons_retry_is_heard(store: Store, core: Core, listener: Listener) -> None:
    of_call = AssignmentRecord(assignment(), Owner.AGENT, "http", NOW)
    failed = delivery(1, state=DeliveryState.FAILED, settled_at=NOW)
    keep(store, assignments=[of_call], deliveries=[failed])
    if listener.store.dialect == "sqlite":
        assert listener.hears()
    core.call(RetryDelivery(delivery_id=1, agent_id=None))
    assert listener.hears()


def test_what_waits_for_somebody_to_send_it_is_told(on_postgres: tuple[Core, Listener]) -> None:
    core, listener = on_postgres
    core.call(AssignCall(assignment=assignment(), owner=Owner.AGENT))
    assert listener.next() == Notice(changes=1)  # for those who read the stream there
    core.call(reply(1))
    assert listener.next() == Notice(due=True, changes=2)


def test_a_new_guid_is_told_by_its_agent(on_postgres: tuple[Core, Listener]) -> None:
    core, listener = on_postgres
    core.call(PushGuid(agent_id="291", guid=Guid("guid.AgentGateway0")))
    assert listener.next() == Notice(agents=("291",))


def test_what_nobody_has_to_act_on_is_not_told(on_postgres: tuple[Core, Listener]) -> None:
    core, listener = on_postgres
    core.call(RevokeTokens(subject="a", until=9e9))
    assert listener.hears_nothing()


def test_a_commit_is_told_once_however_much_is_in_it(postgres_url: str) -> None:
    listener = Listener(postgres_url)
    with closing(Store(postgres_url)) as store, closing(Core(store, rules())) as core:
        keep(store, assignments=[AssignmentRecord(assignment(), Owner.AGENT, "http", NOW)])
        answered = threading.Semaphore(0)
        for number in range(5):
            core.submit(reply(number), lambda *_: answered.release())
        push = PushGuid(agent_id="291", guid=Guid("guid.AgentGateway0"))
        core.submit(push, lambda *_: answered.release())
        core.start()
        for _ in range(6):
            assert answered.acquire(timeout=PATIENCE)
        found = listener.next()
        assert found.due
        assert found.agents == ("291",)
        assert listener.hears_nothing()
    listener.store.close()


def test_the_ids_of_answered_calls_go_with_it_and_too_many_are_everything(
    postgres_url: str,
) -> None:
    listener = Listener(postgres_url)
    with closing(Store(postgres_url)) as store:
        for turns, told in (
            (["a", "b"], Notice(turns=("a", "b"))),
            ([derive("turn", number) for number in range(300)], EVERYTHING),
        ):
            with store.transaction() as tx:
                notify(tx, "another", due=False, turns=turns, agents=())
            assert listener.next() == told
    listener.store.close()


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '"due"', "x" * 100])
def test_what_cannot_be_read_may_be_anything(text: str) -> None:
    assert read(text, OWN) == EVERYTHING


def test_after_the_database_came_back_it_listens_again_and_looks_at_once() -> None:
    with PostgresServer() as server, server.database() as url:
        store, listener = Store(url), Listener(url)
        store_one(store)
        assert listener.hears()
        server.stop()
        server.start()
        # A transaction on the connection that broke is the core's to do again.
        with pytest.raises(LostError):
            store_one(store, 2)
        store_one(store, 2, due_at=NOW)
        assert listener.hears()
        listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        while server.execute(listening) == [(0,)]:
            assert listener.hears()
        listener.hears()
        store_one(store, 3)
        assert listener.hears()
        listener.store.close()
        store.close()
