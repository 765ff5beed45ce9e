"""What an action call comes to: hand off, help the agent, hand back, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bridge import triggers
from bridge.model import Mode
from bridge.planners import assist, consequences, handoff
from bridge.planners.changes import Changes
from bridge.planners.pauses import pause_again, summary
from bridge.planners.rules import Rules
from bridge.state.commands import ActionKind, CallAction
from bridge.state.plan import Plan
from bridge.state.records import (
    ASSIST,
    BOT,
    HANDOFF,
    NOTHING,
    ActionAnswer,
    TurnRecord,
)
from bridge.state.snapshot import Snapshot
from bridge.triggers import Kind
from bridge.turn import Turn

Planner = Callable[[Changes, CallAction], Plan]


def call(snapshot: Snapshot, command: CallAction, rules: Rules, now: float) -> Plan:
    """Rasa called an action. The answer is an ``ActionAnswer``, or comes with the outcome."""
    changes = Changes(snapshot, rules, now)
    sender = command.turn.sender_id
    found = snapshot.latest(sender)
    if found is not None and found.with_agent and command.key not in snapshot.turns:
        older = snapshot.offered(sender_id=sender)
        changes.supersede([item for item in older if item.message_id != command.turn.message_id])
    return _ACTIONS[command.action](changes, command)


def _hand_off(changes: Changes, command: CallAction) -> Plan:
    """``action_human_handoff``: hand off whenever it is called."""
    decision = triggers.handoff_reason(
        command.turn, changes.rules.designer, handed_back_at=_handed_back_at(changes, command)
    )
    return handoff.plan(changes, command, decision, called=True)


def _assist(changes: Changes, command: CallAction) -> Plan:
    """``action_agent_assist``: help the agent, or answer as the bot, whenever it is called."""
    decision = triggers.assist_rule(command.turn, changes.rules.designer)
    return _pause_again(changes, command, assist.plan(changes, command, decision))


def _act(changes: Changes, command: CallAction) -> Plan:
    """``action_bridge``: read the turn and do what the triggers call for, or nothing."""
    # Whether assist is off is for the agent's side: the bot answers its own customers.
    decision = triggers.decide(
        command.turn,
        changes.rules.designer,
        handed_back_at=_handed_back_at(changes, command),
        mode=Mode.SUGGEST,
    )
    if decision.kind is Kind.HANDOFF:
        return handoff.plan(changes, command, decision, called=False)
    plan = (
        assist.plan(changes, command, decision)
        if decision.kind is Kind.ASSIST
        else consequences.plan(changes, NOTHING)
    )
    return _pause_again(changes, command, plan)


def _hand_back(changes: Changes, command: CallAction) -> Plan:
    """``action_handback``: the bot has the conversation again."""
    snapshot, now = changes.snapshot, changes.now
    record = snapshot.turns.get(command.key)
    if record is not None and record.answer is not None:
        return Plan(answer=record.answer)
    found = snapshot.latest(command.turn.sender_id)
    if found is None or not found.with_agent:
        return consequences.plan(changes, ActionAnswer(state=BOT))
    changes.hand_back(found, consequences.HANDED_BACK)
    told = snapshot.told.get(found.assignment.call_id, [])
    answer = ActionAnswer(state=BOT, summary=summary(found, told, now))
    changes.turn(TurnRecord(command.key, command.turn.sender_id, None, now, answer))
    return consequences.plan(changes, answer)


_ACTIONS: dict[ActionKind, Planner] = {
    ActionKind.HANDOFF: _hand_off,
    ActionKind.ASSIST: _assist,
    ActionKind.BRIDGE: _act,
    ActionKind.HANDBACK: _hand_back,
}


def _handed_back_at(changes: Changes, command: CallAction) -> float | None:
    return changes.snapshot.handed_back_at.get(command.turn.sender_id)


def _pause_again(changes: Changes, command: CallAction, plan: Plan) -> Plan:
    """Repeat our pause where Rasa lifted it while the agent has the call."""
    if not isinstance(plan.answer, ActionAnswer):
        return plan
    turn = command.turn
    found = changes.snapshot.latest(turn.sender_id)
    if found is None or not found.with_agent:
        return replace(plan, answer=_with_the_bot(plan.answer, turn))
    if turn.resumed:
        return plan  # whoever told Rasa to resume wants the bot to speak
    again = pause_again(changes.snapshot, found, turn)
    return plan if again is None else replace(plan, answer=again)


def _with_the_bot(answer: ActionAnswer, turn: Turn) -> ActionAnswer:
    """The answer, with the slots corrected where Rasa undid a handback's.

    It does so when it falls back: its rewind reaches to the last thing the bot did.
    """
    if answer.state is None and turn.slots.get("handoff_state") in (HANDOFF, ASSIST):
        return replace(answer, state=BOT)
    return answer
