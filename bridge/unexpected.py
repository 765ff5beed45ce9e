"""Suppress and log exceptions that nothing expects, where work must continue after them."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import final

from bridge.errors import describe


@final
class Unexpected:
    """A context manager that logs any exception of its block and continues after the block.

    Only what ``errors.describe`` returns is logged, because an exception's message and traceback
    may contain a customer's text.

    Args:
        log: the caller's logger.
        message: a format whose first ``%s`` is the description of the exception.
        args: the other values of the format.
        level: of the log record.

    Attributes:
        error: the exception, None if there was none.
    """

    def __init__(
        self, log: logging.Logger, message: str, *args: object, level: int = logging.ERROR
    ) -> None:
        self.error: Exception | None = None
        self._log = log
        self._message = message
        self._args = args
        self._level = level

    def __enter__(self) -> Unexpected:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self.error = error
        self._log.log(self._level, self._message, describe(error), *self._args)
        return True
