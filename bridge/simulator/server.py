"""The listening socket: bind it (port 0 takes a free port), announce it, and close it cleanly.

``POST /simulator/refuse`` closes it for a while, so that connections are refused as by a gateway
that is down.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Coroutine
from typing import Any

from sanic import HTTPResponse, Request

from bridge.simulator import app as edge
from bridge.simulator import control
from bridge.simulator.options import SimulatorSettings
from bridge.simulator.tenant import Tenant

BACKLOG = 1024
SWEEP_EVERY = 1.0  # seconds
REPLY_FIRST = 0.02  # seconds to send pending responses before connections are cut


def run(settings: SimulatorSettings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    try:
        import uvloop  # noqa: PLC0415 - installed with Sanic where supported

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    except ImportError:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(Server(settings, host, port).serve())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class Server:
    """A simulator that listens on one address."""

    def __init__(self, settings: SimulatorSettings, host: str, port: int) -> None:
        self._tenant = Tenant(settings)
        self._app = edge.build(self._tenant)
        self._app.add_route(
            self._refuse, control.PREFIX + "/refuse", methods=["POST"], name="refuse"
        )
        self._host = host
        self._port = port
        self._server: Any = None  # Sanic's AsyncioServer, untyped
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Listen, announce the address, and serve until a signal arrives."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        await self._listen(self._bind(), first=True)
        sys.stdout.write(f"CC-Gateway simulator listening on http://{self._shown()}:{self._port}\n")
        sys.stdout.flush()
        self._begin(self._sweep())
        await self._stopping.wait()
        for task in self._tasks:
            task.cancel()
        self._tenant.reset()
        await asyncio.sleep(REPLY_FIRST)  # waiting requests are answered or dropped
        await self._close()

    def _shown(self) -> str:
        return f"[{self._host}]" if ":" in self._host else self._host

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        sock = socket.socket(family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self._host, self._port))
        self._port = sock.getsockname()[1]
        return sock

    async def _listen(self, sock: socket.socket, *, first: bool = False) -> None:
        server: Any = await self._app.create_server(sock=sock, backlog=BACKLOG)
        if first:
            await server.startup()
            await server.before_start()
        await server.start_serving()
        self._server = server

    async def _close(self) -> None:
        """Stop listening and cut every connection."""
        server, self._server = self._server, None
        if server is None:
            return
        server.server.close()
        for connection in tuple(server.connections):
            connection.abort()
        await asyncio.sleep(0)

    def _begin(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            self._tenant.gateway.sweep()

    async def _refuse(self, request: Request) -> HTTPResponse:
        """``POST /simulator/refuse {"seconds": n}``: refuse every connection for a while."""
        seconds = control.document(request).get("seconds")
        if not isinstance(seconds, int | float) or seconds < 0:
            msg = "seconds: how long connections are refused"
            raise ValueError(msg)
        self._begin(self._refusal(seconds))
        return control.reply({})

    async def _refusal(self, seconds: float) -> None:
        await asyncio.sleep(REPLY_FIRST)
        await self._close()
        sock = self._bind()  # bound but not listening: keeps the port, refuses connections
        await asyncio.sleep(seconds)
        await self._listen(sock)
