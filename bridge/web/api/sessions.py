"""``/bridge/sessions/{agent_id}``: store, show and remove an agent's session at the gateway."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from bridge.config.settings import BridgeSettings, Right
from bridge.errors import RefusedError
from bridge.gateway import wire
from bridge.model import Guid
from bridge.state.commands import PushGuid, SignOut
from bridge.web import auth, responses, serializers
from bridge.web.api import parameters
from bridge.web.api.routes import Route
from bridge.web.requests import GuidRequest

_MISSING = "no session of this agent is known"


async def push(request: Request, agent_id: str) -> HTTPResponse:
    """Store an agent's current GUID; respond with the session's state, without the GUID."""
    agent, settings = parameters.name(agent_id), parameters.opened().settings.bridge
    auth.require_own(auth.may(parameters.who(request), agent), _MISSING)
    require_agent(agent, settings)
    guid = Guid(parameters.model(request, GuidRequest).guid)
    _require_pushed(agent, settings)
    command = PushGuid(agent_id=agent, guid=guid)
    return responses.json(serializers.session(await parameters.put(command)))


async def show(request: Request, agent_id: str) -> HTTPResponse:
    """Return the state of an agent's session."""
    agent = parameters.name(agent_id)
    auth.require_own(auth.may_read(parameters.who(request), agent), _MISSING)
    require_agent(agent, parameters.opened().settings.bridge)
    return responses.json(
        serializers.session(await parameters.read(lambda bridge: bridge.calls.session(agent)))
    )


async def sign_out(request: Request, agent_id: str) -> HTTPResponse:
    """Delete the GUID; if the bridge signed the agent in, also sign the agent out."""
    agent = parameters.name(agent_id)
    auth.require_own(auth.may(parameters.who(request), agent), _MISSING)
    require_agent(agent, parameters.opened().settings.bridge)
    await parameters.put(SignOut(agent_id=agent))
    return responses.nothing()


def _require_pushed(agent_id: str, settings: BridgeSettings) -> None:
    """Refuse a GUID of an agent who is not configured, or whose sessions the bridge owns.

    Raises:
        RefusedError: 409.
    """
    entry = settings.agent(agent_id)
    if entry is None:
        message = 'the agent is not listed under agents, and there is no "*"'
        raise RefusedError(409, "not_configured", message)
    if entry.session == "sign_in":
        message = "this agent's session is the bridge's own (agents: session: sign_in)"
        raise RefusedError(409, "session_is_ours", message)


def require_agent(agent_id: str, settings: BridgeSettings) -> None:
    """Refuse what is no agent ID.

    Raises:
        RefusedError: 422.
    """
    highest = settings.gateway.max_agent_id
    if not wire.is_agent_id(agent_id, highest=highest):
        message = f"an agent ID is a number from {wire.FIRST_AGENT} to {highest}"
        raise RefusedError(422, "invalid_agent_id", message)


ROUTES = (
    Route("PUT", "/sessions/<agent_id:str>", push, right=Right.SESSIONS),
    Route("GET", "/sessions/<agent_id:str>", show, right=Right.SESSIONS),
    Route("DELETE", "/sessions/<agent_id:str>", sign_out, right=Right.SESSIONS),
)
