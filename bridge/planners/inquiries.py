"""Plan inquiries: what the bot would say to a customer's message that Rasa has not seen.

``ask`` queues an inquiry with the message. ``prepare`` decides, when it is due, whether and how
the bot is asked. ``complete`` makes suggestions of the answer, or sends it if the bot owns the
call. The queue is that of the updates for Rasa: durable, leased, in order per conversation.

If the bot owns the call, its actions run when it is asked. So an inquiry goes through steps, and
the next one is stored before it is taken: *ask* has no side effects and is repeated freely; *say*
puts the message into the real conversation, once; *look* looks in Rasa's tracker for the answer,
after a *say* of unknown outcome.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace

from bridge.config.settings import BridgeSettings
from bridge.errors import AssignmentError, RasaError
from bridge.model import Mode, Origin, derive, evolve
from bridge.planners import consequences, giving_up, notes, steps, writing_back
from bridge.planners.changes import Changes
from bridge.planners.leasing import leased, put_back
from bridge.planners.offering import Asked, current_mode, offer, offer_or_send
from bridge.planners.rules import Rules
from bridge.planners.taking_over import take_over
from bridge.replies import Candidate
from bridge.state.commands import SHADOW, BotAnswered, ExpireInquiries
from bridge.state.inquiries import BotAnswer, BotReply, Inquiry, InquiryKind, InquiryStep, Via
from bridge.state.plan import AskBot, Count, Plan, Put
from bridge.state.records import (
    LEASE,
    AssignmentRecord,
    MessageRecord,
    RasaUpdate,
    UpdateKind,
    UpdateState,
)
from bridge.state.snapshot import Snapshot
from bridge.triggers import Decision, DecisionKind

_SUGGEST_WITHIN = 60.0  # seconds; a later suggestion is of little use
_CONVERSE_WITHIN = 120.0
UPDATE_LEASE = 60.0  # seconds; longer than an attempt of any kind
_OVERDUE = "the bot was not asked in time"
_SHADOW_DIGITS = 32


# -- putting an inquiry ----------------------------------------------------------------------------


def ask(changes: Changes, record: AssignmentRecord, message: MessageRecord) -> None:
    """Queue the inquiry that a customer's message calls for."""
    current = changes.record(message.sender_id, message.call_id) or record
    if current.bot_note is not None:
        changes.assignment(evolve(current, bot_note=None, card=None))
    kind = _kind(changes, current, message)
    if kind is None or not message.text.strip():
        return
    now = changes.now
    within = _SUGGEST_WITHIN if kind is InquiryKind.SUGGEST else _CONVERSE_WITHIN
    changes.update(
        RasaUpdate(
            seq=0,
            id=derive("inquiry", message.call_id, message.message_id),
            sender_id=message.sender_id,
            call_id=message.call_id,
            kind=UpdateKind.INQUIRY,
            body={
                "kind": kind.value,
                "text": message.text,
                "message_id": message.message_id,
                "at": message.written_at,
                "forwarded": message.via is Via.FORWARDED,
            },
            created_at=now,
            due_at=now,
            expires_at=now + within,
        )
    )


def _kind(changes: Changes, record: AssignmentRecord, message: MessageRecord) -> InquiryKind | None:
    """Return how the bot is asked about a message; None if it is not."""
    if not changes.rules.asks_rasa or not record.open:
        return None
    if not record.with_agent:
        return InquiryKind.CONVERSE if message.via is Via.READER else None
    assist = changes.rules.designer.assist
    return InquiryKind.SUGGEST if assist.when and assist.mode is not Mode.OFF else None


# -- asking ----------------------------------------------------------------------------------------


def prepare(changes: Changes, update: RasaUpdate) -> Inquiry | None:
    """Return what to ask the bot; None, with the inquiry settled, if nothing is to be asked."""
    record = changes.record(update.sender_id, update.call_id or "")
    why = _moot(changes, update, record)
    if why is not None or record is None:
        _settle(changes, update, why)
        return None
    # The message may have been put, by an attempt whose end is not known.
    step = InquiryStep.ASK if steps.step_of(update) is InquiryStep.ASK else InquiryStep.LOOK
    return _inquiry(changes, record, update, step)


def _inquiry(
    changes: Changes, record: AssignmentRecord, update: RasaUpdate, step: InquiryStep
) -> Inquiry:
    body, kind = update.body, InquiryKind(update.body["kind"])
    runs = changes.rules.designer.assist.actions or changes.rules.bridge.reader.calm
    shadow = None
    if kind is InquiryKind.SUGGEST and runs:
        shadow = shadow_id(changes.rules.bridge, update.sender_id, str(body["message_id"]))
    composer = changes.rules.composer
    return Inquiry(
        kind,
        update.sender_id,
        str(body["text"]),
        str(body["message_id"]),
        float(body["at"]),
        seed=update.id,
        channels=composer.response_channels(record.assignment.channel, None),
        handed_back_at=changes.snapshot.handed_back_at.get(update.sender_id),
        shadow=shadow,
        step=step,
    )


def shadow_id(settings: BridgeSettings, sender_id: str, message_id: str) -> str:
    """Return the ID of the conversation in which actions may be run for a message.

    It does not reveal the customer's conversation, and cannot be guessed if any of the secrets is
    configured.
    """
    secrets = (settings.assignment.secret, settings.api.token, settings.rasa.token)
    key = next((each.get_secret_value() for each in secrets if each is not None), "")
    name = derive("shadow", sender_id, message_id)
    digest = hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest()
    return SHADOW + digest[:_SHADOW_DIGITS]


def _moot(changes: Changes, update: RasaUpdate, record: AssignmentRecord | None) -> str | None:
    """Return why an inquiry needs no answer any more; None if it does."""
    if record is None or not record.open:
        return "the call has ended"
    if update.body.get("kind") == InquiryKind.CONVERSE.value:
        return "an agent owns the call" if record.with_agent else None
    message_id = str(update.body.get("message_id"))
    question = changes.snapshot.questions.get((update.call_id or "", message_id))
    outdated = question is None or question.outdated
    reasons = (
        (not record.with_agent, "the bot owns the call"),
        (current_mode(changes) is Mode.OFF, "assist is off"),
        (outdated, "the customer has written again"),
        (question is not None and question.answered, "the message is answered"),
        (_is_suggested(changes, update, message_id), "a turn of Rasa's has answered it"),
    )
    return next((why for holds, why in reasons if holds), None)


def _is_suggested(changes: Changes, update: RasaUpdate, message_id: str) -> bool:
    """Return whether a turn of Rasa's made suggestions for the same message."""
    return any(
        (item.call_id, item.message_id, item.source.kind) == (update.call_id, message_id, "assist")
        for item in changes.snapshot.suggestions.values()
    )


def _settle(changes: Changes, update: RasaUpdate, why: str | None) -> None:
    done = replace(update, state=UpdateState.DONE, error=why, settled_at=changes.now)
    changes.update(replace(done, lease=None, lease_until=None))
    writing_back.asked(changes, update)


def expire(snapshot: Snapshot, command: ExpireInquiries, rules: Rules, now: float) -> Plan:
    """Give up inquiries that are past their time, as failed attempts are."""
    changes = Changes(snapshot, rules, now)
    for update in snapshot.updates.values():
        waits = update.kind is UpdateKind.INQUIRY and update.state is UpdateState.WAITING
        if waits and update.expires_at <= now and steps.step_of(update) is InquiryStep.ASK:
            held = leased(changes, update, LEASE)
            changes.update(held)
            error = RasaError(update.error or _OVERDUE)
            changes.effect(
                Put(BotAnswered(update=held, error=error, responses=command.responses or {}))
            )
    return changes.plan(answer=True)


# -- the answer ------------------------------------------------------------------------------------


def complete(snapshot: Snapshot, command: BotAnswered, rules: Rules, now: float) -> Plan:
    """Complete an attempt to ask the bot."""
    changes = Changes(snapshot, rules, now)
    attempted = command.update
    stored = snapshot.updates.get(attempted.id)
    if stored is None or stored.lease != attempted.lease:
        return changes.plan()
    free = replace(stored, lease=None, lease_until=None)
    if command.unsent:
        changes.update(steps.unsaid(put_back(stored, now)))
        return changes.plan()
    record = changes.record(stored.sender_id, stored.call_id or "")
    why, answer = _moot(changes, stored, record), command.answer
    if record is None or (answer is None and why is not None):
        _settle(changes, stored, why)
    elif answer is None:
        giving_up.failed(changes, record, free, command)
    elif answer.say and why is None:
        _say(changes, record, stored, answer)
        return changes.plan()
    else:
        shadow = stored.shadow if answer.ran else None
        done = replace(free, state=UpdateState.DONE, settled_at=now, error=why, shadow=shadow)
        changes.update(done)
        if why is not None and (answer.say or answer.handoff is not None):
            writing_back.asked(changes, stored)
        else:
            _take(changes, record, stored, answer, why)
    changes.update_due_at(now)
    return consequences.plan(changes)


def _say(changes: Changes, record: AssignmentRecord, update: RasaUpdate, answer: BotAnswer) -> None:
    """Have the message put into the real conversation; that it may have been is stored first."""
    held = steps.at_step(leased(changes, update, UPDATE_LEASE), InquiryStep.SAY)
    if answer.slots:
        held = replace(held, body={**held.body, "slots": dict(answer.slots)})
    changes.update(held)
    changes.effect(AskBot(held.id, _inquiry(changes, record, held, InquiryStep.SAY)))


def _take(
    changes: Changes,
    record: AssignmentRecord,
    update: RasaUpdate,
    answer: BotAnswer,
    why: str | None,
) -> None:
    """Act on an answer; ``why`` it is moot by now."""
    kind = str(update.body["kind"])
    failed = record.bot_note
    if failed is not None and failed.message_id == update.body["message_id"]:
        record = changes.assignment(evolve(record, bot_note=None, card=None))  # it has answered
    converses = kind == InquiryKind.CONVERSE.value
    if answer.calm:
        changes.warn(
            "The bot is not asked about customers' messages: it is a CALM bot, whose actions run"
            " before a condition can be evaluated; reader.calm: true allows it",
            once="calm",
        )
    outcome = "moot" if why is not None else _outcome(answer)
    changes.effect(Count("asked_bot", (kind, outcome)))
    if answer.handoff is not None and why is None:
        take_over(changes, record, update, answer, answer.handoff)
    elif converses and record.open:
        if record.with_agent:  # a turn of Rasa's has handed the call over meanwhile
            _suggest(changes, record, update, answer)
        else:
            _send_said(changes, record, update, answer)
    elif why is None and answer.asked:
        _suggest(changes, record, update, answer)


def _outcome(answer: BotAnswer) -> str:
    if answer.handoff is not None:
        return "handoff"
    if not answer.asked:
        return "not_asked"
    if answer.stopped_at is not None:
        return "stopped"
    return "answered" if answer.candidates else "empty"


def _suggest(
    changes: Changes, record: AssignmentRecord, update: RasaUpdate, answer: BotAnswer
) -> None:
    assignment, body = record.assignment, update.body
    decision = Decision(
        DecisionKind.ASSIST,
        "",
        intent=answer.intent,
        confidence=answer.confidence,
        margin=answer.margin,
    )
    asked = Asked(
        update.id,
        str(body["message_id"]),
        str(body["text"]),
        float(body["at"]),
        {derive("inquiry", update.id, 0, 0): ("inquiry", update.id)},
        answer.slots,
        answer.responses,
        may_send=not body.get("forwarded") and answer.stopped_at is None,
    )
    try:
        made = [
            offer(changes, assignment, decision, _candidates(parts)) for parts in answer.candidates
        ]
        offers = [each for each in made if each.says_something]
        if offers:
            offer_or_send(changes, record, decision, offers, asked)
    except AssignmentError as error:
        notes.note(changes, update, "failed", f"The bot's answer cannot be sent: {error.message}.")
        return
    if answer.stopped_at is not None:
        action = answer.stopped_at
        notes.note(changes, update, "action", f"The bot would now run {action}.", action=action)
    elif not offers:
        notes.note(changes, update, "empty", "The bot has no answer to this message.")


def _send_said(
    changes: Changes, record: AssignmentRecord, update: RasaUpdate, answer: BotAnswer
) -> None:
    """Send what the bot has said in the real conversation."""
    assignment = record.assignment
    replies = [part for parts in answer.candidates for part in parts]
    name = ("inquiry", update.id)
    if changes.unused_name({derive(*name, 0, 0): name}) is None:
        return  # stored already
    composer = changes.rules.composer
    try:
        drafts = [
            changes.drafts(composer.translate(assignment, part.reply), assignment.call_id)
            for part in replies
        ]
        batch = composer.compose(assignment, drafts, Origin.BOT, name=name, now=changes.now)
    except AssignmentError as error:
        notes.note(changes, update, "failed", f"The bot's answer cannot be sent: {error.message}.")
        return
    if not batch:
        notes.note(changes, update, "empty", "The bot has no answer to this message.")
    elif changes.crowded(assignment.call_id, len(batch)):
        text = "The bot's answer was not sent: too many messages of this call wait already."
        notes.note(changes, update, "failed", text)
    else:
        changes.enqueue(batch)


def _candidates(parts: Sequence[BotReply]) -> list[Candidate]:
    return [
        Candidate(part.reply, part.response, part.confidence, part.margin, part.runner_up)
        for part in parts
    ]
