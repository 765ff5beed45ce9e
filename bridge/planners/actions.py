"""Plan action calls from Rasa: hand off, assist the agent, hand back, or do nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from bridge import triggers
from bridge.language import language_of
from bridge.model import Mode, Suggestion
from bridge.planners import assist, consequences, handoff
from bridge.planners.changes import Changes
from bridge.planners.offering import EXTERNAL
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
from bridge.triggers import DecisionKind
from bridge.turn import Turn

ActionPlanner = Callable[[Changes, CallAction], Plan]


def call(snapshot: Snapshot, command: CallAction, rules: Rules, now: float) -> Plan:
    """Plan an action call from Rasa.

    The answer is an ``ActionAnswer``; a handoff that has to wait for its deliveries is answered
    by a later command.
    """
    changes = Changes(snapshot, rules, now)
    sender = command.turn.sender_id
    if sender in snapshot.shadows:
        return changes.plan(NOTHING)  # an inquiry runs the bot's actions there
    record = snapshot.latest(sender)
    known = {command.key, command.message_key} & snapshot.turns.keys()
    if record is not None and record.with_agent and not known and not command.turn.external:
        older = snapshot.offered(sender_id=sender)
        changes.supersede([item for item in older if _is_outdated(item, command.turn)])
        changes.store_message(command.turn, record.assignment.call_id)
    return _ACTIONS[command.action](changes, command)


def _is_outdated(offered: Suggestion, turn: Turn) -> bool:
    """Return whether a suggestion answers an earlier message of the customer."""
    if offered.message_id != turn.message_id:
        return True
    # Some connectors give different messages the same ID.
    later = turn.message_at is not None and offered.created_at < turn.message_at
    return later and not _was_forwarded(offered, turn)


def _was_forwarded(offered: Suggestion, turn: Turn) -> bool:
    """Return whether a desktop forwarded the turn's message before Rasa got it.

    Another system may then have answered it already.
    """
    line, question = turn.customer_line, offered.question
    if offered.source.kind != EXTERNAL or line is None or question is None:
        return False
    return line.text.split() == question.split()


def _hand_off(changes: Changes, command: CallAction) -> Plan:
    """Plan ``action_human_handoff``: always hand off."""
    decision = triggers.handoff_reason(
        command.turn, changes.rules.designer, handed_back_at=_handed_back_at(changes, command)
    )
    return handoff.plan(changes, command, decision, called=True)


def _assist(changes: Changes, command: CallAction) -> Plan:
    """Plan ``action_agent_assist``: assist the agent, or reply as the bot if it is the owner."""
    decision = triggers.assist_rule(command.turn, changes.rules.designer)
    return _pause_again(changes, command, assist.plan(changes, command, decision))


def _act(changes: Changes, command: CallAction) -> Plan:
    """Plan ``action_bridge``: evaluate the triggers and hand off, assist, or do nothing."""
    # The assist mode applies only while an agent is the owner; the bot always replies to its own
    # customers.
    decision = triggers.decide(
        command.turn,
        changes.rules.designer,
        handed_back_at=_handed_back_at(changes, command),
        mode=Mode.SUGGEST,
    )
    if decision.kind is DecisionKind.HANDOFF:
        return handoff.plan(changes, command, decision, called=False)
    plan = (
        assist.plan(changes, command, decision)
        if decision.kind is DecisionKind.ASSIST
        else consequences.plan(changes, NOTHING)
    )
    return _pause_again(changes, command, plan)


def _hand_back(changes: Changes, command: CallAction) -> Plan:
    """Plan ``action_handback``: make the bot the owner again."""
    snapshot, now = changes.snapshot, changes.now
    record = snapshot.turns.get(command.key)
    if record is not None and record.answer is not None:
        return Plan(answer=record.answer)
    current = snapshot.latest(command.turn.sender_id)
    if current is None or not current.with_agent:
        return consequences.plan(changes, ActionAnswer(state=BOT))
    changes.hand_back(current, consequences.HANDED_BACK)
    changes.log(logging.INFO, "Handed back call_id=%s by=rasa", current.assignment.call_id)
    deliveries = snapshot.sent_since_handoff.get(current.assignment.call_id, [])
    language = language_of(command.turn.slots, changes.rules.designer)
    text = summary(current, deliveries, changes.rules, until=now, language=language)
    answer = ActionAnswer(state=BOT, summary=text)
    changes.turn(TurnRecord(command.key, command.turn.sender_id, None, now, answer))
    return consequences.plan(changes, answer)


_ACTIONS: dict[ActionKind, ActionPlanner] = {
    ActionKind.HANDOFF: _hand_off,
    ActionKind.ASSIST: _assist,
    ActionKind.BRIDGE: _act,
    ActionKind.HANDBACK: _hand_back,
}


def _handed_back_at(changes: Changes, command: CallAction) -> float | None:
    return changes.snapshot.handed_back_at.get(command.turn.sender_id)


def _pause_again(changes: Changes, command: CallAction, plan: Plan) -> Plan:
    """Repeat the pause if Rasa lifted it while an agent is the owner."""
    if not isinstance(plan.answer, ActionAnswer):
        return plan
    turn = command.turn
    record = changes.snapshot.latest(turn.sender_id)
    if record is None or not record.with_agent:
        return replace(plan, answer=_with_the_bot(plan.answer, turn))
    if turn.resumed:
        return plan  # an explicit resume event: the bot is meant to speak
    again = pause_again(changes.snapshot, record, turn)
    return plan if again is None else replace(plan, answer=again)


def _with_the_bot(answer: ActionAnswer, turn: Turn) -> ActionAnswer:
    """Return the answer with ``handoff_state`` reset to the bot if Rasa undid a handback's slots.

    Rasa's fallback does this: it rewinds to the bot's last action.
    """
    if answer.state is None and turn.slots.get("handoff_state") in (HANDOFF, ASSIST):
        return replace(answer, state=BOT)
    return answer
