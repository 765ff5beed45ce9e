"""The HTTP API under ``/bridge``, one module per resource.

Handlers parse a request, authorise it, and put a command to the core or run a read-only query;
they contain no rules of their own. ``ROUTES`` declares who may use a route and its query
parameters; access to a single call is checked here for reads, and in the planner for writes. Read
``routes.py`` first, then ``parameters.py`` and ``calls.py``.
"""

from __future__ import annotations

from sanic import Blueprint

from bridge.web import paths
from bridge.web.api import (
    assignments,
    assist,
    calls,
    deliveries,
    operations,
    sessions,
    suggestions,
    tokens,
)

ROUTES = (
    *assignments.ROUTES,
    *assist.ROUTES,
    *calls.ROUTES,
    *deliveries.ROUTES,
    *operations.ROUTES,
    *sessions.ROUTES,
    *suggestions.ROUTES,
    *tokens.ROUTES,
)


def blueprint() -> Blueprint:
    """Return a blueprint with all routes of the API."""
    api = Blueprint("bridge", url_prefix=paths.API)
    for route in ROUTES:
        route.add_to(api)
    return api
