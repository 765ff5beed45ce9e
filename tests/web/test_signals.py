"""What a stop leaves behind, whenever it comes: nothing half done, and nobody to be waited for."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.process.workers import Publisher, Worker, Workers
from tests.scenarios.rasa_stub import RasaStub
from tests.simulator.harness import Simulator
from tests.web.serving import ActionServer, assignment, slots, turn
from tests.web.test_start_and_stop import sent

STARTING = "Starting worker"  # the first that begins says so


def until(met: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def query(server: ActionServer, statement: str) -> list[Any]:
    """What the database holds once the server has ended."""
    with closing(sqlite3.connect(server.folder / "bridge.db")) as database:
        return database.execute(statement).fetchall()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_starts_stops_it_once_it_has_started(
    tmp_path: Path, number: signal.Signals
) -> None:
    server = ActionServer(tmp_path, environ={"ACTION_SERVER_SANIC_WORKERS": "2"})
    server.spawn()
    until(lambda: STARTING in server.log())
    server.process.send_signal(number)
    assert server.finish() == 0
    assert "Traceback" not in server.log()
    server.close()


class Quiet:
    """A manager's ear."""

    def send(self, message: str) -> None:
        raise AssertionError(message)


def test_a_second_signal_while_it_starts_kills() -> None:
    class Manager:
        monitor_publisher: Publisher = Quiet()
        transient_processes: tuple[Worker, ...] = ()

        def __init__(self) -> None:
            self.heard: list[str] = []

        def wait_for_ack(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            until(lambda: self.heard == ["kill"])

        def shutdown_signal(self, number: int, _frame: object) -> None:
            self.heard.append(signal.Signals(number).name)

        def kill(self) -> None:
            self.heard.append("kill")

    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        manager = Manager()
        Workers(manager, lambda: None).begin()
        manager.wait_for_ack()
        assert manager.heard == ["kill", "SIGTERM"]
        os.kill(os.getpid(), signal.SIGINT)  # from now on it is the manager's affair
        until(lambda: manager.heard[-1] == "SIGINT")
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_worker_that_is_killed_is_followed_by_another(tmp_path: Path, workers: str) -> None:
    with Simulator("--poll-seconds", "0.2") as gateway:
        bridge = {"gateway": {"url": gateway.url}}
        environ = {"ACTION_SERVER_SANIC_WORKERS": workers}
        with ActionServer(tmp_path, bridge=bridge, environ=environ) as server:
            ready = server.log().count("Worker ready")
            victim = re.findall(r"Worker ready \[(\d+)\]", server.log())[0]
            os.kill(int(victim), signal.SIGKILL)
            until(lambda: server.log().count("Worker ready") == ready + 1)
            assert server.log().count("A worker died") == 1
            server.http.close()  # what was connected to it has broken
            assert server.wait_for("/bridge/ready")
            server.put("/bridge/assignments/anna", json=assignment())
            assert slots(server.webhook(turn("anna")))["handoff_delivery"] == "delivered"
            assert server.stop() == 0
            assert server.log().count("A worker died") == 1


def test_ctrl_c_at_a_terminal_reaches_all_processes_and_each_stops_in_order(
    tmp_path: Path,
) -> None:
    with Simulator("--poll-seconds", "0.2") as gateway:
        gateway.fault("delay", path="mediacall/*/sendmessage", ms=1000)
        with ActionServer(tmp_path, bridge={"gateway": {"url": gateway.url}}) as server:
            server.put("/bridge/assignments/anna", json=assignment())
            with sent(server.port, turn("anna")) as waiting:
                gateway.wait_for(requests=1, path="mediacall/*/sendmessage")
                os.killpg(server.process.pid, signal.SIGINT)
                answer = waiting.recv(65536)
            assert b'"delivered"' in answer
            assert server.finish() == 0
            assert "Traceback" not in server.log()
            (leases,) = query(server, "SELECT poller, signing_in FROM sessions")
            assert leases == (None, None)


def test_a_second_signal_does_not_wait_for_what_is_in_flight(tmp_path: Path) -> None:
    with Simulator("--poll-seconds", "0.2") as gateway:
        gateway.fault("hang", path="mediacall/*/sendmessage", seconds=60, times=None)
        bridge = {
            "gateway": {"url": gateway.url, "read_timeout": 9},
            "delivery": {"wait": 0, "attempt_timeout": 9},
        }
        with ActionServer(tmp_path, bridge=bridge) as server:
            server.put("/bridge/assignments/anna", json=assignment())
            server.webhook(turn("anna"))
            gateway.wait_for(requests=1, path="mediacall/*/sendmessage")
            server.process.terminate()
            until(lambda: "Stopping worker" in server.log())
            began = time.monotonic()
            server.process.terminate()
            assert server.finish() != 0
            assert time.monotonic() - began < 6
            gateway.clear_faults()
            server.start()
            gateway.wait_for(messages=1)


def test_a_stop_is_bounded_gives_leases_back_and_the_next_start_goes_on_at_once(
    tmp_path: Path,
) -> None:
    """The gateway hangs with messages and a sign-in, and Rasa with what it is told."""
    with Simulator("--poll-seconds", "1") as gateway, RasaStub() as rasa:
        bridge = {
            "gateway": {"url": gateway.url, "read_timeout": 3},
            "delivery": {"wait": 0, "attempt_timeout": 4, "workers": 4},
            "rasa": {"url": rasa.url},
            "agents": {
                name: {"session": "sign_in", "password": "x", "phone": "1"}
                for name in ("291", "292")
            },
        }
        with ActionServer(tmp_path, bridge=bridge) as server:
            rasa.failures.append("hold")
            server.put("/bridge/assignments/first", json=assignment(call_id="first"))
            server.webhook(turn("first"))
            gateway.wait_for(messages=1)
            hang: dict[str, Any] = {"seconds": 60, "taken": False, "times": None}
            gateway.fault("hang", path="mediacall/*/sendmessage", **hang)
            gateway.fault("hang", path="onlineagent/292", **hang)
            for number in range(8):
                name = f"call-{number}"
                server.put(f"/bridge/assignments/{name}", json=assignment(call_id=name))
                server.webhook(turn(name))
            server.put(
                "/bridge/assignments/other", json=assignment(agent_id="292", call_id="other")
            )
            gateway.wait_for(requests=5, path="mediacall/*/sendmessage")
            server.webhook(turn("other"))
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 12
            assert "not closed in time" not in server.log()
            assert query(server, "SELECT count(*) FROM deliveries WHERE state = 'sending'") == [
                (0,)
            ]
            assert query(server, "SELECT count(*) FROM rasa_updates WHERE state = 'sending'") == [
                (0,)
            ]
            for poller, signing_in in query(server, "SELECT poller, signing_in FROM sessions"):
                assert (poller, signing_in) == (None, None)
            gateway.clear_faults()
            server.start()
            began = time.monotonic()
            gateway.wait_for(messages=10)
            assert time.monotonic() - began < 10
            codes = [item["code"] for item in gateway.messages()]
            assert len(codes) == len(set(codes)) == 10


def test_a_poll_under_way_is_awaited_since_its_answer_consumes_an_event(tmp_path: Path) -> None:
    with Simulator("--poll-seconds", "4") as gateway:
        bridge = {"gateway": {"url": gateway.url}}
        with ActionServer(tmp_path, bridge=bridge) as server:
            server.put("/bridge/assignments/anna", json=assignment())
            server.webhook(turn("anna"))
            gateway.wait_for(messages=1)
            gateway.wait_for(requests=1, operation="poll", verdict="pending")
            server.process.terminate()
            until(lambda: "Stopping worker" in server.log())
            gateway.event("291", "AgentEvent_Call_Release", "1552524689-16797284")
            assert server.finish() == 0
            kinds = [kind for (kind,) in query(server, "SELECT event_type FROM events")]
            assert "AgentEvent_Call_Release" in kinds


@pytest.mark.parametrize("stage", ["signing in", "sending", "telling Rasa", "polling"])
def test_killed_at_any_stage_the_next_start_goes_on_at_once(tmp_path: Path, stage: str) -> None:
    paths = {
        "signing in": "onlineagent/*",
        "sending": "mediacall/*/sendmessage",
        "polling": "agentevent/*",
    }
    with Simulator("--poll-seconds", "0.2") as gateway, RasaStub() as rasa:
        if stage in paths:
            gateway.fault("hang", path=paths[stage], seconds=60, times=None)
        else:
            rasa.failures.append("hold")
        bridge = {
            "gateway": {"url": gateway.url},
            "delivery": {"wait": 0},
            "rasa": {"url": rasa.url},
        }
        with ActionServer(tmp_path, bridge=bridge) as server:
            server.put("/bridge/assignments/anna", json=assignment())
            assert slots(server.webhook(turn("anna")))["handoff_delivery"] == "pending"
            if stage in paths:
                gateway.wait_for(requests=1, path=paths[stage])
            else:
                until(lambda: not rasa.failures)
            server.kill()
            gateway.clear_faults()
            server.start()
            began = time.monotonic()
            gateway.wait_for(messages=1)
            gateway.wait_for(requests=2, operation="poll")
            until(lambda: server.get("/bridge/ready").json()["rasa"] == {"open": 0, "failed": 0})
            assert time.monotonic() - began < 30  # a poller's lease, and an update's, lasts sixty
            assert len({item["code"] for item in gateway.messages()}) == 1
