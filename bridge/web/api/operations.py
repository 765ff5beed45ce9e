"""``/bridge/health`` and ``/bridge/ready``, public and cheap; ``/bridge/metrics``, with a token.

No response contains secrets or customers' words.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from sanic import HTTPResponse, Request

from bridge import runtime
from bridge.config.settings import Right
from bridge.runtime import Runtime
from bridge.state.commands import CheckStore
from bridge.unexpected import Unexpected
from bridge.web import responses
from bridge.web.api import parameters
from bridge.web.api.routes import Route
from bridge.web.auth import Access
from bridge.web.schemas import GatewayBody, HealthBody, ReadinessBody

logger = logging.getLogger(__name__)

_STORE_TIMEOUT = 2.0  # seconds
_CLOSED = "closed"
_CACHE_SECONDS = 1.0  # for the store check, because /ready is public


async def health(_request: Request) -> HTTPResponse:
    """Report that the process is alive."""
    return responses.json(HealthBody(status="ok", version=version()))


async def metrics(request: Request) -> HTTPResponse:
    """Return Prometheus metrics."""
    accept, core = request.headers.get("accept", ""), parameters.opened().core
    text, kind = await core.metrics(accept, version=version())
    return HTTPResponse(text, content_type=kind)


@dataclass(frozen=True, slots=True)
class _StoreStatus:
    """The result of the store check, and the counts of updates pending for Rasa."""

    result: str
    rasa: dict[str, int] | None = None


class Readiness:
    """Readiness of this worker: whether handoffs can be made."""

    def __init__(self) -> None:
        self._store: asyncio.Task[_StoreStatus] | None = None
        self._asked_at = 0.0

    async def show(self, _request: Request) -> HTTPResponse:
        """Report the result of each check: 200 if all are ok, otherwise 503."""
        bridge = runtime.opened()
        core, store = None, _StoreStatus("not_open")
        if bridge is not None:
            core, store = await asyncio.gather(bridge.core.status(), self._store_check())
        alive = core is not None and core.alive
        checks = {
            "configuration": "ok" if runtime.configured() is not None else "failed",
            "store": store.result,
            "outbox": "ok" if alive else "not_running",
        }
        ready = all(result == "ok" for result in checks.values())
        body: dict[str, Any] = {"status": "ready" if ready else "not_ready", "checks": checks}
        if core is not None and core.alive:
            # Not a check: while the gateway is down, handoffs are accepted and sent later.
            body["gateway"] = GatewayBody(breaker=core.breaker, since=core.since)
            if ready and core.breaker != _CLOSED:
                body["status"] = "degraded"
        elif core is not None:
            body["reason"] = core.reason
        if store.rasa is not None:
            body["rasa"] = store.rasa
        return responses.json(ReadinessBody(**body), status=200 if ready else 503)

    async def _store_check(self) -> _StoreStatus:
        """Check the store: one check at a time, its result cached for ``_CACHE_SECONDS``."""
        now = asyncio.get_running_loop().time()
        if self._store is None or (self._store.done() and now - self._asked_at > _CACHE_SECONDS):
            self._asked_at = now
            self._store = asyncio.create_task(_check_store())
        try:
            return await asyncio.wait_for(asyncio.shield(self._store), _STORE_TIMEOUT)
        except asyncio.TimeoutError:
            return _StoreStatus("slow")


async def _check_store() -> _StoreStatus:
    with Unexpected(logger, "The database does not answer: %s", level=logging.WARNING):
        await parameters.put(CheckStore())
        return _StoreStatus("ok", await parameters.read(_updates))
    return _StoreStatus("failed")


def _updates(bridge: Runtime) -> dict[str, int]:
    return bridge.calls.updates()


@cache
def version() -> str:
    """Return the version of the installed package."""
    try:
        return metadata.version("rasa-cc-bridge")
    except metadata.PackageNotFoundError:  # a source checkout on the path
        return "unknown"


ROUTES = (
    Route("GET", "/health", health, Access.EVERYBODY),
    Route("GET", "/ready", Readiness().show, Access.EVERYBODY),
    Route("GET", "/metrics", metrics, Access.STAFF, Right.METRICS),
)
