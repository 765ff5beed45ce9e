"""A reader of the stream that takes no data is dropped; it catches up when it comes again."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bridge.web.feed import MOST_OF_A_PERSON
from tests.web.reading import SECONDS, Reader
from tests.web.serving import ActionServer
from tests.web.talking import Talk

LARGE = "word " * 6_000  # more than a socket's buffers hold, after some of them
MESSAGES = 120


class SlowReader:
    """A stream that is opened, and not read until ``rest``."""

    def __init__(self, server: ActionServer, token: str) -> None:
        self._socket = socket.socket()
        self._socket.settimeout(SECONDS)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", server.port))
        head = f"GET /bridge/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        self._socket.sendall(head.encode())
        self.begun = self._socket.recv(16)

    def rest(self) -> bytes:
        """What the server had sent when it closed the connection."""
        parts = []
        try:
            while part := self._socket.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def slow(server: ActionServer, token: str) -> Iterator[SlowReader]:
    opened = SlowReader(server, token)
    try:
        yield opened
    finally:
        opened.close()


def is_free(server: ActionServer, token: str) -> bool:
    """Whether the token may have another stream."""
    with Reader(server, token=token) as reader:
        return reader.status == http.client.OK


def test_it_is_dropped_and_misses_nothing(server: ActionServer, talk: Talk) -> None:
    token = server.post("/bridge/tokens", json={"agent_id": "291"}).json()["token"]
    with ExitStack() as opened:
        quick = [
            opened.enter_context(Reader(server, token=token)) for _ in range(MOST_OF_A_PERSON - 1)
        ]
        stuck = opened.enter_context(slow(server, token))
        assert stuck.begun.startswith(b"HTTP/1.1 200")
        for number in range(MESSAGES):
            message = {"from": "customer", "text": LARGE, "message_id": f"m-{number}"}
            assert server.post(f"{talk.call}/messages", json=message).status_code == 201
        assert not is_free(server, token)
        server.until(lambda: is_free(server, token))  # it was dropped
        taken = stuck.rest()
        wanted = [f"m-{number}" for number in range(MESSAGES)]
        for reader in quick:  # nobody else waited for it
            got: list[str] = []
            while got[-1:] != wanted[-1:]:
                event = reader.next()
                got += [event.data["message_id"]] if event.name == "message" else []
            assert got == wanted
    whole = taken[: taken.rindex(b"\n\n")]
    last_id = int(re.findall(rb"^id: (\d+)", whole, re.MULTILINE)[-1])
    seen = re.findall(r'"message_id":"(m-\d+)"', whole.decode("utf-8", "replace"))
    assert len(seen) < MESSAGES
    with Reader(server, token=token, last_id=last_id) as again:
        while seen[-1:] != wanted[-1:]:
            event = again.next()
            seen += [event.data["message_id"]] if event.name == "message" else []
    assert seen == wanted
