"""What the routes share: reading what was asked, putting commands, and reading lists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from sanic import Request

from bridge import runtime
from bridge.core.channel import FullError
from bridge.errors import RefusedError
from bridge.runtime import Runtime
from bridge.state.commands import Command
from bridge.web import auth, body
from bridge.web.auth import Principal

T = TypeVar("T")
_SECONDS = 16.0  # that a command is waited for: SQLite waits fifteen for another process
_PAGE = 50  # items, where nothing is said
_DIGITS = 10  # of a limit that is none
LONGEST_TEXT = 32 * 1024  # characters of one field: translating more would keep others waiting
_NUL = "\0"
_YES = ("1", "true", "yes")


async def put(command: Command) -> Any:
    """Put a command to the core; its answer.

    Raises:
        BridgeError: why it cannot be done; RefusedError 503 while the bridge is being opened, and
            429 where too many requests wait.
    """
    bridge = opened()
    try:
        return await bridge.core.ask(command, seconds=_SECONDS)
    except FullError as error:
        raise RefusedError(429, "too_many_requests", error.message) from error


async def read(query: Callable[[Runtime], T]) -> T:
    """What ``query`` reads, in a thread that may block.

    Raises:
        RefusedError: 503 while the bridge is being opened.
    """
    bridge = opened()
    return await asyncio.get_running_loop().run_in_executor(bridge.pool, query, bridge)


def opened() -> Runtime:
    """The bridge.

    Raises:
        RefusedError: 503 while it is being opened.
    """
    bridge = runtime.opened()
    if bridge is None:
        message = "the bridge is not ready; /bridge/ready says what is missing"
        raise RefusedError(503, "not_ready", message)
    return bridge


def who(request: Request) -> Principal:
    """Who asks, as the guard found out."""
    principal: Principal = request.ctx.principal
    return principal


def demand_system(request: Request) -> None:
    """Raise RefusedError 403 for people."""
    auth.demand(who(request).kind is auth.Kind.SYSTEM)


def name(segment: str) -> str:
    """A part of the path as it was meant: any characters, percent-encoded.

    Raises:
        RefusedError: 400 where that is no UTF-8, or has a character that stands in no name.
    """
    try:
        return _named(unquote_to_bytes(segment).decode())
    except UnicodeDecodeError:
        message = "the path is not UTF-8, percent-encoded"
        raise RefusedError(400, "bad_request", message) from None


def _named(found: str) -> str:
    if _NUL in found:  # PostgreSQL cannot even be asked for one
        raise RefusedError(400, "bad_request", "the address has a character that stands in no name")
    return found


def fields(request: Request) -> Mapping[str, Any]:
    """The body's fields.

    Raises:
        RefusedError: 400 where the body is no JSON object, 413 where it is too large.
    """
    encoding = request.headers.get("content-encoding", "")
    found = body.parse(request.body, encoding, limit=body.OTHER_BYTES)
    if not isinstance(found, dict):
        raise RefusedError(400, "bad_request", "the body is not a JSON object")
    return found


def words(request: Request, *known: str) -> dict[str, str]:
    """The texts of a body that may be empty; one that is null was not given.

    Strict: a field that is not known may be a misspelt one, and what it says would be lost.

    Raises:
        RefusedError: 400 and 413 as for ``fields``; 422 for a field that is not known, or no text.
    """
    given = fields(request) if request.body.strip() else {}
    _only(given, known)
    for key, value in given.items():
        if not isinstance(value, str | None):
            raise RefusedError(422, "invalid_field", f"{key} is a text")
        if value is not None and _NUL in value:  # PostgreSQL keeps none
            raise RefusedError(422, "invalid_field", f"{key} has a character that cannot be kept")
        if value is not None and len(value) > LONGEST_TEXT:
            message = f"{key} has {len(value)} characters; up to {LONGEST_TEXT} are taken"
            raise RefusedError(422, "too_long", message)
    return {key: value for key, value in given.items() if value is not None}


def only(request: Request, *known: str) -> Mapping[str, Any]:
    """The body's fields, which are among ``known``.

    Raises:
        RefusedError: 400 and 413 as for ``fields``; 422 for another field.
    """
    given = fields(request)
    _only(given, known)
    return given


def _only(given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(given) - set(known))
    if unknown:
        allowed = ", ".join(known) or "none"
        message = f"there is no field {unknown[0][:64]} here; the fields are: {allowed}"
        raise RefusedError(422, "invalid_field", message)


def text(request: Request, key: str) -> str | None:
    """A parameter of the query; an empty one is none.

    Raises:
        RefusedError: 400 for a character that stands in no name.
    """
    value = request.args.get(key)
    return _named(str(value)) if value else None


def whose(request: Request) -> str | None:
    """The agent whose things are listed: an agent's own, or those of ``?agent_id=``."""
    own = auth.only_for(who(request))
    return own if own is not None else text(request, "agent_id")


def flag(request: Request, key: str) -> bool:
    """A parameter that says yes or no."""
    return (text(request, key) or "").lower() in _YES


def limit(request: Request) -> int:
    """How many items are asked for.

    Raises:
        RefusedError: 400 where that is no number.
    """
    asked = text(request, "limit")
    if asked is None:
        return _PAGE
    if not (asked.isascii() and asked.isdigit() and len(asked) < _DIGITS and int(asked)):
        raise RefusedError(400, "bad_request", "limit is a number from 1 on")
    return int(asked)
