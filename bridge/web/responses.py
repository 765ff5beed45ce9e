"""Build JSON and empty responses."""

from __future__ import annotations

import json as _json
from http import HTTPStatus
from typing import Any

from sanic import HTTPResponse

from bridge.web.schemas import Body


def stored(body: Body, *, created: bool) -> HTTPResponse:
    """Return ``body`` with 201 if the request created it, or with 200 if it existed before."""
    return json(body, status=HTTPStatus.CREATED if created else HTTPStatus.OK)


def json(body: Body | dict[str, Any], *, status: int = 200) -> HTTPResponse:
    """Return ``body`` as a JSON response; raise ValueError on NaN and Infinity."""
    value = body.dump() if isinstance(body, Body) else body
    text = _json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return HTTPResponse(text, status=status, content_type="application/json")


def nothing() -> HTTPResponse:
    """Return 204 No Content."""
    return HTTPResponse(status=204)
