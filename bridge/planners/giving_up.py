"""Plan what follows when the bot does not answer: further attempts, and in the end a handoff.

If the bot owns the call, the call is handed over, as the rules for handoffs say: the customer
learns that a person takes over, or that nobody is available.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge import dialogue
from bridge.dialogue import Conversation, Message
from bridge.errors import RasaError
from bridge.model import evolve
from bridge.planners import notes, policy, steps, taking_over, writing_back
from bridge.planners.changes import Changes
from bridge.state.commands import BotAnswered
from bridge.state.inquiries import BotAnswer, InquiryKind, InquiryStep
from bridge.state.plan import Count
from bridge.state.records import AssignmentRecord, RasaUpdate, UpdateState
from bridge.triggers import Decision, DecisionKind
from bridge.turn.coerce import mapping

_REASON = "the bot does not answer"
_LONGEST_DELAY = 5.0  # seconds between two attempts


def failed(
    changes: Changes, record: AssignmentRecord, update: RasaUpdate, command: BotAnswered
) -> None:
    """Schedule another attempt until the inquiry expires, then give it up; tell the agent why."""
    now, error = changes.now, command.error or RasaError("")
    converses = update.body["kind"] == InquiryKind.CONVERSE.value
    if steps.step_of(update) is InquiryStep.SAY:
        update = steps.at_step(update, InquiryStep.LOOK) if command.acted else steps.unsaid(update)
    again = now < update.expires_at and (converses or not command.acted)
    due = now + policy.backoff(update.attempts, command.jitter, longest=_LONGEST_DELAY)
    tried = replace(update, error=error.message, due_at=min(due, update.expires_at))
    if again:
        changes.update(replace(tried, state=UpdateState.WAITING))
        text = f"The bot has not answered yet: {error.message}. It is asked again."
    else:
        changes.update(replace(tried, state=UpdateState.FAILED, settled_at=now))
        text = f"The bot did not answer: {error.message}."
    shown = record.bot_note
    if shown is None or (shown.kind == "failed" and shown.text != text):
        notes.note(changes, update, "failed", text)
    if converses and not again:
        _hand_over(changes, update, command.responses)
    kind = str(update.body["kind"])
    changes.effect(Count("asked_bot", (kind, "again" if again else "failed")))
    changes.warn(
        "The bot did not answer: %s call_id=%s kind=%s again=%s",
        error.message,
        update.call_id,
        kind,
        again,
        once=f"inquiry {update.id} {again}",
    )


def _hand_over(changes: Changes, update: RasaUpdate, responses: Mapping[str, Any]) -> None:
    """Hand over the call of a message that the bot has not answered in time.

    Args:
        changes: the changes so far.
        update: the inquiry about the message.
        responses: the domain's responses, as far as they are known.
    """
    writing_back.asked(changes, update)
    record = changes.record(update.sender_id, update.call_id or "")
    if record is None or (record.bot_note is not None and record.bot_note.kind == "unavailable"):
        return  # the customer was told since they last wrote
    failed, body = record.bot_note, update.body
    message = Message(str(body["text"]), str(body["message_id"]), float(body["at"]))
    slots = mapping(body.get("slots"))
    turn = dialogue.turn_of(Conversation(update.sender_id, (), slots), message)
    decision = Decision(DecisionKind.HANDOFF, _REASON)
    answer = BotAnswer(handoff=turn, responses=responses)
    taking_over.hand_over(changes, record, update, answer, turn, decision)
    given = changes.record(update.sender_id, update.call_id or "") or record
    if given.bot_note is None:
        changes.assignment(evolve(given, bot_note=failed))
