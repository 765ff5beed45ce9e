"""The action servers that are measured, each started as Rasa's deployers start it.

``Bridge`` is the program itself; the baselines are what one writes without it. All three run under
the same ``python -m rasa_sdk`` with the same options and get the same requests; the bridge alone
has conversations assigned, and a database.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from sqlalchemy import create_engine, text
from typing_extensions import Self

from bridge.model import AgentId, Assignment, CallId, Owner, SenderId
from bridge.store import Store, Tx, assignments
from tests.bench.cpu import session_cpu_seconds
from tests.bench.gateway import BenchGateway
from tests.web.serving import ActionServer, free_port

AGENT = "291"
GUID = "a-guid-of-the-benchmarks"


class Program:
    """A running action server; a context manager."""

    name: str
    port: int

    def __init__(self, gateway: BenchGateway) -> None:
        self.gateway = gateway

    @property
    def pid(self) -> int:
        """The server's first process, which leads its session."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and return once it serves."""
        raise NotImplementedError

    def stop(self) -> None:
        """End it."""
        raise NotImplementedError

    def assign(self, senders: Sequence[str]) -> None:
        """Do whatever must be done before these conversations can be handed off."""

    def check(self, count: int) -> None:
        """Raise where not ``count`` messages were taken, each once, since the last time."""
        codes = self.gateway.codes()
        self.gateway.forget()
        assert sum(codes.values()) == len(codes) == count, (self.name, count, len(codes))

    def cpu(self) -> float:
        """Seconds of CPU that the server and its workers have taken."""
        return session_cpu_seconds(self.pid)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class Bridge(Program):
    """The bridge: every message durable, and settled in the store.

    Args:
        operator: sections of bridge.yml.
        designer: handoff.yml; None for its defaults.
        url: of its database; a SQLite file of its own where it is None.
    """

    name = "bridge"

    def __init__(
        self,
        gateway: BenchGateway,
        *,
        operator: dict[str, Any] | None = None,
        designer: dict[str, Any] | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(gateway)
        self._folder = tempfile.TemporaryDirectory()
        self.url = url or f"sqlite:///{self._folder.name}/bridge.db"
        settings: dict[str, Any] = {
            "gateway": {"url": gateway.url},
            "agents": {"*": {}},
            "delivery": {"wait": 30, "workers": 64},
            "storage": {"url": self.url},
            **(operator or {}),
        }
        folder = Path(self._folder.name)
        self.server = ActionServer(folder, bridge=settings)
        if designer is not None:
            (folder / "config" / "handoff.yml").write_text(json.dumps(designer), encoding="utf-8")

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def start(self) -> None:
        self.server.start()
        self.port = self.server.port
        self.server.put(f"/bridge/sessions/{AGENT}", json={"guid": GUID}).raise_for_status()

    def stop(self) -> None:
        self.server.close()
        self._folder.cleanup()

    def assign(self, senders: Sequence[str]) -> None:
        assign(self.url, senders)

    def check(self, count: int) -> None:
        """Raise where the gateway's record and the store's deliveries are not the same."""
        recorded = self.gateway.codes()
        super().check(count)
        rows = self._ask("SELECT seq, message_code, state FROM deliveries ORDER BY seq DESC", count)
        assert {row.state for row in rows} == {"delivered"}, {row.state for row in rows}
        assert {row.message_code for row in rows} == recorded.keys()

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until nothing waits and nothing is being sent."""
        until = time.monotonic() + seconds
        while self._ask("SELECT seq FROM deliveries WHERE state IN ('waiting', 'sending')", 1):
            assert time.monotonic() < until, "not everything was delivered"
            time.sleep(0.05)

    def states(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        rows = self._ask("SELECT state, count(*) AS many FROM deliveries GROUP BY state", 10)
        return {row.state: row.many for row in rows}

    def _ask(self, question: str, limit: int) -> Sequence[Any]:
        engine = create_engine(self.url)
        try:
            with engine.connect() as connection:
                return connection.execute(text(f"{question} LIMIT {limit}")).all()
        finally:
            engine.dispose()


class Baseline(Program):
    """What one writes without the bridge.

    Args:
        name: ``pooled``, ``tuned`` or ``plain``.
    """

    def __init__(self, gateway: BenchGateway, name: str) -> None:
        super().__init__(gateway)
        self.name = name
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> None:
        self.port = free_port()
        actions = f"tests.bench.baseline_{self.name}"
        command = [sys.executable, "-m", "rasa_sdk", "--actions", actions, "-p", str(self.port)]
        environ = {
            **os.environ,
            "SANIC_HOST": "127.0.0.1",
            "BENCH_GATEWAY": self.gateway.url,
            "BENCH_GUID": GUID,
        }
        self._process = subprocess.Popen(
            command,
            env=environ,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        _await(self.port)

    def stop(self) -> None:
        time.sleep(1)  # a baseline has not our patience with a signal at the start
        self._process.terminate()
        self._process.wait(60)
        self._said.close()


def assign(url: str, senders: Sequence[str], owner: Owner = Owner.BOT) -> None:
    """Store assignments as a platform's PUTs would have; each call has its conversation's ID."""
    store = Store(url)
    now = time.time()

    def give(tx: Tx) -> None:
        for sender in senders:
            given = Assignment(SenderId(sender), AgentId(AGENT), CallId(sender), user_id="40001")
            assignments.give(tx, given, owner, "http", now=now)

    try:
        store.write(give)
    finally:
        store.close()


def _await(port: int, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise TimeoutError(port)


def load(port: int, *streams: dict[str, Any]) -> dict[str, Any]:
    """Run the load generator; what it told."""
    given = json.dumps({"port": port, "streams": streams})
    command = [sys.executable, "-m", "tests.bench.load"]
    run = subprocess.run(command, input=given.encode(), stdout=subprocess.PIPE, check=True)
    told: dict[str, Any] = json.loads(run.stdout)
    return told
