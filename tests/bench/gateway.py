"""A gateway for benchmarks only: takes any ``sendmessage``, answers after a delay, or never.

``python -m tests.bench.gateway`` prints its port and serves until standard input is closed. The
simulator checks what it is sent and costs as much as the server that is measured; this one keeps
what it was sent and reads it only when it is asked for it:

    POST /bench/delay   seconds, or "hang"; "hang" holds every message until the delay is set again
    GET  /bench/record  {"messages", "codes"}: how many came, and how often each messageCode
    POST /bench/forget
    POST /bench/cookies  from now on, each answer brings a cookie of its agent's
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any

import requests
from typing_extensions import Self

from tests.bench import wire
from tests.bench.cpu import cpu_seconds

ANSWER = b'{"message":"","retcode":"0"}'
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n\r\n"
)
_TAKEN = _HEAD % len(ANSWER) + ANSWER


class _Gateway:
    """What all connections share."""

    def __init__(self) -> None:
        self.delay: float | None = 0.0  # seconds; None holds every message
        self.messages: list[bytes] = []
        self.held: list[Callable[[], None]] = []
        self.cookies = False

    def set_delay(self, wanted: float | str) -> bytes:
        self.delay = None if wanted == "hang" else float(wanted)
        if self.delay is not None:
            held, self.held = self.held, []
            for answer in held:
                answer()
        return b"{}"

    def record(self) -> bytes:
        codes = Counter(
            json.loads(json.loads(body)["data"])["messageCode"] for body in self.messages
        )
        return json.dumps({"messages": len(self.messages), "codes": codes}).encode()

    def forget(self) -> bytes:
        self.messages.clear()
        return b"{}"


class _Connection(wire.Messages):
    def __init__(self, gateway: _Gateway) -> None:
        super().__init__()
        self._gateway = gateway

    def took(self, head: bytes, body: bytes) -> None:
        if head.startswith((b"GET /bench", b"POST /bench")):
            told = self._asked(head.split(b" ", 2)[1].decode(), body)
            self.write(_HEAD % len(told) + told)
            return
        gateway = self._gateway
        gateway.messages.append(body)
        if gateway.cookies:
            self.write(_with_cookie(head))
            return
        if gateway.delay is None:
            gateway.held.append(lambda: self.write(_TAKEN))
        elif gateway.delay:
            asyncio.get_running_loop().call_later(gateway.delay, self.write, _TAKEN)
        else:
            self.write(_TAKEN)

    def _asked(self, path: str, body: bytes) -> bytes:
        if path == "/bench/delay":
            return self._gateway.set_delay(json.loads(body))
        if path == "/bench/cookies":
            self._gateway.cookies = True
            return b"{}"
        return self._gateway.forget() if path == "/bench/forget" else self._gateway.record()


def _with_cookie(head: bytes) -> bytes:
    agent = head.split(b" ", 2)[1].split(b"?")[0].rpartition(b"/")[2]
    return _TAKEN.replace(b"\r\n\r\n", b"\r\nSet-Cookie: LBNODE=node-of-%b\r\n\r\n" % agent, 1)


async def _serve() -> None:
    gateway = _Gateway()
    running = asyncio.get_running_loop()
    server = await running.create_server(lambda: _Connection(gateway), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await running.run_in_executor(None, sys.stdin.read)
    server.close()


class BenchGateway:
    """The gateway as a subprocess on a free port; a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.gateway"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
        self._http = requests.Session()
        self._http.trust_env = False
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self._process.wait(20)

    def answer_after(self, milliseconds: float) -> None:
        """Answer after so long; what was held is answered at once."""
        self._post("delay", milliseconds / 1000)

    def hang(self) -> None:
        """Take messages and answer none."""
        self._post("delay", "hang")

    def give_cookies(self) -> None:
        """Let each answer bring a cookie, as a load balancer would."""
        self._post("cookies", None)

    def forget(self) -> None:
        """Forget what was recorded."""
        self._post("forget", None)

    def codes(self) -> dict[str, int]:
        """How often each messageCode came."""
        answer = self._http.get(f"{self.url}/bench/record", timeout=60)
        codes: dict[str, int] = answer.json()["codes"]
        return codes

    def cpu(self) -> float:
        """Seconds of CPU that it has taken."""
        return cpu_seconds(self._process.pid)

    def _post(self, what: str, value: Any) -> None:
        answer = self._http.post(f"{self.url}/bench/{what}", json=value, timeout=60)
        answer.raise_for_status()


if __name__ == "__main__":
    chosen = wire.loop()
    try:
        chosen.run_until_complete(_serve())
    finally:
        chosen.close()
