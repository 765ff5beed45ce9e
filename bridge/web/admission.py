"""Who may come in, how much they may bring, and what Rasa's SDK is handed of it.

Two signals of Sanic do it: after routing and before the body is read, ``admit``; before the
handler runs, in its task, ``hand_over``. A request that is refused raises RefusedError: how that
is said is ``errors.py``'s affair.
"""

from __future__ import annotations

import asyncio
import ipaddress
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from pydantic import SecretStr
from sanic import Request, Sanic

from bridge import runtime
from bridge import turn as turns
from bridge.access_tokens import AccessToken
from bridge.errors import RefusedError
from bridge.web import auth, body, paths
from bridge.web.api import parameters

# Whether the request that is being served brought the domain that its action is given: without
# one, the SDK hands out the last domain that it saw, whosever that was.
domain_carried: ContextVar[bool] = ContextVar("domain_carried", default=True)

_INLINE_BYTES = 64 * 1024  # a larger body is parsed in a thread
_OPEN = frozenset({"/bridge/health", "/bridge/ready"})  # asked by those who have no token
_PROXIES_SAY = ("forwarded", "x-forwarded-for", "x-real-ip")
_LONGEST_NAME = 128


def install(app: Sanic[Any, Any]) -> None:
    """Guard every request of ``app``."""
    app.add_signal(admit, "http.routing.after")
    app.add_signal(hand_over, "http.handler.before")


async def admit(*, request: Request, **_: object) -> None:
    """Bound the body that is about to be read, and refuse those who may not come in.

    Raises:
        RefusedError: 401, 403 or 503.
        StoreError: whether a signed token was revoked cannot be known just now.
    """
    webhook = paths.is_webhook(request)
    if request.stream is not None:
        limit = body.WEBHOOK_BYTES if webhook else body.OTHER_BYTES
        request.stream.request_max_size = limit
    if webhook:
        _admit_rasa(request)
    elif paths.is_ours(request) and paths.template(request) not in _OPEN:
        request.ctx.principal = await _principal(request)
        auth.demand(auth.may_ask(request.ctx.principal, request.method))


async def hand_over(*, request: Request, **_: object) -> None:
    """Read a webhook's body, so that the SDK neither inflates nor parses it again.

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
    request.body = b""  # nothing can quote it any more
    request.headers.popall("content-encoding", None)


def _admit_rasa(request: Request) -> None:
    settings = runtime.configured()
    token = settings.bridge.rasa.webhook_token if settings is not None else None
    if token is None:
        _admit_this_machine(request)
    elif not _knows(request, token):
        raise RefusedError(401, "unauthorized", "a token is missing, or it is not good")


def _admit_this_machine(request: Request) -> None:
    """Without a token: only programs of this machine, and they by themselves.

    What a proxy of this machine forwards comes from anywhere, and so does what a page in a browser
    of this machine asks for.
    """
    forwarded = any(name in request.headers for name in (*_PROXIES_SAY, "origin"))
    if forwarded or not _is_loopback(request.ip):
        message = (
            "without rasa.webhook_token, /webhook answers to this machine only: set it in"
            " bridge.yml, and add ?token=... to action_endpoint in Rasa's endpoints.yml"
        )
        raise RefusedError(403, "closed", message)


@lru_cache(maxsize=1024)  # the same few programs ask, all the time
def _is_loopback(address: str) -> bool:
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(peer, "ipv4_mapped", None)
    return bool((mapped or peer).is_loopback)


def _knows(request: Request, token: SecretStr) -> bool:
    given = [*request.args.getlist("token", [])]
    given += [auth.bearer(value) for value in request.headers.getall("authorization", [])]
    return any(auth.same(each, token) for each in given if each is not None)


async def _principal(request: Request) -> auth.Principal:
    settings = runtime.configured()
    if settings is None:
        message = "the bridge has no configuration that is good; its log says why"
        raise RefusedError(503, "not_configured", message)
    authorization = request.headers.get("authorization")
    return await auth.identify(authorization, settings.bridge.api, _whose)


async def _whose(token: str) -> AccessToken:
    """Asked at every request: a token may have been revoked since the last."""
    return await parameters.read(lambda bridge: bridge.tokens.check(token))


def _action_name(payload: object) -> str:
    name = payload.get("next_action") if isinstance(payload, dict) else None
    known = isinstance(name, str) and len(name) <= _LONGEST_NAME and name.isprintable()
    return str(name) if known else ""


def _fault(payload: Any) -> str | None:
    fault = turns.fault(payload)
    if fault is None and not isinstance(payload.get("version"), str | None):
        return "version is not a string; expected is Rasa's version, or nothing"
    return fault


def _complete(payload: dict[str, Any]) -> bool:
    """Put right what would keep the SDK from running the action; whether a domain was carried.

    Without a domain and a digest the SDK answers 449, and Rasa 3.6 does not ask again. A digest
    stands for its domain: the SDK runs the action only if that is the one it has.
    """
    own, digest = payload.get("domain"), payload.get("domain_digest")
    if own is None and not digest:
        payload["domain"] = {}
    if payload["tracker"].get("latest_message", {}) is None:
        payload["tracker"]["latest_message"] = {}  # the SDK's tracing reads in it
    return bool(own) or (own is None and bool(digest))
