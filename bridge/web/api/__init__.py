"""The HTTP API under ``/bridge``, one module per resource.

Handlers parse a request, authorise it, and put a command to the core or run a read-only query;
they contain no rules of their own. Reads check access here, writes in the planner. Read
``parameters.py`` first, then ``calls.py``.
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

_RESOURCES = (
    assignments,
    assist,
    calls,
    deliveries,
    operations,
    sessions,
    suggestions,
    tokens,
)


def blueprint() -> Blueprint:
    """Return a blueprint with all routes of the API."""
    api = Blueprint("bridge", url_prefix=paths.API)
    for resource in _RESOURCES:
        resource.add_to(api)
    return api
