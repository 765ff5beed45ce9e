"""The HTTP API under ``/bridge``, one module per resource.

Handlers parse a request, authorise it, and put a command to the core or run a read-only query;
they contain no rules of their own. ``ROUTES`` declares who may use a route and its query
parameters; access to a single call is checked here for reads, and in the planner for writes. Read
``routes.py`` first, then ``parameters.py`` and ``calls.py``.
"""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request

from bridge import runtime
from bridge.config.operators import HIGHEST_AGENT_ID
from bridge.web import openapi, paths, responses
from bridge.web.api import (
    agents,
    assignments,
    assist,
    calls,
    deliveries,
    events,
    operations,
    report,
    sessions,
    stream,
    suggestions,
    tokens,
)
from bridge.web.api.routes import Route
from bridge.web.auth import Access

_RESOURCES = (
    *agents.ROUTES,
    *assignments.ROUTES,
    *assist.ROUTES,
    *calls.ROUTES,
    *deliveries.ROUTES,
    *events.ROUTES,
    *operations.ROUTES,
    *report.ROUTES,
    *sessions.ROUTES,
    *stream.ROUTES,
    *suggestions.ROUTES,
    *tokens.ROUTES,
)


async def describe(_request: Request) -> HTTPResponse:
    """Return this description."""
    settings = runtime.configured()
    highest = settings.bridge.gateway.max_agent_id if settings is not None else HIGHEST_AGENT_ID
    return responses.json(openapi.described(ROUTES, operations.version(), highest=highest))


ROUTES = (*_RESOURCES, Route("GET", "/openapi.json", describe, Access.EVERYBODY))


def blueprint() -> Blueprint:
    """Return a blueprint with all routes of the API."""
    api = Blueprint("bridge", url_prefix=paths.API)
    for route in ROUTES:
        route.add_to(api)
    return api
