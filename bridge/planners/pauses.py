"""Decide when to repeat a pause, and summarise the paused time for the bot."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.model import Delivery, DeliveryState
from bridge.planners.rules import Rules
from bridge.replies import OwnText, own_text
from bridge.state.records import ASSIST, HANDOFF, ActionAnswer, AssignmentRecord
from bridge.state.snapshot import Snapshot
from bridge.turn import Turn


def pause_again(snapshot: Snapshot, current: AssignmentRecord, turn: Turn) -> ActionAnswer | None:
    """Return the handoff's answer again if Rasa lifted the pause while an agent is the owner.

    Rasa lifts it when its session expires; a message newer than the handoff that reached the
    bridge shows that it did.
    """
    if turn.message_at is None or turn.paused:
        return None
    if current.handed_off_at is None or turn.message_at <= current.handed_off_at:
        return None
    record = snapshot.last_turns.get(current.assignment.call_id)
    if record is None or record.answer is None:
        return None
    paused = record.answer.pause and record.answer.state in (HANDOFF, ASSIST)
    return record.answer if paused else None


def summary(
    current: AssignmentRecord,
    deliveries: Sequence[Delivery],
    rules: Rules,
    *,
    until: float,
    language: str | None,
) -> str:
    """Return a text about the agent's time with the call, for ``handoff_summary``.

    Customers may read it: it names no IDs.
    """
    sent = [
        item for item in deliveries if item.part == 0 and item.state is not DeliveryState.FAILED
    ]
    seconds = until - (current.handed_off_at or until)
    assignment = current.assignment
    values = {
        "minutes": max(1, round(seconds / 60)),
        "messages": len(sent),
        "agent_nickname": assignment.agent_nickname or rules.agent(assignment.agent_id).nickname,
    }
    return own_text(OwnText.SUMMARY, rules.designer, language, values)
