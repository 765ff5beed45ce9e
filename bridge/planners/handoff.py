"""Plan handoffs: hand a conversation over to its agent, or answer that it cannot be done."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge import replies, triggers
from bridge.errors import AssignmentError
from bridge.language import language_of
from bridge.model import Assignment, Card, DeliveryError, Draft, Origin, Owner, evolve
from bridge.planners import alerts, assignments, consequences, outcome
from bridge.planners.changes import Changes
from bridge.planners.masking import masked
from bridge.planners.pauses import pause_again
from bridge.replies import OwnText
from bridge.state.commands import BroughtAssignment, CallAction
from bridge.state.plan import AskDomain, AwaitTurn, Count, Plan
from bridge.state.records import BOT, DELIVERED, ActionAnswer, AssignmentRecord, TurnRecord
from bridge.translate import literal
from bridge.triggers import Decision
from bridge.turn import Turn
from bridge.turn.coerce import array
from bridge.unexpected import Unexpected

logger = logging.getLogger(__name__)

CROWDED = DeliveryError("too_many_waiting", "too many messages of this call wait already")


def plan(changes: Changes, command: CallAction, decision: Decision, *, called: bool) -> Plan:
    """Plan the handoff that ``decision`` calls for, or the answer that it cannot be made.

    Args:
        changes: the changes so far, with the snapshot.
        command: the action call.
        decision: the reason for the handoff.
        called: whether a story or flow called the handoff by name. Otherwise a trigger fired,
            which is ignored during the cool-down; the customer then gets no message.
    """
    known = changes.snapshot.turns.get(command.key)
    if known is not None:
        return _again(changes, command, known)
    rules, turn = changes.rules.designer.handoff, command.turn
    try:
        cooling = triggers.in_cooldown(
            decision,
            turn,
            handed_back_at=changes.snapshot.handed_back_at.get(turn.sender_id),
            cooldown=rules.cooldown,
            now=changes.now,
        )
        closed = closed_because(changes, turn, decision)
        if closed and not (cooling and not called):
            raise AssignmentError("closed_hours", closed)
        assignment = assignments.resolve(command.brought, changes.snapshot, turn.sender_id)
        if isinstance(assignment, AssignmentRecord) and assignment.with_agent:
            return consequences.plan(changes, _repeated(changes, command, assignment))
        _require_person(changes, assignment.assignment)
        if cooling:
            if not called:
                return consequences.plan(changes, ActionAnswer(state=BOT, error="cooldown"))
            raise AssignmentError("cooldown", "the conversation was handed back a moment ago")
        if asks_domain(changes, command, changes.rules.response(rules.say, turn.slots)):
            return Plan(effects=(AskDomain(),))
        return _hand_off(changes, command, decision, assignment)
    except AssignmentError as error:
        return _refuse(changes, command, error)


def closed_because(changes: Changes, turn: Turn, decision: Decision) -> str:
    """Return why the opening hours allow no handoff; ``""`` if they do.

    They are judged at the time of the customer's message, and do not apply while an agent is the
    owner.
    """
    hours, record = changes.rules.designer.handoff.hours, changes.snapshot.latest(turn.sender_id)
    if hours is None or (record is not None and record.with_agent):
        return ""
    written_at = turn.last_written_at if decision.counted else turn.message_at
    verdict = triggers.opening(hours, changes.now if written_at is None else written_at)
    return "" if verdict.holds else verdict.words


def _require_person(changes: Changes, assignment: Assignment) -> None:
    """Check that the call's agent is no bot agent, which cannot take a call over from the bot.

    Raises:
        AssignmentError: it is; conditions of ``handoff.when`` transfer its calls.
    """
    if changes.rules.owner_of(assignment.agent_id) is Owner.BOT:
        message = "the call's agent is a bot; list a condition in handoff.when to transfer it"
        raise AssignmentError("rejected", message)


def card_of(changes: Changes, turn: Turn, decision: Decision) -> Card:
    """Return the handoff card, without content if it cannot be made."""
    with Unexpected(logger, "A handoff card was left empty: %s"):  # it must not stop the handoff
        return _card(changes, turn, decision)
    return Card(decision.reason, because=decision.because)


def _card(changes: Changes, turn: Turn, decision: Decision) -> Card:
    wanted = changes.rules.designer.handoff.card
    return Card(
        decision.reason,
        {name: turn.slots.get(name) for name in wanted.slots},
        tuple(
            replace(line, text=masked(line.text, wanted.mask)) for line in turn.lines(wanted.turns)
        ),
        decision.because,
    )


def asks_domain(changes: Changes, command: CallAction, name: str | None) -> bool:
    """Return whether the domain has to be fetched from Rasa first to render a response."""
    missing = command.responses is None and not command.domain_asked
    return bool(name) and missing and changes.rules.asks_rasa


def _hand_off(
    changes: Changes,
    command: CallAction,
    decision: Decision,
    source: AssignmentRecord | BroughtAssignment,
) -> Plan:
    turn, now = command.turn, changes.now
    assignment = source.assignment
    name = changes.unused_name(command.names)
    if name is None:
        message = "its message ID was used for too many other messages; mend the Rasa connector"
        raise AssignmentError("rejected", message)
    batch = changes.rules.composer.compose(
        assignment,
        [
            say(
                changes,
                turn,
                assignment,
                responses=command.responses,
                seed=command.seed,
                agent_id=assignment.agent_id,
            )
        ],
        Origin.HANDOFF,
        name=name,
        now=now,
        turn_key=command.key,
    )
    card = card_of(changes, turn, decision)
    record = (
        assignments.give(changes, assignment, None, source.source, given_at=source.given_at)
        if isinstance(source, BroughtAssignment)
        else source
    )
    changes.assignment(
        evolve(
            record,
            owner=Owner.AGENT,
            handed_off_at=now,
            untold=False,
            card=card,
            card_erased_at=None,
            alert_at=alerts.due_at(changes.rules, now),
            alerted_at=None,
            alert_attempts=0,
        )
    )
    call_id = assignment.call_id
    changes.store_message(turn, call_id)
    turn_record = TurnRecord(
        command.key,
        turn.sender_id,
        call_id,
        now,
        unavailable=_unavailable(changes, command),
        pushable=changes.rules.composer.can_push(turn.input_channel),
    )
    changes.turn(turn_record)
    changes.log(
        logging.INFO, "Handed off: %s call_id=%s deliveries=%d", card.reason, call_id, len(batch)
    )
    if not batch:
        return consequences.plan(
            changes, consequences.conclude(changes, turn_record, outcome.judge(()))
        )
    changes.enqueue(batch)
    first = changes.current(batch[0])
    if first.state is batch[0].state and changes.crowded(call_id, 0):
        changes.withdraw(CROWDED, batch)
    changes.effect(AwaitTurn(command.key, command.judge_at(now)))
    return consequences.plan(changes)


def _again(changes: Changes, command: CallAction, known: TurnRecord) -> Plan:
    """Answer a repeated request with the stored answer, or wait for the first request's."""
    if known.answer is not None:
        return Plan(answer=known.answer)
    return Plan(effects=(AwaitTurn(command.key, command.judge_at(changes.now)),))


def _repeated(changes: Changes, command: CallAction, record: AssignmentRecord) -> ActionAnswer:
    """Return the answer of a handoff to the agent who owns the call already: only slots are set."""
    snapshot, assignment = changes.snapshot, record.assignment
    last = snapshot.last_turns.get(assignment.call_id)
    verdict = outcome.judge(snapshot.of_turn(last.key) if last is not None else ())
    answer = consequences.handed_off(
        changes, assignment.agent_id, assignment.call_id, verdict.delivery
    )
    again = pause_again(snapshot, record, command.turn)
    return replace(answer, pause=again is not None)


def _refuse(changes: Changes, command: CallAction, error: AssignmentError) -> Plan:
    """Answer that no handoff can be made, and store the answer for repeats of this request."""
    # Discard the changes so far.
    fresh = Changes(changes.snapshot, changes.rules, changes.now)
    fresh.warn(
        "No handoff could be made: %s code=%s sender_id=%s",
        error.message,
        error.code,
        command.turn.sender_id,
    )
    fresh.effect(Count("handoff", (error.code,)))
    answer = replace(_unavailable(fresh, command, error.code), error=error.code)
    fresh.turn(TurnRecord(command.key, command.turn.sender_id, None, fresh.now, answer))
    return fresh.plan(answer)


def _unavailable(changes: Changes, command: CallAction, error: str | None = None) -> ActionAnswer:
    """Return the answer of a handoff that cannot be made, still without the reason.

    The edge renders the response for the ``error``, because the reason is one of the slots that the
    variations may depend on. It is sent the variations if the request carried no domain.
    """
    designer, turn, known = changes.rules.designer, command.turn, command.responses
    names, _ = replies.refusal(error, designer)
    name = changes.rules.response(names, turn.slots)
    variations = None
    if turn.responses is None and known is not None and name:
        variations = list(array(known.get(name)))  # as the store returns it
    return ActionAnswer(
        state=BOT,
        unavailable=name is not None,
        variations=variations,
        language=language_of(turn.slots, designer),
    )


def say(
    changes: Changes,
    turn: Turn,
    assignment: Assignment,
    *,
    responses: Mapping[str, Any] | None,
    seed: str,
    agent_id: str | None,
) -> tuple[Draft, ...]:
    """Return the drafts of ``handoff.say`` for the assignment's channel; none if it is null.

    If nothing of the response can be sent, the bridge's own text is. ``agent_id`` is the agent who
    gets the call, if that is known.
    """
    designer, composer = changes.rules.designer, changes.rules.composer
    name = changes.rules.response(designer.handoff.say, turn.slots)
    if name is None:
        return ()
    # The customer reads it only if it is delivered.
    answer = consequences.handed_off(changes, agent_id, assignment.call_id, DELIVERED)
    slots = {**turn.slots, **answer.slots}
    said = replies.announce(
        name,
        OwnText.STARTED,
        responses,
        slots,
        designer,
        channels=composer.response_channels(assignment.channel, turn.input_channel),
        seed=seed,
        quote=literal,
    )
    drafts = changes.drafts(composer.translate(assignment, said.reply), assignment.call_id)
    if name and (said.own or not drafts):
        changes.warn(
            "The domain has no response %s that can be sent here: the built-in text is said"
            if responses is not None
            else "No domain came with the request, and none could be fetched: the built-in text is"
            " said instead of %s; set send_domain: true for the action, or rasa.domain",
            name,
            once=f"missing {name}",
        )
    if not drafts:
        own = replies.in_own_words(OwnText.STARTED, slots, designer, quote=literal)
        drafts = changes.drafts(composer.translate(assignment, own), assignment.call_id)
    return drafts
