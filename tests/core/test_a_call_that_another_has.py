"""A call belongs to one open conversation: a second one gets it only where it takes it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from bridge.errors import RefusedError
from bridge.model import DeliveryState, Owner, SuggestionState
from bridge.state.commands import ActionKind, AssignCall, BroughtAssignment, EndCall, PushGuid
from bridge.state.records import ActionAnswer, AssignmentRecord
from bridge.store import lists
from tests.core.rig import GUID, Making, Rig, call, given, reply, rules
from tests.core.running import delivered, running
from tests.making import NOW

pytestmark = pytest.mark.both_engines

CALL = "A"
HANDOFFS = 20
ASSIST = {"assist": {"when": [{"intent": "ask_hours", "reply": "utter_hours"}]}}


@pytest.fixture
def rig(make: Making) -> Rig:
    made = make(chosen=rules(ASSIST))
    made.do(PushGuid(agent_id="291", guid=GUID))
    return made


def assign(sender: str, **more: Any) -> AssignCall:
    return AssignCall(assignment=given(CALL, sender=sender), owner=Owner.AGENT, **more)


def latest(rig: Rig, sender: str) -> AssignmentRecord:
    found = rig.store.read(lambda tx: lists.latest_assignment(tx, sender))
    assert found is not None
    return found


def test_over_http_it_is_refused_until_the_other_has_ended(rig: Rig) -> None:
    rig.do(assign("one"))
    refused = rig.ask(assign("two")).error
    assert isinstance(refused, RefusedError)
    assert (refused.status, refused.code) == (409, "call_taken")
    assert latest(rig, "one").open
    rig.do(assign("one"))  # its own conversation may say so again
    rig.do(EndCall(sender_id="one"))
    rig.do(assign("two"))
    assert latest(rig, "two").open


def test_another_call_frees_the_former_one(rig: Rig) -> None:
    rig.do(assign("one"))
    rig.do(AssignCall(assignment=given("B", sender="one")))
    rig.do(assign("two"))
    assert rig.record(CALL).assignment.sender_id == "two"


def test_who_takes_it_ends_what_the_other_had(rig: Rig) -> None:
    rig.do(assign("one"))
    hours = call("one", action=ActionKind.ASSIST, intent="ask_hours")
    rig.do(hours)
    rig.submit(reply(CALL, "first", "c-1"), reply(CALL, "second", "c-2"))
    rig.step()
    rig.do(assign("two", take=True))
    former = latest(rig, "one")
    assert (former.open, former.owner) == (False, Owner.BOT)
    assert latest(rig, "two").with_agent
    (offered,) = rig.store.read(lambda tx: lists.suggestions(tx, call_id=CALL, limit=10))
    assert offered[1].state is SuggestionState.EXPIRED
    rig.complete()
    states = {item.draft.content: (item.state, item.error) for item in rig.all()}
    assert states["first"][0] is DeliveryState.DELIVERED
    assert states["second"][0] is DeliveryState.FAILED
    assert states["second"][1] is not None
    assert states["second"][1].code == "reassigned"
    again = rig.ask(assign("one")).error
    assert isinstance(again, RefusedError)
    assert again.code == "call_taken"


@pytest.mark.parametrize("source", ["token", "metadata"])
def test_in_a_message_it_is_an_invalid_assignment(rig: Rig, source: str) -> None:
    rig.do(assign("one"))
    brought = BroughtAssignment(given(CALL, sender="two"), NOW, source)
    answer: ActionAnswer = rig.do(replace(call("two"), brought=brought))
    assert (answer.state, answer.error) == ("bot", "invalid_assignment")
    assert latest(rig, "one").open
    assert rig.all() == []
    rig.ask(replace(call("two", number=2), brought=replace(brought, take=True)))
    assert not latest(rig, "one").open
    assert latest(rig, "two").with_agent
    assert [item.sender_id for item in rig.all()] == ["two"]


def test_a_token_from_before_the_other_got_the_call_does_not_take_it(rig: Rig) -> None:
    rig.do(assign("one"))
    brought = BroughtAssignment(given(CALL, sender="two"), NOW - 2, "token", take=True)
    answer: ActionAnswer = rig.do(replace(call("two"), brought=brought))
    assert answer.error == "invalid_assignment"
    assert latest(rig, "one").open


def test_a_conversation_keeps_its_own_call_when_it_brings_anothers(rig: Rig) -> None:
    rig.do(assign("one"))
    rig.do(AssignCall(assignment=given("B", sender="two")))
    rig.ask(call("two", brought=given(CALL, sender="two")))
    assert [item.envelope.call_id for item in rig.all()] == ["B"]


def test_of_two_in_one_batch_one_gets_it(rig: Rig) -> None:
    asked = rig.submit(assign("one"), assign("two"))
    rig.step()
    assert [item.error is None for item in asked] == [True, False]


def test_of_two_replicas_at_once_one_gets_it(store_url: str) -> None:
    with running(store_url, delivered, delivered) as cores:

        def put(number: int, replica: int) -> str:
            sender = f"{number}-{replica}"
            made = AssignCall(assignment=given(f"call-{number}", sender=sender))
            try:
                cores[replica].core.call(made)
            except RefusedError as error:
                return error.code
            return "assigned"

        with ThreadPoolExecutor(2 * HANDOFFS) as pool:
            asked = [pool.submit(put, at, each) for at in range(HANDOFFS) for each in range(2)]
            answers = Counter(item.result(60) for item in asked)
        assert answers == {"assigned": HANDOFFS, "call_taken": HANDOFFS}
        for number in range(HANDOFFS):
            third = given(f"call-{number}", sender=f"3-{number}")
            cores[0].core.call(AssignCall(assignment=third, take=True))
        opened = cores[1].store.read(
            lambda tx: lists.calls(tx, agent_id=None, ended=False, before=None, limit=200)
        )
    assert {item.assignment.sender_id for item in opened} == {f"3-{at}" for at in range(HANDOFFS)}
