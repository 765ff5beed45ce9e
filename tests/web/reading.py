"""A reader of ``/bridge/stream``, as a page's script is one."""

from __future__ import annotations

import http.client
import json
import queue
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

from typing_extensions import Self

from tests.web.serving import API_TOKEN, ActionServer

SECONDS = 20.0  # what is awaited comes within milliseconds


class Event:
    """One event, with the moment of its arrival."""

    def __init__(self, name: str, last_id: str, data: dict[str, Any]) -> None:
        self.name = name
        self.id = int(last_id)
        self.data = data
        self.at = time.monotonic()

    def __repr__(self) -> str:
        return f"{self.name} {self.id} {self.data}"


class Reader:
    """One open stream; a context manager.

    Attributes:
        last_id: what a browser would send as Last-Event-ID.
        comments: how many comments came.
    """

    def __init__(
        self,
        server: ActionServer,
        *,
        token: str = API_TOKEN,
        last_id: int | None = None,
        query: bool = False,
        origin: str | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        if origin is not None:
            headers["Origin"] = origin
        address = "/bridge/stream"
        if last_id is not None and query:
            address += f"?last_event_id={last_id}"
        elif last_id is not None:
            headers["Last-Event-ID"] = str(last_id)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.connect()
        self._socket: socket.socket = connection.sock
        connection.request("GET", address, headers=headers)
        self.answer = connection.getresponse()
        self.status = self.answer.status
        self.last_id: int | None = None
        self.comments = 0
        self.ended = threading.Event()
        self._begun = threading.Event()
        self._events: queue.Queue[Event] = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        if self.status == 200:
            self._thread.start()
            assert self._begun.wait(SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Go away."""
        with suppress(OSError):  # the server closed it
            self._socket.shutdown(socket.SHUT_RDWR)
        if self.status == 200:
            assert self.ended.wait(SECONDS)
        self.answer.close()
        self._socket.close()

    def next(self, seconds: float = SECONDS) -> Event:
        """The next event."""
        return self._events.get(timeout=seconds)

    def until(self, wanted: Callable[[Event], bool]) -> Event:
        """The first event for which ``wanted`` holds; the others before it are passed over."""
        end = time.monotonic() + SECONDS
        while True:
            event = self._events.get(timeout=max(0.01, end - time.monotonic()))
            if wanted(event):
                return event

    def upto(self, last_id: int) -> list[Event]:
        """All events up to the one with this number."""
        found = [self.next()]
        while found[-1].id < last_id:
            found.append(self.next())
        return found

    def nothing(self, seconds: float = 0.5) -> bool:
        """Whether no event comes for a while."""
        try:
            self._events.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def _read(self) -> None:
        name, data, last = "", "", ""
        try:
            while raw := self.answer.readline():
                line = raw.decode().rstrip("\n")
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    field, _, value = line.partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data":
                        data = value
                    elif field == "id":
                        last = value
                else:
                    self.last_id = int(last)
                    if data:
                        self._events.put(Event(name, last, json.loads(data)))
                    name, data = "", ""
                    self._begun.set()
        except (http.client.HTTPException, OSError, ValueError):
            pass  # it was closed
        finally:
            self._begun.set()
            self.ended.set()
