"""The real action server as a subprocess: ``python -m rasa_sdk --actions actions``.

with ActionServer(folder, bridge={"gateway": {"url": gateway.url}}) as server:
    server.put("/bridge/assignments/anna", json={...})
    server.webhook(turn)

It serves on a free port of the loopback, in a session of its own: Sanic, when a worker does not
start, kills its whole process group.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import psycopg
import requests
from typing_extensions import Self

API_TOKEN = "a-token-of-the-api-for-tests-only-0001"
INBOX_SECRET = "a-secret-that-signs-tokens-for-tests-and-is-long-enough-for-HS384-0001"
START_SECONDS = 30.0
STOP_SECONDS = 40.0
READY = "The bridge is ready"  # each worker says so
PORT_TAKEN = "in use"
PORTS = 5  # to try: another program may take one between looking and serving
FIXTURES = Path(__file__).parents[1] / "fixtures" / "rasa"
WELCOME = "Anna is with you."
_ASSIGNMENT = {"agent_id": "291", "call_id": "1552524689-16797284", "user_id": "40001"}


def settings(**changes: Any) -> dict[str, Any]:
    """Of bridge.yml: a gateway that nobody serves, and a database in the folder of the start."""
    return {
        "gateway": {"url": "http://127.0.0.1:9"},
        "agents": {
            "291": {"session": "sign_in", "password": "x", "phone": "40038"},
            "*": {"session": "pushed"},
        },
        "channel_config_ids": {"WEB": "202301032048582419"},
        "storage": {"url": "sqlite:///bridge.db"},
        "delivery": {"wait": 5},
        "api": {"token": API_TOKEN},
        **changes,
    }


def assignment(**changes: Any) -> dict[str, Any]:
    """What a platform would put under ``/bridge/assignments``."""
    return _ASSIGNMENT | changes


def turn(sender_id: str = "nobody", *, action: str = "action_human_handoff", **changes: Any) -> Any:
    """A real request of Rasa's, for one of our actions, from one of our conversations."""
    found = json.loads((FIXTURES / "rest.json").read_text(encoding="utf-8"))
    found["tracker"]["sender_id"] = sender_id
    found["domain"]["responses"]["utter_handoff_started"] = [{"text": WELCOME}]
    return found | {"next_action": action, "sender_id": sender_id} | changes


class ActionServer:
    """One server on a free port; a context manager.

    Args:
        folder: where it starts; ``config`` and the database are made there.
        options: more of the command's.
        bridge: bridge.yml as a value; ``text`` is written as it is instead.
        environ: more of the environment.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        bridge: Mapping[str, Any] | None = None,
        text: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._options = options
        config = folder / "config"
        config.mkdir(exist_ok=True)
        chosen = settings(**(bridge or {}))
        self.storage: str = chosen["storage"]["url"]
        # JSON is YAML too.
        written = json.dumps(chosen) if text is None else text
        (config / "bridge.yml").write_text(written, encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith("BRIDGE")}
        self._temporary = tempfile.TemporaryDirectory(prefix="cc-")  # a socket's path is short
        self._environ = {
            **kept,
            "SANIC_HOST": "127.0.0.1",
            "TMPDIR": self._temporary.name,
            **(environ or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed on exit
        self._workers = int(self._environ.get("ACTION_SERVER_SANIC_WORKERS", "1"))
        self._began = 0  # where what this start says begins
        self.port = 0
        self.http = requests.Session()
        self.http.trust_env = False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop it, and forget what it said."""
        self.stop()
        self.http.close()
        self._said.close()
        self._temporary.cleanup()

    def start(self) -> Self:
        """Start it and return once it is ready."""
        for _ in range(PORTS):
            self.spawn()
            if self.wait_for("/bridge/ready") and self._all_are_ready():
                return self
            self.stop()
            if PORT_TAKEN not in self.log():
                break
        said = self.log()
        self.close()
        msg = f"the action server did not start: {said}"
        raise RuntimeError(msg)

    def spawn(self) -> None:
        """Start it and return at once."""
        self.port = free_port()
        self._environ["SERVED_PORT"] = str(self.port)  # ${SERVED_PORT} in bridge.yml
        self._began = len(self.log())
        command = [sys.executable, "-m", "rasa_sdk", "--actions", "actions", "-p", str(self.port)]
        self._process = subprocess.Popen(
            [*command, *self._options],
            cwd=self.folder,
            env=self._environ,
            stdout=self._said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait_for(self, path: str, status: int = 200) -> bool:
        """Wait until ``path`` answers with ``status``; False if the process ended before that."""

        def answers() -> bool:
            try:
                return self.get(path).status_code == status
            except requests.ConnectionError:
                return False

        return self._wait(answers)

    def until(self, met: Callable[[], bool]) -> None:
        """Wait until what the server answers is so."""
        assert self._wait(met), "it did not come to that"

    def _wait(self, met: Callable[[], bool]) -> bool:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            if met():
                return True
            time.sleep(0.02)
        return False

    def _all_are_ready(self) -> bool:
        """Wait for the other workers too."""
        began = self._began
        return self._wait(lambda: self.log()[began:].count(READY) == self._workers)

    def stop(self) -> int | None:
        """End this process, and no other, by SIGTERM; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)
        return process.returncode

    def kill(self) -> None:
        """End it and its workers as a power cut would."""
        process, self._process = self.process, None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)

    def ended(self) -> None:
        """Note that its main process was killed, and that the others ended by themselves."""
        process, self._process = self.process, None
        process.wait(STOP_SECONDS)

    def finish(self) -> int:
        """Wait until it ends by itself; its exit code."""
        code = self.process.wait(START_SECONDS)
        self._process = None
        return code

    @property
    def temporary(self) -> Path:
        """Where it keeps what is not to stay."""
        return Path(self._temporary.name)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The main process, while it runs."""
        assert self._process is not None
        return self._process

    def log(self) -> str:
        """What it wrote to standard output and standard error."""
        self._said.seek(0)
        return self._said.read().decode("utf-8", "replace")

    # Requests

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Ask with the API's token, or with ``token=...`` (None sends none)."""
        token = options.pop("token", API_TOKEN)
        headers = dict(options.pop("headers", {}))
        if token is not None:
            headers.setdefault("Authorization", f"Bearer {token}")
        options.setdefault("timeout", 30)
        return self.http.request(method, self.url + path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.ask("GET", path, **options)

    def put(self, path: str, **options: Any) -> requests.Response:
        return self.ask("PUT", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.ask("POST", path, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.ask("DELETE", path, **options)

    def webhook(self, body: Any, **options: Any) -> requests.Response:
        """Post to ``/webhook`` as Rasa does; bytes as they are."""
        options.setdefault("token", None)
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.ask("POST", "/webhook", data=body, **options)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def error(answer: requests.Response, status: int) -> str:
    """The code of an answer that says in our shape why it was refused."""
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"error"}
    assert answer.json()["error"].keys() == {"code", "message"}
    return str(answer.json()["error"]["code"])


@contextmanager
def without(server: ActionServer, table: str) -> Iterator[None]:
    """Let a server's database fail wherever ``table`` is asked for."""
    with closing(_database(server)) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO gone")
        try:
            yield
        finally:
            database.execute(f"ALTER TABLE gone RENAME TO {table}")


def _database(server: ActionServer) -> Any:
    """A connection of the test's own to a server's database."""
    url = server.storage
    if url.startswith("sqlite:"):
        file = server.folder / url.removeprefix("sqlite:///")
        return sqlite3.connect(file, isolation_level=None)
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def slots(response: requests.Response) -> dict[str, Any]:
    """The slots that an action's answer sets."""
    assert response.status_code == 200, response.text
    events = response.json()["events"]
    return {event["name"]: event["value"] for event in events if event["event"] == "slot"}
