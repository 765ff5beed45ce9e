"""``/bridge/assignments/{sender_id}``: the routing system assigns conversations to agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sanic import HTTPResponse, Request

from bridge import assignment_tokens
from bridge.config.settings import BridgeSettings, Right
from bridge.errors import AssignmentError, RefusedError
from bridge.model import Owner
from bridge.state.commands import AssignCall, EndCall
from bridge.state.records import AssignmentRecord, Stored
from bridge.web import responses, serializers
from bridge.web.api import parameters
from bridge.web.api.routes import Route
from bridge.web.auth import Access

_FIELDS = {
    "agent_id",
    "call_id",
    "user_id",
    "channel",
    "channel_config_id",
    "agent_nickname",
    "agent_avatar",
    "owner",
    "sender_id",
    "take",
}


async def give(request: Request, sender_id: str) -> HTTPResponse:
    """Store a conversation's assignment; respond with the assignment in force."""
    conversation, fields = parameters.name(sender_id), parameters.fields(request)
    settings = parameters.opened().settings.bridge
    command, warning = command_of(conversation, fields, settings)
    stored: Stored[AssignmentRecord] = await parameters.put(command)
    body = serializers.assigned(stored.value, warning)
    return responses.stored(body, created=stored.created)


async def take(_request: Request, sender_id: str) -> HTTPResponse:
    """End the conversation's call."""
    if not await parameters.put(EndCall(sender_id=parameters.name(sender_id))):
        message = "the conversation has no assignment that is open"
        raise RefusedError(404, "not_found", message)
    return responses.nothing()


def command_of(
    sender_id: str, fields: Mapping[str, Any], settings: BridgeSettings
) -> tuple[AssignCall, str | None]:
    """Build the command from an assignment's fields, with a warning if one was corrected.

    Raises:
        RefusedError: 422, naming the invalid field.
    """
    unknown = sorted(set(fields) - _FIELDS)
    if unknown:
        message = f"an assignment has no field {unknown[0][:64]}"
        raise RefusedError(422, "invalid_assignment", message)
    try:
        assignment, warning = assignment_tokens.assignment_of(fields, sender_id, settings)
        assignment_tokens.require_config_id(assignment, settings)
        take = assignment_tokens.takes(fields)
    except AssignmentError as error:
        raise RefusedError(422, error.code, error.message) from error
    owner = _owner(fields.get("owner"))
    return AssignCall(assignment=assignment, owner=owner, take=take), warning


def _owner(value: object) -> Owner | None:
    if value is None:
        return None
    try:
        return Owner(value)
    except ValueError:
        message = "owner is bot or agent"
        raise RefusedError(422, "invalid_assignment", message) from None


ROUTES = (
    Route("PUT", "/assignments/<sender_id:str>", give, Access.SYSTEM, right=Right.ASSIGNMENTS),
    Route("DELETE", "/assignments/<sender_id:str>", take, Access.SYSTEM, right=Right.ASSIGNMENTS),
)
