"""``/bridge/suggestions``: list and show suggestions; accept, reject or mark one displayed."""

from __future__ import annotations

from sanic import HTTPResponse, Request

from bridge.config.settings import Right
from bridge.errors import RefusedError
from bridge.model import SuggestionState
from bridge.state.commands import (
    AcceptSuggestion,
    CopySuggestion,
    DisplaySuggestion,
    OfferSuggestion,
    RejectSuggestion,
)
from bridge.web import auth, responses, serializers
from bridge.web.api import parameters
from bridge.web.api.routes import AGENT_ID, CALL_ID, PAGE, Route, states
from bridge.web.auth import Access
from bridge.web.rate_limit import RateLimit
from bridge.web.requests import AcceptRequest, NoFields, OfferBody, RejectRequest

_PATH = "/suggestions/<suggestion_id:str>"
_UNNAMED = "system"  # the source of what is offered with ``api.token``
RATE, BURST = 10, 100  # suggestions of a token: a second, and at once, per worker
_limits = RateLimit(RATE, BURST)


async def listing(request: Request) -> HTTPResponse:
    """List suggestions, oldest first: ``?call_id=&state=&agent_id=&cursor=&limit=``."""
    own, agent_id = auth.only_for(parameters.who(request)), parameters.whose(request)
    call_id, state = parameters.text(request, "call_id"), parameters.text(request, "state")
    cursor, limit = parameters.text(request, "cursor"), parameters.limit(request)
    page = await parameters.read(
        lambda bridge: bridge.suggestions.listing(
            call_id=call_id,
            state=state,
            agent_id=agent_id,
            own=own,
            cursor=cursor,
            limit=limit,
        )
    )
    return responses.json(serializers.suggestions(page))


async def show(request: Request, suggestion_id: str) -> HTTPResponse:
    """Return one suggestion."""
    decoded_id, own = parameters.name(suggestion_id), auth.only_for(parameters.who(request))
    suggestion = await parameters.read(lambda bridge: bridge.suggestions.get(decoded_id, own=own))
    return responses.json(serializers.suggestion(suggestion))


async def accept(request: Request, suggestion_id: str) -> HTTPResponse:
    """Accept and send a suggestion, edited to ``text`` if given; respond with its deliveries."""
    decoded_id, agent_id = parameters.name(suggestion_id), parameters.who(request).agent_id
    text = parameters.model(request, AcceptRequest).text
    suggestion, deliveries = await parameters.put(
        AcceptSuggestion(suggestion_id=decoded_id, agent_id=agent_id, text=text)
    )
    return responses.json(serializers.accepted(suggestion, deliveries))


async def reject(request: Request, suggestion_id: str) -> HTTPResponse:
    """Reject a suggestion, with an optional ``reason``, which may also follow later."""
    decoded_id, agent_id = parameters.name(suggestion_id), parameters.who(request).agent_id
    reason = parameters.model(request, RejectRequest).reason
    suggestion = await parameters.put(
        RejectSuggestion(suggestion_id=decoded_id, agent_id=agent_id, reason=reason)
    )
    return responses.json(serializers.suggestion(suggestion))


async def copy(request: Request, suggestion_id: str) -> HTTPResponse:
    """Record that the agent took the words into another tool; nothing is sent."""
    decoded_id, agent_id = parameters.name(suggestion_id), parameters.who(request).agent_id
    parameters.model(request, NoFields)
    suggestion = await parameters.put(CopySuggestion(suggestion_id=decoded_id, agent_id=agent_id))
    return responses.json(serializers.suggestion(suggestion))


async def offer(request: Request) -> HTTPResponse:
    """Offer a candidate of another system; a repeated ``external_id`` is the same candidate."""
    source = parameters.who(request).entry or _UNNAMED
    if not _limits.admit(source):
        message = f"a token may offer {RATE} suggestions a second, and {BURST} at once"
        raise RefusedError(429, "too_many_requests", message)
    body = parameters.model(request, OfferBody)
    stored = await parameters.put(
        OfferSuggestion(
            call_id=body.call_id,
            answers=body.answers,
            external_id=body.external_id,
            source=source,
            text=body.text,
            reply=body.reply.model_dump(exclude_none=True) if body.reply is not None else None,
            confidence=body.confidence,
        )
    )
    return responses.stored(serializers.suggestion(stored.value), created=stored.created)


async def displayed(request: Request, suggestion_id: str) -> HTTPResponse:
    """Record that the agent saw a suggestion; only the first time counts."""
    decoded_id, agent_id = parameters.name(suggestion_id), parameters.who(request).agent_id
    parameters.model(request, NoFields)
    suggestion = await parameters.put(
        DisplaySuggestion(suggestion_id=decoded_id, agent_id=agent_id)
    )
    return responses.json(serializers.suggestion(suggestion))


ROUTES = (
    Route(
        "GET",
        "/suggestions",
        listing,
        right=Right.SUGGESTIONS,
        query=(CALL_ID, states(SuggestionState), AGENT_ID, *PAGE),
    ),
    Route("GET", _PATH, show, right=Right.SUGGESTIONS),
    Route("POST", "/suggestions", offer, Access.SYSTEM, right=Right.SUGGESTIONS),
    Route("POST", f"{_PATH}/accept", accept),
    Route("POST", f"{_PATH}/copy", copy),
    Route("POST", f"{_PATH}/reject", reject),
    Route("POST", f"{_PATH}/displayed", displayed),
)
