"""Build response bodies from domain values: the only mapping of values to the API's JSON. Pure.

The command's ``--json`` prints the same bodies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from math import inf
from typing import Any, TypeVar

from bridge import links
from bridge.access_tokens import AccessToken, Role
from bridge.config.settings import AgentSettings
from bridge.model import (
    Assignment,
    Card,
    Delivery,
    DeliveryError,
    Draft,
    Line,
    Mode,
    Origin,
    Owner,
    Source,
    Suggestion,
    derive,
)
from bridge.planners.masking import masked
from bridge.queries import CallView, Page
from bridge.queries.report import Group, ReportFigures
from bridge.state.calls import CallRecord, CallState
from bridge.state.inquiries import BotNote
from bridge.state.records import (
    CHOSEN_STATES,
    AssignmentRecord,
    MessageRecord,
    SessionRecord,
)
from bridge.web.schemas import (
    AcceptedBody,
    AgentBody,
    AssignedBody,
    AssignmentBody,
    BecauseBody,
    Body,
    BotNoteBody,
    CallBody,
    CallDetailBody,
    CallList,
    CardBody,
    DeliveryBody,
    DeliveryList,
    DeliveryStateBody,
    DraftBody,
    ErrorDetail,
    HandedBackBody,
    LineBody,
    MessageBody,
    ReportBody,
    ReportRowBody,
    SentMessageBody,
    SentReplyBody,
    SessionBody,
    SourceBody,
    SuggestionBody,
    SuggestionList,
    TokenBody,
)

B = TypeVar("B", bound=Body)
_COUNTED = (
    "suggested",
    "displayed",
    "accepted",
    "edited",
    "copied",
    "rejected",
    "superseded",
    "expired",
    "offered",
    "automatic",
)
_ACTIONS = {  # what an agent can do with a call at the gateway
    CallState.RINGING: ("answer", "reject"),
    CallState.TALKING: ("release", "transfer"),
}


def assignment(value: Assignment) -> AssignmentBody:
    """Return an assignment without its sender ID."""
    return _build(AssignmentBody, **_assignment(value))


def call(record: AssignmentRecord) -> CallBody:
    """Return a call: its assignment, owner, state and times."""
    return _build(CallBody, **_call(record))


def call_of(record: AssignmentRecord, agent_id: str, at: float) -> CallBody:
    """Return a call as an agent sees it: for a former agent, it ended when another one got it.

    Args:
        record: the call.
        agent_id: the agent.
        at: when the call changed.
    """
    if record.assignment.agent_id == agent_id:
        return call(record)
    taken = {"agent_id": agent_id, "agent_nickname": None, "agent_avatar": None}
    moved_to = record.assignment.agent_id
    ended = {"owner": Owner.BOT, "state": "ended", "ended_at": at, "moved_to": moved_to}
    return _build(CallBody, **_call(record) | taken | ended)


def calls(page: Page) -> CallList:
    """Return one page of calls."""
    return CallList(items=[call(item) for item in page.items], next=page.next)


def assigned(record: AssignmentRecord, warning: str | None) -> AssignedBody:
    """Return the call of a new assignment, with a warning about the assignment if there is one."""
    return _build(AssignedBody, **_call(record), warning=warning)


def handed_back(record: AssignmentRecord, *, rasa_knows: bool) -> HandedBackBody:
    """Return a call that was handed back."""
    return _build(HandedBackBody, **_call(record), rasa_told=rasa_knows)


def call_detail(view: CallView, offered: Sequence[Suggestion], mode: Mode) -> CallDetailBody:
    """Return a call with its card, history, offered suggestions and the assist mode in force."""
    record, card_turns = view.record, view.card.turns if view.card else ()
    # The card holds what was said before the handoff.
    since = (record.handed_off_at or 0.0) if card_turns else -inf
    last = max((item.at for item in card_turns), default=inf)
    lines = _not_sent_here(view, card_turns)
    history: list[SentMessageBody | MessageBody] = [
        *(_card_line(item, record.assignment.call_id, index) for index, item in lines),
        *(
            message(item)
            for item in view.messages
            if item.created_at > since or item.written_at > last
        ),
        *(sent(item, view.words.get(item.seq)) for item in view.deliveries),
    ]
    history.sort(key=lambda item: item.at)  # stable: turns before deliveries
    return _build(
        CallDetailBody,
        **_call(view.record),
        card=card(view.card) if view.card else None,
        card_erased_at=view.record.card_erased_at,
        history=history,
        suggestions=[suggestion(item) for item in offered],
        assist=mode,
    )


def _not_sent_here(view: CallView, turns: Sequence[Line]) -> list[tuple[int, Line]]:
    """Return the turns of a card, numbered, without those that are among the deliveries.

    The card masks what it shows.
    """
    sent_here = Counter(
        (_sender(item), masked(view.words.get(item.seq, ""))) for item in view.deliveries
    )
    kept: list[tuple[int, Line]] = []
    for index, item in enumerate(turns):
        key = (item.who, masked(item.text))
        if sent_here[key] > 0:
            sent_here[key] -= 1
        else:
            kept.append((index, item))
    return kept


def card(value: Card) -> CardBody:
    """Return a handoff card."""
    turns = [line(item) for item in value.turns]
    because = [BecauseBody(code=each.code, values=dict(each.values)) for each in value.because]
    return CardBody(reason=value.reason, because=because, slots=dict(value.slots), turns=turns)


def line(value: Line) -> LineBody:
    """Return a line of the conversation before the handoff."""
    return LineBody(**{"from": value.who}, text=value.text, at=value.at)


def suggestion(value: Suggestion) -> SuggestionBody:
    """Return a suggestion: its agent, drafts, state, and the agent's decision and edits."""
    return _build(SuggestionBody, **_suggestion(value))


def suggestions(page: Page) -> SuggestionList:
    """Return one page of suggestions."""
    return SuggestionList(items=[suggestion(item) for item in page.items], next=page.next)


def accepted(value: Suggestion, sent: Sequence[Delivery]) -> AcceptedBody:
    """Return an accepted suggestion with its deliveries."""
    return _build(AcceptedBody, **_suggestion(value), deliveries=[delivery(item) for item in sent])


def sent_reply(call_id: str, client_id: str, sent: Sequence[Delivery]) -> SentReplyBody:
    """Return an agent's own reply with its deliveries."""
    deliveries = [delivery(item) for item in sent]
    return SentReplyBody(call_id=call_id, client_id=client_id, deliveries=deliveries)


def delivery(value: Delivery) -> DeliveryBody:
    """Return a delivery."""
    envelope, draft = value.envelope, value.draft
    return _build(
        DeliveryBody,
        id=value.id,
        message_code=value.message_code,
        agent_id=envelope.agent_id,
        call_id=envelope.call_id,
        sender_id=value.sender_id,
        state=value.state,
        attempts=value.attempts,
        media_type=draft.media_type,
        media_file_type=draft.media_file_type,
        content=draft.content,
        channel=envelope.channel,
        origin=value.origin,
        approved_by=value.approved_by,
        part=value.part,
        error=_error(value.error),
        created_at=value.created_at,
        expires_at=value.expires_at,
        settled_at=value.settled_at,
        erased_at=value.erased_at,
    )


def deliveries(page: Page) -> DeliveryList:
    """Return one page of deliveries."""
    return DeliveryList(items=[delivery(item) for item in page.items], next=page.next)


def report(
    first: date, last: date, group: Group, rows: Sequence[ReportFigures], total: ReportFigures
) -> ReportBody:
    """Return a report."""
    return ReportBody(
        **{"from": first.isoformat()},
        to=last.isoformat(),
        group=group.value,
        items=[report_row(row) for row in rows],
        total=report_row(total),
    )


def report_row(figures: ReportFigures) -> ReportRowBody:
    """Return the figures of one group."""
    return ReportRowBody(
        key=figures.key,
        **{name: figures.counts[name] for name in _COUNTED},
        questions=figures.seen,
        questions_answered=figures.questions["answered"],
        questions_open=figures.questions["open"],
        questions_automatic=figures.questions["automatic"],
        questions_unseen=figures.questions["unseen"],
        acceptance=_rounded(figures.acceptance),
        too_few=figures.acceptance is None,
        edit_distance=_rounded(figures.edit_distance),
        reply_seconds=_rounded(figures.seconds),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def token(text: str, record: AccessToken) -> TokenBody:
    """Return a new token, the ID to revoke it by, its subject and its times."""
    subject = "agent_id" if record.role is Role.AGENT else "supervisor"
    return TokenBody(
        token=text,
        token_id=record.token_id,
        issued_at=record.issued_at,
        expires_at=record.expires_at,
        **{subject: record.subject},
    )


def session(record: SessionRecord) -> SessionBody:
    """Return an agent's session state; never the GUID, which is a secret."""
    code, message = record.error_code, record.error_message or ""
    return _build(
        SessionBody,
        agent_id=record.agent_id,
        state=record.state,
        held_by="bridge" if record.ours else "desktop",
        renewed_at=record.renewed_at,
        error=ErrorDetail(code=code, message=message) if code else None,
    )


def agent(agent_id: str, settings: AgentSettings | None, record: SessionRecord | None) -> AgentBody:
    """Return an agent's state, and who owns the session and the events."""
    ours = settings is not None and settings.session == "sign_in"
    chosen = record.chosen_state if ours and record is not None else None
    reported = record.agent_state if ours and record is not None else None
    reader = settings is not None and settings.reader
    chats = None
    if reader and settings is not None:
        chats = (record.chats if record is not None else None) or settings.chats
    return _build(
        AgentBody,
        agent_id=agent_id,
        state=reported if reported in CHOSEN_STATES else chosen,
        reported_state=reported,
        signed_in_by="bridge" if ours else "desktop",
        reader=reader,
        events=settings.events if ours and settings is not None else None,
        chats=chats,
        session=session(record) if record is not None else None,
    )


def _assignment(value: Assignment) -> dict[str, Any]:
    return {
        "agent_id": value.agent_id,
        "call_id": value.call_id,
        "user_id": value.user_id,
        "channel": value.channel,
        "channel_config_id": value.channel_config_id,
        "agent_nickname": value.agent_nickname,
        "agent_avatar": value.agent_avatar,
    }


def _call(record: AssignmentRecord) -> dict[str, Any]:
    return (
        _assignment(record.assignment)
        | {
            "sender_id": record.assignment.sender_id,
            "owner": record.owner,
            "state": _state(record),
            "source": record.source,
            "given_at": record.given_at,
            "handed_off_at": record.handed_off_at,
            "handed_back_at": record.handed_back_at,
            "ended_at": record.ended_at,
            "moved_to": record.moved_to,
            "untold": record.untold,
            "waiting_since": record.waiting_since,
            "alerted_at": record.alerted_at,
            "assist_hidden": record.assist_hidden or None,
            "bot_note": bot_note(record.bot_note) if record.bot_note is not None else None,
        }
        | (_reader(record.reader) if record.reader is not None else {})
    )


def _state(record: AssignmentRecord) -> str:
    """Return the state of a call: at its agent, if the agent's events are read."""
    if not record.open:
        return "ended"
    reader = record.reader
    return reader.state.value if reader is not None and reader.live else "open"


def _reader(call: CallRecord) -> dict[str, Any]:
    """Return what the events of its agent say of a call, and what can be done with it now."""
    return {
        "media": call.media,
        "internal": call.internal or None,
        "nickname": call.nickname or None,
        "problem": call.problem,
        "transfer_to": call.transfer_to,
        "actions": [
            action
            for action in _ACTIONS.get(call.state, ())
            if action != "transfer" or call.transfer_to is None
        ],
    }


def bot_note(value: BotNote) -> BotNoteBody:
    """Return what the agent should know about the bot."""
    return _build(BotNoteBody, **asdict(value))


def _suggestion(value: Suggestion) -> dict[str, Any]:
    return {
        "id": value.id,
        "agent_id": value.agent_id,
        "call_id": value.call_id,
        "sender_id": value.sender_id,
        "state": value.state,
        "created_at": value.created_at,
        "expires_at": value.expires_at,
        "source": _source(value.source),
        "question": value.question,
        "text": value.text,
        "hosts": _hosts(value),
        "drafts": [_draft(draft) for draft in value.drafts],
        "edited_text": value.edited_text,
        "reason": value.reason,
        "candidate_of": value.group,
        "message_id": value.message_id,
        "displayed_at": value.displayed_at,
        "settled_at": value.settled_at,
        "settled_by": value.settled_by,
        "erased_at": value.erased_at,
    }


def _source(value: Source) -> SourceBody:
    return _build(SourceBody, **{**asdict(value), "names": list(value.names) or None})


def _hosts(value: Suggestion) -> list[str] | None:
    """Return the hosts of the links that another system suggests, for the agent to see."""
    if not value.source.names:
        return None
    return sorted(links.hosts(value.text, *(draft.content for draft in value.drafts))) or None


def _draft(value: Draft) -> DraftBody:
    return _build(
        DraftBody,
        media_type=value.media_type,
        media_file_type=value.media_file_type,
        content=value.content,
    )


def _card_line(value: Line, call_id: str, index: int) -> MessageBody:
    name = derive("card", call_id, index, value.at)
    return _build(
        MessageBody,
        id=name,
        call_id=call_id,
        text=value.text,
        at=value.at,
        **{"from": value.who},
    )


def message(value: MessageRecord) -> MessageBody:
    """Return a stored message as a line of the call's history."""
    return _build(
        MessageBody,
        id=value.id,
        call_id=value.call_id,
        text=value.text,
        at=value.written_at,
        message_id=value.message_id,
        erased_at=value.erased_at,
        attachment=dict(value.attachment) if value.attachment is not None else None,
        **{"from": value.author},
    )


def sent(value: Delivery, text: str | None) -> SentMessageBody:
    """Return a delivery with its readable text as a line of the call's history."""
    return _build(
        SentMessageBody,
        id=value.message_code,
        call_id=value.envelope.call_id,
        agent_id=value.envelope.agent_id,
        text=text or "",
        media_type=value.draft.media_type,
        content=value.draft.content,
        at=value.created_at,
        delivery=_build(
            DeliveryStateBody, id=value.id, state=value.state, error=_error(value.error)
        ),
        origin=value.origin,
        approved_by=value.approved_by,
        erased_at=value.erased_at,
        **{"from": _sender(value)},
    )


def _sender(value: Delivery) -> str:
    return "bot" if value.origin in (Origin.BOT, Origin.AUTO) else "agent"


def _error(error: DeliveryError | None) -> ErrorDetail | None:
    return ErrorDetail(code=error.code, message=error.message) if error else None


def _build(body: type[B], **fields: Any) -> B:
    """Build a body; of the fields without a value, the required ones are null."""
    required = {key for key, field in body.model_fields.items() if field.is_required()}
    present = {key: value for key, value in fields.items() if key in required or value is not None}
    return body(**present)
