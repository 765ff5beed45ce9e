"""``/bridge/tokens``: issue and revoke agents' and supervisors' tokens, for a single sign-on."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from bridge import untrusted
from bridge.access_tokens import LONGEST, LONGEST_NAME, Role
from bridge.config.settings import Right
from bridge.errors import RefusedError
from bridge.web import responses, serializers
from bridge.web.api import parameters
from bridge.web.api.routes import IN_PATHS, Parameter, Route
from bridge.web.auth import Access
from bridge.web.requests import TokenRequest

_AGENT_ID = Parameter(
    "agent_id",
    "the agent whose tokens to revoke",
    r"[^\x00]+",
    "the ID of an agent",
    IN_PATHS["agent_id"],
)
_SUPERVISOR = Parameter(
    "supervisor",
    "or the supervisor",
    untrusted.PRINTABLE.replace("*$", f"{{1,{LONGEST_NAME}}}$"),
    f"1 to {LONGEST_NAME} printable characters",
)
_SUBJECTS = {"agent_id": Role.AGENT, "supervisor": Role.SUPERVISOR}


async def make(request: Request) -> HTTPResponse:
    """Issue a token for an agent or a supervisor: ``{"agent_id" or "supervisor", "ttl"?}``."""
    body = parameters.model(request, TokenRequest)
    seconds = LONGEST if body.ttl is None else body.ttl
    if body.agent_id is not None:
        role, subject = Role.AGENT, body.agent_id
    else:
        role, subject = Role.SUPERVISOR, body.supervisor or ""
    token, record = await parameters.read(
        lambda bridge: bridge.tokens.make(role, subject, seconds=seconds)
    )
    return responses.stored(serializers.token(token, record), created=True)


async def revoke(_request: Request, token_id: str) -> HTTPResponse:
    """Revoke one token."""
    decoded_id = parameters.name(token_id)
    await parameters.read(lambda bridge: bridge.tokens.revoke(decoded_id))
    return responses.nothing()


async def revoke_all(request: Request) -> HTTPResponse:
    """Revoke all tokens issued so far to ``?agent_id=`` or ``?supervisor=``."""
    named = [(role, parameters.text(request, key)) for key, role in _SUBJECTS.items()]
    given = [(role, subject) for role, subject in named if subject is not None]
    if len(given) != 1:
        raise RefusedError(400, "invalid_subject", "say one of agent_id and supervisor")
    ((role, subject),) = given
    await parameters.read(lambda bridge: bridge.tokens.revoke_all(role, subject))
    return responses.nothing()


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
