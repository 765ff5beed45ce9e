"""Open the bridge when a worker starts, and close it after the worker's last request.

Opening is retried until it succeeds; until then the server answers requests and reports that it is
not ready. The bridge is closed after connections are drained, because running actions still use it.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, repeat
from typing import Any

from sanic import Request, Sanic

from bridge import runtime
from bridge.errors import StoreError
from bridge.process.garbage import freeze_garbage_collector
from bridge.unexpected import Unexpected
from bridge.web.api import parameters
from bridge.web.feed import Feed

logger = logging.getLogger(__name__)

_PAUSES = (1.0, 2.0, 5.0)  # seconds between attempts to open, then _LONGEST_PAUSE
_LONGEST_PAUSE = 10.0
_ANSWERING = 5.0  # seconds on top of delivery.wait that a stop gives running requests
_CLOSING = 12.0  # seconds for calls in flight after that; event polls take longest
_DRAINING = 0.05  # seconds between checks for idle connections
_NOT_CLOSED = 3  # a worker's exit code


def install(app: Sanic[Any, Any]) -> None:
    """Register the listeners on ``app``."""
    worker = _Worker()
    app.register_listener(_make_feed, "before_server_start")
    app.register_listener(_read_settings, "before_server_start")
    app.register_listener(worker.start, "after_server_start")
    app.register_listener(worker.stop, "before_server_stop")
    app.register_listener(_close, "after_server_stop")
    app.add_signal(worker.find_connections, "http.routing.after")


class _Worker:
    """Background tasks of this worker process."""

    def __init__(self) -> None:
        self._opening: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None
        self._connections: set[Any] = set()

    async def find_connections(self, *, request: Request, **_: object) -> None:
        """Remember Sanic's set of connections, which every protocol instance refers to."""
        self._connections = getattr(request.protocol, "connections", self._connections)

    async def start(self, _app: Sanic[Any, Any], *_: object) -> None:
        _end_with_the_main_process()
        self._opening = asyncio.create_task(open_until_ready(_open))

    async def stop(self, app: Sanic[Any, Any], *_: object) -> None:
        _ignore_further_signals()
        app.ctx.bridge_feed.close()
        if self._opening is not None:
            self._opening.cancel()
        bridge = runtime.opened()
        if bridge is not None:
            bridge.stop_polling()  # polls are long: end them while requests are drained
        self._draining = asyncio.create_task(self._drain(app.config.GRACEFUL_SHUTDOWN_TIMEOUT))

    async def _drain(self, seconds: float) -> None:
        """Close idle connections; Sanic would wait for the client to, two minutes with Rasa's.

        After ``seconds``, abort the others. Runs until the event loop ends.
        """
        until = asyncio.get_running_loop().time() + seconds
        while True:
            late = asyncio.get_running_loop().time() > until
            for connection in tuple(self._connections):
                if late:
                    connection.abort()
                else:
                    connection.close_if_idle()
            await asyncio.sleep(_DRAINING)


def _end_with_the_main_process() -> None:
    """End this worker when the main process dies: nothing else would, and it holds the port.

    Accepted work is stored, and clients that wait for a response retry.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        asyncio.get_running_loop().add_reader(parent.sentinel, _leave, "the main process died")


async def _open() -> None:
    """Open this process's runtime and check that the core is alive.

    Raises:
        BridgeError: the runtime cannot be opened, or the core does not work.
    """
    bridge = await asyncio.get_running_loop().run_in_executor(None, runtime.current)
    status = await bridge.core.status()
    if not status.alive:
        raise StoreError(status.reason or "the core does not work")


def _ignore_further_signals() -> None:
    """Ignore SIGINT and SIGTERM from now on.

    Ctrl-C reaches a worker twice, from the terminal and from Sanic's manager, and the second would
    interrupt the shutdown. A second signal to the main process kills the workers.
    """
    if multiprocessing.parent_process() is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


async def _make_feed(app: Sanic[Any, Any], *_: object) -> None:
    app.ctx.bridge_feed = Feed(parameters.opened)


async def _read_settings(app: Sanic[Any, Any], *_: object) -> None:
    """Read the settings before the first request, whose token is compared with them."""
    # On failure the server runs, but refuses requests.
    with Unexpected(logger, "The configuration cannot be read: %s"):
        settings = await asyncio.get_running_loop().run_in_executor(None, runtime.settings)
        app.config.GRACEFUL_SHUTDOWN_TIMEOUT = settings.bridge.delivery.wait + _ANSWERING


async def open_until_ready(
    opening: Callable[[], Awaitable[object]], pauses: Sequence[float] = _PAUSES
) -> None:
    """Await ``opening()`` until it succeeds, with a pause after each failure."""
    for pause in chain(pauses, repeat(_LONGEST_PAUSE)):
        message = "The bridge cannot be opened yet: %s again_in=%ss"
        with Unexpected(logger, message, pause) as failure:
            await opening()
        if failure.error is None:
            freeze_garbage_collector()
            logger.info("The bridge is ready")
            return
        await asyncio.sleep(pause)


async def _close(_app: Sanic[Any, Any], *_: object) -> None:
    settings = runtime.configured()
    longest = settings.bridge.rasa.timeout * 2 if settings is not None else 0.0
    await close_within(max(_CLOSING, longest), runtime.close_current)


async def close_within(seconds: float, closing: Callable[[], object]) -> None:
    """Call ``closing`` in a thread; end the worker process if it takes more than ``seconds``."""
    closed = asyncio.get_running_loop().run_in_executor(None, closing)
    with Unexpected(logger, "Closing the bridge failed: %s"):  # the process ends either way
        try:
            await asyncio.wait_for(closed, seconds)
        except asyncio.TimeoutError:
            _leave("the bridge was not closed in time; what was being sent is sent again")


def _leave(reason: str) -> None:
    """Exit this worker at once: a normal exit would wait for threads that are still running."""
    logger.error("This worker ends: %s", reason)
    if multiprocessing.parent_process() is not None:
        logging.shutdown()
        os._exit(_NOT_CLOSED)
