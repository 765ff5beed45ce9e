"""Plan the handoff of a call that the bot owns, when a customer's message triggers it."""

from __future__ import annotations

import logging

from bridge import triggers
from bridge.errors import AssignmentError
from bridge.model import Origin, Owner, evolve
from bridge.planners import alerts, handoff, transferring, writing_back
from bridge.planners.changes import Changes
from bridge.replies import OwnText
from bridge.state.inquiries import BotAnswer
from bridge.state.records import AssignmentRecord, RasaUpdate
from bridge.triggers import Decision
from bridge.turn import Turn


def take_over(
    changes: Changes, record: AssignmentRecord, update: RasaUpdate, answer: BotAnswer, turn: Turn
) -> None:
    """Hand a call over to its agent: Rasa has not seen the customer's message.

    Args:
        changes: the changes so far.
        record: the call.
        update: the inquiry.
        answer: the bot's answer, with the responses that the rules name.
        turn: the message and its conversation.
    """
    decision = triggers.handoff_reason(
        turn,
        changes.rules.designer,
        handed_back_at=changes.snapshot.handed_back_at.get(record.assignment.sender_id),
    )
    writing_back.asked(changes, update)
    hand_over(changes, record, update, answer, turn, decision)


def hand_over(
    changes: Changes,
    record: AssignmentRecord,
    update: RasaUpdate,
    answer: BotAnswer,
    turn: Turn,
    decision: Decision,
) -> None:
    """Hand a call over for the reason that ``decision`` gives."""
    if why := handoff.closed_because(changes, turn, decision):
        closed = (changes.rules.designer.handoff.closed, OwnText.CLOSED)
        transferring.rest(changes, record, update, answer, turn, why=why, said=closed)
        return
    card = handoff.card_of(changes, turn, decision)
    if changes.rules.owner_of(record.assignment.agent_id) is Owner.BOT:
        transferring.transfer(changes, record, card, update, answer, turn)
        return
    _say(changes, record, update, answer, turn)
    changes.assignment(
        evolve(
            record,
            owner=Owner.AGENT,
            handed_off_at=changes.now,
            untold=False,
            card=card,
            card_erased_at=None,
            bot_note=None,
            alert_at=alerts.due_at(changes.rules, changes.now),
            alerted_at=None,
            alert_attempts=0,
        )
    )
    changes.log(logging.INFO, "Handed off: %s call_id=%s", card.reason, record.assignment.call_id)


def _say(
    changes: Changes,
    record: AssignmentRecord,
    update: RasaUpdate,
    answer: BotAnswer,
    turn: Turn,
) -> None:
    assignment = record.assignment
    try:
        drafts = handoff.say(
            changes,
            turn,
            assignment,
            responses=answer.responses,
            seed=update.id,
            agent_id=assignment.agent_id,
        )
        batch = changes.rules.composer.compose(
            assignment,
            [drafts],
            Origin.HANDOFF,
            name=("inquiry", update.id),
            now=changes.now,
        )
    except AssignmentError as error:
        changes.warn(
            "The customer was not told of the handoff: %s call_id=%s",
            error.message,
            assignment.call_id,
        )
        return
    changes.enqueue(batch)
