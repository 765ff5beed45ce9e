"""Starts, restarts and ends the core's process; runs in the main process.

Imports nothing of the core, to keep the main process's memory small.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

ADDRESS = "CC_BRIDGE_CORE"  # in the environment of the workers: where the core listens
# The protocol with the core's process: one word per line.
READY = b"ready\n"
STOP_POLLING = "stop_polling"
STOP = "stop"
MANAGER = "manager"  # followed by the process ID of Sanic's state process

ENDED = 2  # the core's exit code if it cannot be opened at server start

_PROGRAM = "bridge.process.main"
_BACKLOG = 128
_SOON = 5.0  # seconds; after two consecutive shorter lives, the restart is delayed
_PAUSE = 1.0
_STARTS_WITHIN = 60.0  # seconds
_STOPS_WITHIN = 120.0  # seconds before it is killed; it ends itself long before


class CoreFailedError(Exception):
    """The core cannot be opened; the text gives the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Started:
    """The command-line argument of the core's process, as JSON.

    Attributes:
        listening, control: file descriptors of open sockets.
        first: True at server start, when a failure to open the core is a failure of the server.
        level: the log level.
        logging: a YAML file for ``logging.config``, or None.
    """

    listening: int
    control: int
    first: bool
    level: int | str
    logging: str | None


class Supervisor:
    """Keeps one core process running. Call ``start`` once; ``stop`` may be repeated.

    Args:
        level: the core's log level.
        logging_file: a YAML file for ``logging.config``, or None.
    """

    def __init__(self, *, level: int | str = logging.INFO, logging_file: str | None = None) -> None:
        self._level = level
        self._logging_file = logging_file
        self._folder = Path(tempfile.mkdtemp(prefix="cc-bridge-"))  # accessible to its user only
        self.address = str(self._folder / "core")
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(self.address)
        self._listening.listen(_BACKLOG)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._manager: int | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="core-process", daemon=True)

    @property
    def pid(self) -> int | None:
        """The ID of the current process."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the core's process and wait for its ``READY``.

        Raises:
            CoreFailedError: it cannot be opened.
        """
        self._spawn(first=True)
        assert self._control is not None  # noqa: S101 - set by _spawn
        self._control.settimeout(_STARTS_WITHIN)
        response = b""
        try:
            while not response.endswith(READY) and (data := self._control.recv(65536)):
                response += data
        except TimeoutError:
            response = b"the core's process did not start in time"
        if response != READY:
            self._clean_up()
            raise CoreFailedError(response.decode() or "the core's process ended; its log says why")
        self._control.settimeout(None)
        self._thread.start()

    def stop_polling(self) -> None:
        """Stop polling for events before a server stop. Safe to call in a signal handler."""
        self._send(STOP_POLLING)

    def end_with(self, manager: int) -> None:
        """Have the core kill process ``manager``, Sanic's state process, if this one dies."""
        self._manager = manager
        self._send(f"{MANAGER} {manager}")

    def stop(self) -> None:
        """Let the core finish the calls in flight, and end its process."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with self._lock:  # waits for a restart in progress
            process = self._process
        self._send(STOP)
        if process is not None:
            try:
                process.wait(_STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                logger.error("The core's process did not end in time; it is killed")  # noqa: TRY400
                process.kill()
                process.wait()
        self._clean_up()

    def _spawn(self, *, first: bool) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = Started(
                self._listening.fileno(), theirs.fileno(), first, self._level, self._logging_file
            )
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", _PROGRAM, json.dumps(asdict(arguments))],
                stdin=subprocess.DEVNULL,
                pass_fds=[arguments.listening, arguments.control],
            )
        self._control = ours
        if self._manager is not None:
            self._send(f"{MANAGER} {self._manager}")

    def _watch(self) -> None:
        """Restart the process whenever it ends."""
        hasty = False  # the previous process was short-lived
        while (process := self._process) is not None:
            began = time.monotonic()
            code = process.wait()
            if self._stopping.is_set():
                return
            logger.error(
                "The core's process died, another is started pid=%s code=%s", process.pid, code
            )
            if (was_hasty := time.monotonic() < began + _SOON) and hasty:
                self._stopping.wait(_PAUSE)
            hasty = was_hasty
            with self._lock:
                if self._stopping.is_set():
                    return
                if self._control is not None:
                    self._control.close()
                self._respawn()

    def _respawn(self) -> None:
        while True:
            try:
                self._spawn(first=False)
            except OSError as error:  # no memory, no process
                logger.error("The core's process cannot be started: %s", error.strerror)  # noqa: TRY400
                if self._stopping.wait(_PAUSE):
                    return
            else:
                return

    def _send(self, word: str) -> None:
        control = self._control
        if control is not None:
            with contextlib.suppress(OSError):  # it died; ``_spawn`` repeats what the next needs
                control.sendall(f"{word}\n".encode())

    def _clean_up(self) -> None:
        if self._control is not None:
            self._control.close()
        self._listening.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def address() -> str | None:
    """Return the address of this server's core; None outside a server's workers."""
    return os.environ.get(ADDRESS)


def announce(where: str) -> None:
    """Publish the core's address in the environment of workers started from now on."""
    os.environ[ADDRESS] = where
