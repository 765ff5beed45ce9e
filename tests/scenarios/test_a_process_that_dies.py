"""Power cuts and several workers: the real action server, killed and started again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.simulator.harness import Simulator
from tests.web.serving import WELCOME, ActionServer, assignment, slots, turn

pytestmark = pytest.mark.both_engines


def test_killed_between_the_answer_and_the_sending_it_sends_after_the_next_start(
    gateway: Simulator, tmp_path: Path, store_url: str
) -> None:
    gateway.fault("status", path="*sendmessage", status=503, times=None)
    bridge = {
        "gateway": {"url": gateway.url},
        "delivery": {"wait": 0},
        "storage": {"url": store_url},
    }
    with ActionServer(tmp_path, bridge=bridge) as server:
        server.put("/bridge/assignments/anna", json=assignment())
        assert slots(server.webhook(turn("anna")))["handoff_delivery"] == "pending"
        server.kill()
        gateway.clear_faults()
        assert gateway.messages() == []
        server.start()
        assert [item["text"] for item in gateway.wait_for(messages=1, timeout=25)] == [WELCOME]
        again = slots(server.webhook(turn("anna")))
        assert again["handoff_delivery"] == "pending"  # what was answered is every repeat's
        assert len(gateway.messages()) == 1


def test_killed_while_sending_it_is_sent_again_under_the_same_code(
    gateway: Simulator, tmp_path: Path, store_url: str
) -> None:
    gateway.fault("hang", path="*sendmessage", seconds=60, taken=False)
    bridge = {
        "gateway": {"url": gateway.url},
        "delivery": {"wait": 0},
        "storage": {"url": store_url},
    }
    with ActionServer(tmp_path, bridge=bridge) as server:
        server.put("/bridge/assignments/anna", json=assignment())
        server.webhook(turn("anna"))
        gateway.wait_for(requests=1, operation="send_message")
        server.kill()
        server.start()
        # The dead worker's lease has to run out first.
        sent = gateway.wait_for(messages=1, timeout=20)
        codes = {item["body"]["data"] for item in gateway.recorded(operation="send_message")}
        assert len(codes) == 1
        assert [item["text"] for item in sent] == [WELCOME]


def test_two_workers_are_one_bridge(gateway: Simulator, tmp_path: Path, store_url: str) -> None:
    bridge = {"gateway": {"url": gateway.url}, "storage": {"url": store_url}}
    workers = {"ACTION_SERVER_SANIC_WORKERS": "2"}
    with ActionServer(tmp_path, bridge=bridge, environ=workers) as server:
        for number in range(20):
            fields = assignment(call_id=f"call-{number}")
            server.put(f"/bridge/assignments/customer-{number}", json=fields)

        def hand_off(number: int) -> str:
            # Each webhook comes twice, as a proxy that tries again would send it.
            return str(slots(server.webhook(turn(f"customer-{number % 20}")))["handoff_delivery"])

        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(hand_off, range(40)))
        assert set(answers) == {"delivered"}
        assert len(gateway.messages()) == 20
        assert len(gateway.recorded(operation="sign_in")) == 1
        assert gateway.state()["violations"] == []
