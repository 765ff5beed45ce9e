"""Which of the server's addresses are whose."""

from __future__ import annotations

from sanic import Request

WEBHOOK = "/webhook"
API = "/bridge"
_OURS = (API, "/inbox")


def template(request: Request) -> str:
    """The address as it was declared, such as ``/bridge/calls/<call_id:str>``; "" where none is.

    What stands in a path may be a customer's telephone number: it is the template that is logged.
    """
    route = request.route
    return f"/{route.path}" if route is not None else ""


def is_webhook(request: Request) -> bool:
    """Whether Rasa's SDK is asked to run an action."""
    return _address(request) == WEBHOOK


def is_ours(request: Request) -> bool:
    """Whether the address is the bridge's own, whether or not there is such a page."""
    address = _address(request)
    return any(address == ours or address.startswith(f"{ours}/") for ours in _OURS)


def _address(request: Request) -> str:
    """As the router understood it, else as it was asked for."""
    return template(request) or request.path.rstrip("/")
