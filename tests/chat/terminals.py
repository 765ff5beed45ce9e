"""Terminals of ``cc-bridge simulate chat``: lines go in by a pipe, and come out by another."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from types import TracebackType

from typing_extensions import Self

SECONDS = 30.0


class Terminal:
    """One process of the command; a context manager.

    Args:
        arguments: after ``simulate chat``.
        token: of the API.
    """

    def __init__(self, *arguments: str, token: str | None = None) -> None:
        self._command = [sys.executable, "-m", "bridge", "simulate", "chat", *arguments]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("BRIDGE")}
        self._environ = kept | ({"BRIDGE_API_TOKEN": token} if token else {})
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.seen: list[str] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(SECONDS)
        self._reader.join(SECONDS)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def types(self, line: str) -> None:
        """Type a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def shows(self, *words: str) -> str:
        """Wait for a line that has all these words."""
        until = time.monotonic() + SECONDS
        while (left := until - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            self.seen.append(line)
            if all(word in line for word in words):
                return line
        msg = f"no line with {words}; it showed {self.seen}"
        raise AssertionError(msg)

    def ends(self) -> int:
        """End the input, as Ctrl-D does, and wait for the end; its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.ended()

    def ended(self) -> int:
        """Wait for the end; its exit code."""
        return self._process.wait(SECONDS)

    def complaint(self) -> str:
        """What it wrote to standard error, after its end."""
        assert self._process.stderr is not None
        return self._process.stderr.read()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)
