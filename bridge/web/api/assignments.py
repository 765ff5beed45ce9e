"""``/bridge/assignments/{sender_id}``: the routing system assigns conversations to agents."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from bridge import assignment_tokens
from bridge.config.settings import BridgeSettings, Right
from bridge.errors import AssignmentError, RefusedError
from bridge.state.commands import AssignCall, EndCall
from bridge.state.records import AssignmentRecord, Stored
from bridge.web import responses, serializers
from bridge.web.api import parameters
from bridge.web.api.routes import Route
from bridge.web.auth import Access
from bridge.web.requests import AssignmentRequest


async def give(request: Request, sender_id: str) -> HTTPResponse:
    """Store a conversation's assignment; respond with the assignment in force."""
    conversation = parameters.name(sender_id)
    body = parameters.model(request, AssignmentRequest)
    settings = parameters.opened().settings.bridge
    command, warning = command_of(conversation, body, settings)
    stored: Stored[AssignmentRecord] = await parameters.put(command)
    assigned = serializers.assigned(stored.value, warning)
    return responses.stored(assigned, created=stored.created)


async def take(_request: Request, sender_id: str) -> HTTPResponse:
    """End the conversation's call."""
    if not await parameters.put(EndCall(sender_id=parameters.name(sender_id))):
        message = "the conversation has no assignment that is open"
        raise RefusedError(404, "not_found", message)
    return responses.nothing()


def command_of(
    sender_id: str, body: AssignmentRequest, settings: BridgeSettings
) -> tuple[AssignCall, str | None]:
    """Build the command from an assignment, with a warning if a field was corrected.

    Raises:
        RefusedError: 422, naming the invalid field.
    """
    try:
        assignment, warning = assignment_tokens.assignment_of(
            body.model_dump(exclude_none=True), sender_id, settings
        )
        assignment_tokens.require_config_id(assignment, settings)
    except AssignmentError as error:
        raise RefusedError(422, error.code, error.message) from error
    return AssignCall(assignment=assignment, owner=body.owner, take=body.take is True), warning


ROUTES = (
    Route("PUT", "/assignments/<sender_id:str>", give, Access.SYSTEM, right=Right.ASSIGNMENTS),
    Route("DELETE", "/assignments/<sender_id:str>", take, Access.SYSTEM, right=Right.ASSIGNMENTS),
)
