"""``/bridge/stream``: server-sent events, so that nobody has to poll the lists."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import aclosing

from sanic import HTTPResponse, Request

from bridge.config.settings import Right
from bridge.errors import RefusedError
from bridge.web import cors
from bridge.web.api import parameters
from bridge.web.api.routes import Parameter, Route
from bridge.web.feed import Feed

_SEND_WITHIN = 10.0  # seconds; a reader that takes none of its data for so long is dropped
_MOST_DIGITS = 18  # of an event's ID
_LAST = Parameter(
    "last_event_id",
    "resume after this event; the header Last-Event-ID, too",
    f"^[0-9]{{0,{_MOST_DIGITS}}}$",
    "the ID of an event",
)
_HEADERS = {"x-accel-buffering": "no"}  # nginx would hold the events back


async def stream(request: Request) -> HTTPResponse | None:
    """Send what changes from now on, or after the event that the reader names."""
    principal, feed = parameters.who(request), feed_of(request)
    token = hashlib.sha256(request.headers.get("authorization", "").encode("utf-8", "replace"))
    last = _last(request)
    with feed.entered(token.hexdigest(), principal):
        position, first = await feed.begin(last)
        response = await request.respond(content_type="text/event-stream", headers=_HEADERS)
        assert response is not None  # noqa: S101 - only a HEAD request gets none
        await cors.replace_headers(request=request, response=response)
        await response.send(first)

        check = request.ctx.authenticate
        async with aclosing(feed.blocks(position, principal, check)) as blocks:
            async for block in blocks:
                try:
                    await asyncio.wait_for(response.send(block), _SEND_WITHIN)
                except asyncio.TimeoutError:  # it reconnects, and catches up
                    request.protocol.abort()  # type: ignore[attr-defined]
                    return None
    return None


def feed_of(request: Request) -> Feed:
    """Return this worker's feed."""
    feed: Feed = request.app.ctx.bridge_feed
    return feed


def _last(request: Request) -> int | None:
    """Return the ID of the last event that the reader has; None if it names none.

    Raises:
        RefusedError: 400 if it is not an event's ID.
    """
    header = request.headers.get("last-event-id") or None
    value = parameters.text(request, _LAST.name) or header
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise RefusedError(400, "bad_request", "the last event ID is not the ID of an event")
    return int(value)


ROUTES = (Route("GET", "/stream", stream, right=Right.STREAM, query=(_LAST,)),)
