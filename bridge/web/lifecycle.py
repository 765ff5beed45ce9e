"""Opens the bridge when a worker starts, and closes it when the worker has served its last request.

Opening is tried again until it succeeds: meanwhile the server answers, and says that it is not
ready. Closing comes after the connections are drained: an action under way still has its outbox.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, repeat
from typing import Any

from sanic import Request, Sanic

from bridge import runtime
from bridge.errors import StoreError, describe

logger = logging.getLogger(__name__)

_PAUSES = (1.0, 2.0, 5.0)  # seconds between attempts to open; then the longest
_LONGEST_PAUSE = 10.0
_ANSWERING = 5.0  # seconds beside delivery.wait that a stop leaves requests under way
_CLOSING = 12.0  # seconds for what is in flight then; a poll of the gateway is the longest
_DRAINING = 0.05  # seconds between looks for connections that have become idle
_MANY_OBJECTS = 20_000  # that are new, before a collection: a turn makes a thousand and drops them
_NOT_CLOSED = 3  # a worker's exit code


def install(app: Sanic[Any, Any]) -> None:
    """Follow ``app`` from start to stop."""
    worker = _Worker()
    app.register_listener(_read_settings, "before_server_start")
    app.register_listener(worker.start, "after_server_start")
    app.register_listener(worker.stop, "before_server_stop")
    app.register_listener(_close, "after_server_stop")
    app.add_signal(worker.meet, "http.routing.after")


class _Worker:
    """What this worker does beside answering."""

    def __init__(self) -> None:
        self._opening: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None
        self._connections: set[Any] = set()

    async def meet(self, *, request: Request, **_: object) -> None:
        """Learn where Sanic keeps its connections: every one knows of all."""
        self._connections = getattr(request.protocol, "connections", self._connections)

    async def start(self, _app: Sanic[Any, Any], *_: object) -> None:
        _end_with_the_main_process()
        self._opening = asyncio.create_task(open_until_ready(_open))

    async def stop(self, app: Sanic[Any, Any], *_: object) -> None:
        _hear_no_other_signal()
        if self._opening is not None:
            self._opening.cancel()
        bridge = runtime.opened()
        if bridge is not None:
            bridge.stop_polling()  # a poll lasts, and need not be waited for after the requests
        self._draining = asyncio.create_task(self._drain(app.config.GRACEFUL_SHUTDOWN_TIMEOUT))

    async def _drain(self, seconds: float) -> None:
        """Close connections that rest: Sanic waits until the client does, two minutes with Rasa's.

        Those that do not come to rest are cut in the end. Ends with the event loop.
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
    """End this worker as soon as the main process died: nobody else would, and the port is taken.

    What was promised is stored; whoever waits for an answer asks again.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        asyncio.get_running_loop().add_reader(parent.sentinel, _leave, "the main process died")


async def _open() -> None:
    """Open what the edge works with, and wait for the core.

    Raises:
        BridgeError: it cannot be opened, or the core does not work.
    """
    bridge = await asyncio.get_running_loop().run_in_executor(None, runtime.current)
    status = await bridge.core.status()
    if not status.alive:
        raise StoreError(status.reason or "the core does not work")


def _hear_no_other_signal() -> None:
    """Ctrl-C reaches a worker twice, from the terminal and from Sanic's manager.

    The second would break the stop off. Who cannot wait tells the main process again: it kills.
    """
    if multiprocessing.parent_process() is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


async def _read_settings(app: Sanic[Any, Any], *_: object) -> None:
    """Before the first request: its token is compared with what the settings say."""
    try:
        settings = await asyncio.get_running_loop().run_in_executor(None, runtime.settings)
        app.config.GRACEFUL_SHUTDOWN_TIMEOUT = settings.bridge.delivery.wait + _ANSWERING
    except Exception as error:  # noqa: BLE001 - the server goes on, closed, and says so
        logger.error("The configuration cannot be read: %s", describe(error))  # noqa: TRY400


async def open_until_ready(
    opening: Callable[[], Awaitable[object]], pauses: Sequence[float] = _PAUSES
) -> None:
    """Await ``opening`` until it succeeds, with pauses between the attempts."""
    for pause in chain(pauses, repeat(_LONGEST_PAUSE)):
        try:
            await opening()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            reason = describe(error)
            logger.error("The bridge cannot work yet: %s again_in=%ss", reason, pause)  # noqa: TRY400
            await asyncio.sleep(pause)
        else:
            _keep_out_of_collections()
            logger.info("The bridge is ready")
            return


def _keep_out_of_collections() -> None:
    """Let garbage collections leave alone what was loaded: it stays as long as the process.

    Looking through all of it took a tenth of a second every few seconds, in which nobody was
    answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MANY_OBJECTS, 20, 50)


async def _close(_app: Sanic[Any, Any], *_: object) -> None:
    settings = runtime.configured()
    longest = settings.bridge.rasa.timeout * 2 if settings is not None else 0.0
    await close_within(max(_CLOSING, longest), runtime.close_current)


async def close_within(seconds: float, closing: Callable[[], object]) -> None:
    """Call ``closing`` in a thread; a worker for which that takes longer ends all the same."""
    closed = asyncio.get_running_loop().run_in_executor(None, closing)
    try:
        await asyncio.wait_for(closed, seconds)
    except asyncio.TimeoutError:
        _leave("the bridge was not closed in time; what was being sent is sent again")
    except Exception as error:  # noqa: BLE001 - the process ends either way
        logger.error("The bridge was not closed well: %s", describe(error))  # noqa: TRY400


def _leave(reason: str) -> None:
    """End this worker now: at its end it would wait for the threads that did not come to theirs."""
    logger.error("This worker ends: %s", reason)
    if multiprocessing.parent_process() is not None:
        logging.shutdown()
        os._exit(_NOT_CLOSED)
