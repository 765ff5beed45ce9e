"""Error responses: every failure is answered with a message of our own.

The SDK's handler would answer with the exception's text and the whole request body, which is a
conversation. This one quotes nothing, and logs only what ``errors.describe`` returns.
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
    NotYoursError,
    RefusedError,
    StoreError,
    describe,
)
from bridge.web import methods, paths, responses
from bridge.web.api.routes import declared
from bridge.web.auth import Principal
from bridge.web.body import OTHER_BYTES, WEBHOOK_BYTES
from bridge.web.schemas import ErrorBody, ErrorDetail

logger = logging.getLogger(__name__)

_BY_STATUS = {
    400: ("bad_request", "the request cannot be read"),
    404: ("not_found", "there is nothing at this address"),
    405: ("method_not_allowed", "this address does not take this method"),
    408: ("timeout", "the request did not arrive in time"),
    413: ("too_large", "the request is too large"),
    503: ("unavailable", "the answer was not ready in time"),
}
_SMALLER = (
    "; in Rasa, session_config.session_expiration_time shortens conversations, and"
    " enable_selective_domain in endpoints.yml omits the domain"
)
_DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_INTERNAL = RefusedError(500, "internal", "the request failed; the log says where")


def install(app: Sanic[Any, Any]) -> None:
    """Install the error handler; keep handlers that others registered for specific exceptions."""
    app.error_handler = _Handler(app.error_handler)


class _Handler(ErrorHandler):
    def __init__(self, former: ErrorHandler) -> None:
        super().__init__()
        self.cached_handlers = {
            key: handler
            for key, handler in former.cached_handlers.items()
            if handler is not None and key[0] not in (Exception, BaseException)
        }

    def default(self, request: Request, exception: BaseException) -> HTTPResponse:
        """Return the response for any exception."""
        error = _refusal(exception)
        if error is _INTERNAL:
            path = paths.template(request)
            logger.error("A request failed: %s path=%s", describe(exception), path)
        if error.status in _DENIED or isinstance(error, NotYoursError):
            _log_denied(request, error)
        if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            _log_too_large(request)
        response = responses.json(_body(request, error), status=error.status)
        response.headers.update(getattr(exception, "headers", {}))
        if error.status == HTTPStatus.METHOD_NOT_ALLOWED:  # Sanic names none for TRACE
            response.headers["allow"] = ", ".join(methods.supported(request))
        if error.status == HTTPStatus.UNAUTHORIZED:
            response.headers["www-authenticate"] = "Bearer"
        if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and request.stream is not None:
            # Read and discard the rest: a client still sending would see a broken connection.
            request.stream.request_max_size = request.app.config.REQUEST_MAX_SIZE
        return response


def _log_denied(request: Request, error: RefusedError) -> None:
    """Log one line per denied request, without anything that the client sent."""
    if paths.is_webhook(request):
        logger.warning(
            "A request was refused code=%s path=%s setting=rasa.webhook_token; add the same token"
            " to action_endpoint in Rasa's endpoints.yml",
            error.code,
            paths.WEBHOOK,
        )
        return
    principal: Principal | None = getattr(request.ctx, "principal", None)
    logger.warning(
        "A request was refused code=%s path=%s by=%s",
        "forbidden" if isinstance(error, NotYoursError) else error.code,
        paths.template(request),
        principal.name if principal else "nobody",
    )


def _log_too_large(request: Request) -> None:
    """Log the sizes of a body that was refused, and what makes Rasa's bodies smaller."""
    webhook, route = paths.is_webhook(request), declared(request)
    limit = OTHER_BYTES if route is None else route.most_bytes
    logger.warning(
        "A body is too large path=%s bytes=%s limit=%d after decompression%s",
        paths.template(request),
        _length(request),
        WEBHOOK_BYTES if webhook else limit,
        _SMALLER if webhook else "",
    )


def _length(request: Request) -> str:
    """Return the size that the client declared or sent so far."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit():
        return declared
    return str(len(request.body)) if request.body else "unknown"


def _body(request: Request, error: RefusedError) -> ErrorBody | dict[str, Any]:
    if paths.is_ours(request):
        return ErrorBody(error=ErrorDetail(code=error.code, message=error.message))
    if paths.is_webhook(request):  # the shape that Rasa expects
        return {"error": error.message, "action_name": getattr(request.ctx, "action_name", "")}
    return {"error": error.message}


def _refusal(exception: BaseException) -> RefusedError:
    if isinstance(exception, RefusedError):
        return exception
    if isinstance(exception, BridgeError):
        return _from_bridge_error(exception)
    if isinstance(exception, SanicException):
        status = exception.status_code or HTTPStatus.INTERNAL_SERVER_ERROR
        if status in _BY_STATUS:
            return RefusedError(status, *_BY_STATUS[status])
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return RefusedError(status, "refused", HTTPStatus(status).phrase)
    return _INTERNAL


def _from_bridge_error(error: BridgeError) -> RefusedError:
    if isinstance(error, AssignmentError):
        return RefusedError(422, error.code, error.message)
    if isinstance(error, ConfigurationError):  # its faults name files, so they go to the log only
        message = "the bridge has no valid configuration; see its log"
        return RefusedError(503, "not_configured", message)
    if isinstance(error, StoreError):
        logger.error("A request could not be served: %s", error)
        return RefusedError(503, "store_unavailable", "the database cannot be reached just now")
    if isinstance(error, GatewayError):
        return RefusedError(502, "gateway", error.message)
    return _INTERNAL
