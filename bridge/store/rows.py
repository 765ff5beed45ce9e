"""Converts each table's rows to values and back. Runs no statements.

Every row is converted: one that cannot be read as it is stored is read with replacements, see
``repair``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from enum import Enum
from typing import Any, TypeVar

from sqlalchemy import Table

from bridge import untrusted
from bridge.model import (
    AgentId,
    Assignment,
    CallId,
    Card,
    Channel,
    Delivery,
    DeliveryError,
    DeliveryState,
    Draft,
    Envelope,
    Guid,
    Line,
    MediaType,
    MessageCode,
    Origin,
    Owner,
    SenderId,
    Source,
    Suggestion,
    SuggestionState,
)
from bridge.state.calls import Apology, CallRecord, CallRequest, CallRequestKind, CallState
from bridge.state.inquiries import BotNote, Via
from bridge.state.records import (
    ActionAnswer,
    AssignmentRecord,
    EventRecord,
    LeaderRecord,
    MessageRecord,
    PresenceRecord,
    RasaUpdate,
    SessionRecord,
    SessionState,
    SwitchRecord,
    TurnRecord,
    UpdateKind,
    UpdateState,
)
from bridge.store import schema
from bridge.store.repair import repaired, require_texts, require_times

T = TypeVar("T")
Row = Sequence[Any]
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)


def names(table: Table, *left_out: str) -> tuple[str, ...]:
    """Return a table's column names in order, without ``left_out``."""
    return tuple(column.name for column in table.columns if column.name not in left_out)


def listed(table: Table, alias: str, *left_out: str) -> str:
    """Return a table's columns as a SELECT list, without ``left_out``."""
    return ", ".join(f"{alias}.{name}" for name in names(table, *left_out))


def _converted(
    table: Table,
    columns: Sequence[str],
    convert: Callable[[Row], T],
    row: Row,
    **enums: type[Enum],
) -> T:
    """Convert a row; if that fails, convert it with replacements.

    ``enums`` are the columns whose text is a member's value.
    """
    try:
        return convert(row)
    except _UNREADABLE:
        values = {
            name: frozenset(str(member.value) for member in kind) for name, kind in enums.items()
        }
        return convert(repaired(table, columns, values, row))


# -- deliveries ------------------------------------------------------------------------------------

DELIVERY = names(schema.deliveries)
DELIVERY_NEW = names(schema.deliveries, "seq", "attempts", "unknowns", "connected", "erased_at")
DELIVERY_MOVED = (
    "seq",
    "state",
    "expires_at",
    "due_at",
    "attempts",
    "unknowns",
    "connected",
    "lease",
    "lease_until",
    "error_code",
    "error_message",
    "settled_at",
    "approved_by",
    "command_key",
)


def delivery(row: Row) -> Delivery:
    """Convert a row of ``DELIVERY``."""
    return _converted(
        schema.deliveries,
        DELIVERY,
        _delivery,
        row,
        channel=Channel,
        media_type=MediaType,
        origin=Origin,
        state=DeliveryState,
    )


def _delivery(row: Row) -> Delivery:
    (
        seq,
        message_code,
        sender_id,
        call_id,
        agent_id,
        user_id,
        channel,
        channel_config_id,
        nickname,
        avatar,
        media_type,
        media_file_type,
        content_type,
        content,
        origin,
        turn_key,
        suggestion_id,
        reply_key,
        part,
        state,
        created_at,
        expires_at,
        due_at,
        attempts,
        unknowns,
        connected,
        lease,
        lease_until,
        error_code,
        error_message,
        settled_at,
        approved_by,
        command_key,
        erased_at,
    ) = row
    require_times(created_at, expires_at, due_at, lease_until, settled_at, erased_at)
    require_texts(message_code, sender_id, call_id, agent_id, user_id, channel_config_id)
    require_texts(nickname, avatar, content, reply_key, media_file_type, content_type, turn_key)
    require_texts(suggestion_id, lease, error_code, error_message, approved_by, command_key)
    return Delivery(
        seq=seq,
        message_code=MessageCode(message_code),
        sender_id=SenderId(sender_id),
        envelope=Envelope(
            AgentId(agent_id),
            CallId(call_id),
            user_id,
            Channel(channel),
            channel_config_id,
            nickname,
            avatar,
        ),
        draft=Draft(MediaType(media_type), content, media_file_type, content_type),
        origin=Origin(origin),
        reply_key=reply_key,
        part=_whole(part),
        state=DeliveryState(state),
        created_at=created_at,
        expires_at=expires_at,
        due_at=due_at,
        attempts=_whole(attempts),
        unknowns=_whole(unknowns),
        connected=bool(connected),
        lease=lease,
        lease_until=lease_until,
        error=DeliveryError(error_code, error_message or "") if error_code else None,
        settled_at=settled_at,
        turn_key=turn_key,
        suggestion_id=suggestion_id,
        command_key=command_key,
        approved_by=approved_by,
        erased_at=erased_at,
    )


def new_delivery(item: Delivery) -> Row:
    """Return the values of ``DELIVERY_NEW``."""
    envelope, draft, error = item.envelope, item.draft, item.error
    return (
        item.message_code,
        item.sender_id,
        envelope.call_id,
        envelope.agent_id,
        envelope.user_id,
        envelope.channel.value,
        envelope.channel_config_id,
        envelope.nickname,
        envelope.avatar,
        draft.media_type.value,
        draft.media_file_type,
        draft.content_type,
        draft.content,
        item.origin.value,
        item.turn_key,
        item.suggestion_id,
        item.reply_key,
        item.part,
        item.state.value,
        item.created_at,
        item.expires_at,
        item.due_at,
        item.lease,
        item.lease_until,
        error.code if error else None,
        error.message if error else None,
        item.settled_at,
        item.approved_by,
        item.command_key,
    )


def moved_delivery(item: Delivery) -> Row:
    """Return the values of ``DELIVERY_MOVED``."""
    error = item.error
    return (
        item.seq,
        item.state.value,
        item.expires_at,
        item.due_at,
        item.attempts,
        item.unknowns,
        item.connected,
        item.lease,
        item.lease_until,
        error.code if error else None,
        error.message if error else None,
        item.settled_at,
        item.approved_by,
        item.command_key,
    )


# -- assignments -----------------------------------------------------------------------------------

ASSIGNMENT = names(schema.assignments)
ASSIGNMENT_READ = names(schema.assignments, "card")  # the card is read only for display


def assignment(row: Row) -> AssignmentRecord:
    """Convert a row of ``ASSIGNMENT_READ``."""
    return _converted(
        schema.assignments,
        ASSIGNMENT_READ,
        _assignment,
        row,
        channel=Channel,
        owner=Owner,
    )


def _assignment(row: Row) -> AssignmentRecord:
    (
        sender_id,
        call_id,
        agent_id,
        user_id,
        channel,
        channel_config_id,
        agent_nickname,
        agent_avatar,
        owner,
        source,
        given_at,
        handed_off_at,
        handed_back_at,
        ended_at,
        untold,
        erased_at,
        command_key,
        assist_hidden,
        typing_at,
        desktop_at,
        moved_to,
        alert_at,
        alerted_at,
        alert_attempts,
        bot_note,
    ) = row
    require_times(given_at, handed_off_at, handed_back_at, ended_at, erased_at)
    require_times(typing_at, desktop_at, alert_at, alerted_at)
    require_texts(sender_id, call_id, agent_id, user_id, source, command_key)
    require_texts(channel_config_id, agent_nickname, agent_avatar, moved_to)
    return AssignmentRecord(
        Assignment(
            SenderId(sender_id),
            AgentId(agent_id),
            CallId(call_id),
            user_id,
            Channel(channel),
            channel_config_id,
            agent_nickname,
            agent_avatar,
        ),
        Owner(owner),
        source,
        given_at,
        handed_off_at,
        handed_back_at,
        ended_at,
        untold=bool(untold),
        card_erased_at=erased_at,
        command_key=command_key,
        assist_hidden=bool(assist_hidden),
        typing_at=typing_at,
        desktop_at=desktop_at,
        moved_to=None if moved_to is None else AgentId(moved_to),
        alert_at=alert_at,
        alerted_at=alerted_at,
        alert_attempts=_whole(alert_attempts),
        bot_note=_note(bot_note),
    )


def assigned(record: AssignmentRecord) -> Row:
    """Return the values of ``ASSIGNMENT``; without a card, the stored one is kept."""
    assignment = record.assignment
    return (
        assignment.sender_id,
        assignment.call_id,
        assignment.agent_id,
        assignment.user_id,
        assignment.channel.value,
        assignment.channel_config_id,
        assignment.agent_nickname,
        assignment.agent_avatar,
        record.owner.value,
        record.source,
        record.given_at,
        record.handed_off_at,
        record.handed_back_at,
        record.ended_at,
        _card(record.card),
        record.untold,
        record.card_erased_at,
        record.command_key,
        record.assist_hidden,
        record.typing_at,
        record.desktop_at,
        record.moved_to,
        record.alert_at,
        record.alerted_at,
        record.alert_attempts,
        None if record.bot_note is None else _json(asdict(record.bot_note)),
    )


def _note(stored: str | None) -> BotNote | None:
    return None if stored is None else BotNote(**json.loads(stored))


def _card(value: Card | None) -> str | None:
    if value is None:
        return None
    turns = [{"who": line.who, "text": line.text, "at": line.at} for line in value.turns]
    return _json({"reason": value.reason, "slots": dict(value.slots), "turns": turns})


def card(stored: str | None) -> Card | None:
    """Restore a handoff card from the store's JSON; None if there is none, or it is unreadable."""
    if not stored:
        return None
    try:
        value = _object(stored)
        turns = tuple(
            Line(str(line["who"]), str(line["text"]), untrusted.moment(line["at"]) or 0.0)
            for line in value["turns"]
        )
        return Card(str(value["reason"]), dict(value["slots"]), turns)
    except _UNREADABLE:
        return None


# -- action calls ----------------------------------------------------------------------------------

TURN = names(schema.turns)


def turn(row: Row) -> TurnRecord:
    """Convert a row of ``TURN``."""
    return _converted(schema.turns, TURN, _turn, row)


def _turn(row: Row) -> TurnRecord:
    key, sender_id, call_id, made_at, answer, unavailable, pushable = row
    require_times(made_at)
    require_texts(key, sender_id, call_id)
    return TurnRecord(
        key, sender_id, call_id, made_at, _answer(answer), _answer(unavailable), bool(pushable)
    )


def _answer(stored: str | None) -> ActionAnswer | None:
    return ActionAnswer.of_json(_object(stored)) if stored else None


def answer(record: TurnRecord) -> str | None:
    """Return an action call's answer as JSON for the store."""
    return _json(record.answer.as_json()) if record.answer is not None else None


def turned(record: TurnRecord) -> Row:
    """Return the values of ``TURN``."""
    unavailable = record.unavailable
    return (
        record.key,
        record.sender_id,
        record.call_id,
        record.made_at,
        answer(record),
        _json(unavailable.as_json()) if unavailable is not None else None,
        record.pushable,
    )


# -- suggestions -----------------------------------------------------------------------------------

SUGGESTION = names(schema.suggestions)
SUGGESTION_WRITTEN = names(schema.suggestions, "seq", "erased_at")
SUGGESTION_MOVED = (
    "state",
    "edited_text",
    "reason",
    "displayed_at",
    "settled_at",
    "settled_by",
    "command_key",
    "source",
    "edit_distance",
)


def suggestion(row: Row) -> Suggestion:
    """Convert a row of ``SUGGESTION``."""
    return _converted(
        schema.suggestions,
        SUGGESTION,
        _suggestion,
        row,
        state=SuggestionState,
    )


def _suggestion(row: Row) -> Suggestion:
    (
        _seq,
        name,
        candidates,
        sender_id,
        agent_id,
        call_id,
        message_id,
        state,
        created_at,
        expires_at,
        source,
        question,
        text,
        drafts,
        kept,
        edited_text,
        reason,
        displayed_at,
        settled_at,
        settled_by,
        command_key,
        erased_at,
        asked_at,
        edit_distance,
        configuration,
    ) = row
    require_times(created_at, expires_at, displayed_at, settled_at, erased_at, asked_at)
    require_texts(configuration, question)
    require_texts(name, candidates, sender_id, agent_id, call_id, text, message_id)
    require_texts(edited_text, reason, settled_by, command_key)
    return Suggestion(
        id=name,
        group=candidates,
        sender_id=SenderId(sender_id),
        agent_id=AgentId(agent_id),
        call_id=CallId(call_id),
        state=SuggestionState(state),
        created_at=created_at,
        expires_at=expires_at,
        source=_source(source),
        text=text,
        drafts=_drafts(drafts),
        kept=_drafts(kept),
        message_id=message_id,
        question=question,
        edited_text=edited_text,
        reason=reason,
        displayed_at=displayed_at,
        settled_at=settled_at,
        settled_by=settled_by,
        command_key=command_key,
        erased_at=erased_at,
        asked_at=asked_at,
        edit_distance=edit_distance,
        configuration=configuration,
    )


def _source(stored: str) -> Source:
    value = _object(stored)
    return Source(**{**value, "names": tuple(value.get("names", ()))})


def suggested(item: Suggestion) -> Row:
    """Return the values of ``SUGGESTION_WRITTEN``."""
    return (
        item.id,
        item.group,
        item.sender_id,
        item.agent_id,
        item.call_id,
        item.message_id,
        item.state.value,
        item.created_at,
        item.expires_at,
        json.dumps(asdict(item.source)),
        item.question,
        item.text,
        _dumped(item.drafts),
        _dumped(item.kept),
        item.edited_text,
        item.reason,
        item.displayed_at,
        item.settled_at,
        item.settled_by,
        item.command_key,
        item.asked_at,
        item.edit_distance,
        item.configuration,
    )


def _dumped(drafts: Sequence[Draft]) -> str:
    return _json(_plain_drafts(drafts))


def _plain_drafts(drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    return [{**asdict(draft), "media_type": draft.media_type.value} for draft in drafts]


def _drafts(stored: str) -> tuple[Draft, ...]:
    return _read_drafts(json.loads(stored))


def _read_drafts(plain: Sequence[Mapping[str, Any]]) -> tuple[Draft, ...]:
    return tuple(Draft(**{**row, "media_type": MediaType(row["media_type"])}) for row in plain)


# -- messages --------------------------------------------------------------------------------------

MESSAGE = names(schema.messages, "seq", "id")
MESSAGE_WRITTEN = names(schema.messages, "seq", "erased_at")


def message(row: Row) -> MessageRecord:
    """Convert a row of ``MESSAGE``."""
    return _converted(schema.messages, MESSAGE, _message, row, via=Via)


def _message(row: Row) -> MessageRecord:
    (
        sender_id,
        call_id,
        message_id,
        text,
        written_at,
        created_at,
        erased_at,
        author,
        attachment,
        via,
    ) = row
    require_times(written_at, created_at, erased_at)
    require_texts(sender_id, call_id, message_id, text, author)
    return MessageRecord(
        sender_id,
        call_id,
        message_id,
        text,
        written_at,
        created_at,
        erased_at,
        author,
        _object(attachment) if attachment else None,
        Via(via),
    )


def messaged(item: MessageRecord) -> Row:
    """Return the values of ``MESSAGE_WRITTEN``."""
    return (
        item.id,
        item.sender_id,
        item.call_id,
        item.message_id,
        item.text,
        item.written_at,
        item.created_at,
        item.author,
        _json(item.attachment) if item.attachment is not None else None,
        item.via.value,
    )


# -- sessions --------------------------------------------------------------------------------------

SESSION = names(schema.sessions)


def session(row: Row) -> SessionRecord:
    """Convert a row of ``SESSION``."""
    return _converted(
        schema.sessions,
        SESSION,
        _session,
        row,
        state=SessionState,
    )


def _session(row: Row) -> SessionRecord:
    (
        agent_id,
        guid,
        state,
        ours,
        generation,
        error_code,
        error_message,
        renewed_at,
        signing_in,
        signing_in_until,
        poller,
        poller_until,
        service_token,
        next_service_token,
        chosen_state,
        agent_state,
        sign_in_failures,
        sync_due,
        pushed_digest,
        pushed_at,
        chats,
    ) = row
    require_times(renewed_at, signing_in_until, poller_until, pushed_at)
    require_texts(agent_id, guid, error_code, error_message, signing_in, poller)
    require_texts(service_token, next_service_token, chosen_state, agent_state, pushed_digest)
    return SessionRecord(
        AgentId(agent_id),
        Guid(guid) if guid else None,
        SessionState(state),
        bool(ours),
        _whole(generation),
        renewed_at,
        error_code,
        error_message,
        signing_in,
        signing_in_until,
        poller,
        poller_until,
        service_token,
        next_service_token,
        chosen_state,
        agent_state,
        _whole(sign_in_failures),
        bool(sync_due),
        pushed_digest,
        pushed_at,
        None if chats is None else _whole(chats),
    )


def signed(record: SessionRecord) -> Row:
    """Return the values of ``SESSION``."""
    return (
        record.agent_id,
        record.guid,
        record.state.value,
        record.ours,
        record.generation,
        record.error_code,
        record.error_message,
        record.renewed_at,
        record.signing_in,
        record.signing_in_until,
        record.poller,
        record.poller_until,
        record.service_token,
        record.next_service_token,
        record.chosen_state,
        record.agent_state,
        record.sign_in_failures,
        record.sync_due,
        record.pushed_digest,
        record.pushed_at,
        record.chats,
    )


# -- updates, switches, leaders and events ---------------------------------------------------------

UPDATE = names(schema.rasa_updates, "erased_at")
UPDATE_WRITTEN = names(schema.rasa_updates, "seq", "erased_at")
UPDATE_MOVED = (
    "state",
    "due_at",
    "attempts",
    "lease",
    "lease_until",
    "error",
    "settled_at",
    "shadow",
)


def update(row: Row) -> RasaUpdate:
    """Convert a row of ``UPDATE``."""
    return _converted(
        schema.rasa_updates,
        UPDATE,
        _update,
        row,
        kind=UpdateKind,
        state=UpdateState,
    )


def _update(row: Row) -> RasaUpdate:
    (
        seq,
        name,
        sender_id,
        call_id,
        kind,
        body,
        state,
        created_at,
        due_at,
        expires_at,
        attempts,
        lease,
        lease_until,
        error,
        settled_at,
        shadow,
    ) = row
    require_times(created_at, due_at, expires_at, lease_until, settled_at)
    require_texts(name, sender_id, call_id, lease, error, shadow)
    return RasaUpdate(
        seq,
        name,
        sender_id,
        call_id,
        UpdateKind(kind),
        _object(body),
        created_at,
        due_at,
        expires_at,
        UpdateState(state),
        _whole(attempts),
        lease,
        lease_until,
        error,
        settled_at,
        shadow,
    )


def updated(item: RasaUpdate) -> Row:
    """Return the values of ``UPDATE_WRITTEN``."""
    return (
        item.id,
        item.sender_id,
        item.call_id,
        item.kind.value,
        _json(dict(item.body)),
        item.state.value,
        item.created_at,
        item.due_at,
        item.expires_at,
        item.attempts,
        item.lease,
        item.lease_until,
        item.error,
        item.settled_at,
        item.shadow,
    )


# -- calls of readers, and requests about them -----------------------------------------------------

CALL = names(schema.calls, "erased_at")
_HELD = ("message_id", "text", "written_at", "created_at", "attachment")


def call(row: Row) -> CallRecord:
    """Convert a row of ``CALL``."""
    return _converted(schema.calls, CALL, _call, row, state=CallState)


def _call(row: Row) -> CallRecord:
    (
        call_id,
        agent_id,
        state,
        begun_at,
        answered_at,
        ended_at,
        event_at,
        caller,
        called,
        media,
        internal,
        nickname,
        skill_id,
        sender_id,
        problem,
        held,
        transfer_to,
        transferred_at,
        transfers,
        apology,
    ) = row
    require_times(begun_at, answered_at, ended_at, event_at, transferred_at)
    require_texts(call_id, agent_id, caller, called, media, skill_id, sender_id, problem)
    require_texts(transfer_to, nickname)
    record = CallRecord(
        call_id,
        agent_id,
        CallState(state),
        begun_at,
        answered_at,
        ended_at,
        event_at,
        caller,
        called,
        media,
        bool(internal),
        nickname,
        skill_id,
        sender_id,
        problem,
        transfer_to=transfer_to,
        transferred_at=transferred_at,
        transfers=_whole(transfers),
        apology=None if apology is None else _apology(apology),
    )
    return replace(record, held=_held(record, held))


def _apology(stored: str) -> Apology:
    inquiry, message_id, drafts = json.loads(stored)
    return Apology(inquiry, message_id, _read_drafts(drafts))


def _held(record: CallRecord, stored: str) -> tuple[MessageRecord, ...]:
    return tuple(
        MessageRecord(
            record.provisional_sender, record.call_id, **dict(zip(_HELD, each, strict=True))
        )
        for each in json.loads(stored)
    )


def called(record: CallRecord) -> Row:
    """Return the values of ``CALL``."""
    held = [[getattr(message, name) for name in _HELD] for message in record.held]
    apology = record.apology
    said = apology and (apology.inquiry, apology.message_id, _plain_drafts(apology.drafts))
    return (
        record.call_id,
        record.agent_id,
        record.state.value,
        record.begun_at,
        record.answered_at,
        record.ended_at,
        record.event_at,
        record.caller,
        record.called,
        record.media,
        record.internal,
        record.nickname,
        record.skill_id,
        record.sender_id,
        record.problem,
        _json(held),
        record.transfer_to,
        record.transferred_at,
        record.transfers,
        None if apology is None else _json(said),
    )


CALL_REQUEST = names(schema.call_requests)
CALL_REQUEST_WRITTEN = names(schema.call_requests, "seq")
CALL_REQUEST_MOVED = (
    "state",
    "due_at",
    "expires_at",
    "attempts",
    "lease",
    "lease_until",
    "error_code",
    "error",
    "settled_at",
)


def call_request(row: Row) -> CallRequest:
    """Convert a row of ``CALL_REQUEST``."""
    return _converted(
        schema.call_requests,
        CALL_REQUEST,
        _call_request,
        row,
        kind=CallRequestKind,
        state=UpdateState,
    )


def _call_request(row: Row) -> CallRequest:
    (
        seq,
        name,
        line,
        call_id,
        agent_id,
        kind,
        body,
        state,
        created_at,
        due_at,
        expires_at,
        attempts,
        lease,
        lease_until,
        error_code,
        error,
        settled_at,
    ) = row
    require_times(created_at, due_at, expires_at, lease_until, settled_at)
    require_texts(name, line, call_id, agent_id, lease, error_code, error)
    return CallRequest(
        seq,
        name,
        line,
        call_id,
        agent_id,
        CallRequestKind(kind),
        created_at,
        due_at,
        expires_at,
        _object(body),
        UpdateState(state),
        _whole(attempts),
        lease,
        lease_until,
        error_code,
        error,
        settled_at,
    )


def requested(item: CallRequest) -> Row:
    """Return the values of ``CALL_REQUEST_WRITTEN``."""
    return (
        item.id,
        item.line,
        item.call_id,
        item.agent_id,
        item.kind.value,
        _json(dict(item.body)),
        item.state.value,
        item.created_at,
        item.due_at,
        item.expires_at,
        item.attempts,
        item.lease,
        item.lease_until,
        item.error_code,
        item.error,
        item.settled_at,
    )


def switch(row: Row) -> SwitchRecord:
    """Convert a row of ``switches``."""
    return SwitchRecord(*row)


def leader(row: Row) -> LeaderRecord:
    """Convert a row of ``leaders``."""
    return LeaderRecord(*row)


def presence(row: Row) -> PresenceRecord:
    """Convert a row of ``presences``; one that is unreadable is of long ago."""
    agent_id, present_at = row
    return PresenceRecord(agent_id, untrusted.moment(present_at) or 0.0)


def event(row: Any) -> EventRecord:
    """Convert a row of ``events``; unreadable content is None."""
    try:
        content = json.loads(row.content)
    except _UNREADABLE:
        content = None
    return EventRecord(
        row.agent_id, row.event_type, content, row.received_at, row.seq, row.generated_at
    )


def _whole(value: Any) -> int:
    """Return a whole number as it is stored; SQLite may hold anything in its column."""
    if type(value) is int:
        return value
    message = "not a whole number"
    raise TypeError(message)


def _object(stored: str) -> dict[str, Any]:
    """Parse a JSON object."""
    value: dict[str, Any] = json.loads(stored)
    return {**value}  # raises TypeError if it is no object


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
