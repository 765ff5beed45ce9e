"""Plan assistance in a turn of Rasa's: offer the bot's reply to the agent, or send it."""

from __future__ import annotations

from collections.abc import Sequence

from bridge import replies
from bridge.errors import AssignmentError
from bridge.model import Assignment, Mode
from bridge.planners import consequences
from bridge.planners.changes import Changes
from bridge.planners.handoff import asks_domain
from bridge.planners.offering import Asked, Offer, current_mode, offer, offer_or_send
from bridge.replies import Candidate
from bridge.state.commands import CallAction
from bridge.state.plan import AskDomain, Plan
from bridge.state.records import NOTHING, ActionAnswer, AssignmentRecord, TurnRecord
from bridge.translate import literal
from bridge.triggers import Decision

SELECTOR = "response_selector"


def plan(changes: Changes, command: CallAction, decision: Decision) -> Plan:
    """Offer the reply that ``decision`` names, send it, or let Rasa utter it."""
    snapshot = changes.snapshot
    known = snapshot.turns.get(command.message_key)
    if known is not None:
        return Plan(answer=known.answer or NOTHING)
    if asks_domain(changes, command, decision.reply):
        return Plan(effects=(AskDomain(),))
    record = snapshot.latest(command.turn.sender_id)
    if record is None or not record.with_agent:
        return consequences.plan(
            changes, _as_the_bot(command, decision, changes.rules.languages(command.turn.slots))
        )
    return _for_the_agent(changes, command, decision, record)


def _for_the_agent(
    changes: Changes, command: CallAction, decision: Decision, record: AssignmentRecord
) -> Plan:
    if current_mode(changes) is Mode.OFF:
        return consequences.plan(changes, NOTHING)
    try:
        offers = _offers(changes, command, decision, record.assignment)
        if offers:
            offer_or_send(changes, record, decision, offers, _asked(changes, command))
            sender, key = record.assignment.sender_id, command.message_key
            changes.turn(TurnRecord(key, sender, None, changes.now, NOTHING))
    except AssignmentError as error:
        return consequences.plan(changes, ActionAnswer(error=error.code))
    return consequences.plan(changes, NOTHING)


def _asked(changes: Changes, command: CallAction) -> Asked:
    line = command.turn.customer_line
    return Asked(
        command.message_key,
        command.turn.message_id,
        line.text if line is not None else None,
        (line.at or changes.now) if line is not None else changes.now,
        command.names,
        command.turn.slots,
        command.responses,
        command.message_key,
    )


# -- the bot is the owner --------------------------------------------------------------------------


def _as_the_bot(command: CallAction, decision: Decision, codes: Sequence[str]) -> ActionAnswer:
    """Return the reply for Rasa to utter on its own channel, in the first language it has."""
    if decision.reply is None:
        return NOTHING  # the bot has uttered it already
    if decision.reply != SELECTOR:
        return ActionAnswer(response=decision.reply)
    candidates = replies.selector_replies(
        command.turn,
        responses=command.responses,
        seed=command.turn.message_id,
        codes=codes,
        limit=1,
    )
    return ActionAnswer(message=dict(candidates[0].reply)) if candidates else NOTHING


# -- an agent is the owner -------------------------------------------------------------------------


def _offers(
    changes: Changes, command: CallAction, decision: Decision, assignment: Assignment
) -> list[Offer]:
    turn, seed = command.turn, command.seed
    codes = changes.rules.languages(turn.slots)
    composer = changes.rules.composer
    channels = composer.response_channels(assignment.channel, turn.input_channel)
    if decision.reply == SELECTOR:
        ranked = replies.selector_replies(
            turn,
            responses=command.responses,
            channels=channels,
            seed=seed,
            codes=codes,
            quote=literal,
            least=changes.rules.designer.assist.min_confidence,
        )
        offers = [offer(changes, assignment, decision, [candidate]) for candidate in ranked]
        return [each for each in offers if each.says_something]
    if decision.reply is not None:
        reply = replies.render(
            command.responses or {},
            decision.reply,
            turn.slots,
            channels=channels,
            seed=seed,
            codes=codes,
            quote=literal,
        )
        if not reply:
            return []
        candidates: Sequence[Candidate] = [
            Candidate(
                reply, decision.reply, decision.confidence, decision.margin, decision.runner_up
            )
        ]
    else:
        silent = changes.rules.bridge.rasa.replies == "silent"
        candidates = replies.bot_replies(turn) if silent else ()
    if not candidates:
        return []
    whole = offer(changes, assignment, decision, candidates)
    return [whole] if whole.says_something else []
