"""``/bridge/deliveries``: what became of each message."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request

from bridge.web import answers, auth, shapes
from bridge.web.api import asking


def add_to(api: Blueprint) -> None:
    """Add the routes."""
    api.add_route(listing, "/deliveries", methods=["GET"], name="deliveries")
    api.add_route(show, "/deliveries/<delivery_id:str>", methods=["GET"], name="delivery")


async def listing(request: Request) -> HTTPResponse:
    """Deliveries in the order of storing: ``?call_id=&state=&agent_id=&cursor=&limit=``."""
    agent_id = auth.only_for(asking.who(request)) or asking.text(request, "agent_id")
    call_id, state = asking.text(request, "call_id"), asking.text(request, "state")
    cursor, limit = asking.text(request, "cursor"), asking.limit(request)
    found = await asking.desk(
        lambda desk: desk.calls.deliveries(
            call_id=call_id, state=state, agent_id=agent_id, cursor=cursor, limit=limit
        )
    )
    return answers.json(shapes.page(found, shapes.delivery))


async def show(request: Request, delivery_id: str) -> HTTPResponse:
    """One delivery."""
    wanted = asking.name(delivery_id)
    found = await asking.desk(lambda desk: desk.calls.delivery(wanted))
    auth.demand(auth.may_read(asking.who(request), found.envelope.agent_id))
    return answers.json(shapes.delivery(found))
