"""Starts the core's process, starts it again when it dies, and ends it: the main process's part.

Imports nothing of the core: the main process holds no more memory than it needs.
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
# Words on the line to the core's process, one a line.
READY = b"ready\n"
STOP_POLLING = "stop_polling"
STOP = "stop"
MANAGER = "manager"  # and the process ID of Sanic's

ENDED = 2  # the core's exit code where it cannot be opened at the start

_PROGRAM = "bridge.process.main"
_BACKLOG = 128
_SOON = 5.0  # seconds: where two in a row end sooner, the next is started after a pause
_PAUSE = 1.0
_STARTS_WITHIN = 60.0  # seconds
_STOPS_WITHIN = 15.0  # seconds; then it is killed


class CoreFailedError(Exception):
    """The core cannot be opened; the text says why, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Started:
    """What the core's process is told on its command line.

    Attributes:
        listening, control: numbers of open sockets.
        first: the server is starting: where the core cannot be opened, neither can the server.
        level: of the log.
        logging: a YAML file for ``logging.config``, or None.
    """

    listening: int
    control: int
    first: bool
    level: int | str
    logging: str | None


class Supervisor:
    """One core's process at a time. ``start`` it once; ``stop`` it any number of times.

    Args:
        level: of the core's log.
        logging_file: a YAML file for ``logging.config``, or None.
    """

    def __init__(self, *, level: int | str = logging.INFO, logging_file: str | None = None) -> None:
        self._level = level
        self._logging_file = logging_file
        self._folder = Path(tempfile.mkdtemp(prefix="cc-bridge-"))  # its user's alone
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
        """The process that it is now."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the core's process, and wait until it is open.

        Raises:
            CoreFailedError: it cannot be opened.
        """
        self._spawn(first=True)
        assert self._control is not None  # noqa: S101 - made by _spawn
        self._control.settimeout(_STARTS_WITHIN)
        said = b""
        try:
            while not said.endswith(READY) and (data := self._control.recv(65536)):
                said += data
        except TimeoutError:
            said = b"the core's process did not start in time"
        if said != READY:
            self._forget()
            raise CoreFailedError(said.decode() or "the core's process ended; its log says why")
        self._control.settimeout(None)
        self._thread.start()

    def stop_polling(self) -> None:
        """Let agents' events be: the server is about to stop. A signal's handler may call this."""
        self._say(STOP_POLLING)

    def end_with(self, manager: int) -> None:
        """Name a process that is to end if this one dies: Sanic's manager does not see to that."""
        self._manager = manager
        self._say(f"{MANAGER} {manager}")

    def stop(self) -> None:
        """Let what is in flight finish, and end the process."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        with self._lock:  # whoever starts another one is done with it
            process = self._process
        self._say(STOP)
        if process is not None:
            try:
                process.wait(_STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                logger.error("The core's process did not end in time; it is killed")  # noqa: TRY400
                process.kill()
                process.wait()
        self._forget()

    def _spawn(self, *, first: bool) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            told = Started(
                self._listening.fileno(), theirs.fileno(), first, self._level, self._logging_file
            )
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", _PROGRAM, json.dumps(asdict(told))],
                stdin=subprocess.DEVNULL,
                pass_fds=[told.listening, told.control],
            )
        self._control = ours
        if self._manager is not None:
            self._say(f"{MANAGER} {self._manager}")

    def _watch(self) -> None:
        """Start the process again when it ends."""
        hasty = False  # whether the one before did not live long either
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

    def _say(self, word: str) -> None:
        control = self._control
        if control is not None:
            with contextlib.suppress(OSError):  # it died: the next one is told what matters
                control.sendall(f"{word}\n".encode())

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
        self._listening.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def address() -> str | None:
    """Where the core of this server listens; None in a process that is no server's worker."""
    return os.environ.get(ADDRESS)


def announce(where: str) -> None:
    """Let the workers, which are started from now on, know where the core listens."""
    os.environ[ADDRESS] = where
