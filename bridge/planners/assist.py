"""Plan assistance: offer the bot's reply to the agent, or send it where ``auto`` allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge import replies
from bridge.errors import AssignmentError
from bridge.model import (
    Assignment,
    Delivery,
    Draft,
    Mode,
    Origin,
    Reply,
    Source,
    Suggestion,
    SuggestionState,
    derive,
)
from bridge.planners import consequences
from bridge.planners.changes import Changes
from bridge.planners.desktop import rests
from bridge.planners.handoff import asks_domain
from bridge.replies import Candidate
from bridge.state.commands import CallAction
from bridge.state.plan import AskDomain, Count, Plan
from bridge.state.records import NOTHING, ActionAnswer, AssignmentRecord, SwitchRecord, TurnRecord
from bridge.translate import literal
from bridge.triggers import Decision

SWITCH = "assist_mode"
AUTO = "auto"  # approved_by of deliveries that no agent approved
SELECTOR = "response_selector"
_ORDER = (Mode.OFF, Mode.SUGGEST, Mode.AUTO)


@dataclass(frozen=True, slots=True)
class _Offer:
    """A candidate reply, ready to be offered or sent."""

    source: Source
    text: str
    drafts: tuple[tuple[Draft, ...], ...]  # the drafts of each reply
    kept: tuple[Draft, ...]  # sent even if the agent edits the text

    @property
    def says_something(self) -> bool:
        """Whether anything would be sent."""
        return any(self.drafts)


def mode_in_force(configured: Mode, ceiling: SwitchRecord | None) -> Mode:
    """Return the configured mode, limited by the ceiling set at run time."""
    if ceiling is None or ceiling.value is None:
        return configured
    return min(configured, Mode(ceiling.value), key=_ORDER.index)


def lowers(configured: Mode, ceiling: SwitchRecord | None, value: str | None) -> bool:
    """Return whether a new ceiling lets assist do no more than the mode in force."""
    if value is None:
        return False
    return _ORDER.index(Mode(value)) <= _ORDER.index(mode_in_force(configured, ceiling))


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
    snapshot = changes.snapshot
    mode = mode_in_force(changes.rules.designer.assist.mode, snapshot.switches.get(SWITCH))
    if mode is Mode.OFF:
        return consequences.plan(changes, NOTHING)
    try:
        offers = _offers(changes, command, decision, record.assignment)
        if not offers:
            return consequences.plan(changes, NOTHING)
        auto = mode is Mode.AUTO and _may_go(changes, decision)
        auto = auto and not rests(snapshot, record, changes.rules, changes.now)
        batch = _batch(changes, command, record.assignment, offers[0]) if auto else []
    except AssignmentError as error:
        return consequences.plan(changes, ActionAnswer(error=error.code))
    return _offer_or_send(changes, command, record, offers, batch)


def _offer_or_send(
    changes: Changes,
    command: CallAction,
    record: AssignmentRecord,
    offers: Sequence[_Offer],
    batch: Sequence[Delivery],
) -> Plan:
    now, assignment = changes.now, record.assignment
    # If the call's queue is full, offer the reply to the agent instead.
    sent = bool(batch) and not changes.crowded(assignment.call_id, len(batch))
    changes.turn(TurnRecord(command.message_key, assignment.sender_id, None, now, NOTHING))
    for item in _suggestions(changes, command, assignment, offers, sent=sent):
        changes.suggestion(item)
    if sent:
        changes.enqueue(batch)
        changes.effect(Count("suggestions", (AUTO, 1)))
    else:
        changes.effect(Count("suggestions", ("offered", len(offers))))
    return consequences.plan(changes, NOTHING)


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
) -> list[_Offer]:
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
        offers = [_offer(changes, assignment, decision, [candidate]) for candidate in ranked]
        return [offer for offer in offers if offer.says_something]
    if decision.reply is not None:
        known = command.responses or {}
        reply = replies.render(
            known,
            decision.reply,
            turn.slots,
            channels=channels,
            seed=seed,
            codes=codes,
            quote=literal,
        )
        if not reply:
            return []
        candidate = Candidate(
            reply, decision.reply, decision.confidence, decision.margin, decision.runner_up
        )
        offer = _offer(changes, assignment, decision, [candidate])
        return [offer] if offer.says_something else []
    silent = changes.rules.bridge.rasa.replies == "silent"
    candidates = replies.bot_replies(turn) if silent else ()
    if not candidates:
        return []
    offer = _offer(changes, assignment, decision, candidates)
    return [offer] if offer.says_something else []


def _offer(
    changes: Changes, assignment: Assignment, decision: Decision, parts: Sequence[Candidate]
) -> _Offer:
    composer, first = changes.rules.composer, parts[0]
    source = Source(
        kind="assist",
        intent=decision.intent,
        confidence=first.confidence,
        margin=first.margin,
        runner_up=first.runner_up,
        response=first.response,
    )
    offered: list[Reply] = [part.reply for part in parts]
    return _Offer(
        source,
        "\n".join(composer.readable(reply) for reply in offered),
        tuple(
            changes.drafts(composer.translate(assignment, reply), assignment.call_id)
            for reply in offered
        ),
        tuple(draft for reply in offered for draft in composer.besides_words(assignment, reply)),
    )


def _may_go(changes: Changes, decision: Decision) -> bool:
    """Return whether the reply may be sent without an agent's approval."""
    auto = changes.rules.designer.assist.auto
    if decision.intent not in auto.intents or decision.confidence is None:
        return False
    # Without a runner-up intent, the confidence counts as the margin.
    ahead = decision.confidence if decision.margin is None else decision.margin
    return decision.confidence >= auto.min_confidence and ahead >= auto.min_margin


def _batch(
    changes: Changes, command: CallAction, assignment: Assignment, offer: _Offer
) -> list[Delivery]:
    name = changes.unused_name(command.names)
    if name is None:
        return []  # offer the reply to the agent instead
    return changes.rules.composer.compose(
        assignment,
        offer.drafts,
        Origin.AUTO,
        name=name,
        now=changes.now,
        turn_key=command.message_key,
        approved_by=AUTO,
    )


def _suggestions(
    changes: Changes,
    command: CallAction,
    assignment: Assignment,
    offers: Sequence[_Offer],
    *,
    sent: bool,
) -> list[Suggestion]:
    now, line = changes.now, command.turn.customer_line
    return [
        Suggestion(
            id=derive("suggestion", command.message_key, index),
            group=command.message_key,
            sender_id=assignment.sender_id,
            agent_id=assignment.agent_id,
            call_id=assignment.call_id,
            state=_state(index, sent=sent),
            created_at=now,
            expires_at=now + changes.rules.designer.assist.expire_after,
            source=offer.source,
            text=offer.text,
            drafts=tuple(draft for drafts in offer.drafts for draft in drafts),
            kept=offer.kept,
            message_id=command.turn.message_id,
            question=line.text if line is not None else None,
            asked_at=(line.at or now) if line is not None else now,
            edit_distance=0.0 if sent and not index else None,
            configuration=changes.rules.configuration,
            settled_at=now if sent else None,
            settled_by=AUTO if sent else None,
        )
        for index, offer in enumerate(offers)
    ]


def _state(index: int, *, sent: bool) -> SuggestionState:
    if not sent:
        return SuggestionState.OFFERED
    return SuggestionState.SUPERSEDED if index else SuggestionState.ACCEPTED
