"""``/bridge/deliveries``: list and show deliveries; retry or discard one."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from bridge.config.settings import Right
from bridge.model import DeliveryState
from bridge.queries.deliveries import number_of
from bridge.state.commands import DiscardDelivery, RetryDelivery
from bridge.web import auth, responses, serializers
from bridge.web.api import parameters
from bridge.web.api.routes import AGENT_ID, CALL_ID, PAGE, Route, states
from bridge.web.requests import NoFields, RetryRequest


async def listing(request: Request) -> HTTPResponse:
    """List deliveries, oldest first: ``?call_id=&state=&agent_id=&cursor=&limit=``."""
    agent_id = parameters.whose(request)
    call_id, state = parameters.text(request, "call_id"), parameters.text(request, "state")
    cursor, limit = parameters.text(request, "cursor"), parameters.limit(request)
    page = await parameters.read(
        lambda bridge: bridge.deliveries.listing(
            call_id=call_id, state=state, agent_id=agent_id, cursor=cursor, limit=limit
        )
    )
    return responses.json(serializers.deliveries(page))


async def show(request: Request, delivery_id: str) -> HTTPResponse:
    """Return one delivery."""
    decoded_id = parameters.name(delivery_id)
    delivery = await parameters.read(lambda bridge: bridge.deliveries.get(decoded_id))
    own = auth.may_read(parameters.who(request), delivery.envelope.agent_id)
    auth.require_own(own, "there is no such delivery")
    return responses.json(serializers.delivery(delivery))


async def retry(request: Request, delivery_id: str) -> HTTPResponse:
    """Retry a failed, expired or uncertain delivery: ``{"again"?}``."""
    decoded_id, agent_id = parameters.name(delivery_id), parameters.who(request).agent_id
    again = parameters.model(request, RetryRequest).again
    command = RetryDelivery(delivery_id=number_of(decoded_id), agent_id=agent_id, again=again)
    return responses.json(serializers.delivery(await parameters.put(command)))


async def discard(request: Request, delivery_id: str) -> HTTPResponse:
    """Discard a delivery: mark it failed, so that it is not sent (again)."""
    decoded_id, agent_id = parameters.name(delivery_id), parameters.who(request).agent_id
    parameters.model(request, NoFields)
    command = DiscardDelivery(delivery_id=number_of(decoded_id), agent_id=agent_id)
    return responses.json(serializers.delivery(await parameters.put(command)))


ROUTES = (
    Route(
        "GET",
        "/deliveries",
        listing,
        right=Right.DELIVERIES,
        query=(CALL_ID, states(DeliveryState), AGENT_ID, *PAGE),
    ),
    Route("GET", "/deliveries/<delivery_id:str>", show, right=Right.DELIVERIES),
    Route("POST", "/deliveries/<delivery_id:str>/retry", retry, right=Right.DELIVERIES),
    Route("POST", "/deliveries/<delivery_id:str>/discard", discard, right=Right.DELIVERIES),
)
