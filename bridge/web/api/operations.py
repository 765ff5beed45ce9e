"""``/bridge/health`` and ``/bridge/ready``: open to all, cheap; ``/bridge/metrics`` with a token.

None of them holds a secret or a customer's word.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from bridge import runtime
from bridge.errors import describe
from bridge.runtime import Runtime
from bridge.state.commands import CheckStore
from bridge.web import auth, responses, schemas
from bridge.web.api import parameters

logger = logging.getLogger(__name__)

_PATIENCE = 2.0  # seconds for the database
_CLOSED = "closed"
_FRESH = 1.0  # seconds that its answer holds: asking is open to all


def add_to(api: Blueprint) -> None:
    """Add the routes."""
    readiness = Readiness()
    api.add_route(health, "/health", methods=["GET"])
    api.add_route(readiness.show, "/ready", methods=["GET"], name="ready")
    api.add_route(metrics, "/metrics", methods=["GET"])


async def health(_request: Request) -> HTTPResponse:
    """The process answers."""
    return responses.json({"status": "ok", "version": _version()})


async def metrics(request: Request) -> HTTPResponse:
    """What Prometheus reads; for systems and supervisors."""
    auth.demand(parameters.who(request).kind is not auth.Kind.AGENT)
    accept, core = request.headers.get("accept", ""), parameters.opened().core
    text, kind = await core.metrics(accept, version=_version())
    return HTTPResponse(text, content_type=kind)


@dataclass(frozen=True, slots=True)
class _Found:
    """The database's word, and what it holds that Rasa was not told."""

    word: str
    rasa: dict[str, int] | None = None


class Readiness:
    """Whether handoffs can be made; of this worker."""

    def __init__(self) -> None:
        self._store: asyncio.Task[_Found] | None = None
        self._asked_at = 0.0

    async def show(self, _request: Request) -> HTTPResponse:
        """Say which part is missing, in a word each."""
        bridge = runtime.opened()
        core, store = None, _Found("not_open")
        if bridge is not None:
            core, store = await asyncio.gather(bridge.core.status(), self._store_check())
        alive = core is not None and core.alive
        checks = {
            "configuration": "ok" if runtime.configured() is not None else "failed",
            "store": store.word,
            "outbox": "ok" if alive else "not_running",
        }
        ready = all(found == "ok" for found in checks.values())
        status: dict[str, Any] = {"status": "ready" if ready else "not_ready", "checks": checks}
        if core is not None and core.alive:
            # Not a check: while the gateway is away, handoffs are taken and sent later.
            status["gateway"] = {"breaker": core.breaker, "since": schemas.time(core.since)}
            if ready and core.breaker != _CLOSED:
                status["status"] = "degraded"
        elif core is not None:
            status["reason"] = core.reason
        if store.rasa is not None:
            status["rasa"] = store.rasa
        return responses.json(status, status=200 if ready else 503)

    async def _store_check(self) -> _Found:
        """The database's word: one question at a time, and none for a second after."""
        now = asyncio.get_running_loop().time()
        if self._store is None or (self._store.done() and now - self._asked_at > _FRESH):
            self._asked_at = now
            self._store = asyncio.create_task(_ask_store())
        try:
            return await asyncio.wait_for(asyncio.shield(self._store), _PATIENCE)
        except asyncio.TimeoutError:
            return _Found("slow")


async def _ask_store() -> _Found:
    try:
        await parameters.put(CheckStore())
        return _Found("ok", await parameters.read(_updates))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready
        logger.warning("The database does not answer: %s", describe(error))
        return _Found("failed")


def _updates(bridge: Runtime) -> dict[str, int]:
    return bridge.calls.updates()


@cache
def _version() -> str:
    try:
        return metadata.version("rasa-cc-bridge")
    except metadata.PackageNotFoundError:  # a checkout on the path
        return "unknown"
