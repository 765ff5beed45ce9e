"""Answers as JSON."""

from __future__ import annotations

import json as _json
from typing import Any

from sanic import HTTPResponse


def json(found: dict[str, Any], *, status: int = 200) -> HTTPResponse:
    """``found`` as an answer. Numbers that JSON does not know are a mistake, not an extension."""
    text = _json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return HTTPResponse(text, status=status, content_type="application/json")


def nothing() -> HTTPResponse:
    """Done, and there is nothing to say."""
    return HTTPResponse(status=204)
