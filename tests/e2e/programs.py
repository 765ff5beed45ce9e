"""Programs of ours as subprocesses: each has a log, is waited for, and is ended by its own id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from typing_extensions import Self

_STOP_SECONDS = 15.0
_LOOK_AGAIN = 0.1
_TAIL = 60  # lines
_OTHERS = ("ACTION_SERVER_", "BRIDGE_", "PYTEST", "RASA_", "SANIC_")  # a developer's, not ours


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds; whether it did in time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_AGAIN)
    return True


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def ask(method: str, url: str, seconds: float, **more: Any) -> requests.Response:
    """One request to loopback, past any proxy."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=seconds, **more)


def environment(home: Path, changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what would set up our programs otherwise."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_OTHERS)}
    return {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), **changes}


class Program:
    """A subprocess in a session of its own, so that whatever it starts ends with it."""

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, changes: Mapping[str, str]
    ) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        self._read = 0  # bytes of it
        self._ending = False
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(folder, changes),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def answers(self, url: str, seconds: float, **params: str) -> None:
        """Wait until ``url`` is answered with success.

        Raises:
            AssertionError: the program ended, or the time is up; with the end of its log.
        """

        def ready() -> bool:
            with suppress(requests.RequestException):
                return ask("GET", url, seconds, params=params).ok
            return False

        def over() -> bool:
            return self._process.poll() is not None

        in_time = eventually(lambda: over() or ready(), seconds)
        assert not over(), f"{self.name} ended with {self._process.returncode}:\n{self.news()}"
        assert in_time, f"{self.name} was not ready in time:\n{self.news()}"

    def succeeds(self, seconds: float) -> None:
        """Wait until the program has ended well.

        Raises:
            AssertionError: it did not; with the end of its log.
        """
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        assert self._process.poll() == 0, f"{self.name} failed:\n{self.news()}"

    def begins_to_stop(self) -> None:
        """Ask the program to end, and do not wait."""
        if self._process.poll() is None and not self._ending:
            self._process.terminate()
        self._ending = True

    def stop(self) -> None:
        """End the program politely; if it will not, by force and with all of its session."""
        self.begins_to_stop()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_STOP_SECONDS)

    def log(self) -> str:
        """Everything that the program has written."""
        return self._log.read_text("utf-8", "replace")

    def news(self) -> str:
        """What was written to the log since this was last asked, or the end of it."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            written = log.read()
        self._read += len(written)
        return "\n".join(written.decode("utf-8", "replace").splitlines()[-_TAIL:])
