"""What the routes share: reading what was asked, and asking the desk in its own threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from sanic import Request

from bridge import runtime
from bridge.desk import Desk
from bridge.errors import RefusedError
from bridge.web import body
from bridge.web.auth import Principal

T = TypeVar("T")
_PAGE = 50  # items, where nothing is said
_DIGITS = 10  # of a limit that is none
_YES = ("1", "true", "yes")


async def desk(use_case: Callable[[Desk], T]) -> T:
    """What ``use_case`` comes to, in a thread that may block.

    Raises:
        RefusedError: 503 while the bridge is being opened.
    """
    bridge = runtime.opened()
    if bridge is None:
        message = "the bridge is not ready; /bridge/ready says what is missing"
        raise RefusedError(503, "not_ready", message)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(bridge.pool, use_case, bridge.desk)


def who(request: Request) -> Principal:
    """Who asks, as the guard found out."""
    principal: Principal = request.ctx.principal
    return principal


def name(segment: str) -> str:
    """A part of the path as it was meant: any characters, percent-encoded.

    Raises:
        RefusedError: 400 where that is no UTF-8.
    """
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        message = "the path is not UTF-8, percent-encoded"
        raise RefusedError(400, "bad_request", message) from None


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


def text(request: Request, key: str) -> str | None:
    """A parameter of the query; an empty one is none."""
    value = request.args.get(key)
    return str(value) if value else None


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
