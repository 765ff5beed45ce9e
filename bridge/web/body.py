"""A request's body: inflated and parsed within bounds. Pure; may run in any thread."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bridge.errors import RefusedError

_quick: Callable[[bytes], Any] | None
try:
    from ujson import loads as _quick  # which Sanic and the SDK use, where it is there
except ImportError:
    _quick = None

WEBHOOK_BYTES = 10 * 1024 * 1024  # after inflating; a long conversation with a large domain
OTHER_BYTES = 64 * 1024


def parse(body: bytes, encoding: str = "", *, limit: int = WEBHOOK_BYTES) -> Any:
    """The JSON value of a small body.

    What UTF-8 or JSON cannot hold is put right, not refused, since Rasa passes on what customers'
    programs wrote: halves of surrogate pairs become question marks, NaN and Infinity null.

    Args:
        body: as it came.
        encoding: of the header Content-Encoding; only ``deflate`` (zlib's) is known, as to Rasa.
        limit: bytes of the inflated body.

    Raises:
        RefusedError: 400 or 413, with the reason; nothing of the body is quoted.
    """
    if _quick is not None and not encoding and len(body) <= limit and not _is_odd(body):
        with suppress(ValueError):  # what is wrong with it is said below
            return _quick(body)
    return _parse(body, encoding, limit, _AT_ONCE)


def _is_odd(body: bytes) -> bool:
    """Whether there may be something in it that the quick parser would take as it is."""
    return b"NaN" in body or b"Infinity" in body or b"\\ud" in body or b"\\uD" in body


def parse_aside(body: bytes, encoding: str = "") -> Any:
    """As ``parse`` does, in a thread beside the event loop, which gets its turn meanwhile."""
    return _parse(body, encoding, WEBHOOK_BYTES, _BREATHING)


def _parse(body: bytes, encoding: str, limit: int, decoder: json.JSONDecoder) -> Any:
    if encoding.lower() not in ("", "identity"):
        body = _inflate(body, encoding, limit)
    if len(body) > limit:
        raise too_large(limit)
    try:
        found = decoder.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
        return _mended(found) if b"\\ud" in body or b"\\uD" in body else found
    except RecursionError:
        message = "the body is nested too deeply"
    except ValueError:  # JSON, UTF-8, or a number of thousands of digits
        message = "the body is not JSON" if body.strip() else "the body is empty; expected is JSON"
    raise RefusedError(400, "bad_request", message)


def too_large(limit: int) -> RefusedError:
    """What is said of a body over ``limit`` bytes."""
    return RefusedError(413, "too_large", f"the body is over {limit // 1024} KB")


def _inflate(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding.lower() != "deflate":
        message = "the body's Content-Encoding is not known; expected is deflate, or none"
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


def _breathe(found: dict[str, Any]) -> dict[str, Any]:
    """The object itself.

    The parser is C and keeps the interpreter's lock until it is done, in whatever thread. A call
    of Python for each object is where the event loop gets its turn.
    """
    return found


def _nothing(_constant: str) -> None:
    """What JSON says instead of NaN."""


_AT_ONCE = json.JSONDecoder(parse_constant=_nothing)
_BREATHING = json.JSONDecoder(parse_constant=_nothing, object_hook=_breathe)


def _mended(found: Any) -> Any:
    text = json.dumps(found, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-8", "replace"))
    return found
