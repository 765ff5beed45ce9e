"""What happened in a conversation, in the order of time: for ``cc-bridge explain --why``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bridge.model import Card, Delivery, DeliveryState, Suggestion, SuggestionState
from bridge.planners.compose import Composer
from bridge.state.records import (
    ASSIST,
    BOT,
    HANDOFF,
    ActionAnswer,
    AssignmentRecord,
    MessageRecord,
    RasaUpdate,
    TurnRecord,
    UpdateKind,
    UpdateState,
)
from bridge.state.snapshot import AUTO
from bridge.store import Reader, timeline

_SOURCES = {
    "http": "the API",
    "token": "a signed token",
    "metadata": "the message's metadata",
    "reader": "the agent's events",
}
_DECISIONS = {
    SuggestionState.ACCEPTED: "sent unchanged",
    SuggestionState.EDITED: "sent with another text",
    SuggestionState.COPIED: "copied into another tool",
    SuggestionState.REJECTED: "rejected",
    SuggestionState.SUPERSEDED: "superseded by a newer message or another candidate",
    SuggestionState.EXPIRED: "expired without a decision",
}
_UPDATES = {
    UpdateKind.WRITE_BACK: "what was said to the customer, for Rasa's tracker",
    UpdateKind.RESUME: "the handback, for Rasa",
    UpdateKind.MESSAGE: "a message of the bot to the customer, through Rasa",
}
_OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)


class EventKind(str, Enum):
    """What happened; in the order of what happens at the same time."""

    ASSIGNED = "assigned"
    MESSAGE = "message"
    HANDED_OFF = "handed_off"
    HANDED_BACK = "handed_back"
    ACTION = "action"
    SUGGESTED = "suggested"
    DISPLAYED = "displayed"
    DECIDED = "decided"
    DELIVERY = "delivery"
    OUTCOME = "outcome"
    UPDATE = "update"
    ALERT = "alert"
    ENDED = "ended"


_ORDER = {kind: number for number, kind in enumerate(EventKind)}


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """Something that happened.

    Attributes:
        words: what happened, without the words of customers and agents.
        text: what somebody wrote; None if nobody did, or if it was erased.
        details: IDs, states and the like.
    """

    at: float
    kind: EventKind
    words: str
    call_id: str | None = None
    agent_id: str | None = None
    text: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Timeline:
    """Queries on what happened in a conversation. Thread-safe; blocking."""

    def __init__(self, store: Reader, composer: Composer) -> None:
        self._store = store
        self._plain = composer.plain

    def events(self, sender_id: str) -> list[TimelineEvent]:
        """Return what happened in a conversation, the oldest first."""
        stored = self._store.read(lambda tx: timeline.conversation(tx, sender_id))
        found = [
            *(event for each, card in stored.assignments for event in _assignment(each, card)),
            *(_message(each) for each in stored.messages),
            *(_action(each) for each in stored.turns),
            *(event for each in stored.suggestions for event in _suggestion(each)),
            *(event for each in stored.deliveries for event in self._delivery(each)),
            *(_update(each) for each in stored.updates),
        ]
        return sorted(found, key=lambda event: (event.at, _ORDER[event.kind]))

    def configurations(self, sender_id: str) -> dict[str, str]:
        """Return the version of the configuration by message ID, where suggestions tell it."""
        return self._store.read(lambda tx: timeline.configurations(tx, sender_id))

    def _delivery(self, delivery: Delivery) -> Iterator[TimelineEvent]:
        envelope, error = delivery.envelope, delivery.error
        state, subject = delivery.state, f"delivery {delivery.id}"
        details = {
            "delivery_id": delivery.id,
            "origin": delivery.origin.value,
            "media_type": delivery.draft.media_type.value,
            "state": state.value,
            "attempts": delivery.attempts,
            "error": None if error is None else {"code": error.code, "message": error.message},
        }
        what = f"{subject} to the customer ({delivery.origin.value}, {details['media_type']})"
        by = " without approval" if delivery.approved_by == AUTO else ""
        still = f", still {state.value}" if state in _OPEN else ""
        text = None if delivery.erased_at else self._plain(delivery)
        about = (envelope.call_id, envelope.agent_id)
        yield TimelineEvent(
            delivery.created_at,
            EventKind.DELIVERY,
            f"{what} stored{by}{still}",
            *about,
            text,
            details,
        )
        if delivery.settled_at is not None:
            attempts = f"{delivery.attempts} attempt{'' if delivery.attempts == 1 else 's'}"
            why = f": {error.message} ({error.code})" if error is not None else ""
            words = f"{subject} {state.value} after {attempts}{why}"
            yield TimelineEvent(
                delivery.settled_at, EventKind.OUTCOME, words, *about, None, details
            )


def _assignment(record: AssignmentRecord, card: Card | None) -> Iterator[TimelineEvent]:
    assignment = record.assignment
    about = (assignment.call_id, assignment.agent_id)
    by = _SOURCES.get(record.source, record.source)
    words = f"assigned to agent {assignment.agent_id} by {by}, channel {assignment.channel.value}"
    yield TimelineEvent(record.given_at, EventKind.ASSIGNED, words, *about)
    if record.handed_off_at is not None:
        reason = f": {card.reason}" if card is not None and card.reason else ""
        untold = "; no message reached the customer" if record.untold else ""
        words = f"handed off to agent {assignment.agent_id}{reason}{untold}"
        yield TimelineEvent(record.handed_off_at, EventKind.HANDED_OFF, words, *about)
    if record.alerted_at is not None:
        words = "alert: no agent had taken the handoff in time"
        yield TimelineEvent(record.alerted_at, EventKind.ALERT, words, *about)
    if record.handed_back_at is not None:
        words = "handed back to the bot"
        yield TimelineEvent(record.handed_back_at, EventKind.HANDED_BACK, words, *about)
    if record.ended_at is not None:
        moved = f": the conversation went to agent {record.moved_to}" if record.moved_to else ""
        words = f"the call ended, or was reassigned{moved}"
        yield TimelineEvent(record.ended_at, EventKind.ENDED, words, *about)


def _message(record: MessageRecord) -> TimelineEvent:
    who = "the customer" if record.author == "customer" else "the agent, elsewhere,"
    return TimelineEvent(
        record.written_at,
        EventKind.MESSAGE,
        f"{who} wrote",
        record.call_id,
        None,
        None if record.erased_at else record.text,
        {"message_id": record.message_id, "author": record.author},
    )


def _action(record: TurnRecord) -> TimelineEvent:
    answer = record.answer
    return TimelineEvent(
        record.made_at,
        EventKind.ACTION,
        f"an action answered Rasa: {_answered(answer)}" if answer else "an action waits",
        record.call_id or (answer.call_id if answer else None),
        answer.agent_id if answer else None,
        None,
        {"slots": answer.slots if answer else {}},
    )


def _answered(answer: ActionAnswer) -> str:
    said = {
        HANDOFF: "handoff, the bot pauses",
        ASSIST: "handoff, the bot assists",
        BOT: "the bot has the conversation",
        None: "the conversation stays as it is",
    }.get(answer.state, str(answer.state))
    if answer.state in (HANDOFF, ASSIST):
        said += f", delivery {answer.delivery}"
    return said + (f", handoff_error {answer.error}" if answer.error else "")


def _suggestion(item: Suggestion) -> Iterator[TimelineEvent]:
    source = item.source
    about = (item.call_id, item.agent_id)
    details = {
        "suggestion_id": item.id,
        "message_id": item.message_id,
        "state": item.state.value,
        "source": source.kind,
        "response": source.response,
        "intent": source.intent,
        "confidence": source.confidence,
        "configuration": item.configuration,
    }
    named = f" {source.response}" if source.response else ""
    because = f" for intent {source.intent}" if source.intent else ""
    sure = f" at {source.confidence:.2f}" if because and source.confidence is not None else ""
    erased = item.erased_at is not None
    yield TimelineEvent(
        item.created_at,
        EventKind.SUGGESTED,
        f"suggestion{named}{because}{sure} for agent {item.agent_id}",
        *about,
        None if erased else item.text,
        details,
    )
    if item.displayed_at is not None:
        words = f"agent {item.agent_id} saw the suggestion{named}"
        yield TimelineEvent(item.displayed_at, EventKind.DISPLAYED, words, *about, None, details)
    if item.settled_at is not None:
        by = {None: "", "system": "", AUTO: " without approval"}.get(
            item.settled_by, f" by agent {item.settled_by}"
        )
        yield TimelineEvent(
            item.settled_at,
            EventKind.DECIDED,
            f"suggestion{named} {_DECISIONS.get(item.state, item.state.value)}{by}",
            *about,
            None if erased else item.edited_text or item.reason,
            details,
        )


def _update(update: RasaUpdate) -> TimelineEvent:
    failed = f": {update.error}" if update.error and update.state is UpdateState.FAILED else ""
    return TimelineEvent(
        update.created_at if update.settled_at is None else update.settled_at,
        EventKind.UPDATE,
        f"{_UPDATES[update.kind]}: {update.state.value}{failed}",
        update.call_id,
        None,
        None,
        {"update_id": update.id, "update": update.kind.value, "state": update.state.value},
    )
