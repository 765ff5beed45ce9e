"""Offer replies to the agent as suggestions, or send the best one where ``auto`` allows it.

Every way to an answer of the bot ends here: an action call in a turn of Rasa's, and a question
about a message that Rasa has not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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
from bridge.planners import auto
from bridge.planners.changes import Changes
from bridge.replies import Candidate
from bridge.state.plan import Count
from bridge.state.records import AssignmentRecord, SwitchRecord
from bridge.state.snapshot import AUTO
from bridge.triggers import Decision

SWITCH = "assist_mode"
EXTERNAL = "external"  # the kind of source of what other systems offer
_ORDER = (Mode.OFF, Mode.SUGGEST, Mode.AUTO)


@dataclass(frozen=True, slots=True)
class Offer:
    """A candidate reply, ready to be offered or sent."""

    source: Source
    text: str
    drafts: tuple[tuple[Draft, ...], ...]  # the drafts of each reply
    kept: tuple[Draft, ...]  # sent even if the agent edits the text

    @property
    def says_something(self) -> bool:
        """Whether anything would be sent."""
        return any(self.drafts)


@dataclass(frozen=True, slots=True)
class Asked:
    """The customer's message that offers answer.

    Attributes:
        key: names the group of the suggestions.
        message_id: Rasa's or the gateway's ID of the message.
        text: what the customer wrote, None if unknown.
        at: when.
        names: the names that the deliveries' codes may be derived from, by their first code.
        slots: the conversation's slots.
        responses: the domain's responses, if known.
        turn_key: the action call, if there was one.
        may_send: whether the reply may be sent automatically at all.
    """

    key: str
    message_id: str
    text: str | None
    at: float
    names: Mapping[str, tuple[object, ...]]
    slots: Mapping[str, Any] = field(default_factory=dict)
    responses: Mapping[str, Any] | None = None
    turn_key: str | None = None
    may_send: bool = True


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


def current_mode(changes: Changes) -> Mode:
    """Return the mode in force; the switches must be loaded."""
    configured = changes.rules.designer.assist.mode
    return mode_in_force(configured, changes.snapshot.switches.get(SWITCH))


def offer(
    changes: Changes, assignment: Assignment, decision: Decision, parts: Sequence[Candidate]
) -> Offer:
    """Translate replies, which together are one answer, into an offer."""
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
    return Offer(
        source,
        "\n".join(composer.readable(reply) for reply in offered),
        tuple(
            changes.drafts(composer.translate(assignment, reply), assignment.call_id)
            for reply in offered
        ),
        tuple(draft for reply in offered for draft in composer.besides_words(assignment, reply)),
    )


def offer_or_send(
    changes: Changes,
    record: AssignmentRecord,
    decision: Decision,
    offers: Sequence[Offer],
    asked: Asked,
) -> bool:
    """Offer the agent these candidates, or send the first one; return whether it is sent.

    Raises:
        AssignmentError: the assignment lacks a setting that a message needs.
    """
    assignment = record.assignment
    batch = _batch(changes, record, decision, offers[0], asked)
    # If the call's queue is full, offer the reply to the agent instead.
    sent = bool(batch) and not changes.crowded(assignment.call_id, len(batch))
    for item in _suggestions(changes, assignment, offers, asked, sent=sent):
        changes.suggestion(_with_twins(changes, item))
    if sent:
        changes.enqueue(batch)
        changes.effect(Count("suggestions", (AUTO, 1)))
    else:
        changes.effect(Count("suggestions", ("offered", len(offers))))
    return sent


def _batch(
    changes: Changes, record: AssignmentRecord, decision: Decision, best: Offer, asked: Asked
) -> list[Delivery]:
    """Return the deliveries of an automatic reply; none if it is to be offered."""
    if current_mode(changes) is not Mode.AUTO or not asked.may_send:
        return []
    drafts = [draft for each in best.drafts for draft in each]
    if not auto.is_allowed(changes, record, decision, drafts, asked.text or ""):
        return []
    name = changes.unused_name(asked.names)
    disclosed = auto.disclosure(
        changes, record, responses=asked.responses, slots=asked.slots, seed=asked.key
    )
    if name is None or disclosed is None:
        return []
    assignment = record.assignment
    added = offer(changes, assignment, decision, disclosed).drafts if disclosed else ()
    return changes.rules.composer.compose(
        assignment,
        (*best.drafts, *added),
        Origin.AUTO,
        name=name,
        now=changes.now,
        turn_key=asked.turn_key,
        approved_by=AUTO,
    )


def _suggestions(
    changes: Changes,
    assignment: Assignment,
    offers: Sequence[Offer],
    asked: Asked,
    *,
    sent: bool,
) -> list[Suggestion]:
    now = changes.now
    return [
        Suggestion(
            id=derive("suggestion", asked.key, index),
            group=asked.key,
            sender_id=assignment.sender_id,
            agent_id=assignment.agent_id,
            call_id=assignment.call_id,
            state=_state(index, sent=sent),
            created_at=now,
            expires_at=now + changes.rules.designer.assist.expire_after,
            source=each.source,
            text=each.text,
            drafts=tuple(draft for drafts in each.drafts for draft in drafts),
            kept=each.kept,
            message_id=asked.message_id,
            question=asked.text,
            asked_at=asked.at,
            edit_distance=0.0 if sent and not index else None,
            configuration=changes.rules.configuration,
            settled_at=now if sent else None,
            settled_by=AUTO if sent else None,
        )
        for index, each in enumerate(offers)
    ]


def _with_twins(changes: Changes, made: Suggestion) -> Suggestion:
    """Return a suggestion under the names, too, of the systems that offered the same before it."""
    twins = [
        item
        for item in changes.offered(made.call_id)
        if item.message_id == made.message_id
        and item.source.kind == EXTERNAL
        and says_the_same(item, made)
    ]
    changes.supersede(twins)
    names = tuple(name for item in twins for name in item.source.names)
    return replace(made, source=replace(made.source, names=names)) if names else made


def says_the_same(first: Suggestion, second: Suggestion) -> bool:
    """Return whether two suggestions say the same, apart from case and spacing."""
    same_words = _words(first.text) == _words(second.text)
    return same_words and [*map(_media, first.drafts)] == [*map(_media, second.drafts)]


def _words(text: str) -> list[str]:
    return text.casefold().split()


def _media(draft: Draft) -> str | None:
    return draft.media_type.value


def _state(index: int, *, sent: bool) -> SuggestionState:
    if not sent:
        return SuggestionState.OFFERED
    return SuggestionState.SUPERSEDED if index else SuggestionState.ACCEPTED
