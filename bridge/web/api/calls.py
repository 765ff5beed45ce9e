"""``/bridge/calls``: calls, with history, card and owner."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request

from bridge.web import answers, auth, shapes
from bridge.web.api import asking


def add_to(api: Blueprint) -> None:
    """Add the routes."""
    api.add_route(listing, "/calls", methods=["GET"], name="calls")
    api.add_route(show, "/calls/<call_id:str>", methods=["GET"], name="call")


async def listing(request: Request) -> HTTPResponse:
    """Calls, the newest first: ``?agent_id=&ended=true&cursor=&limit=``."""
    agent_id = auth.only_for(asking.who(request)) or asking.text(request, "agent_id")
    ended, cursor = asking.flag(request, "ended"), asking.text(request, "cursor")
    limit = asking.limit(request)
    found = await asking.desk(
        lambda desk: desk.calls.listing(agent_id=agent_id, ended=ended, cursor=cursor, limit=limit)
    )
    return answers.json(shapes.page(found, shapes.call))


async def show(request: Request, call_id: str) -> HTTPResponse:
    """One call."""
    wanted = asking.name(call_id)
    view = await asking.desk(lambda desk: desk.calls.call(wanted))
    auth.demand(auth.may_read(asking.who(request), view.standing.assignment.agent_id))
    return answers.json(shapes.whole_call(view))
