"""Inflate and parse a request's body within size limits. Pure; may run in any thread."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bridge import untrusted
from bridge.errors import RefusedError

_fast_loads: Callable[[bytes], Any] | None
try:
    from ujson import loads as _fast_loads  # Sanic and the SDK use it where it is installed
except ImportError:
    _fast_loads = None

WEBHOOK_BYTES = 10 * 1024 * 1024  # after inflating; a long conversation with a large domain
OTHER_BYTES = 64 * 1024


def parse(
    body: bytes,
    encoding: str = "",
    *,
    limit: int = WEBHOOK_BYTES,
    clean: Callable[[str], str] = untrusted.text,
) -> Any:
    """Parse a small body as JSON.

    Values that cannot be stored are replaced, not refused, because Rasa forwards what customers'
    clients wrote; see ``untrusted.cleaned``.

    Args:
        body: the raw body.
        encoding: the value of Content-Encoding; only ``deflate`` (zlib) is supported, as in Rasa.
        limit: the maximum size of the inflated body in bytes.
        clean: makes a string storable, or raises RefusedError.

    Raises:
        RefusedError: 400 or 413, with the reason; the message quotes nothing of the body.
    """
    if (
        _fast_loads is not None
        and not encoding
        and len(body) <= limit
        and not untrusted.is_odd(body)
    ):
        with suppress(ValueError):  # _parse below reports the reason
            return _fast_loads(body)
    return _parse(body, encoding, limit, _DECODER, clean)


def parse_aside(body: bytes, encoding: str = "") -> Any:
    """Parse a large body, like ``parse``, in a worker thread without blocking the event loop."""
    return _parse(body, encoding, WEBHOOK_BYTES, _YIELDING_DECODER, untrusted.text)


def _parse(
    body: bytes,
    encoding: str,
    limit: int,
    decoder: json.JSONDecoder,
    clean: Callable[[str], str],
) -> Any:
    if encoding.lower() not in ("", "identity"):
        body = _inflate(body, encoding, limit)
    if len(body) > limit:
        raise too_large(limit)
    try:
        charset = json.detect_encoding(body)
        value = decoder.decode(body.decode(charset, "surrogatepass"))
        odd = not charset.startswith("utf-8") or untrusted.is_odd(body)
        return untrusted.cleaned(value, clean=clean) if odd else value
    except RecursionError:
        message = "the body is nested too deeply"
    except ValueError:  # not JSON, not UTF-8, or a number of thousands of digits
        message = "the body is not JSON" if body.strip() else "the body is empty; expected JSON"
    raise RefusedError(400, "bad_request", message)


def too_large(limit: int) -> RefusedError:
    """Return the error for a body of more than ``limit`` bytes."""
    return RefusedError(413, "too_large", f"the body is over {limit // 1024} KB")


def _inflate(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding.lower() != "deflate":
        message = "the body's Content-Encoding is not known; expected deflate, or none"
        raise RefusedError(400, "bad_request", message)
    inflating = zlib.decompressobj()
    try:
        inflated = inflating.decompress(body, limit + 1)
    except zlib.error:
        inflated = b""
    if len(inflated) > limit:
        raise too_large(limit)
    if not inflating.eof or inflating.unused_data:
        message = "the body is not what its Content-Encoding, deflate, says"
        raise RefusedError(400, "bad_request", message)
    return inflated


def _yield_gil(value: dict[str, Any]) -> dict[str, Any]:
    """Return the object unchanged.

    The C parser holds the GIL until it finishes, in whichever thread it runs. Calling a Python
    function for each object lets the event loop's thread run in between.
    """
    return value


def _as_null(_constant: str) -> None:
    """Replace NaN and Infinity by null."""


_DECODER = json.JSONDecoder(parse_constant=_as_null)
_YIELDING_DECODER = json.JSONDecoder(parse_constant=_as_null, object_hook=_yield_gil)
