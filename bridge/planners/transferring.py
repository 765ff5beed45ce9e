"""Plan the handoff of a bot agent's call: the gateway transfers it to a skill or to an agent.

The customer is told first, under the bot agent's name. The owner changes only when the gateway
confirms the transfer: the end of the call does. If the transfer fails, the customer is told that
nobody is available, and the call stays with the bot. A call that was transferred before and came
back is not transferred again.
"""

from __future__ import annotations

import logging

from bridge import replies
from bridge.config.settings import ResponseName
from bridge.errors import AssignmentError
from bridge.model import Card, Draft, Origin, derive, evolve
from bridge.planners import handoff, transfers
from bridge.planners.changes import Changes
from bridge.replies import OwnText
from bridge.state.calls import Apology, CallRecord, CallState
from bridge.state.inquiries import BotAnswer
from bridge.state.plan import Count
from bridge.state.records import AssignmentRecord, RasaUpdate
from bridge.translate import literal
from bridge.turn import Turn

_NO_TARGET = "handoff.transfer names no skill or agent"
_ITSELF = "handoff.transfer names the bot agent itself"
_NOT_TALKING = "the bridge has not answered the call"


def transfer(
    changes: Changes,
    record: AssignmentRecord,
    card: Card,
    update: RasaUpdate,
    answer: BotAnswer,
    turn: Turn,
) -> None:
    """Ask the gateway to transfer a bot agent's call, and keep its card for the agent who gets it.

    Args:
        changes: the changes so far; the call's records of its reader are loaded.
        record: the call.
        card: the reason, the slots and the last words.
        update: the inquiry about the message that triggers the handoff.
        answer: the bot's answer, with the responses that the rules name.
        turn: the message and its conversation.
    """
    assignment = record.assignment
    call = changes.known_call((assignment.call_id, assignment.agent_id))
    if call is not None and call.live and call.transfer_to is not None:
        return  # it is under way
    unavailable = (changes.rules.designer.handoff.unavailable, OwnText.UNAVAILABLE)
    why = _obstacle(changes, record, call)
    if call is None or why is not None:
        transfers.not_handed_over(changes, record, why or _NOT_TALKING)
        rest(changes, record, update, answer, turn, why=why or _NOT_TALKING, said=unavailable)
        return
    target = changes.rules.designer.handoff.transfer
    assert target is not None  # noqa: S101 - this would be an obstacle
    _say(changes, record, update, answer, turn)
    changes.assignment(evolve(record, card=card, card_erased_at=None, bot_note=None))
    transfers.ask(
        changes,
        call,
        request_id=derive("transfer", update.id),
        agent=target.agent_id,
        skill=target.skill,
        apology=_apology(changes, record, update, answer, turn, unavailable),
    )
    changes.effect(Count("handoff", ("transfer",)))
    changes.log(
        logging.INFO, "A handoff was requested: %s call_id=%s", card.reason, assignment.call_id
    )


def _obstacle(changes: Changes, record: AssignmentRecord, call: CallRecord | None) -> str | None:
    """Return why a call cannot be transferred; None if it can be."""
    target = changes.rules.designer.handoff.transfer
    if target is None:
        return _NO_TARGET
    if target.agent_id == record.assignment.agent_id:
        return _ITSELF
    if call is None or call.state is not CallState.TALKING:
        return _NOT_TALKING
    return transfers.CAME_BACK if call.transfers > 0 else None


def _say(
    changes: Changes, record: AssignmentRecord, update: RasaUpdate, answer: BotAnswer, turn: Turn
) -> None:
    """Say ``handoff.say``; the transfer waits until it is sent."""
    assignment, target = record.assignment, changes.rules.designer.handoff.transfer
    agent_id = target.agent_id if target is not None else None
    try:
        drafts = handoff.say(
            changes,
            turn,
            assignment,
            responses=answer.responses,
            seed=update.id,
            agent_id=agent_id,
        )
        batch = changes.rules.composer.compose(
            assignment, [drafts], Origin.HANDOFF, name=("inquiry", update.id), now=changes.now
        )
    except AssignmentError as error:
        changes.warn(
            "The customer was not told of the handoff: %s call_id=%s",
            error.message,
            assignment.call_id,
        )
        return
    changes.enqueue(batch)


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
    apology = _apology(changes, record, update, answer, turn, said)
    transfers.apologise(changes, record, apology, why)


def _apology(
    changes: Changes,
    record: AssignmentRecord,
    update: RasaUpdate,
    answer: BotAnswer,
    turn: Turn,
    said: tuple[ResponseName, OwnText],
) -> Apology:
    drafts = _drafts(changes, record, update, answer, turn, said)
    return Apology(update.id, str(update.body["message_id"]), drafts)


def _drafts(
    changes: Changes,
    record: AssignmentRecord,
    update: RasaUpdate,
    answer: BotAnswer,
    turn: Turn,
    said: tuple[ResponseName, OwnText],
) -> tuple[Draft, ...]:
    """Return the drafts of a response that the rules name; none if it says nothing."""
    assignment, names, own = record.assignment, *said
    designer, composer = changes.rules.designer, changes.rules.composer
    name = changes.rules.response(names, turn.slots)
    if name is None:
        return ()
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
        return changes.drafts(composer.translate(assignment, announced.reply), assignment.call_id)
    except AssignmentError as error:
        transfers.untold(changes, record, error)
        return ()
