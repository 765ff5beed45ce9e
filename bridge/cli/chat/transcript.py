"""The lines of a chat: those that are typed, and those that are shown."""

from __future__ import annotations

import codecs
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from rich.console import Console
from rich.text import Text

from bridge import untrusted

T = TypeVar("T")

CUSTOMER, AGENT, BOT, NOTE, FAULT = "cyan", "green", "magenta", "dim", "red"  # styles

_CHUNK = 65_536  # bytes


class ChatError(Exception):
    """The chat cannot begin or go on; the message says why, and what to do."""


class Transcript:
    """Shows lines. What others wrote cannot control the terminal or look like a line of its own."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def said(self, who: str, text: str, style: str) -> None:
        """Show what somebody wrote; further lines of it are indented."""
        name = untrusted.one_line(who)
        first, *rest = text.splitlines() or [""]
        self._print(Text.assemble((f"{name}:", f"bold {style}"), " ", _plain(first)))
        for line in rest:
            self._print(Text(" " * (len(name) + 2) + _plain(line)))

    def note(self, sentence: str, style: str = NOTE) -> None:
        """Show what happened."""
        self._print(Text(f"* {untrusted.one_line(sentence, longest=None)}", style))

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)
        self._console.file.flush()


def _plain(line: str) -> str:
    return untrusted.one_line(line, longest=None)


class Inbox(Generic[T]):
    """What comes from several threads, in order of arrival.

    The threads are never waited for: they end with the program.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[T] = queue.SimpleQueue()

    def fill(self, source: Callable[[], Iterator[T]]) -> None:
        """Take the items of a source, in a thread of its own."""

        def run() -> None:
            for item in source():
                self._queue.put(item)

        threading.Thread(target=run, daemon=True).start()

    def next(self) -> T:
        """Wait for the next item."""
        return self._queue.get()


def typed() -> Iterator[str | None]:
    """Yield the lines of standard input, and None at its end (Ctrl-D).

    This reads the file descriptor, because a thread that waits in ``sys.stdin`` holds a lock that
    the interpreter needs when it exits.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pending = ""
    while chunk := os.read(sys.stdin.fileno(), _CHUNK):
        *lines, pending = (pending + decoder.decode(chunk)).split("\n")
        yield from (line.rstrip("\r") for line in lines)
    if pending:
        yield pending
    yield None
