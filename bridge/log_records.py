"""Keep values from outside from forging log lines or controlling a terminal.

Names of actions and intents, retcodes and IDs reach the log as arguments of its records. Every
record of the bridge and of Rasa's SDK is created here, so that no handler and no formatter of an
operator's own logging configuration has to escape anything.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from bridge import untrusted
from bridge.errors import Lines

_OURS = "bridge"
_SDK = "rasa_sdk"
_ESCAPED = frozenset({_OURS, _SDK, "sanic"})
_LONGEST_MESSAGE = 4 * untrusted.LONGEST_SHOWN


class SafeRecord(logging.LogRecord):
    """A log record whose arguments contain no control characters and are of bounded length.

    ``worker`` is the server's worker that created it, None in other processes.
    """

    worker: str | None = None

    def __init__(self, name: str, *arguments: Any, **more: Any) -> None:
        super().__init__(name, *arguments, **more)
        package = name.partition(".")[0]
        if package not in _ESCAPED:
            return
        if isinstance(self.args, Mapping) and "%(" in str(self.msg):
            self.args = {key: _safe(argument) for key, argument in self.args.items()}
        elif self.args:  # a single object is an argument of its own
            given = self.args if isinstance(self.args, tuple) else (self.args,)
            self.args = tuple(_safe(argument) for argument in given)
        if package == _SDK:  # it puts the names of actions into its messages
            self.msg = _safe(self.msg, _LONGEST_MESSAGE)
        elif package == _OURS and self.worker is not None:
            self.msg = f"{self.msg} worker={self.worker}"


def install(worker: str | None = None) -> None:
    """Create all log records of this process as ``SafeRecord``, with the worker's name if given."""
    SafeRecord.worker = worker
    logging.setLogRecordFactory(SafeRecord)


def _safe(argument: Any, longest: int = untrusted.LONGEST_SHOWN) -> Any:
    if argument is None or isinstance(argument, (bool, int, float, Lines)):
        return argument
    return untrusted.one_line(str(argument), longest)
