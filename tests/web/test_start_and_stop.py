"""How the server starts, refuses to start, and stops."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

from tests.simulator.harness import Simulator
from tests.web.serving import API_TOKEN, ActionServer, assignment, slots, turn


def test_a_broken_configuration_stops_the_server_before_it_listens(tmp_path: Path) -> None:
    text = "gateway: {url: nowhere, colour: red}\napi: {token: short}\n"
    server = ActionServer(tmp_path, text=text)
    server.spawn()
    assert server.finish() == 2
    log = server.log()
    assert "3 faults in the configuration:" in log
    assert "gateway.url" in log
    assert "gateway.colour" in log
    assert "api.token" in log
    assert "Traceback" not in log
    assert "is up and running" not in log
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0
    server.close()


def test_a_database_that_cannot_be_opened_stops_the_server(tmp_path: Path) -> None:
    server = ActionServer(tmp_path, bridge={"storage": {"url": "sqlite:////nowhere/bridge.db"}})
    server.spawn()
    assert server.finish() == 2
    assert "Traceback" not in server.log()
    assert "/nowhere/bridge.db" in server.log()
    server.close()


def test_without_a_token_the_api_is_closed_and_says_how_to_open_it(tmp_path: Path) -> None:
    with ActionServer(tmp_path, bridge={"api": {}}) as server:
        for token in (None, API_TOKEN, ""):
            answer = server.get("/bridge/calls", token=token)
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "closed"
            assert "api.token" in answer.json()["error"]["message"]
        assert server.get("/bridge/health", token=None).status_code == 200
        assert server.put("/bridge/assignments/a", json=assignment()).status_code == 403


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_stops_when_told_and_goes_on_where_it_was(tmp_path: Path, workers: str) -> None:
    environ = {"ACTION_SERVER_SANIC_WORKERS": workers}
    with ActionServer(tmp_path, environ=environ) as server:
        server.put("/bridge/assignments/anna", json=assignment())
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10  # though this test's connections are kept alive
        assert "not closed" not in server.log()
        server.start()
        assert server.get("/bridge/calls").json()["items"][0]["sender_id"] == "anna"


def test_an_action_under_way_is_answered_when_the_server_stops(tmp_path: Path) -> None:
    with Simulator("--poll-seconds", "0.2") as gateway:
        gateway.fault("delay", path="mediacall/*/sendmessage", ms=1000)
        bridge = {"gateway": {"url": gateway.url}}
        with ActionServer(tmp_path, bridge=bridge) as server:
            server.put("/bridge/assignments/anna", json=assignment())
            with sent(server.port, turn("anna")) as waiting:
                gateway.wait_for(requests=1, path="mediacall/*/sendmessage")
                server.process.terminate()
                answer = waiting.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b'"delivered"' in answer
            assert server.finish() == 0
            assert "Traceback" not in server.log()
        assert len(gateway.messages()) == 1


def test_workers_log_what_they_do(server: ActionServer) -> None:
    slots(server.webhook(turn()))
    assert " INFO     bridge.web.lifecycle  - The bridge is ready" in server.log()


def sent(port: int, body: object) -> socket.socket:
    """A connection on which a webhook waits for its answer."""
    sent = json.dumps(body).encode()
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    head = f"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sent)}\r\n\r\n"
    connection.sendall(head.encode() + sent)
    return connection
