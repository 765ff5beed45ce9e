"""A process of the server dies: who waits, who is started again, and what the log says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.customer import seen
from tests.simulator.harness import Simulator
from tests.web import family
from tests.web.serving import ActionServer, assignment, slots, turn
from tests.web.test_start_and_stop import sent


@pytest.mark.parametrize(
    ("role", "logged"),
    [
        ("core", "The core's process died, another is started"),
        ("sender", "The sender process ended"),
    ],
)
def test_whoever_waits_while_it_dies_is_answered_by_the_next_one(
    tmp_path: Path, role: str, logged: str
) -> None:
    with Simulator("--poll-seconds", "0.2") as gateway:
        gateway.fault("delay", path="mediacall/*/sendmessage", ms=500)
        with ActionServer(tmp_path, bridge={"gateway": {"url": gateway.url}}) as server:
            server.put("/bridge/assignments/anna", json=assignment())
            with sent(server.port, turn("anna")) as waiting:
                gateway.wait_for(requests=1, path="mediacall/*/sendmessage")
                family.kill(server, role)
                answer = waiting.recv(65536)
            assert b'"delivered"' in answer
            assert logged in server.log()
            found = seen(gateway)
            assert found.count == 1  # however often it was sent, it was under one code
            assert len(gateway.messages()) - found.resends == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_nothing_is_left_of_a_server_whose_main_process_was_killed(
    tmp_path: Path, workers: str
) -> None:
    environ = {"ACTION_SERVER_SANIC_WORKERS": workers}
    with ActionServer(tmp_path, environ=environ) as server:
        server.put("/bridge/assignments/anna", json=assignment())
        running = family.pids(server)
        assert len(running) == 5 + int(workers)  # main, tracker, Sanic's states, core, sender
        family.kill(server, "main")
        assert family.seconds_until_gone(running, server.port, within=5) < 2
        server.ended()
        assert server.log().count("the main process died") == int(workers)
        assert list(server.temporary.glob("cc-bridge-*")) == []
        server.start()
        assert server.get("/bridge/calls").json()["items"][0]["sender_id"] == "anna"


def test_a_core_that_cannot_be_opened_again_keeps_trying_and_says_why(tmp_path: Path) -> None:
    with (
        Simulator("--poll-seconds", "0.2") as gateway,
        ActionServer(tmp_path, bridge={"gateway": {"url": gateway.url}}) as server,
    ):
        server.put("/bridge/assignments/anna", json=assignment())
        settings = tmp_path / "config" / "bridge.yml"
        good = settings.read_text(encoding="utf-8")
        settings.write_text("gateway: {url: nowhere}\n", encoding="utf-8")
        family.kill(server, "core")
        server.until(lambda: "gateway.url" in str(server.get("/bridge/ready").json()))
        found = server.get("/bridge/ready")
        assert found.status_code == 503
        assert found.json()["checks"]["outbox"] == "not_running"
        refused = slots(server.webhook(turn("anna")))
        assert refused["handoff_error"] == "store_unavailable"
        settings.write_text(good, encoding="utf-8")
        assert server.wait_for("/bridge/ready")
        assert slots(server.webhook(turn("anna", version="2")))["handoff_state"] == "handoff"
        assert server.stop() == 0
        assert "Traceback" not in server.log()


def test_a_core_that_dies_again_and_again_is_started_again_each_time(tmp_path: Path) -> None:
    with ActionServer(tmp_path) as server:
        for number in range(3):
            family.kill(server, "core")
            name = f"customer-{number}"
            answer = server.put(f"/bridge/assignments/{name}", json=assignment(call_id=name))
            assert answer.status_code == 201
        assert server.log().count("The core's process died") == 3
        assert len(server.get("/bridge/calls").json()["items"]) == 3
        assert server.stop() == 0
