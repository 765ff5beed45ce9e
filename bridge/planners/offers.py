"""Plan suggestions that other systems make: knowledge bases, models, other bots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bridge.errors import AssignmentError, RefusedError
from bridge.model import (
    Draft,
    MediaType,
    Mode,
    Source,
    Suggestion,
    SuggestionState,
    derive,
)
from bridge.planners.assignments import own_call
from bridge.planners.changes import Changes
from bridge.planners.offering import EXTERNAL, SWITCH, mode_in_force, says_the_same
from bridge.planners.rules import Rules
from bridge.state.commands import OfferSuggestion
from bridge.state.plan import Count, Plan
from bridge.state.records import AssignmentRecord, Stored
from bridge.state.snapshot import Question, Snapshot

_WORDS = (MediaType.TEXT, MediaType.RICHTEXT, MediaType.EMAIL, MediaType.WEBCARD)
MOST_PER_SOURCE = 3  # suggestions for one question


def offer(snapshot: Snapshot, command: OfferSuggestion, rules: Rules, now: float) -> Plan:
    """Offer a candidate to the agent. The answer is the suggestion, or the one with the same text.

    Raises:
        RefusedError: 404 unknown call; 422 if it answers no message of the customer's or nothing
            of it can be sent; 409 if the call has ended, the bot is its owner, assist is off, the
            question is answered or outdated, or the ID was used for something else; 429 if the
            source has suggested enough for this question.
    """
    known = snapshot.suggestions.get(command.suggestion_id)
    if known is not None:
        return Plan(answer=Stored(_same(known, command), created=False))
    record = own_call(snapshot, command.call_id, None, with_agent=True)
    ceiling = snapshot.switches.get(SWITCH)
    if mode_in_force(rules.designer.assist.mode, ceiling) is Mode.OFF:
        raise RefusedError(409, "assist_off", "assist is off: no suggestions are offered")
    question = _question(snapshot, command)
    changes = Changes(snapshot, rules, now)
    made = _suggestion(changes, command, record, question)
    twin = next((item for item in _about(snapshot, question) if says_the_same(item, made)), None)
    if twin is not None and command.source in twin.source.names:
        return Plan(answer=Stored(twin, created=False))
    _require_unanswered(snapshot, question)
    if twin is not None and twin.state is SuggestionState.OFFERED:
        names = (*twin.source.names, command.source)
        named = changes.suggestion(replace(twin, source=replace(twin.source, names=names)))
        return changes.plan(Stored(named, created=False))
    _require_room(snapshot, question, command.source)
    changes.suggestion(made)
    changes.effect(Count("suggestions", ("offered", 1)))
    return changes.plan(Stored(made, created=True))


def _same(known: Suggestion, command: OfferSuggestion) -> Suggestion:
    """Return the suggestion that a candidate was made into before."""
    answered = known.message_id is None or command.answers in (
        known.message_id,
        derive("message", known.call_id, known.message_id),
    )
    text = command.text is None or known.erased_at is not None or command.text == known.text
    if known.call_id != command.call_id or not answered or not text:
        message = "this external_id was used for another candidate; take a new one"
        raise RefusedError(409, "external_id_used", message)
    return known


def _question(snapshot: Snapshot, command: OfferSuggestion) -> Question:
    question = snapshot.questions.get((command.call_id, command.answers))
    if question is None:
        message = "answers names no message that the customer wrote on this call"
        raise RefusedError(422, "unknown_message", message)
    return question


def _require_unanswered(snapshot: Snapshot, question: Question) -> None:
    answered = question.answered or any(item.answers for item in _about(snapshot, question))
    if answered:
        raise RefusedError(409, "answered", "the customer's message is answered already")
    if question.outdated:
        raise RefusedError(409, "superseded", "the customer has written again since")


def _require_room(snapshot: Snapshot, question: Question, source: str) -> None:
    own = [item for item in _about(snapshot, question) if source in item.source.names]
    if len(own) >= MOST_PER_SOURCE:
        message = f"{source} has offered {MOST_PER_SOURCE} suggestions for this message already"
        raise RefusedError(429, "too_many_suggestions", message)


def _about(snapshot: Snapshot, question: Question) -> Iterator[Suggestion]:
    message = question.message
    for item in snapshot.suggestions.values():
        if (item.call_id, item.message_id) == (message.call_id, message.message_id):
            yield item


def _require_library(reply: Mapping[str, Any], drafts: Sequence[Draft]) -> None:
    """Refuse pictures that are not files of the multimedia library.

    Raises:
        RefusedError: 422.
    """
    files = [draft for draft in drafts if draft.media_type not in _WORDS]
    foreign = any(draft.content_type not in (None, "0") for draft in files)
    if foreign or ("image" in reply and not files):
        message = "image is not a file of the multimedia library: map its address in media.yml"
        raise RefusedError(422, "not_in_library", message)


def _suggestion(
    changes: Changes, command: OfferSuggestion, record: AssignmentRecord, question: Question
) -> Suggestion:
    assignment, message, now = record.assignment, question.message, changes.now
    composer = changes.rules.composer
    try:
        if command.reply is not None:
            translation = composer.translate(assignment, command.reply)
            text = composer.readable(command.reply)
            kept = composer.besides_words(assignment, command.reply)
            _require_library(command.reply, translation.drafts)
        else:
            text = command.text or ""
            translation, kept = composer.written(assignment, text), ()
    except AssignmentError as error:
        raise RefusedError(409, error.code, error.message) from error
    drafts = changes.drafts(translation, assignment.call_id)
    if not drafts:
        raise RefusedError(422, "empty_text", "nothing of this can be sent on the call's channel")
    return Suggestion(
        id=command.suggestion_id,
        group=derive("question", message.call_id, message.message_id),
        sender_id=assignment.sender_id,
        agent_id=assignment.agent_id,
        call_id=assignment.call_id,
        state=SuggestionState.OFFERED,
        created_at=now,
        expires_at=now + changes.rules.designer.assist.expire_after,
        source=Source(EXTERNAL, confidence=command.confidence, names=(command.source,)),
        text=text,
        drafts=drafts,
        kept=kept,
        message_id=message.message_id,
        question=message.text,
        asked_at=message.written_at,
        configuration=changes.rules.configuration,
    )
