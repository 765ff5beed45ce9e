"""``/bridge/tokens``: issue and revoke agents' and supervisors' tokens, for a single sign-on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sanic import HTTPResponse, Request

from bridge.access_tokens import LONGEST, Role
from bridge.config.settings import Right
from bridge.errors import RefusedError
from bridge.web import responses, serializers
from bridge.web.api import parameters
from bridge.web.api.routes import Parameter, Route
from bridge.web.auth import Access

_AGENT_ID = Parameter("agent_id", "the agent whose tokens to revoke")
_SUPERVISOR = Parameter("supervisor", "or the supervisor")
_SUBJECTS = {"agent_id": Role.AGENT, "supervisor": Role.SUPERVISOR}


async def make(request: Request) -> HTTPResponse:
    """Issue a token for an agent or a supervisor: ``{"agent_id" or "supervisor", "ttl"?}``."""
    fields = parameters.only(request, *_SUBJECTS, "ttl")
    role, subject = _subject(fields, 422)
    ttl = fields.get("ttl")
    if ttl is None:
        ttl = LONGEST
    if not isinstance(ttl, int) or isinstance(ttl, bool):
        raise RefusedError(422, "invalid_ttl", "ttl is a whole number of seconds")
    token, record = await parameters.read(
        lambda bridge: bridge.tokens.make(role, subject, seconds=ttl)
    )
    return responses.stored(serializers.token(token, record), created=True)


async def revoke(_request: Request, token_id: str) -> HTTPResponse:
    """Revoke one token."""
    decoded_id = parameters.name(token_id)
    await parameters.read(lambda bridge: bridge.tokens.revoke(decoded_id))
    return responses.nothing()


async def revoke_all(request: Request) -> HTTPResponse:
    """Revoke all tokens issued so far to ``?agent_id=`` or ``?supervisor=``."""
    role, subject = _subject({key: parameters.text(request, key) for key in _SUBJECTS}, 400)
    await parameters.read(lambda bridge: bridge.tokens.revoke_all(role, subject))
    return responses.nothing()


def _subject(fields: Mapping[str, Any], status: int) -> tuple[Role, str]:
    named = [key for key in _SUBJECTS if fields.get(key) is not None]
    if len(named) != 1:
        raise RefusedError(status, "invalid_subject", "say one of agent_id and supervisor")
    subject = fields[named[0]]
    if isinstance(subject, bool) or not isinstance(subject, str | int):  # as in an assignment
        raise RefusedError(status, "invalid_subject", f"{named[0]} is a text")
    return _SUBJECTS[named[0]], str(subject)


ROUTES = (
    Route("POST", "/tokens", make, Access.SYSTEM, right=Right.TOKENS),
    Route(
        "DELETE",
        "/tokens",
        revoke_all,
        Access.SYSTEM,
        right=Right.TOKENS,
        query=(_AGENT_ID, _SUPERVISOR),
    ),
    Route("DELETE", "/tokens/<token_id:str>", revoke, Access.SYSTEM, right=Right.TOKENS),
)
