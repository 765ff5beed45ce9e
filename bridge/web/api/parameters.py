"""Shared by the routes: parse path, query and body; put commands; run queries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sanic import Request

from bridge import runtime, untrusted
from bridge.core.command_queue import FullError
from bridge.errors import RefusedError
from bridge.runtime import Runtime
from bridge.state.commands import Command
from bridge.web import auth, body
from bridge.web.auth import Principal
from bridge.web.requests import RequestBody

T = TypeVar("T")
M = TypeVar("M", bound=RequestBody)
_SECONDS = 16.0  # to wait for a command's result: SQLite waits up to 15 for another process's lock
_PAGE = 50  # items, unless the request gives a limit
_SHOWN = 64  # characters of the name of a field
_NUL = "\0"


async def put(command: Command) -> Any:
    """Put a command to the core and return its result.

    Raises:
        BridgeError: the command failed; RefusedError 503 while the bridge is being opened, 429 if
            too many requests are queued.
    """
    bridge = opened()
    try:
        return await bridge.core.ask(command, seconds=_SECONDS)
    except FullError as error:
        raise RefusedError(429, "too_many_requests", error.message) from error


async def read(query: Callable[[Runtime], T]) -> T:
    """Run ``query`` in a thread, where it may block, and return its result.

    Raises:
        RefusedError: 503 while the bridge is being opened.
    """
    bridge = opened()
    return await asyncio.get_running_loop().run_in_executor(bridge.pool, query, bridge)


def opened() -> Runtime:
    """Return the opened runtime.

    Raises:
        RefusedError: 503 while the bridge is being opened.
    """
    bridge = runtime.opened()
    if bridge is None:
        message = "the bridge is not ready; /bridge/ready says what is missing"
        raise RefusedError(503, "not_ready", message)
    return bridge


def who(request: Request) -> Principal:
    """Return the caller that ``admission.admit`` authenticated."""
    principal: Principal = request.ctx.principal
    return principal


def name(segment: str) -> str:
    """Decode a percent-encoded path segment.

    Raises:
        RefusedError: 400 if it is not UTF-8 or contains NUL.
    """
    try:
        return _storable(unquote_to_bytes(segment).decode())
    except UnicodeDecodeError:
        message = "the path is not UTF-8, percent-encoded"
        raise RefusedError(400, "bad_request", message) from None


def _storable(value: str) -> str:
    """Refuse what no database accepts, not even as a query's parameter."""
    if untrusted.text(value) != value:
        message = "the address contains a NUL character, or is not UTF-8, percent-encoded"
        raise RefusedError(400, "bad_request", message)
    return value


def _without_nul(value: str) -> str:
    if _NUL in value:
        raise RefusedError(422, "invalid_field", "the body contains a NUL character")
    return untrusted.text(value)


def model(request: Request, kind: type[M]) -> M:
    """Parse the body as a model; it may be missing if that is so for the model.

    Raises:
        RefusedError: 400 and 413 as for ``_fields``; 422 naming the first wrong field.
    """
    missing = kind.optional and not request.body.strip()
    return parsed(kind, {} if missing else _fields(request))


def parsed(kind: type[M], values: Mapping[str, Any]) -> M:
    """Return the fields of a body as a model.

    Raises:
        RefusedError: 422 naming the first wrong field.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise RefusedError(422, _code(kind, fault), _sentence(kind, fault)) from None


def _code(kind: type[RequestBody], fault: ErrorDetails) -> str:
    field = str(fault["loc"][0]) if fault["loc"] else ""
    if fault["type"] == "string_too_long" and field in kind.bounded:
        return "too_long"
    return kind.codes.get(field, kind.code)


def _sentence(kind: type[RequestBody], fault: ErrorDetails) -> str:
    """Return what is wrong with a field, and what it may be."""
    place = ".".join(map(str, fault["loc"]))[:_SHOWN]
    if not place:
        return fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "missing":
        return f"{place} is missing"
    if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
        known = ", ".join(field.alias or name for name, field in kind.model_fields.items())
        return f"there is no field {place} here; the fields are: {known or 'none'}"
    field = kind.model_fields.get(str(fault["loc"][0]))
    if field is not None and field.description:
        return f"{fault['loc'][0]} is {field.description}"
    return f"{place}: {fault['msg']}"


def _fields(request: Request) -> Mapping[str, Any]:
    """Parse the body as a JSON object.

    Raises:
        RefusedError: 400 if the body is not a JSON object, 413 if it is too large, 422 if it
            contains NUL.
    """
    encoding = request.headers.get("content-encoding", "")
    value = body.parse(request.body, encoding, limit=body.OTHER_BYTES, clean=_without_nul)
    if not isinstance(value, dict):
        raise RefusedError(400, "bad_request", "the body is not a JSON object")
    return value


def text(request: Request, key: str) -> str | None:
    """Return a query parameter; None if it is missing or empty.

    Raises:
        RefusedError: 400 if it contains NUL or is not UTF-8.
    """
    value = request.args.get(key)
    return _storable(str(value)) if value else None


def whose(request: Request) -> str | None:
    """Return the agent ID to filter a list by: the calling agent's own, or ``?agent_id=``.

    Raises:
        RefusedError: 403 if an agent names another agent.
    """
    own, named = auth.only_for(who(request)), text(request, "agent_id")
    auth.require(own is None or named in (None, own))
    return own if own is not None else named


def flag(request: Request, key: str) -> bool:
    """Return a boolean query parameter; false if it is missing."""
    return text(request, key) == "true"


def limit(request: Request) -> int:
    """Return the requested number of items."""
    value = text(request, "limit")
    return _PAGE if value is None else int(value)
