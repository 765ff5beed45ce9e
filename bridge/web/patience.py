"""Lets a signal to stop that comes while the workers start wait until they have started.

Sanic's manager, told to stop then, would wait for ever for the workers that it has just ended. In
the main process only; how a worker stops is in ``lifecycle.py``.
"""

from __future__ import annotations

import logging
import signal
from contextlib import suppress
from types import FrameType
from typing import Any, Protocol

from sanic import Sanic
from sanic.exceptions import ServerKilled

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Manager(Protocol):
    """What is used of Sanic's ``WorkerManager``."""

    def wait_for_ack(self) -> None:
        """Return once every worker has said that it has started."""

    def shutdown_signal(self, number: int, frame: FrameType | None) -> None:
        """Stop the workers; the second time, kill them."""

    def kill(self) -> None:
        """Kill the workers; raises ServerKilled."""


def install(app: Sanic[Any, Any]) -> None:
    """Be patient with the manager of ``app``, where it has one."""
    app.register_listener(_begin, "main_process_ready")


def _begin(app: Sanic[Any, Any], *_: object) -> None:
    Patience(app.manager).begin()


class Patience:
    """Stands between the signals and a manager until its workers have started."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._wait_for_ack = manager.wait_for_ack
        self._told: int | None = None

    def begin(self) -> None:
        """Take the signals, before the manager starts its workers."""
        self._manager.wait_for_ack = self._wait  # type: ignore[method-assign]
        for number in _SIGNALS:
            signal.signal(number, self._signalled)

    def _wait(self) -> None:
        self._wait_for_ack()
        for number in _SIGNALS:
            signal.signal(number, self._manager.shutdown_signal)
        if self._told is not None:
            self._manager.shutdown_signal(self._told, None)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        if self._told is None:
            self._told = number
            logger.info("The server stops as soon as it has started")
            return
        with suppress(ServerKilled):  # whoever says it twice does not want to wait
            self._manager.kill()
