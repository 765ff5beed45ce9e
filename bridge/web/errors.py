"""What is said when a request fails: our own words, whoever's the failure is.

The SDK's handler answers any failure with its text and the whole body, a conversation. This one
quotes nothing, and logs no more than ``errors.describe`` gives.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import SanicException
from sanic.handlers import ErrorHandler

from bridge.errors import (
    AssignmentError,
    BridgeError,
    ConfigurationError,
    GatewayError,
    RefusedError,
    StoreError,
    describe,
)
from bridge.web import paths, responses
from bridge.web.auth import Principal

logger = logging.getLogger(__name__)

_SAID = {
    400: ("bad_request", "the request cannot be read"),
    404: ("not_found", "there is nothing at this address"),
    405: ("method_not_allowed", "this address does not take this method"),
    408: ("timeout", "the request did not arrive in time"),
    413: ("too_large", "the request is too large"),
    503: ("unavailable", "the answer was not ready in time"),
}
_TURNED_AWAY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_INTERNAL = RefusedError(500, "internal", "the request failed; the log says where")
_CORS = (
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
)


def install(app: Sanic[Any, Any]) -> None:
    """Answer the failures of ``app``; handlers for errors of others' own are kept."""
    app.error_handler = _Handler(app.error_handler)
    app.add_signal(close_cors, "http.lifecycle.response")


async def close_cors(*, request: Request, response: HTTPResponse, **_: object) -> None:
    """No page of another site may read what is ours; the SDK lets every page read everything."""
    if paths.is_ours(request):
        for name in _CORS:
            response.headers.pop(name, None)
        response.headers.setdefault("cache-control", "no-store")
        response.headers.setdefault("x-content-type-options", "nosniff")


class _Handler(ErrorHandler):
    def __init__(self, former: ErrorHandler) -> None:
        super().__init__()
        self.cached_handlers = {
            key: handler
            for key, handler in former.cached_handlers.items()
            if handler is not None and key[0] not in (Exception, BaseException)
        }

    def default(self, request: Request, exception: BaseException) -> HTTPResponse:
        """The answer to any failure."""
        error = _refusal(exception)
        if error is _INTERNAL:
            where = paths.template(request)
            logger.error("A request failed: %s path=%s", describe(exception), where)
        if error.status in _TURNED_AWAY:
            _note(request, error)
        response = responses.json(_said(request, error), status=error.status)
        response.headers.update(getattr(exception, "headers", {}))
        if error.status == HTTPStatus.UNAUTHORIZED:
            response.headers["www-authenticate"] = "Bearer"
        if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and request.stream is not None:
            # Whoever is still sending would see a broken connection: the rest is read and dropped.
            request.stream.request_max_size = request.app.config.REQUEST_MAX_SIZE
        return response


def _note(request: Request, error: RefusedError) -> None:
    """One line for each who is turned away; nothing of what they sent."""
    principal: Principal | None = getattr(request.ctx, "principal", None)
    logger.warning(
        "A request was refused code=%s path=%s by=%s",
        error.code,
        paths.template(request),
        principal.name if principal else "nobody",
    )


def _said(request: Request, error: RefusedError) -> dict[str, Any]:
    if paths.is_ours(request):
        return {"error": {"code": error.code, "message": error.message}}
    if paths.is_webhook(request):  # Rasa's shape
        return {"error": error.message, "action_name": getattr(request.ctx, "action_name", "")}
    return {"error": error.message}


def _refusal(exception: BaseException) -> RefusedError:
    if isinstance(exception, RefusedError):
        return exception
    if isinstance(exception, BridgeError):
        return _of_ours(exception)
    if isinstance(exception, SanicException):
        status = exception.status_code or HTTPStatus.INTERNAL_SERVER_ERROR
        if status in _SAID:
            return RefusedError(status, *_SAID[status])
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return RefusedError(status, "refused", HTTPStatus(status).phrase)
    return _INTERNAL


def _of_ours(error: BridgeError) -> RefusedError:
    if isinstance(error, AssignmentError):
        return RefusedError(422, error.code, error.message)
    if isinstance(error, ConfigurationError):  # its faults name files: they are in the log
        message = "the bridge has no configuration that is good; its log says why"
        return RefusedError(503, "not_configured", message)
    if isinstance(error, StoreError):
        logger.error("A request could not be served: %s", error)
        return RefusedError(503, "store_unavailable", "the database cannot be reached just now")
    if isinstance(error, GatewayError):
        return RefusedError(502, "gateway", error.message)
    return _INTERNAL
