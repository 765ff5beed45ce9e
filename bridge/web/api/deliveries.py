"""``/bridge/deliveries``: what became of each message, and a person's word on it."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request

from bridge.queries.deliveries import number_of
from bridge.state.commands import DiscardDelivery, RetryDelivery
from bridge.web import answers, auth, shapes
from bridge.web.api import asking


def add_to(api: Blueprint) -> None:
    """Add the routes."""
    api.add_route(listing, "/deliveries", methods=["GET"], name="deliveries")
    api.add_route(show, "/deliveries/<delivery_id:str>", methods=["GET"], name="delivery")
    api.add_route(retry, "/deliveries/<delivery_id:str>/retry", methods=["POST"])
    api.add_route(discard, "/deliveries/<delivery_id:str>/discard", methods=["POST"])


async def listing(request: Request) -> HTTPResponse:
    """Deliveries in the order of storing: ``?call_id=&state=&agent_id=&cursor=&limit=``."""
    agent_id = asking.whose(request)
    call_id, state = asking.text(request, "call_id"), asking.text(request, "state")
    cursor, limit = asking.text(request, "cursor"), asking.limit(request)
    found = await asking.read(
        lambda bridge: bridge.deliveries.listing(
            call_id=call_id, state=state, agent_id=agent_id, cursor=cursor, limit=limit
        )
    )
    return answers.json(shapes.page(found, shapes.delivery))


async def show(request: Request, delivery_id: str) -> HTTPResponse:
    """One delivery."""
    wanted = asking.name(delivery_id)
    found = await asking.read(lambda bridge: bridge.deliveries.get(wanted))
    auth.demand(auth.may_read(asking.who(request), found.envelope.agent_id))
    return answers.json(shapes.delivery(found))


async def retry(request: Request, delivery_id: str) -> HTTPResponse:
    """Send what failed, expired or is uncertain once more."""
    wanted, agent_id = asking.name(delivery_id), asking.who(request).agent_id
    asking.words(request)
    command = RetryDelivery(delivery_id=number_of(wanted), agent_id=agent_id)
    found = await asking.put(command)
    return answers.json(shapes.delivery(found))


async def discard(request: Request, delivery_id: str) -> HTTPResponse:
    """Take it off the list: it is not said, or not asked about any more."""
    wanted, agent_id = asking.name(delivery_id), asking.who(request).agent_id
    asking.words(request)
    command = DiscardDelivery(delivery_id=number_of(wanted), agent_id=agent_id)
    found = await asking.put(command)
    return answers.json(shapes.delivery(found))
