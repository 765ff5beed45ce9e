"""``/bridge/deliveries``: what became of each message, and a person's word on it."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request

from bridge.queries.deliveries import number_of
from bridge.state.commands import DiscardDelivery, RetryDelivery
from bridge.web import auth, responses, schemas
from bridge.web.api import parameters


def add_to(api: Blueprint) -> None:
    """Add the routes."""
    api.add_route(listing, "/deliveries", methods=["GET"], name="deliveries")
    api.add_route(show, "/deliveries/<delivery_id:str>", methods=["GET"], name="delivery")
    api.add_route(retry, "/deliveries/<delivery_id:str>/retry", methods=["POST"])
    api.add_route(discard, "/deliveries/<delivery_id:str>/discard", methods=["POST"])


async def listing(request: Request) -> HTTPResponse:
    """Deliveries in the order of storing: ``?call_id=&state=&agent_id=&cursor=&limit=``."""
    agent_id = parameters.whose(request)
    call_id, state = parameters.text(request, "call_id"), parameters.text(request, "state")
    cursor, limit = parameters.text(request, "cursor"), parameters.limit(request)
    found = await parameters.read(
        lambda bridge: bridge.deliveries.listing(
            call_id=call_id, state=state, agent_id=agent_id, cursor=cursor, limit=limit
        )
    )
    return responses.json(schemas.page(found, schemas.delivery))


async def show(request: Request, delivery_id: str) -> HTTPResponse:
    """One delivery."""
    wanted = parameters.name(delivery_id)
    found = await parameters.read(lambda bridge: bridge.deliveries.get(wanted))
    auth.demand(auth.may_read(parameters.who(request), found.envelope.agent_id))
    return responses.json(schemas.delivery(found))


async def retry(request: Request, delivery_id: str) -> HTTPResponse:
    """Send what failed, expired or is uncertain once more."""
    wanted, agent_id = parameters.name(delivery_id), parameters.who(request).agent_id
    parameters.words(request)
    command = RetryDelivery(delivery_id=number_of(wanted), agent_id=agent_id)
    found = await parameters.put(command)
    return responses.json(schemas.delivery(found))


async def discard(request: Request, delivery_id: str) -> HTTPResponse:
    """Take it off the list: it is not said, or not asked about any more."""
    wanted, agent_id = parameters.name(delivery_id), parameters.who(request).agent_id
    parameters.words(request)
    command = DiscardDelivery(delivery_id=number_of(wanted), agent_id=agent_id)
    found = await parameters.put(command)
    return responses.json(schemas.delivery(found))
