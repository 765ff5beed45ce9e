"""What a customer writes while an agent has the call is kept, once a message."""

from __future__ import annotations

import pytest

from bridge.errors import FinalError
from bridge.model import DeliveryState, Owner, SuggestionState
from bridge.planners.compose import Composer
from bridge.queries import Calls
from bridge.state.commands import (
    AcceptSuggestion,
    ActionKind,
    AssignCall,
    DiscardDelivery,
    HandBackCall,
    PushGuid,
)
from bridge.store import lists
from tests.core.rig import GUID, Making, Rig, call, given, reply, rules
from tests.making import NOW

pytestmark = pytest.mark.both_engines

CALL, SENDER = "A", "customer-A"
DESIGNER = {
    "handoff": {"say": None, "then": "assist"},
    "assist": {"when": [{"intent": "ask_hours", "reply": "utter_hours"}]},
}

RESPONSES = {
    "utter_hours": [{"text": "From 9 to 5."}],
    "utter_handoff_unavailable": [{"text": "Nobody is there."}],
}


@pytest.fixture
def rig(make: Making) -> Rig:
    made = make(chosen=rules(DESIGNER, rasa={"url": "http://127.0.0.1:9"}))
    made.do(PushGuid(agent_id="291", guid=GUID))
    made.do(AssignCall(assignment=given(CALL), owner=Owner.BOT))
    return made


def writes(rig: Rig, number: int, *, action: ActionKind = ActionKind.ASSIST) -> None:
    """The customer writes, a second later."""
    rig.clock.move(1)
    intent = "human_handoff" if action is ActionKind.HANDOFF else "ask_hours"
    at = rig.clock.now()
    rig.ask(call(SENDER, action=action, number=number, intent=intent, at=at, responses=RESPONSES))


def kept(rig: Rig) -> list[str]:
    found = rig.store.read(lambda tx: lists.messages(tx, CALL, limit=100))
    return [item.message_id for item in found]


def waiting_since(rig: Rig) -> float | None:
    composer: Composer = rules().composer
    return Calls(rig.store, composer).call(CALL).record.waiting_since


def test_each_message_is_kept_once_from_the_handoff_on(rig: Rig) -> None:
    writes(rig, 1)  # the bot is the owner
    assert kept(rig) == []
    writes(rig, 2, action=ActionKind.HANDOFF)
    for number in (3, 3, 4, 3):
        writes(rig, number)
    assert kept(rig) == [f"{SENDER}-{number}" for number in (2, 3, 4)]
    rig.do(HandBackCall(call_id=CALL, agent_id="291"))
    writes(rig, 5)
    assert kept(rig) == [f"{SENDER}-{number}" for number in (2, 3, 4)]


def test_a_suggestion_carries_the_question(rig: Rig) -> None:
    writes(rig, 1, action=ActionKind.HANDOFF)
    writes(rig, 2)
    (item,) = rig.store.read(lambda tx: lists.suggestions(tx, call_id=CALL, limit=10))
    assert item[1].state is SuggestionState.OFFERED
    assert (item[1].message_id, item[1].question) == (f"{SENDER}-2", "I want a human")


def test_since_when_the_customer_waits(rig: Rig) -> None:
    assert waiting_since(rig) is None
    writes(rig, 1, action=ActionKind.HANDOFF)
    assert waiting_since(rig) == NOW + 1
    writes(rig, 2)
    assert waiting_since(rig) == NOW + 1  # later messages do not move it
    rig.clock.move(1)
    rig.ask(reply(CALL))
    assert waiting_since(rig) is None
    writes(rig, 3)
    writes(rig, 4)
    assert waiting_since(rig) == NOW + 4
    offered = rig.store.read(
        lambda tx: lists.suggestions(tx, call_id=CALL, states=[SuggestionState.OFFERED], limit=10)
    )
    rig.clock.move(1)
    rig.ask(AcceptSuggestion(suggestion_id=offered[-1][1].id, agent_id="291"))
    assert waiting_since(rig) is None
    rig.do(HandBackCall(call_id=CALL, agent_id="291"))
    assert waiting_since(rig) is None


def test_what_was_not_sent_answers_nothing(rig: Rig) -> None:
    writes(rig, 1, action=ActionKind.HANDOFF)
    rig.clock.move(1)
    rig.ask(reply(CALL, "one", "c-1"))
    rig.ask(reply(CALL, "two", "c-2"))
    first, second = rig.all()
    assert first.state is DeliveryState.SENDING
    rig.do(DiscardDelivery(delivery_id=second.seq, agent_id="291"))
    assert waiting_since(rig) is None
    rig.complete(FinalError("switched off", retcode="106-001"))
    assert waiting_since(rig) == NOW + 1
    listed = Calls(rig.store, rules().composer).listing(
        agent_id="291", ended=False, cursor=None, limit=10
    )
    assert [item.waiting_since for item in listed.items] == [NOW + 1]
