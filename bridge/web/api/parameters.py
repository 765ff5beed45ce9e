"""Shared by the routes: parse path, query and body; put commands; run queries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from pydantic import BaseModel, ValidationError
from sanic import Request

from bridge import runtime, untrusted
from bridge.core.command_queue import FullError
from bridge.errors import RefusedError
from bridge.runtime import Runtime
from bridge.state.commands import Command
from bridge.web import auth, body
from bridge.web.auth import Principal

T = TypeVar("T")
_SECONDS = 16.0  # to wait for a command's result: SQLite waits up to 15 for another process's lock
_PAGE = 50  # items, unless the request gives a limit
_DIGITS = 10  # a limit with this many digits or more is refused
LONGEST_TEXT = 32 * 1024  # characters of one field: translating more would delay other requests
_NUL = "\0"
_TRUE = ("1", "true", "yes")


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


def fields(request: Request) -> Mapping[str, Any]:
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


def words(request: Request, *known: str) -> dict[str, str]:
    """Parse a body of text fields, which may be empty; null means that a field is absent.

    Unknown fields are refused: one may be a misspelt name, and its value would be lost.

    Raises:
        RefusedError: as for ``fields``; 422 for an unknown field, or a value that is
            not text, or is too long.
    """
    values = fields(request) if request.body.strip() else {}
    _only(values, known)
    for key, value in values.items():
        if not isinstance(value, str | None):
            raise RefusedError(422, "invalid_field", f"{key} is a text")
        if value is not None and len(value) > LONGEST_TEXT:
            message = f"{key} has {len(value)} characters; up to {LONGEST_TEXT} are taken"
            raise RefusedError(422, "too_long", message)
    return {key: value for key, value in values.items() if value is not None}


def marks(request: Request, *known: str) -> dict[str, bool]:
    """Parse a body of true and false, which may be empty.

    Raises:
        RefusedError: 400 and 413 as for ``fields``; 422 for an unknown field or another value.
    """
    values = fields(request) if request.body.strip() else {}
    _only(values, known)
    for key, value in values.items():
        if not isinstance(value, bool):
            raise RefusedError(422, "invalid_field", f"{key} is true or false")
    return dict(values)


def only(request: Request, *known: str) -> Mapping[str, Any]:
    """Parse the body as a JSON object with no fields but ``known``.

    Raises:
        RefusedError: as for ``fields``; 422 for an unknown field.
    """
    values = fields(request)
    _only(values, known)
    return values


M = TypeVar("M", bound=BaseModel)


def model(request: Request, kind: type[M]) -> M:
    """Parse the body as a model.

    Raises:
        RefusedError: 400 and 413 as for ``fields``; 422 naming the first wrong field.
    """
    values = fields(request)
    try:
        found = kind.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"]))[:64]
        message = f"{place}: {fault['msg']}" if place else fault["msg"]
        raise RefusedError(422, "invalid_field", message) from None
    if _NUL in found.model_dump_json().replace("\\u0000", _NUL):  # PostgreSQL cannot store it
        raise RefusedError(422, "invalid_field", "a field contains a NUL character")
    return found


def _only(values: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(values) - set(known))
    if unknown:
        allowed = ", ".join(known) or "none"
        message = f"there is no field {unknown[0][:64]} here; the fields are: {allowed}"
        raise RefusedError(422, "invalid_field", message)


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
    """Return a boolean query parameter."""
    return (text(request, key) or "").lower() in _TRUE


def limit(request: Request) -> int:
    """Return the requested number of items.

    Raises:
        RefusedError: 400 if it is not a number from 1 on.
    """
    value = text(request, "limit")
    if value is None:
        return _PAGE
    if not (value.isascii() and value.isdigit() and len(value) < _DIGITS and int(value)):
        raise RefusedError(400, "bad_request", "limit is a number from 1 on")
    return int(value)
