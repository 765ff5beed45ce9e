"""Request bodies of the API as pydantic models, for ``openapi.json``.

``OfferBody`` and its like in ``schemas`` also parse the requests; the models here describe those
that the handlers parse field by field, with messages of their own.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from bridge.model import Mode, Owner


class RequestBody(BaseModel):
    """A JSON object without further fields."""

    model_config = ConfigDict(extra="forbid")


class NoFields(RequestBody):
    """An empty object; the body may also be missing."""


class AssignmentRequest(RequestBody):
    """An assignment of a conversation to an agent's call."""

    agent_id: str | int
    call_id: str = Field(pattern="^[A-Za-z0-9_-]{1,64}$")
    user_id: str | int
    channel: str | None = None
    channel_config_id: str | None = None
    agent_nickname: str | None = None
    agent_avatar: str | None = None
    owner: Owner | None = None
    sender_id: str | None = None
    take: bool | None = None


class GuidRequest(RequestBody):
    """An agent's current GUID."""

    guid: str = Field(pattern="^[A-Za-z0-9._-]{1,128}$")


class ReplyRequest(RequestBody):
    """An agent's own text."""

    text: str
    client_id: str = Field(min_length=1, max_length=128)


class AcceptRequest(RequestBody):
    """The agent's edited text, if it was edited."""

    text: str | None = None


class RejectRequest(RequestBody):
    """Why a suggestion is rejected."""

    reason: str | None = Field(default=None, max_length=500)


class ModeRequest(RequestBody):
    """A ceiling over the configured mode; null removes it."""

    mode: Mode | None


class TokenRequest(RequestBody):
    """Whom a token is for, and for how many seconds."""

    agent_id: str | int | None = None
    supervisor: str | None = None
    ttl: int | None = Field(default=None, ge=1, le=43_200)
