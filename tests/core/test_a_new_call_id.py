"""A transferred call that rings under another call ID: the conversation goes along with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from bridge.model import CallInfo, Card, Line, Owner
from bridge.planners import PLANNERS, Rules
from bridge.planners.changes import Changes
from bridge.state.calls import CallRequestKind
from bridge.state.commands import Command, TransferCall
from bridge.state.plan import Plan
from bridge.state.snapshot import Needs, Snapshot
from bridge.store import lists
from tests.core.readers import (
    BOT,
    CALL,
    CUSTOMER,
    READER,
    SIGN_IN,
    answered,
    chosen,
    finish,
    hang_up,
    hear,
    ring,
    sign_in,
    the_call,
    write,
)
from tests.core.rig import Making, Rig

pytestmark = pytest.mark.both_engines

NEW, TARGET = "1456404043-99", "307"
CARD = Card("intent human", {}, (Line("customer", "hello", 1.0),))
ANSWER, LOOK_UP = CallRequestKind.ANSWER, CallRequestKind.LOOK_UP


@dataclass(frozen=True, kw_only=True)
class GiveCard(Command):
    """The card of an earlier handoff."""

    def needs(self) -> Needs:
        return Needs(calls=frozenset({CALL}))


def give_card(snapshot: Snapshot, command: GiveCard, rules: Rules, now: float) -> Plan:
    del command
    changes = Changes(snapshot, rules, now)
    record = snapshot.of_call(CALL)
    assert record is not None
    changes.assignment(replace(record, card=CARD))
    return changes.plan(answer=True)


@pytest.fixture
def rig(make: Making) -> Rig:
    agents = {READER: SIGN_IN, BOT: {**SIGN_IN, "owner": "bot"}, TARGET: SIGN_IN, "*": {}}
    made = make(chosen=chosen(agents=agents), planners={**PLANNERS, GiveCard: give_card})
    sign_in(made, READER, BOT, TARGET)
    return made


def transfer(rig: Rig, former: str, **to: Any) -> None:
    answered(rig, agent=former)
    write(rig, "hello", agent=former)
    rig.do(GiveCard())
    rig.ask(TransferCall(call_id=CALL, agent_id=former, **to))
    rig.step(2)
    finish(rig, CallRequestKind.TRANSFER)


@pytest.mark.parametrize("to", [{"to_agent": TARGET}, {"to_skill": "12"}], ids=["agent", "skill"])
@pytest.mark.parametrize("former", [READER, BOT])
@pytest.mark.parametrize("rings_first", [True, False])
def test_card_history_and_conversation_go_along(
    rig: Rig, to: dict[str, str], former: str, *, rings_first: bool
) -> None:
    transfer(rig, former, **to)
    if not rings_first:
        hang_up(rig, agent=former)
    ring(rig, NEW, agent=TARGET)
    finish(rig, ANSWER)
    finish(rig, LOOK_UP, found=CallInfo(user_id=CUSTOMER))
    if rings_first:
        hang_up(rig, agent=former)
    record, left = rig.record(NEW), rig.record(CALL)
    assert record.assignment.sender_id == left.assignment.sender_id
    assert (record.assignment.agent_id, record.owner, record.open) == (TARGET, Owner.AGENT, True)
    assert (left.assignment.agent_id, left.open, left.moved_to) == (former, False, TARGET)
    assert rig.store.read(lambda tx: lists.card(tx, NEW)) == CARD
    assert rig.store.read(lambda tx: lists.former_calls(tx, record)) == [CALL]
    assert not the_call(rig, agent=former).live
    rig.clock.move(61.0)
    rig.step(3)
    assert rig.record(NEW).open


@pytest.mark.parametrize("late", [True, False])
def test_a_call_of_another_skill_or_much_later_is_a_new_conversation(
    rig: Rig, *, late: bool
) -> None:
    transfer(rig, READER, to_skill="12")
    hang_up(rig)
    if late:
        rig.clock.move(121.0)
    skill = "12" if late else "13"
    incoming = {"callId": NEW, "caller": CUSTOMER, "mediaType": 51, "skillId": skill}
    hear(rig, "AgentEvent_Incoming_CallInfo", incoming, agent=TARGET)
    ring(rig, NEW, agent=TARGET)
    finish(rig, ANSWER)
    finish(rig, LOOK_UP, found=CallInfo(user_id=CUSTOMER))
    assert rig.record(NEW).assignment.sender_id == f"cc-{NEW}"
    assert rig.record(CALL).moved_to is None
    assert rig.store.read(lambda tx: lists.card(tx, NEW)) is None
