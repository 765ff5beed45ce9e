"""Convert the rows of assignments, with the handoff cards in them."""

from __future__ import annotations

import json
from dataclasses import asdict

from bridge import untrusted
from bridge.model import (
    AgentId,
    Assignment,
    Because,
    CallId,
    Card,
    Channel,
    Line,
    Owner,
    SenderId,
)
from bridge.state.inquiries import BotNote
from bridge.state.records import AssignmentRecord
from bridge.store import schema
from bridge.store.repair import require_texts, require_times
from bridge.store.rows.converting import (
    READ_ERRORS,
    Row,
    converted,
    json_object,
    json_text,
    names,
    whole,
)

ASSIGNMENT = names(schema.assignments)
ASSIGNMENT_READ = names(schema.assignments, "card")  # the card is read only for display


def assignment(row: Row) -> AssignmentRecord:
    """Convert a row of ``ASSIGNMENT_READ``."""
    return converted(
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
        alert_attempts=whole(alert_attempts),
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
        None if record.bot_note is None else json_text(asdict(record.bot_note)),
    )


def _note(stored: str | None) -> BotNote | None:
    return None if stored is None else BotNote(**json.loads(stored))


def _card(value: Card | None) -> str | None:
    if value is None:
        return None
    turns = [{"who": line.who, "text": line.text, "at": line.at} for line in value.turns]
    because = [{"code": each.code, "values": dict(each.values)} for each in value.because]
    return json_text(
        {"reason": value.reason, "slots": dict(value.slots), "turns": turns, "because": because}
    )


def card(stored: str | None) -> Card | None:
    """Restore a handoff card from the store's JSON; None if there is none, or it is unreadable."""
    if not stored:
        return None
    try:
        value = json_object(stored)
        turns = tuple(
            Line(str(line["who"]), str(line["text"]), untrusted.moment(line["at"]) or 0.0)
            for line in value["turns"]
        )
        because = tuple(
            Because(str(each["code"]), dict(each["values"])) for each in value["because"]
        )
        return Card(str(value["reason"]), dict(value["slots"]), turns, because)
    except READ_ERRORS:
        return None
