"""PostgreSQL, where two replicas' transactions overlap: each is stopped where it hurts most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from bridge.core.core import Core
from bridge.errors import FinalError, RefusedError
from bridge.model import (
    AgentId,
    CallId,
    Delivery,
    DeliveryError,
    DeliveryState,
    Guid,
    Origin,
    Owner,
    SuggestionState,
)
from bridge.state.commands import (
    AcceptSuggestion,
    AssignCall,
    ClaimDeliveries,
    ClaimUpdates,
    ExpireSuggestions,
    HandBackCall,
    JudgeTurn,
    PollResult,
    Recover,
    RetryDelivery,
    SendingResult,
    SendReply,
    TakeOverSessions,
    WakeAgent,
)
from bridge.state.plan import Put
from bridge.state.records import (
    ActionAnswer,
    AssignmentRecord,
    RasaUpdate,
    TurnRecord,
    UpdateKind,
)
from bridge.store import ConflictError, Store, lists
from bridge.store.statements import Transaction
from tests.core.clock import HeldClock
from tests.core.rig import call
from tests.core.senders import NotingSenders
from tests.gateway.rig import SIGN_IN
from tests.making import NOW, assignment, delivery
from tests.store.machine import GUID, Machine, Waiting, keep, keep_in, rules, signed_in
from tests.store.people import history

ONE = ClaimDeliveries(limit=1)


@pytest.fixture
def here(postgres_url: str) -> Iterator[Store]:
    opened = Store(postgres_url)
    keep(opened, sessions=[signed_in("291"), signed_in("292")])
    for name in ("A", "B"):
        given = assignment(call_id=CallId(name), sender_id=f"customer-{name}")
        keep(opened, assignments=[AssignmentRecord(given, Owner.AGENT, "http", NOW)])
    yield opened
    opened.close()


@pytest.fixture
def there(postgres_url: str, here: Store) -> Iterator[Store]:
    """Another replica's; ``here`` has made the tables."""
    assert here
    opened = Store(postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def one(here: Store) -> Machine:
    return Machine(here, "here")


@pytest.fixture
def other(there: Store) -> Machine:
    return Machine(there, "there")


def reply(number: int, name: str = "A") -> SendReply:
    text, client_id = f"message {number}", f"{number}"
    return SendReply(call_id=name, text=text, client_id=client_id, agent_id=None)


def of_call(number: int, name: str = "A", **changes: object) -> Delivery:
    return delivery(number, call=name, sender_id=f"customer-{name}", **changes)


def contents(batch: list[Delivery]) -> list[str]:
    return [item.draft.content for item in batch]


def sending(store: Store) -> list[str]:
    states = [DeliveryState.SENDING]
    return contents(store.read(lambda tx: lists.deliveries(tx, states=states, limit=100)))


def test_two_that_are_stored_for_one_call_at_once_are_not_both_claimed_at_birth(
    here: Store, there: Store, one: Machine, other: Machine, postgres_url: str
) -> None:
    with one.halted(reply(1)), closing(Store(postgres_url)) as third:
        second = Waiting(lambda: other.do(reply(2)))
        assert second.waits
        Machine(third).do(reply(3, "B"))  # another call does not wait
        assert sending(third) == ["message 3"]
        assert Machine(third).claim() == []
    assert [item.state for item in second.result().value] == [DeliveryState.WAITING]
    assert contents(one.begun) == ["message 1"]
    assert other.begun == []
    assert other.claim() == []
    assert sorted(sending(here)) == ["message 1", "message 3"]
    assert there


def test_what_was_stored_meanwhile_is_not_claimed_beside_one_that_is_born_in_flight(
    there: Store, one: Machine, other: Machine
) -> None:
    with one.halted(reply(1)):
        keep(there, deliveries=[of_call(2)])
        assert other.claim() == []  # it is due, and somebody is at its call
    assert other.claim() == []


def test_what_one_claims_the_other_passes_over_and_takes_the_next(
    here: Store, one: Machine, other: Machine
) -> None:
    keep(here, deliveries=[of_call(1), of_call(2), of_call(3, "B")])
    with one.halted(ONE):
        assert contents(other.claim()) == ["message 3"]
    assert contents(one.begun) == ["message 1"]
    assert other.claim() == []


def test_a_persons_retry_while_the_next_is_being_claimed_waits_for_it(
    here: Store, one: Machine, other: Machine
) -> None:
    failed = of_call(1, state=DeliveryState.FAILED, settled_at=NOW)
    keep(here, deliveries=[failed, of_call(2)])
    with one.halted(ONE):
        again = Waiting(lambda: other.do(RetryDelivery(delivery_id=1, agent_id=None)))
        assert again.waits
    assert contents(one.begun) == ["message 2"]
    assert again.result().state is DeliveryState.WAITING
    assert other.begun == []
    assert other.claim() == []


def test_the_same_request_at_two_replicas_is_stored_once(
    here: Store, one: Machine, other: Machine
) -> None:
    wish = call("customer-C", brought=assignment(sender_id="customer-C", call_id=CallId("C")))
    with one.halted(wish):
        second = Waiting(lambda: other.do(wish))
        assert second.waits
    second.result()
    assert len(one.plan.deliveries) == 1
    assert other.plan.deliveries == ()  # it waits for the first one's answer
    assert len(sending(here)) == 1


def test_what_is_passed_over_by_a_set_wide_command_is_not_forgotten(
    here: Store, one: Machine, other: Machine
) -> None:
    waits = DeliveryError("agent_signed_out", "its desktop has given no GUID that is good")
    waiting = [of_call(1, due_at=NOW + 60, error=waits)]
    keep(here, deliveries=[*waiting, of_call(2, "B", due_at=NOW + 60, error=waits)])
    wake = WakeAgent(agent_id="291")
    with one.halted(reply(3)):
        other.do(wake)
        assert contents(list(other.plan.deliveries)) == ["message 2"]
        assert Put(wake) in other.plan.effects  # once more, in a moment
    other.do(wake)
    assert contents(list(other.plan.deliveries)) == ["message 1"]
    assert Put(wake) not in other.plan.effects


def test_a_code_at_two_replicas_is_stored_once_and_both_go_on(one: Machine, other: Machine) -> None:
    with one.halted(reply(1)):
        second = Waiting(lambda: other.do(reply(1)))
        assert second.waits
    (stored,) = second.result().value
    assert stored.message_code == one.begun[0].message_code
    other.do(reply(2))
    assert other.begun == []


def test_an_answer_is_given_once(here: Store, one: Machine, other: Machine) -> None:
    keep(here, turns=[TurnRecord("key", "customer-A", "A", NOW)])
    keep(here, deliveries=[of_call(1, turn_key="key", origin=Origin.HANDOFF)])
    judge = JudgeTurn(turn_key="key")
    with one.halted(judge):
        second = Waiting(lambda: other.do(judge))
        assert second.waits
    second.result()
    assert one.plan.turns
    assert other.plan.turns == ()  # nothing to store: it is answered
    assert one.plan.answers == other.plan.answers


def test_what_a_transaction_is_about_to_write_by_is_read_as_it_is_then(
    here: Store, one: Machine, other: Machine
) -> None:
    given = assignment(call_id=CallId("A"), sender_id="customer-A", agent_id=AgentId("292"))
    with other.halted(AssignCall(assignment=given)):
        looked = here.read(lambda tx: lists.assignment_of_call(tx, "A"))
        assert looked is not None
        assert looked.assignment.agent_id == "291"
        held = Waiting(lambda: one.do(HandBackCall(call_id="A", agent_id="291")))
        assert held.waits
    with pytest.raises(RefusedError, match="no such call was assigned"):
        held.result()


def test_what_gets_another_call_meanwhile_is_planned_anew_with_that_calls_lock(
    one: Machine, other: Machine
) -> None:
    wish = call("customer-A")
    moved = assignment(call_id=CallId("Z"), sender_id="customer-A")
    with other.halted(AssignCall(assignment=moved, owner=Owner.AGENT)):
        held = Waiting(lambda: one.do(wish))
        assert held.waits
    with pytest.raises(ConflictError):
        held.result()
    assert one.do(wish).call_id == "Z"


def update(number: int) -> RasaUpdate:
    return RasaUpdate(
        seq=0,
        id=f"update {number}",
        sender_id="anna",
        call_id="A",
        kind=UpdateKind.WRITE_BACK,
        body=dict.fromkeys(("text", "media_type", "origin", "agent_id", "approved_by"), "x"),
        created_at=NOW,
        due_at=NOW,
        expires_at=NOW + 60,
    )


def test_updates_of_a_conversation_are_claimed_one_at_a_time(
    here: Store, one: Machine, other: Machine
) -> None:
    keep(here, updates=[update(1)])
    keep(here, updates=[update(2)])
    with one.halted(ClaimUpdates(limit=4, domain_asked=True)):
        assert other.claim_updates() == []
    assert [item.id for item in one.told] == ["update 1"]
    assert other.claim_updates() == []


def test_a_claim_of_updates_keeps_to_its_limit(here: Store, one: Machine) -> None:
    for number in range(6):
        keep(here, updates=[replace(update(number), sender_id=f"customer {number}")])
    assert [item.id for item in one.claim_updates(limit=2)] == ["update 0", "update 1"]


def test_a_promise_is_judged_by_what_is_not_moved_any_more(
    here: Store, one: Machine, other: Machine
) -> None:
    """Else one would find it still under way while the other finds nobody who was told so."""
    keep(here, turns=[TurnRecord("turn", "customer-A", "A", NOW, unavailable=ActionAnswer())])
    keep(here, deliveries=[of_call(1, turn_key="turn", origin=Origin.HANDOFF)])
    (claimed,) = one.claim(limit=1)
    refused = FinalError("refused", retcode="106-001")
    with one.halted(SendingResult(delivery=claimed, guid=GUID, error=refused)):
        judged = Waiting(lambda: other.do(JudgeTurn(turn_key="turn")))
        assert judged.waits
    judged.result()
    assert [item.state for item in other.snapshot.of_turn("turn")] == [DeliveryState.FAILED]
    (answer,) = other.plan.answers.values()
    assert answer.error == "rejected"


# -- between what is read and the lock -------------------------------------------------------------


class Beaten(Store):
    """Before its next transaction gets what it tries to lock, something happens."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.happens: Callable[[], object] | None = None

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Transaction]:
        with super().transaction(durable=durable) as tx:
            yield _Slow(tx.connection, self)


class _Slow(Transaction):
    def __init__(self, connection: Connection, store: Beaten) -> None:
        super().__init__(connection)
        self._store = store

    def execute(self, text: str, arguments: Sequence[Any] = ()) -> Any:
        if "pg_try_advisory" in text and self._store.happens is not None:
            happens, self._store.happens = self._store.happens, None
            happens()
        return super().execute(text, arguments)


@pytest.fixture
def beaten(postgres_url: str, here: Store) -> Iterator[Beaten]:
    assert here
    opened = Beaten(postgres_url)
    yield opened
    opened.close()


def test_what_was_claimed_since_it_was_seen_is_not_claimed_again(
    here: Store, one: Machine, beaten: Beaten
) -> None:
    keep(here, deliveries=[of_call(1), of_call(2)])
    beaten.happens = one.claim
    other = Machine(beaten, "there")
    assert other.claim() == []
    assert contents(one.begun) == ["message 1"]
    # Nor where it was sent meanwhile, and the next of its call is on its way.
    beaten.happens = lambda: one.complete(one.begun[0], DeliveryState.DELIVERED)
    assert other.claim(at=NOW + 60) == []
    assert contents(one.begun) == ["message 2"]
    assert sending(here) == ["message 2"]


def test_what_was_recovered_since_it_was_seen_is_not_recovered_again(
    here: Store, one: Machine, beaten: Beaten
) -> None:
    """Two processes of a machine start at once after a power cut."""
    keep(here, deliveries=[under_way(1)])

    def first() -> None:
        one.do(Recover())
        one.claim()

    def dead(lease: str) -> bool:
        return lease == "another:1"

    one = Machine(here, "here", chosen=rules(), dead=dead)
    beaten.happens = first
    other = Machine(beaten, "there", chosen=rules(), dead=dead)
    other.do(Recover())
    assert contents(one.begun) == ["message 1"]
    assert sending(here) == ["message 1"]
    assert other.plan.deliveries == ()


def test_an_update_that_was_claimed_since_it_was_seen_is_not_told_twice(
    here: Store, one: Machine, beaten: Beaten
) -> None:
    keep(here, updates=[update(1)])
    beaten.happens = one.claim_updates
    assert Machine(beaten, "there").claim_updates() == []
    assert [item.id for item in one.told] == ["update 1"]


def test_what_was_accepted_since_it_was_seen_does_not_expire(
    here: Store, one: Machine, beaten: Beaten
) -> None:
    history(here, "customer-A", "A", "40001", NOW, offered=SuggestionState.OFFERED, ended=False)
    (_, offer), *_ = here.read(lambda tx: lists.suggestions(tx, limit=1))
    accept = AcceptSuggestion(suggestion_id=offer.id, agent_id=None)
    beaten.happens = lambda: one.do(accept, now=offer.expires_at - 1)  # by the other one's clock
    other = Machine(beaten, "there")
    other.do(ExpireSuggestions(), now=offer.expires_at + 1)
    assert other.plan.suggestions == ()
    found = here.read(lambda tx: lists.suggestion(tx, offer.id))
    assert found is not None
    assert found.state is SuggestionState.ACCEPTED


def test_a_session_that_was_taken_over_since_it_was_seen_keeps_its_new_guid(
    here: Store, beaten: Beaten
) -> None:
    keep(here, sessions=[signed_in("291", ours=True)])
    new = Guid("new.AgentGateway0")
    chosen = rules(agents={"291": SIGN_IN})
    one = Machine(here, "here", chosen=chosen)

    def first() -> None:
        one.do(TakeOverSessions())
        one.do(PollResult(agent_id="291", guid=GUID, new_guid=new))

    beaten.happens = first
    other = Machine(beaten, "there", chosen=chosen)
    other.do(TakeOverSessions())
    assert other.plan.sessions == ()
    found = here.read(lambda tx: lists.session(tx, "291"))
    assert found is not None
    assert (found.guid, found.poller) == (new, "here")


# -- past the locks: the database's own constraint -------------------------------------------------


def under_way(number: int) -> Delivery:
    until = NOW + 10
    return of_call(number, state=DeliveryState.SENDING, lease="another:1", lease_until=until)


def test_who_loses_the_race_for_a_call_plans_again_and_lets_it_wait(
    postgres_url: str, here: Store, there: Store
) -> None:
    """Somebody who takes no locks has one in flight, and has not committed it yet."""
    senders = NotingSenders()
    clock = HeldClock()
    with closing(Core(Store(postgres_url), rules(), senders=senders, clock=clock)) as core:
        core.start()
        with there.transaction() as tx:
            keep_in(tx, deliveries=[under_way(1)])
            second = Waiting(lambda: core.call(reply(2)))
            assert second.waits
        (stored,) = second.result().value
        assert stored.state is DeliveryState.WAITING
        assert senders.sent == []
        assert sending(here) == ["message 1"]
