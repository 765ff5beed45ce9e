"""The action servers that are measured, each started as Rasa's deployers start it.

``Bridge`` is the program itself, at its default settings; the baselines are what one writes without
it. All run under the same ``python -m rasa_sdk`` with the same options and get the same requests;
the bridge alone has conversations assigned, and a database.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from typing_extensions import Self

from tests.bench.cpu import server_cpu_seconds
from tests.bench.gateway import BenchGateway
from tests.bench.load import SENDER, VALUE
from tests.bench.seeding import Database
from tests.bench.turns import AGENT, SECRET, USER
from tests.web.serving import API_TOKEN, ActionServer, free_port

GUID = "a-guid-of-the-benchmarks"
_CONNECTIONS = 8  # that a platform's PUTs come by


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

    def spawn(self) -> None:
        """Start it and return at once."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and return once it serves."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop it."""
        raise NotImplementedError

    def assign(self, senders: Sequence[str]) -> None:
        """Do whatever must be done before these conversations can be handed off."""

    def settle(self) -> None:
        """Wait until nothing is left to be sent."""

    def check(self, count: int) -> None:
        """Raise unless the gateway got ``count`` messages, each once, since the last check."""
        codes = self.gateway.codes()
        self.gateway.forget()
        assert sum(codes.values()) == len(codes) == count, (self.name, count, len(codes))

    def cpu(self) -> float:
        """Seconds of CPU that the server has taken, all of its processes together."""
        return server_cpu_seconds(self.pid)

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
        designer: handoff.yml; None for its defaults.
        url: of its database; a SQLite file of its own where it is None.
        environ: more of the server's environment.
    """

    name = "bridge"

    def __init__(
        self,
        gateway: BenchGateway,
        *,
        designer: dict[str, Any] | None = None,
        url: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(gateway)
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)
        self.url = url or f"sqlite:///{self.folder}/bridge.db"
        settings: dict[str, Any] = {  # what has no default, and nothing else
            "gateway": {"url": gateway.url},
            "agents": {"*": {}},
            "channel_config_ids": {"WEB": "202301032048582419"},
            "storage": {"url": self.url},
            "assignment": {"secret": SECRET},
            "api": {"token": API_TOKEN},
        }
        written = json.dumps(settings)
        self.server = ActionServer(self.folder, bridge=settings, text=written, environ=environ)
        if designer is not None:
            (self.folder / "config" / "handoff.yml").write_text(json.dumps(designer), "utf-8")

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def spawn(self) -> None:
        self.server.spawn()
        self.port = self.server.port

    def start(self) -> None:
        self.server.start()
        self.port = self.server.port
        self.push([AGENT])

    def stop(self) -> None:
        self.server.close()
        self._folder.cleanup()

    # What platforms and desktops put

    def assign(self, senders: Sequence[str], agents: Sequence[str] = (), **more: str) -> None:
        """Give each conversation its call, named as the conversation, by PUTs.

        Args:
            senders: the conversations.
            agents: the agent of each; one for all where none are given.
            more: other fields of the assignments, such as ``owner``.
        """
        body = {"agent_id": VALUE, "call_id": SENDER, "user_id": USER, **more}
        self._put(f"assignments/{SENDER}", body, senders, agents or [AGENT] * len(senders))

    def push(self, agents: Sequence[str]) -> None:
        """Push a session of each agent."""
        self._put(f"sessions/{SENDER}", {"guid": VALUE}, agents, [f"{GUID}-{a}" for a in agents])

    def _put(
        self, path: str, body: Mapping[str, str], names: Sequence[str], values: Sequence[str]
    ) -> None:
        stream = {
            "name": "put",
            "request": f"PUT /bridge/{path}",
            "headers": {"Authorization": f"Bearer {API_TOKEN}"},
            "template": json.dumps(body),
            "senders": names,
            "values": values,
            "lanes": min(_CONNECTIONS, len(names)),
        }
        answers = load(self.port, stream)["streams"]["put"]["answers"]
        assert sum(answers.values()) == len(names), answers
        assert answers.keys() <= {"200", "201"}, answers

    # What its database holds

    def check(self, count: int) -> None:
        """Raise unless the gateway's record and the store's newest deliveries are the same."""
        recorded = self.gateway.codes()
        super().check(count)
        newest = "SELECT message_code, state FROM deliveries ORDER BY seq DESC"
        rows = self.ask(f"{newest} LIMIT {count}")
        assert {state for _, state in rows} == {"delivered"}, {state for _, state in rows}
        assert {code for code, _ in rows} == recorded.keys()

    def settle(self, seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while self.ask("SELECT 1 FROM deliveries WHERE state IN ('waiting', 'sending') LIMIT 1"):
            assert time.monotonic() < until, "not everything was delivered"
            time.sleep(0.05)

    def states(self) -> dict[str, int]:
        """Return how many deliveries are in each state."""
        return dict(self.ask("SELECT state, count(*) FROM deliveries GROUP BY state"))

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """Run one statement in its database; return the rows."""
        with Database(self.url) as database:
            return database.ask(question)

    def seed(self, fill: Callable[[Database], None]) -> None:
        """Stop the server, let ``fill`` write into its database, and start the server again."""
        self.server.stop()
        with Database(self.url) as database:
            fill(database)
        self.start()

    def command(self, *arguments: str) -> str:
        """Run ``cc-bridge`` beside the server, with its configuration; return what it printed."""
        run = subprocess.run(
            [sys.executable, "-m", "bridge", *arguments],
            cwd=self.folder,
            env=self.server._environ,
            capture_output=True,
            check=True,
        )
        return run.stdout.decode()


class Baseline(Program):
    """What one writes without the bridge.

    Args:
        name: ``pooled``, ``tuned``, ``plain``, or ``bare``, which sends nothing.
    """

    def __init__(self, gateway: BenchGateway, name: str) -> None:
        super().__init__(gateway)
        self.name = name
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop

    @property
    def pid(self) -> int:
        return self._process.pid

    def spawn(self) -> None:
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

    def start(self) -> None:
        self.spawn()
        _await(self.port)

    def stop(self) -> None:
        time.sleep(1)  # a plain action server may miss a signal while it starts
        self._process.terminate()
        self._process.wait(60)
        self._said.close()


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
    """Run the load generator; return what it printed."""
    given = json.dumps({"port": port, "streams": streams})
    command = [sys.executable, "-m", "tests.bench.load"]
    run = subprocess.run(command, input=given.encode(), stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(run.stdout)
    return found
