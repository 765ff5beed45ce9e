"""A conversation that is given to another agent: what goes along, and what the former one sees."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model import Owner
from bridge.state.commands import ActionKind, AssignCall, HideAssist, NoteTyping
from bridge.store import lists
from tests.core.rig import Making, Rig, call, given, reply, rules

ASSIST: dict[str, Any] = {"assist": {"when": [{"intent": "ask_hours", "reply": "utter_hours"}]}}


@pytest.fixture
def handed(make: Making) -> Rig:
    """A call that was handed off to agent 291, with a suggestion on offer."""
    rig = make(chosen=rules(ASSIST))
    rig.assign("A", owner=None)
    rig.ask(call("customer-A"))
    rig.complete()
    rig.do(call("customer-A", action=ActionKind.ASSIST, number=2, intent="ask_hours"))
    return rig


def transfer(rig: Rig, call_id: str, agent: str, owner: Owner | None = Owner.AGENT) -> None:
    to = given(call_id, sender="customer-A", agent=agent)
    rig.do(AssignCall(assignment=to, owner=owner))


def card(rig: Rig, call_id: str) -> Any:
    return rig.store.read(lambda tx: lists.card(tx, call_id))


@pytest.mark.parametrize("call_id", ["A", "B"])
def test_the_card_goes_along_and_suggestions_are_closed(handed: Rig, call_id: str) -> None:
    before = card(handed, "A")
    assert before.turns
    transfer(handed, call_id, "305")
    assert card(handed, call_id) == before
    assert handed.record(call_id).assignment.agent_id == "305"
    ((_, found),) = handed.store.read(lambda tx: lists.suggestions(tx, limit=9))
    assert (found.state.value, found.reason) == ("expired", "reassigned")


def test_a_former_call_says_who_has_the_conversation(handed: Rig) -> None:
    transfer(handed, "B", "305")
    former = handed.record("A")
    assert (former.moved_to, former.open) == ("305", False)
    assert handed.record("B").moved_to is None
    transfer(handed, "A", "291")  # and back
    assert handed.record("A").moved_to is None
    assert handed.record("B").moved_to == "291"


def test_another_call_of_the_same_agent_is_no_transfer(handed: Rig) -> None:
    transfer(handed, "B", "291")
    assert handed.record("A").moved_to is None
    assert card(handed, "B") is not None


def test_a_call_that_another_conversation_takes_is_no_transfer(handed: Rig) -> None:
    to = given("A", sender="somebody", agent="305")
    handed.do(AssignCall(assignment=to, owner=Owner.AGENT, take=True))
    both = handed.store.read(
        lambda tx: lists.assignments_by_pair(tx, [("customer-A", "A"), ("somebody", "A")])
    )
    assert [record.moved_to for record in both.values()] == [None, None]
    assert card(handed, "A") is None


def test_the_bots_call_takes_no_card_along(make: Making) -> None:
    rig = make()
    rig.assign("A", owner=Owner.BOT)
    transfer(rig, "B", "305")
    assert card(rig, "B") is None


def test_what_the_former_agents_desktop_reported_does_not_count_for_the_next(handed: Rig) -> None:
    handed.do(HideAssist(call_id="A", hidden=True, agent_id="291"))
    handed.do(NoteTyping(call_id="A", agent_id="291"))
    transfer(handed, "A", "305")
    record = handed.record("A")
    assert (record.assist_hidden, record.typing_at, record.desktop_at) == (False, None, None)


def test_what_was_not_sent_yet_is_offered_to_the_next(handed: Rig) -> None:
    handed.do(reply("A", "On its way."))
    handed.do(reply("A", "Not yet.", client_id="c-2"))
    transfer(handed, "B", "305")
    offered = handed.store.read(lambda tx: lists.suggestions(tx, call_id="B", limit=9))
    assert [(item.text, item.agent_id) for _, item in offered] == [("Not yet.", "305")]
