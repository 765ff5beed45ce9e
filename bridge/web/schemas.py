"""Response bodies of the API as pydantic models. ``serializers.py`` builds them from domain values.

IDs are strings, times ISO 8601 in UTC. An optional field without a value is omitted; a required
one is null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from bridge import untrusted
from bridge.model import (
    Channel,
    DeliveryState,
    MediaType,
    Mode,
    Origin,
    Owner,
    SuggestionState,
)
from bridge.state.records import SessionState

B = TypeVar("B", bound="Body")


def time(seconds: float) -> str:
    """Format epoch seconds as ``2026-03-01T09:30:00.250Z``; what is no time as 1970."""
    moment = datetime.fromtimestamp(untrusted.moment(seconds) or 0.0, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _finite(value: Any) -> Any:
    """Replace infinities and NaN, which slots may contain but JSON cannot, by null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


Time = Annotated[
    float,
    PlainSerializer(time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
Number = Annotated[float | None, AfterValidator(_finite)]


class Body(BaseModel):
    """One JSON object; fields that are not set are omitted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def dump(self) -> dict[str, Any]:
        """Return the JSON object."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class ErrorDetail(Body):
    """A code for programs and a sentence for people."""

    code: str
    message: str


class ErrorBody(Body):
    """The body of every error response."""

    error: ErrorDetail


class ListBody(Body, Generic[B]):
    """One page of a list; ``next`` is the cursor of the next page, null on the last."""

    items: list[B]
    next: str | None


class AssignmentBody(Body):
    """An assignment without its sender ID."""

    agent_id: str
    call_id: str
    user_id: str
    channel: Channel
    channel_config_id: str | None = None
    agent_nickname: str | None = None
    agent_avatar: str | None = None


class BotNoteBody(Body):
    """What the agent should know about the bot and the customer's message; it cannot be sent."""

    kind: Literal["action", "empty", "failed", "unavailable"]
    text: str
    message_id: str
    at: Time
    action: str | None = None


class CallBody(AssignmentBody):
    """A call: its assignment, owner, state and times."""

    sender_id: str
    owner: Owner
    state: str  # open or ended; of a reader's call also ringing, answering, talking
    source: str
    given_at: Time
    handed_off_at: Time | None = None
    handed_back_at: Time | None = None
    ended_at: Time | None = None
    moved_to: str | None = None
    untold: bool
    waiting_since: Time | None = None
    alerted_at: Time | None = None
    assist_hidden: bool | None = None
    nickname: str | None = None
    media: str | None = None
    internal: bool | None = None
    problem: str | None = None
    transfer_to: str | None = None
    actions: list[str] | None = None
    bot_note: BotNoteBody | None = None


class AssignedBody(CallBody):
    """A call after an assignment, with a warning if the assignment cannot take effect."""

    warning: str | None = None


class HandedBackBody(CallBody):
    """A call after its handback, and whether Rasa knows that the bot answers again."""

    rasa_told: bool


class LineBody(Body):
    """One line of a conversation before the handoff; ``from`` is customer, bot or agent."""

    from_: str = Field(alias="from")
    text: str
    at: Time


class MessageBody(LineBody):
    """A line of a call's history: what the customer, the bot or an agent said."""

    id: str
    call_id: str
    message_id: str | None = None
    attachment: dict[str, Any] | None = None
    erased_at: Time | None = None


class BecauseBody(Body):
    """A condition that held, as a code and what belongs to it."""

    code: str
    values: dict[str, Any]


class CardBody(Body):
    """A handoff card; ``because`` is the reason in parts, to be said in another language."""

    reason: str
    because: list[BecauseBody]
    slots: Annotated[dict[str, Any], AfterValidator(_finite)]
    turns: list[LineBody]


class DraftBody(Body):
    """One gateway message that was not sent."""

    media_type: MediaType
    media_file_type: str | None = None
    content: str


class SourceBody(Body):
    """The origin of a suggestion; unknown fields are null."""

    kind: str
    intent: str | None
    confidence: Number
    margin: Number
    runner_up: str | None
    response: str | None
    names: list[str] | None = None


class SuggestionBody(Body):
    """A suggestion: its agent, drafts, state, and the agent's decision and edits."""

    id: str
    agent_id: str
    call_id: str
    sender_id: str
    state: SuggestionState
    created_at: Time
    expires_at: Time
    source: SourceBody
    question: str | None = None
    text: str
    hosts: list[str] | None = None
    drafts: list[DraftBody]
    edited_text: str | None = None
    reason: str | None = None
    candidate_of: str
    message_id: str | None = None
    displayed_at: Time | None = None
    settled_at: Time | None = None
    settled_by: str | None = None
    erased_at: Time | None = None


class DeliveryBody(Body):
    """A delivery: one gateway message and what became of it."""

    id: str
    message_code: str
    agent_id: str
    call_id: str
    sender_id: str
    state: DeliveryState
    attempts: int
    media_type: MediaType
    media_file_type: str | None = None
    content: str
    channel: Channel
    origin: Origin
    approved_by: str | None = None
    part: int
    error: ErrorDetail | None = None
    created_at: Time
    expires_at: Time
    settled_at: Time | None = None
    erased_at: Time | None = None


class AcceptedBody(SuggestionBody):
    """An accepted suggestion with its deliveries."""

    deliveries: list[DeliveryBody]


class SentReplyBody(Body):
    """An agent's own reply with its deliveries."""

    call_id: str
    client_id: str
    deliveries: list[DeliveryBody]


class DeliveryStateBody(Body):
    """The ID and state of a delivery, as a line of history shows them."""

    id: str
    state: DeliveryState
    error: ErrorDetail | None = None


class SentMessageBody(MessageBody):
    """A delivery as a line of a call's history; ``text`` is readable, empty if it has no text."""

    agent_id: str
    media_type: MediaType
    content: str
    delivery: DeliveryStateBody
    origin: Origin
    approved_by: str | None = None


class CallDetailBody(CallBody):
    """A call with its card, history, offered suggestions and the assist mode in force."""

    card: CardBody | None
    card_erased_at: Time | None = None
    history: list[SentMessageBody | MessageBody]
    suggestions: list[SuggestionBody]
    assist: Mode


class AssistBody(Body):
    """The assist mode in force, the mode in handoff.yml, and the ceiling that was set or null."""

    mode: Mode
    configured: Mode
    ceiling: Mode | None


class ReportRowBody(Body):
    """What became of suggestions: of one group, or of all.

    ``acceptance`` is the part of the questions with a suggestion that the agent saw which were
    answered with one (accepted, edited or copied); null if there are fewer than 20 of them, and
    ``too_few`` says so. Questions that are still open, were answered automatically, or whose
    suggestions nobody saw are counted apart. Times and edit distances are medians.
    """

    key: str
    suggested: int
    displayed: int
    accepted: int
    edited: int
    copied: int
    rejected: int
    superseded: int
    expired: int
    offered: int
    automatic: int
    questions: int
    questions_answered: int
    questions_open: int
    questions_automatic: int
    questions_unseen: int
    acceptance: float | None
    too_few: bool
    edit_distance: float | None
    reply_seconds: float | None


class ReportBody(Body):
    """What became of the suggestions for the questions of some days, in UTC."""

    from_: str = Field(alias="from")
    to: str
    group: str
    items: list[ReportRowBody]
    total: ReportRowBody


class TokenBody(Body):
    """A new access token: the token, the ID to revoke it by, its subject and its times."""

    token: str
    token_id: str
    agent_id: str | None = None
    supervisor: str | None = None
    issued_at: Time
    expires_at: Time


class SessionBody(Body):
    """An agent's session state; never the GUID, which is a secret."""

    agent_id: str
    state: SessionState
    held_by: str  # bridge or desktop
    renewed_at: Time
    error: ErrorDetail | None = None


class AgentBody(Body):
    """An agent's state, and who owns the agent's session and events."""

    agent_id: str
    # ready, busy or wrap_up: as reported, else as chosen; null if unknown, or the desktop's
    state: str | None
    reported_state: str | None  # as the platform last reported it: also rest or talking
    signed_in_by: Literal["bridge", "desktop"]
    reader: bool
    events: Literal["poll", "push"] | None  # null if the bridge does not read them
    chats: int | None  # as chosen, else as configured; null if it is left to the platform
    session: SessionBody | None = None


class TakenBody(Body):
    """The acknowledgement that the gateway expects."""

    message: str
    retcode: str


class HealthBody(Body):
    """The process is alive; its version."""

    status: str
    version: str


class GatewayBody(Body):
    """The state of the circuit breaker before the gateway, and since when."""

    breaker: str
    since: Time


class ReadinessBody(Body):
    """The result of each readiness check, and why the core cannot start, if it cannot."""

    status: str  # ready, degraded or not_ready
    checks: dict[str, str]
    gateway: GatewayBody | None = None
    reason: str | None = None
    rasa: dict[str, int] | None = None


CallList = ListBody[CallBody]
DeliveryList = ListBody[DeliveryBody]
SuggestionList = ListBody[SuggestionBody]
