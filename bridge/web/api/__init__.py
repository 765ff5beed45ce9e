"""The API under ``/bridge``, a module for each resource."""

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
    """All routes of the API."""
    found = Blueprint("bridge", url_prefix=paths.API)
    for resource in _RESOURCES:
        resource.add_to(found)
    return found
