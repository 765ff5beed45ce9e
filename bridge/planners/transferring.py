"""Plan the handoff of a bot agent's call: the gateway transfers it to a skill or to an agent.

The owner changes only when the gateway confirms the transfer: the end of the call does. A call that
comes back to a bot agent is not transferred again: the customer is told that nobody is available.
"""

from __future__ import annotations

import logging

from bridge import replies
from bridge.config.settings import ResponseName
from bridge.errors import AssignmentError
from bridge.model import Card, Origin, derive, evolve
from bridge.planners.changes import Changes
from bridge.replies import OwnText
from bridge.state.commands import TransferCall
from bridge.state.inquiries import BotAnswer, BotNote
from bridge.state.plan import Count, Put
from bridge.state.records import AssignmentRecord, RasaUpdate
from bridge.translate import literal
from bridge.turn import Turn

_NO_TARGET = "handoff.transfer names no skill or agent"
_CAME_BACK = "the call was transferred before and came back"


def transfer(
    changes: Changes,
    record: AssignmentRecord,
    card: Card,
    update: RasaUpdate,
    answer: BotAnswer,
    turn: Turn,
) -> None:
    """Ask the gateway to transfer a bot agent's call, with its card for whoever gets it.

    Args:
        changes: the changes so far; the call's records of its reader are loaded.
        record: the call.
        card: the reason, the slots and the last words.
        update: the inquiry about the message that triggers the handoff.
        answer: the bot's answer, with the responses that the rules name.
        turn: the message and its conversation.
    """
    assignment = record.assignment
    target = changes.rules.designer.handoff.transfer
    call = changes.known_call((assignment.call_id, assignment.agent_id))
    came_back = call is not None and call.transfers > 0
    if target is None or came_back:
        why = _CAME_BACK if came_back else _NO_TARGET
        changes.log(
            logging.ERROR,
            "A bot agent's call cannot be handed over: %s call_id=%s agent_id=%s",
            why,
            assignment.call_id,
            assignment.agent_id,
        )
        changes.effect(Count("handoff", ("not_transferred",)))
        unavailable = (changes.rules.designer.handoff.unavailable, OwnText.UNAVAILABLE)
        rest(changes, record, update, answer, turn, why=why, said=unavailable)
        return
    changes.assignment(evolve(record, card=card, card_erased_at=None, bot_note=None))
    changes.effect(
        Put(
            TransferCall(
                key=derive("transfer", update.id),
                call_id=assignment.call_id,
                agent_id=assignment.agent_id,
                to_agent=target.agent_id,
                to_skill=target.skill,
            )
        ),
        Count("handoff", ("transfer",)),
    )
    changes.log(
        logging.INFO, "A handoff was requested: %s call_id=%s", card.reason, assignment.call_id
    )


def rest(
    changes: Changes,
    record: AssignmentRecord,
    update: RasaUpdate,
    answer: BotAnswer,
    turn: Turn,
    *,
    why: str,
    said: tuple[ResponseName, OwnText],
) -> None:
    """Tell the customer that nobody takes over; the call stays with the bot.

    Args:
        changes: the changes so far.
        record: the call.
        update: the inquiry about the message that triggers the handoff.
        answer: the bot's answer, with the responses that the rules name.
        turn: the message and its conversation.
        why: the reason, for the agent.
        said: the response that tells the customer, and the text of our own if there is none.
    """
    assignment = record.assignment
    text = f"The call cannot be handed over to a person: {why}."
    note = BotNote("unavailable", text, str(update.body["message_id"]), changes.now)
    changes.assignment(evolve(record, bot_note=note, card=None))
    designer, composer = changes.rules.designer, changes.rules.composer
    names, own = said
    name = changes.rules.response(names, turn.slots)
    if name is None:
        return
    announced = replies.announce(
        name,
        own,
        answer.responses,
        turn.slots,
        designer,
        channels=composer.response_channels(assignment.channel, turn.input_channel),
        seed=update.id,
        quote=literal,
    )
    try:
        drafts = changes.drafts(composer.translate(assignment, announced.reply), assignment.call_id)
        batch = composer.compose(
            assignment, [drafts], Origin.BOT, name=("inquiry", update.id), now=changes.now
        )
    except AssignmentError as error:
        changes.warn(
            "The customer was not told that nobody takes over: %s call_id=%s",
            error.message,
            assignment.call_id,
        )
        return
    changes.enqueue(batch)
