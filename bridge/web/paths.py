"""Tell the bridge's own paths from those of Rasa's SDK."""

from __future__ import annotations

from sanic import Request

WEBHOOK = "/webhook"
API = "/bridge"
PAGE = "/inbox"
_PREFIXES = (API, PAGE)


def template(request: Request) -> str:
    """Return the route's template, such as ``/bridge/calls/<call_id:str>``; "" if no route matches.

    Log the template, never the path: a path may contain a customer's telephone number.
    """
    route = request.route
    return f"/{route.path}" if route is not None else ""


def is_webhook(request: Request) -> bool:
    """Return whether the request asks Rasa's SDK to run an action."""
    return _path(request) == WEBHOOK


def is_ours(request: Request) -> bool:
    """Return whether the path is under one of the bridge's prefixes, even if no route matches."""
    path = _path(request)
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in _PREFIXES)


def _path(request: Request) -> str:
    """Return the matched route's template, or else the requested path."""
    return template(request) or request.path.rstrip("/")
