"""Methods that an address does not support: 405, with the ones that it supports in ``Allow``.

Rasa's SDK answers every ``OPTIONS`` request with 200. Of those for the bridge's addresses only the
ones that a browser sends before a cross-origin request of an allowed origin need an answer.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sanic import Request, Sanic
from sanic.constants import HTTP_METHODS
from sanic.exceptions import MethodNotAllowed, NotFound

from bridge.web import cors, paths

_BEFORE_THE_SDK = 1  # the SDK's middleware has the priority 0


def install(app: Sanic[Any, Any]) -> None:
    """Register the middleware on ``app``."""
    app.register_middleware(refuse_options, "request", priority=_BEFORE_THE_SDK)


async def refuse_options(request: Request) -> None:
    """Refuse ``OPTIONS`` for one of the bridge's addresses, unless it is a preflight request.

    Raises:
        NotFound: there is nothing at the address.
        MethodNotAllowed: there is something.
    """
    if request.method != "OPTIONS" or not paths.is_ours(request) or cors.is_preflight(request):
        return
    allowed = supported(request)
    if not allowed:
        raise NotFound
    raise MethodNotAllowed(method="OPTIONS", allowed_methods=allowed)


def supported(request: Request) -> list[str]:
    """Return the methods that the request's address supports; none if there is nothing at it."""
    found: list[str] = []
    for method in HTTP_METHODS:
        with suppress(NotFound, MethodNotAllowed):
            request.app.router.get(request.path, method, request.headers.getone("host", None))
            found.append(str(method))
    return found
