"""Every route of the API, for tests that hold for all of them."""

from __future__ import annotations

from bridge.config.settings import Right
from bridge.web import api
from bridge.web.api.routes import Route

ROUTES = sorted(api.ROUTES, key=lambda route: (route.path, route.method))
RIGHTS = [right.value for right in Right]
PUBLIC = {"/bridge/health", "/bridge/ready", "/bridge/openapi.json"}
PUSHED = "/bridge/events"  # the gateway's own way in, with a token of its own


def address_template(route: Route) -> str:
    """The address of a route with ``{call_id}`` and the like."""
    return "/bridge" + route.path.replace("<", "{").replace(":str>", "}")


def address(route: Route) -> str:
    """An address of a route whose names are of nothing that exists."""
    return "/bridge" + route.path.replace("<", "no-").replace(":str>", "")


def name(route: Route) -> str:
    """A route's name in a test's report."""
    return f"{route.method} {route.path}"


def named_token(right: str) -> str:
    """The token of the system that has this right alone."""
    return f"the-token-of-a-system-that-may-{right}-0001"
