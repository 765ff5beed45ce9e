"""``/bridge/suggestions``: what the bot would say, and the agent's word on it."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request

from bridge.state.commands import AcceptSuggestion, DisplaySuggestion, RejectSuggestion
from bridge.web import auth, responses, schemas
from bridge.web.api import parameters

_ONE = "/suggestions/<suggestion_id:str>"


def add_to(api: Blueprint) -> None:
    """Add the routes."""
    api.add_route(listing, "/suggestions", methods=["GET"], name="suggestions")
    api.add_route(show, _ONE, methods=["GET"], name="suggestion")
    api.add_route(accept, f"{_ONE}/accept", methods=["POST"])
    api.add_route(reject, f"{_ONE}/reject", methods=["POST"])
    api.add_route(displayed, f"{_ONE}/displayed", methods=["POST"])


async def listing(request: Request) -> HTTPResponse:
    """Suggestions in the order of storing: ``?call_id=&state=&cursor=&limit=``."""
    agent_id = auth.only_for(parameters.who(request))
    call_id, state = parameters.text(request, "call_id"), parameters.text(request, "state")
    cursor, limit = parameters.text(request, "cursor"), parameters.limit(request)
    found = await parameters.read(
        lambda bridge: bridge.suggestions.listing(
            call_id=call_id, state=state, agent_id=agent_id, cursor=cursor, limit=limit
        )
    )
    return responses.json(schemas.page(found, schemas.suggestion))


async def show(request: Request, suggestion_id: str) -> HTTPResponse:
    """One suggestion."""
    wanted, agent_id = parameters.name(suggestion_id), auth.only_for(parameters.who(request))
    found = await parameters.read(lambda bridge: bridge.suggestions.get(wanted, agent_id=agent_id))
    return responses.json(schemas.suggestion(found))


async def accept(request: Request, suggestion_id: str) -> HTTPResponse:
    """Send it, in the agent's own words where ``text`` is given; answers its deliveries too."""
    wanted, agent_id = parameters.name(suggestion_id), parameters.who(request).agent_id
    text = parameters.words(request, "text").get("text")
    settled, sent = await parameters.put(
        AcceptSuggestion(suggestion_id=wanted, agent_id=agent_id, text=text)
    )
    return responses.json(schemas.accepted(settled, sent))


async def reject(request: Request, suggestion_id: str) -> HTTPResponse:
    """The agent does not want it; ``reason`` may say why."""
    wanted, agent_id = parameters.name(suggestion_id), parameters.who(request).agent_id
    reason = parameters.words(request, "reason").get("reason")
    found = await parameters.put(
        RejectSuggestion(suggestion_id=wanted, agent_id=agent_id, reason=reason)
    )
    return responses.json(schemas.suggestion(found))


async def displayed(request: Request, suggestion_id: str) -> HTTPResponse:
    """The agent saw it; the first time counts."""
    wanted, agent_id = parameters.name(suggestion_id), parameters.who(request).agent_id
    parameters.words(request)
    found = await parameters.put(DisplaySuggestion(suggestion_id=wanted, agent_id=agent_id))
    return responses.json(schemas.suggestion(found))
