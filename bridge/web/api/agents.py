"""``/bridge/agents/{agent_id}``: an agent's state and number of chats, shown and changed."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from bridge.config.settings import Right
from bridge.errors import GatewayError
from bridge.state.commands import ChooseChats, ChooseState, Command
from bridge.web import auth, responses, serializers
from bridge.web.api import parameters
from bridge.web.api.routes import Route
from bridge.web.api.sessions import require_agent
from bridge.web.requests import ChatsRequest, StateRequest

_MISSING = "no such agent is known to this token"


async def show(request: Request, agent_id: str) -> HTTPResponse:
    """Return an agent's state, and who owns the agent's session and events."""
    agent = parameters.name(agent_id)
    auth.require_own(auth.may_read(parameters.who(request), agent), _MISSING)
    settings = parameters.opened().settings.bridge
    require_agent(agent, settings)
    record = await parameters.read(lambda bridge: bridge.calls.known_session(agent))
    return responses.json(serializers.agent(agent, settings.agent(agent), record))


async def change_state(request: Request, agent_id: str) -> HTTPResponse:
    """Change the state of an agent that the bridge signs in; respond with the agent."""
    agent = _own(request, agent_id)
    state = parameters.model(request, StateRequest).state
    return await _changed(agent, ChooseState(agent_id=agent, state=state))


async def change_chats(request: Request, agent_id: str) -> HTTPResponse:
    """Change how many chats a reader has at a time; respond with the agent."""
    agent = _own(request, agent_id)
    chats = parameters.model(request, ChatsRequest).chats
    return await _changed(agent, ChooseChats(agent_id=agent, chats=chats))


def _own(request: Request, agent_id: str) -> str:
    """Return the agent, whom the token must allow to act for."""
    agent = parameters.name(agent_id)
    auth.require_own(auth.may(parameters.who(request), agent), _MISSING)
    require_agent(agent, parameters.opened().settings.bridge)
    return agent


async def _changed(agent: str, command: Command) -> HTTPResponse:
    """Put a command; respond with the agent."""
    settings = parameters.opened().settings.bridge
    changed = await parameters.put(command)
    if isinstance(changed, GatewayError):
        raise changed
    return responses.json(serializers.agent(agent, settings.agent(agent), changed))


ROUTES = (
    Route("GET", "/agents/<agent_id:str>", show, right=Right.SESSIONS),
    Route("PUT", "/agents/<agent_id:str>/state", change_state, right=Right.SESSIONS),
    Route("PUT", "/agents/<agent_id:str>/chats", change_chats, right=Right.SESSIONS),
)
