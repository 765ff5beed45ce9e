"""Cross-origin requests: only the origins of ``page.element_origins`` may make them.

Rasa's SDK answers every ``OPTIONS`` request and adds its own CORS headers, which allow every origin
by default. This module replaces them on the bridge's responses.
"""

from __future__ import annotations

from typing import Any

from sanic import HTTPResponse, Request, Sanic

from bridge import runtime
from bridge.web import paths

_HEADERS = (
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
)
_METHODS = "GET, POST, PUT, DELETE"
_REQUEST_HEADERS = "authorization, content-type, last-event-id"
_PREFLIGHT_SECONDS = "600"


def install(app: Sanic[Any, Any]) -> None:
    """Register the handler on ``app``."""
    app.add_signal(replace_headers, "http.lifecycle.response")


async def replace_headers(*, request: Request, response: HTTPResponse, **_: object) -> None:
    """Replace the SDK's CORS headers on the bridge's responses, and forbid caching and sniffing.

    Sanic sends the signal for a streamed response only after its headers; a handler that streams
    calls this function itself, before it sends anything.
    """
    if not paths.is_ours(request):
        return
    headers = response.headers
    for name in _HEADERS:
        headers.pop(name, None)
    headers.setdefault("cache-control", "no-store")
    headers.setdefault("x-content-type-options", "nosniff")
    allowed = _origins()
    if not allowed:
        return
    varies = {each.strip() for each in headers.get("vary", "").split(",") if each.strip()}
    headers["vary"] = ", ".join(sorted(varies | {"Origin"}))
    origin = request.headers.get("origin")
    if origin not in allowed:
        return
    headers["access-control-allow-origin"] = origin
    if request.method == "OPTIONS":
        headers["access-control-allow-methods"] = _METHODS
        headers["access-control-allow-headers"] = _REQUEST_HEADERS
        headers["access-control-max-age"] = _PREFLIGHT_SECONDS


def is_preflight(request: Request) -> bool:
    """Return whether the page of an allowed origin asks which requests it may make."""
    origin = request.headers.get("origin")
    return "access-control-request-method" in request.headers and origin in _origins()


def _origins() -> tuple[str, ...]:
    settings = runtime.configured()
    return settings.bridge.page.element_origins if settings is not None else ()
