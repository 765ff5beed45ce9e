"""The core's process: ``python -m bridge.process.main``, started by ``supervisor``.

Opens the core and serves until the main process sends ``stop``, or dies. This process ignores
SIGINT and SIGTERM, because a terminal and a service manager send them to all processes at once and
the edges' outstanding requests must be answered first.
"""

from __future__ import annotations

import json
import logging
import logging.config
import os
import shutil
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge import config, log_records
from bridge.core.clock import Clock
from bridge.core.command_queue import QueuedCommand
from bridge.core.port import AskMetrics, AskStatus, AwaitChange, Status
from bridge.errors import BridgeError, StoreError, describe
from bridge.process.channel import SocketChannel
from bridge.process.garbage import freeze_garbage_collector
from bridge.process.supervisor import ENDED, MANAGER, READY, STOP, STOP_POLLING, Started
from bridge.state.commands import ResultCallback
from bridge.store import Store
from bridge.unexpected import Unexpected

if TYPE_CHECKING:
    from bridge.service import Service

logger = logging.getLogger("bridge.process.main")  # also where this is __main__

_PAUSES = (1.0, 2.0, 5.0, 10.0)  # seconds between attempts to open the core; the last one repeats
_ORPHANED = 1.0  # seconds for calls in flight after the main process died
_CLOSING = 12.0  # seconds for calls in flight during a stop; an event poll takes longest
_NOT_CLOSED = 3  # the exit code
_FORMAT = "%(asctime)s %(levelname)-8s %(name)s  - %(message)s"  # the SDK's
_DATES = "%Y-%m-%d %H:%M:%S"


class CoreProcess:
    """The only core of a server.

    Args:
        listening: the socket to which the edges connect.
        control: the socket to the main process.
    """

    def __init__(self, listening: socket.socket, control: socket.socket) -> None:
        self._control = control
        self._address: str = listening.getsockname()
        self._channel = SocketChannel(Clock(), listening, self._query)
        self._service: Service | None = None
        self.closing_seconds = _CLOSING  # that a stop may take
        self._reason = "the core is being opened"
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._stopping = threading.Event()
        self._manager: int | None = None  # Sanic's state process, killed if main dies

    def open(self) -> None:
        """Open the core.

        Raises:
            BridgeError: the configuration is wrong, or the database cannot be used.
        """
        from bridge.context import Context  # noqa: PLC0415 - see ``check``
        from bridge.service import Service  # noqa: PLC0415 - see ``check``

        settings = config.load()
        self._service = Service(Context.of(settings), channel=self._channel)
        self.closing_seconds = max(_CLOSING, 2 * settings.bridge.rasa.timeout)
        freeze_garbage_collector()

    def open_until_ready(self) -> None:
        """Open the core; on failure, log the reason, refuse requests, and retry with back-off."""
        attempt = 0
        while not self._stopping.is_set():
            pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
            with Unexpected(logger, "The core cannot be opened: %s again_in=%ss", pause) as failure:
                self.open()
            if failure.error is None:
                return
            self._reason = describe(failure.error)
            self._refuse(pause)
            attempt += 1

    def _refuse(self, seconds: float) -> None:
        until = time.time() + seconds
        while (now := time.time()) < until and not self._stopping.is_set():
            for request in self._channel.take(most=1024, until=min(until, now + 0.2)):
                _reject(request, StoreError(f"the bridge cannot work: {self._reason}"))

    def _query(self, query: Any, reply: ResultCallback) -> None:
        """Answer a query, which is not a command; called in the core's thread."""
        service = self._service
        if isinstance(query, AskStatus):
            status = service.core.status() if service else Status(alive=False, reason=self._reason)
            reply(status, None)
        elif isinstance(query, AwaitChange) and service is not None:
            service.core.changes.wait(query.after, reply)
        elif isinstance(query, AskMetrics) and service is not None:
            self._aside.submit(_render_metrics, service, query, reply)
        else:
            reply(None, StoreError(f"the bridge cannot work: {self._reason}"))

    # -- control by the main process -------------------------------------------------------------

    def obey(self) -> bool:
        """Execute the main process's instructions; return True at ``stop``, False if it died."""
        with self._control.makefile("rb") as lines:
            for line in lines:
                word, _, rest = line.decode().strip().partition(" ")
                if word == STOP_POLLING and self._service is not None:
                    self._service.core.stop_polling()
                elif word == MANAGER:
                    self._manager = int(rest)
                elif word == STOP:
                    self._stopping.set()
                    return True
        self._stopping.set()
        return False

    def close(self, seconds: float | None = None) -> bool:
        """Finish the calls in flight and release the leases; return False if time ran out.

        Args:
            seconds: how long that may take; ``closing_seconds`` by default.
        """
        closing = threading.Thread(target=self._close, daemon=True)
        closing.start()
        closing.join(self.closing_seconds if seconds is None else seconds)
        return not closing.is_alive()

    def _close(self) -> None:
        if self._service is not None:
            self._service.close()
        self._channel.shut()

    def end_orphaned(self) -> None:
        """Clean up after the main process died, and close the core within ``_ORPHANED`` seconds."""
        logger.error("The main process died; the core ends")
        if self._manager is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self._manager, signal.SIGKILL)
        shutil.rmtree(Path(self._address).parent, ignore_errors=True)
        self.close(_ORPHANED)


def _render_metrics(service: Service, query: AskMetrics, reply: ResultCallback) -> None:
    with Unexpected(logger, "The metrics cannot be rendered: %s") as failure:
        text = service.core.render_metrics(query.accept, version=query.version)
    if failure.error is None:
        reply(text, None)
    else:
        reply(None, StoreError("the metrics cannot be rendered; the log says why"))


def _reject(request: QueuedCommand, error: BridgeError) -> None:
    if request.reply is not None:
        request.reply(None, error)


def _configure_logging(started: Started) -> None:
    """Configure logging as the SDK does; importing the SDK here would take too much memory."""
    log_records.install()
    logging.basicConfig(level=started.level, format=_FORMAT, datefmt=_DATES)
    if started.logging is not None:
        message = "The logging configuration cannot be used: %s"  # the SDK also continues
        with Unexpected(logger, message, level=logging.WARNING):
            settings = config.read_yaml(Path(started.logging))
            logging.config.dictConfig({**settings, "disable_existing_loggers": False})


def check() -> None:
    """Check that the configuration is valid and that the database is writable.

    The server starts its workers after this check, while the rest of the core is loaded.

    Raises:
        BridgeError: ConfigurationError with every fault, or StoreError.
    """
    settings = config.load()
    for warning in settings.warnings:
        logger.warning(warning)
    with closing(Store(settings.bridge.storage.url)) as store:
        store.require_writable()


def main() -> None:
    """Serve until the main process sends ``stop``, or dies."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    started = Started(**json.loads(sys.argv[1]))
    _configure_logging(started)
    listening = socket.socket(fileno=started.listening)
    control = socket.socket(fileno=started.control)
    process = CoreProcess(listening, control)
    if started.first:
        try:
            check()
        except BridgeError as error:
            control.sendall(str(error).encode())
            os._exit(ENDED)
        control.sendall(READY)
    threading.Thread(target=process.open_until_ready, daemon=True).start()
    if process.obey():
        if not process.close():
            logger.error("The core was not closed in time; what was being sent is sent again")
            logging.shutdown()
            os._exit(_NOT_CLOSED)
    else:
        process.end_orphaned()
    logging.shutdown()
    os._exit(0)  # do not wait for threads that are still running


if __name__ == "__main__":
    main()
