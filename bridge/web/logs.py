"""Keep query strings, which carry tokens, and third-party exception texts out of Sanic's logs."""

from __future__ import annotations

import logging
import re

from bridge import untrusted
from bridge.errors import describe

_QUERY = re.compile(r"\?[^\s'\"<>]*")
_LOGGERS = ("sanic.access", "sanic.error", "sanic.root", "sanic.server")


def install() -> None:
    """Add the filter to Sanic's loggers in this process."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, Discreet) for existing in logger.filters):
            logger.addFilter(Discreet())


class Discreet(logging.Filter):
    """Removes query strings and exception texts from records; drops no record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record and return True."""
        line = getattr(record, "request", None)  # the access log's "GET http://.../?token=..."
        if isinstance(line, str):
            record.request = untrusted.one_line(_QUERY.sub("", line))
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if isinstance(record.msg, BaseException):
            error, record.msg = error or record.msg, "Sanic reports an error"
        message = _QUERY.sub("", record.getMessage())
        if error is not None and not isinstance(error, OSError):  # OS texts are safe
            message = f"{message.replace(str(error) or message, '...')}: {describe(error)}"
            record.exc_info = record.exc_text = None
        record.msg, record.args = message, None
        return True
