"""A CC-Gateway simulator as a subprocess, for every test that needs a gateway.

with Simulator("--poll-seconds", "0.05") as gateway:
    ...                                  # point the code under test at gateway.url
    gateway.wait_for(messages=1)
    assert gateway.messages()[0]["text"] == "<p>Hello</p>"

What a test asserts on is what the simulator recorded. Waiting is done by the simulator itself, on
a condition and with a deadline.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import IO, Any

import requests
from typing_extensions import Self

JsonObject = dict[str, Any]

START_SECONDS = 20.0
STOP_SECONDS = 10.0
LINE = "CC-Gateway simulator listening on "
SEND_TYPE = "application/json; charset=UTF-8"


class Simulator:
    """One simulator process on a free port; a context manager.

    Args:
        options: the command's, e.g. ``"--deployment", "private"``.
        port: 0 for a free one; the former port after a ``stop`` to come back on it.
    """

    def __init__(self, *options: str, port: int = 0) -> None:
        self._options = options
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed on exit
        self._http = requests.Session()
        self._http.trust_env = False

    # The process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._http.close()
        self._stderr.close()

    def start(self) -> Self:
        """Start the process and return once it listens; again on the same port after ``stop``."""
        command = [sys.executable, "-m", "bridge.simulator", "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*command, *self._options], stdout=subprocess.PIPE, stderr=self._stderr
        )
        line = _first_line(self._process, START_SECONDS)
        if not line.startswith(LINE):
            self.stop()
            msg = f"the simulator did not start: {line!r} {self.complaints()}"
            raise RuntimeError(msg)
        self.port = int(line.rstrip("/\n").rpartition(":")[2])
        return self

    def stop(self) -> int | None:
        """End this process, and no other, by SIGTERM; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End this process by SIGKILL, as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(number)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
        if process.stdout:
            process.stdout.close()
        return process.returncode

    @property
    def pid(self) -> int:
        """The process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def complaints(self) -> str:
        """What the process wrote to standard error."""
        self._stderr.seek(0)
        return self._stderr.read().decode("utf-8", "replace")

    @property
    def url(self) -> str:
        """``gateway.url`` of the bridge: scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    # What happened

    def messages(self, **wanted: Any) -> list[JsonObject]:
        """What the customers got, in the order it was taken.

        Each has ``call, agent, userid, code, text, data`` (decoded, None in a private deployment),
        ``repeated`` (its code came before), ``at, seq, request``.

        Args:
            wanted: filters ``call, agent, code``; ``after`` (a ``seq``); ``at_least`` with
                ``timeout`` waits.
        """
        return self._items("/messages", wanted)

    def recorded(self, **wanted: Any) -> list[JsonObject]:
        """Every request, in order of arrival.

        Each has ``method, path`` (below the base), ``operation, agent, call, query, headers, body,
        verdict`` (pending, accepted or refused), ``reason, fault, answer`` (``status, body,
        headers``, None if nothing whole was sent), ``beside, peer, at, clock, took_ms, seq``.

        Args:
            wanted: filters ``path`` (a pattern), ``operation, agent, call, verdict, method,
                fault``; ``after``, ``at_least``, ``timeout`` as for messages.
        """
        return self._items("/recorded", wanted)

    def pushes(self, **wanted: Any) -> list[JsonObject]:
        """Every attempt to push events: ``agent, url, headers, body, status, reply, taken``."""
        return self._items("/pushes", wanted)

    def state(self) -> JsonObject:
        """``agents, calls, violations, counts, settings, clock`` at this moment."""
        return self._ask("GET", "/state")

    def agent(self, agent_id: str) -> JsonObject:
        """An agent's state: ``signed_in, sign_ins, forced, unread, session`` (with ``guid``)."""
        found: JsonObject = self.state()["agents"].get(agent_id, {"signed_in": False})
        return found

    def count(self, name: str) -> int:
        """A counter: ``messages``, ``accepted``, ``refused``, ``sign_in.accepted`` and so on."""
        found: int = self.state()["counts"].get(name, 0)
        return found

    def wait_for(
        self,
        *,
        messages: int | None = None,
        requests: int | None = None,
        timeout: float = 10.0,
        **wanted: Any,
    ) -> list[JsonObject]:
        """Wait until there are so many messages, or requests, that match the filters.

        Raises:
            AssertionError: the time was up; it tells what was there instead.
        """
        find, number = (self.recorded, requests) if messages is None else (self.messages, messages)
        found = find(at_least=number, timeout=timeout, **wanted)
        if len(found) < (number or 0):
            verdicts = [(r["path"], r["verdict"], r["reason"], r["fault"]) for r in self.recorded()]
            tail = "\n".join(map(str, verdicts[-20:]))
            msg = f"{len(found)} of {number} after {timeout} s; the last requests were:\n{tail}"
            raise AssertionError(msg)
        return found

    # What is to happen

    def fault(self, kind: str, **script: Any) -> int:
        """Script a fault, for one matching request unless ``times`` says otherwise; its id.

        Args:
            kind: status, retcode, drop_before, drop_after, hang, delay, dribble, cut, garbage,
                empty, expire_guids, expire_sessions, rotate.
            script: ``path`` (a pattern), ``method, agent, call, skip, times`` (None: always),
                ``taken, status, retcode, message, body, headers, seconds, ms``.
        """
        made: int = self._ask("POST", "/faults", {"kind": kind, **script})["id"]
        return made

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Forget one fault, or all."""
        self._ask("DELETE", "/faults" if fault_id is None else f"/faults/{fault_id}")

    def faults(self) -> list[JsonObject]:
        """The script, with how often each fault ``matched`` and was ``used``."""
        return self._items("/faults", {})

    def event(self, agent: str, kind: str, content: object = None, *, repeat: int = 1) -> None:
        """Queue an event for an agent."""
        self.events(agent, (kind, content), repeat=repeat)

    def events(self, agent: str, *events: tuple[str, object], repeat: int = 1) -> None:
        """Queue several events; in push mode one push carries them, made ``repeat`` times."""
        listed = [{"eventType": kind, "content": content} for kind, content in events]
        self._ask("POST", "/events", {"agent": agent, "events": listed, "repeat": repeat})

    def ring(self, call: str, agent: str, **customer: Any) -> None:
        """Let a customer's chat ring at an agent.

        Args:
            call: its ID.
            agent: the agent.
            customer: ``caller, called, media, user_id, nickname, channel, channel_config_id``.
        """
        self._ask("POST", "/customers", {"call": call, "agent": agent, **customer})

    def write(self, call: str, message: object) -> None:
        """Let the customer of a call write: a text, or an object with a file or a location."""
        self._ask("POST", f"/customers/{call}/messages", {"message": message})

    def leave(self, call: str) -> None:
        """Let the customer of a call hang up."""
        self._ask("DELETE", f"/customers/{call}")

    def call(self, call: str, agent: str, state: str = "talking") -> None:
        """Let a call be at an agent, without events."""
        self._ask("POST", "/calls", {"call": call, "agent": agent, "state": state})

    def expire(self, agent: str, *, announce: bool = False) -> None:
        """End an agent's session; ``announce``: its reader gets AgentOther_ShutdownService."""
        self._ask("POST", f"/agents/{agent}/expire", {"announce": announce})

    def rotate(self, agent: str) -> None:
        """Let the next heartbeat's reply bring a new GUID (dynamic mode)."""
        self._ask("POST", f"/agents/{agent}/rotate")

    def advance(self, seconds: float, step: float | None = None, timeout: float = 10.0) -> None:
        """Let simulated time go by.

        Args:
            seconds: how much. More than two minutes at once signs out who is not in a poll.
            step: go in steps of so many seconds (more than ``--poll-seconds``), each of which
                waits until every agent that reads events has polled again.
            timeout: real seconds for one step's polls.
        """
        given = {"advance": seconds, "step": step, "timeout": timeout}
        reply = self._ask(
            "POST", "/clock", given, wait=timeout * (seconds / (step or seconds or 1))
        )
        assert reply["polled"], "an agent that reads events did not poll again in time"

    def settings(self, **changes: Any) -> JsonObject:
        """Set the site up otherwise until the next reset; names as in ``SimulatorSettings``."""
        return self._ask("POST", "/settings", changes)

    def refuse(self, seconds: float) -> None:
        """Close the port for a while and cut every connection: connections are refused."""
        self._ask("POST", "/refuse", {"seconds": seconds})

    def reset(self) -> None:
        """Begin anew: no sessions, faults, records; the settings of the start."""
        self._ask("POST", "/reset")

    # The gateway itself, for tests that play a desktop

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        guid: str | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 10.0,
    ) -> requests.Response:
        """One raw request of the gateway, ``path`` below the base; ``body`` goes as JSON."""
        sent = {"Connection": "close", **({"Guid": guid} if guid else {})}
        if body is not None:
            sent["Content-Type"] = SEND_TYPE
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        url = f"{self.url}/agentgateway/resource/{path}"
        return self._http.request(
            method, url, data=raw, headers={**sent, **(headers or {})}, timeout=timeout
        )

    def sign_in(self, agent: str, *, force: bool = False, **body: Any) -> str:
        """Sign an agent in as its desktop would, with ``password="x"`` unless given; the GUID."""
        path = f"onlineagent/{agent}" + ("/forcelogin" if force else "")
        given = {"password": "x", "phonenum": "40038", **body}
        reply = self.request("PUT", path, given)
        assert reply.json()["retcode"] == "0", reply.text
        return reply.headers["Set-GUID"].removeprefix("JSESSIONID=")

    def poll(self, agent: str, guid: str) -> requests.Response:
        """One event poll as a desktop would make it."""
        return self.request("GET", f"agentevent/{agent}", guid=guid)

    def _items(self, path: str, wanted: JsonObject) -> list[JsonObject]:
        wait = float(wanted.get("timeout", 0))
        found: list[JsonObject] = self._ask("GET", path, params=wanted, wait=wait)["items"]
        return found

    def _ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        params: JsonObject | None = None,
        wait: float = 0.0,
    ) -> JsonObject:
        reply = self._http.request(
            method,
            f"{self.url}/simulator{path}",
            json=body,
            params=params,
            headers={"Connection": "close"},  # a reset or a refusal cuts kept ones
            timeout=wait + 10,
        )
        assert reply.status_code < 300, reply.text
        read: JsonObject = reply.json()
        return read


def _first_line(process: subprocess.Popen[bytes], seconds: float) -> str:
    """The first line that a process writes, or what there is of it when the time is up."""
    assert process.stdout is not None
    until = time.monotonic() + seconds
    read = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not read.endswith(b"\n"):
            if not selector.select(max(0.0, until - time.monotonic())):
                break
            chunk = os.read(process.stdout.fileno(), 4096)
            if not chunk:
                break
            read += chunk
    return read.decode()
