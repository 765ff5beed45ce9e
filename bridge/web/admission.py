"""Request admission: authentication, body limits, and the payload passed to Rasa's SDK.

Two Sanic signal handlers: ``admit`` runs after routing and before the body is read; ``hand_over``
runs before the handler, in the same task. Both raise RefusedError to refuse a request;
``errors.py`` turns it into a response.
"""

from __future__ import annotations

import asyncio
import ipaddress
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any

from pydantic import SecretStr
from sanic import Request, Sanic

from bridge import runtime
from bridge import turn as turns
from bridge.access_tokens import AccessToken
from bridge.errors import RefusedError
from bridge.web import auth, body, paths
from bridge.web.api import parameters, routes

# Whether the current request carried a domain. If it did not, the SDK gives the action the last
# domain that it received, possibly another bot's.
domain_carried: ContextVar[bool] = ContextVar("domain_carried", default=True)

_INLINE_BYTES = 64 * 1024  # a larger body is parsed in a thread
# Proxies and browsers set these; Rasa does not. docs/deployer.md lists them.
FOREIGN_HEADERS = (
    "cf-connecting-ip",
    "forwarded",
    "origin",
    "sec-fetch-site",
    "true-client-ip",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
)
_LONGEST_NAME = 128


def install(app: Sanic[Any, Any]) -> None:
    """Register both handlers on ``app``."""
    app.add_signal(admit, "http.routing.after")
    app.add_signal(hand_over, "http.handler.before")


async def admit(*, request: Request, **_: object) -> None:
    """Limit the size of the body before it is read, authenticate the caller, and check the query.

    Raises:
        RefusedError: 400, 401, 403 or 503.
        StoreError: the database that records revoked tokens cannot be reached.
    """
    webhook, route = paths.is_webhook(request), routes.declared(request)
    if request.stream is not None:
        other = body.OTHER_BYTES if route is None else route.most_bytes
        request.stream.request_max_size = body.WEBHOOK_BYTES if webhook else other
    if webhook:
        _admit_rasa(request)
    elif route is not None:
        if route.access is not auth.Access.EVERYBODY:
            request.ctx.principal = await _principal(request)
            request.ctx.authenticate = partial(_principal, request)  # again, for long responses
            auth.require(
                auth.may_use(request.ctx.principal, route.method, route.access, route.right)
            )
        route.check_query(request)


async def hand_over(*, request: Request, **_: object) -> None:
    """Parse a webhook's body, so that the SDK neither inflates nor parses it again.

    Raises:
        RefusedError: 400 or 413, with the reason.
    """
    if not paths.is_webhook(request) or request.method != "POST":
        return
    encoding = request.headers.get("content-encoding", "")
    if encoding or len(request.body) > _INLINE_BYTES:
        loop = asyncio.get_running_loop()
        payload = await loop.run_in_executor(None, body.parse_aside, request.body, encoding)
    else:
        payload = body.parse(request.body)
    request.ctx.action_name = _action_name(payload)
    fault = _fault(payload)
    if fault is not None:
        raise RefusedError(400, "bad_request", fault)
    domain_carried.set(_complete(payload))
    request.parsed_json = payload
    request.body = b""  # so that no error message or log can quote it
    request.headers.popall("content-encoding", None)


def _admit_rasa(request: Request) -> None:
    settings = runtime.configured()
    token = settings.bridge.rasa.webhook_token if settings is not None else None
    if token is None:
        _admit_local(request)
    elif not _has_token(request, token):
        raise RefusedError(401, "unauthorized", "the token is missing or invalid")


def _admit_local(request: Request) -> None:
    """Without a token, admit only direct requests from programs on this machine.

    Requests forwarded by a local proxy or sent by a page in a local browser are refused: they may
    originate anywhere.
    """
    forwarded = any(name in request.headers for name in FOREIGN_HEADERS)
    if forwarded or not _is_loopback(request.ip):
        message = (
            "without rasa.webhook_token, /webhook accepts requests from this machine only: set it"
            " in bridge.yml, and add ?token=... to action_endpoint in Rasa's endpoints.yml"
        )
        raise RefusedError(403, "closed", message)


@lru_cache(maxsize=1024)  # few distinct peers
def _is_loopback(address: str) -> bool:
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(peer, "ipv4_mapped", None)
    return bool((mapped or peer).is_loopback)


def _has_token(request: Request, token: SecretStr) -> bool:
    candidates = [*request.args.getlist("token", [])]
    candidates += [auth.bearer(value) for value in request.headers.getall("authorization", [])]
    return any(auth.same(candidate, token) for candidate in candidates if candidate is not None)


async def _principal(request: Request) -> auth.Principal:
    settings = runtime.configured()
    if settings is None:
        message = "the bridge has no valid configuration; see its log"
        raise RefusedError(503, "not_configured", message)
    authorization = request.headers.get("authorization")
    return await auth.identify(authorization, settings.bridge.api, _check)


async def _check(token: str) -> AccessToken:
    """Verify a signed token; never cached, because it may be revoked at any time."""
    return await parameters.read(lambda bridge: bridge.tokens.check(token))


def _action_name(payload: object) -> str:
    name = payload.get("next_action") if isinstance(payload, dict) else None
    valid = isinstance(name, str) and len(name) <= _LONGEST_NAME and name.isprintable()
    return str(name) if valid else ""


def _fault(payload: Any) -> str | None:
    fault = turns.fault(payload)
    if fault is None and not isinstance(payload.get("version"), str | None):
        return "version is not a string; expected Rasa's version, or nothing"
    return fault


def _complete(payload: dict[str, Any]) -> bool:
    """Fill in fields that the SDK requires; return whether the payload carried a domain.

    Without a domain and a digest the SDK answers 449, and Rasa 3.6 does not retry. A digest counts
    as a domain: the SDK runs the action only if the digest matches the domain it has cached.
    """
    own, digest = payload.get("domain"), payload.get("domain_digest")
    if own is None and not digest:
        payload["domain"] = {}
    if payload["tracker"].get("latest_message", {}) is None:
        payload["tracker"]["latest_message"] = {}  # the SDK's tracing reads it
    return bool(own) or (own is None and bool(digest))
