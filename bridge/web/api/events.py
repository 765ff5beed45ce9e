"""``/bridge/events``: the gateway pushes agents' events (``callBackUri``, page 1275)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sanic import HTTPResponse, Request

from bridge import untrusted
from bridge.config.readers import TOKEN_PARAMETER
from bridge.errors import RefusedError
from bridge.gateway import events, wire
from bridge.state.commands import PushEvents
from bridge.web import body, responses
from bridge.web.api import parameters
from bridge.web.api.routes import Parameter, Route
from bridge.web.auth import Access

EVENTS_BYTES = 1024 * 1024  # of a push
_LONGEST_TOKEN = 64
_TOKEN = Parameter(
    TOKEN_PARAMETER,
    "the token of the agent's session, if no header has it",
    schema={"type": "string", "minLength": 1, "maxLength": _LONGEST_TOKEN},
)
_TAKEN = {"message": "success", "retcode": "0"}
_REFUSED = "the service token is missing, or is not this agent's"


async def push(request: Request) -> HTTPResponse:
    """Store and handle pushed events before they are acknowledged.

    The gateway has no token of the API: the service token of the agent's session, in the header
    ``service_token``, the query or the body, shows that a push is genuine.
    """
    given = request.headers.get("service_token") or request.args.get(TOKEN_PARAMETER)
    encoding = request.headers.get("content-encoding", "")
    value = body.parse(request.body, encoding, limit=EVENTS_BYTES)
    if not isinstance(value, dict):
        raise RefusedError(400, "bad_request", "the body is not a JSON object")
    token = _token(given or value.get("service_token") or value.get("serviceToken"))
    agent_id = _agent(value)
    session = await parameters.read(lambda bridge: bridge.calls.known_session(agent_id))
    if session is None or not session.takes_push(token):
        raise RefusedError(401, "unauthorized", _REFUSED)
    pushed = wire.pushed_events(value)
    named = [events.call_of(each.content) for each in pushed]
    _require_own(agent_id, value)
    await parameters.put(
        PushEvents(
            agent_id=agent_id,
            service_token=token,
            events=pushed,
            digest=_digest(value),
            call_ids=tuple(sorted({*filter(None, named)})),
        )
    )
    return responses.json(_TAKEN)


def _token(given: Any) -> str:
    if not isinstance(given, str) or not 1 <= len(given) <= _LONGEST_TOKEN:
        raise RefusedError(401, "unauthorized", _REFUSED)
    return given


def _agent(value: Mapping[str, Any]) -> str:
    """Return the agent of a push.

    Raises:
        RefusedError: 422 if ``workNo`` is no agent ID.
    """
    agent_id = untrusted.identifier(value.get("workNo"))
    highest = parameters.opened().settings.bridge.gateway.max_agent_id
    if not wire.is_agent_id(agent_id, highest=highest):
        raise RefusedError(422, "invalid_agent_id", "workNo is not an agent ID")
    return agent_id


def _require_own(agent_id: str, value: Mapping[str, Any]) -> None:
    """Refuse a batch with an event of another agent.

    Raises:
        RefusedError: 403.
    """
    listed = value.get("eventList")
    for each in listed if isinstance(listed, list) else ():
        named = each.get("workNo") if isinstance(each, dict) else None
        if named is not None and untrusted.identifier(named) != agent_id:
            raise RefusedError(403, "forbidden", "an event's workNo is not the push's")


def _digest(value: Mapping[str, Any]) -> str:
    """Return what identifies a batch."""
    listed = [value.get("eventList"), value.get("event")]
    text = json.dumps(listed, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


ROUTES = (
    Route("POST", "/events", push, Access.EVERYBODY, query=(_TOKEN,), most_bytes=EVENTS_BYTES),
)
