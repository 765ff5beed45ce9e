"""Two action servers on one database are one bridge, and go on as one when the other ends.

Replicas share a PostgreSQL; a second start on the same SQLite file is somebody's accident.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import PostgresServer
from tests.simulator.harness import Simulator
from tests.web.serving import WELCOME, ActionServer, assignment, slots, turn

pytestmark = pytest.mark.both_engines

CUSTOMERS = 24


@pytest.fixture
def pair(gateway: Simulator, empty_store_url: str, tmp_path: Path) -> Iterator[list[ActionServer]]:
    """Two that started at once on an empty database."""
    bridge = {
        "gateway": {"url": gateway.url},
        "storage": {"url": empty_store_url},
        "delivery": {"wait": 10},
    }
    with ExitStack() as opened, ThreadPoolExecutor(2) as pool:
        servers = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            servers.append(ActionServer(tmp_path / name, bridge=bridge))
        list(pool.map(ActionServer.start, servers))
        for server in servers:
            opened.callback(server.close)
        yield servers


def assign(server: ActionServer, number: int) -> None:
    fields = assignment(call_id=f"call-{number}", owner="bot")
    assert server.put(f"/bridge/assignments/customer-{number}", json=fields).status_code == 201


def said(gateway: Simulator) -> dict[str, list[str]]:
    """What each call's customer was sent: words by call, each code once."""
    codes: set[str] = set()
    words: dict[str, list[str]] = defaultdict(list)
    for item in gateway.messages():
        if item["code"] not in codes:
            codes.add(item["code"])
            words[item["call"]].append(item["text"])
    return words


def test_the_same_request_at_both_is_one_message_and_one_answer(
    gateway: Simulator, pair: list[ActionServer]
) -> None:
    for number in range(CUSTOMERS):
        assign(pair[number % 2], number)

    def hand_off(number: int) -> dict[str, Any]:
        # The two of each customer are neighbours: they meet in the database.
        return slots(pair[number % 2].webhook(turn(f"customer-{number // 2}")))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(hand_off, range(2 * CUSTOMERS)))
    assert {answer["handoff_delivery"] for answer in answers} == {"delivered"}
    assert answers[::2] == answers[1::2]
    assert said(gateway) == {f"call-{number}": [WELCOME] for number in range(CUSTOMERS)}
    assert len(gateway.messages()) == CUSTOMERS
    assert len(gateway.recorded(operation="sign_in")) == 1
    assert gateway.state()["violations"] == []


def test_when_one_is_killed_the_other_delivers_everything_in_order(
    gateway: Simulator, pair: list[ActionServer]
) -> None:
    first, second = pair
    calls = range(8)
    for number in calls:
        assign(first, number)
        first.webhook(turn(f"customer-{number}"))
    gateway.wait_for(messages=len(calls))
    gateway.fault("delay", path="*sendmessage", ms=100, times=None)

    def reply(server: ActionServer, number: int, index: int) -> int:
        body = {"text": f"{number}:{index}", "client_id": f"{number}:{index}"}
        return server.post(f"/bridge/calls/call-{number}/replies", json=body).status_code

    for index in range(5):
        for number in calls:
            assert reply(pair[(index + number) % 2], number, index) in (200, 201, 202)
    first.kill()  # it was sending some of them
    for index in range(5, 8):
        for number in calls:
            assert reply(second, number, index) in (200, 201, 202)
    second.until(lambda: sum(map(len, said(gateway).values())) == 9 * len(calls))
    for number in calls:
        expected = [WELCOME, *(f"{number}:{index}" for index in range(8))]
        assert said(gateway)[f"call-{number}"] == expected
    left = "/bridge/deliveries?state=waiting,sending"
    second.until(lambda: second.get(left).json()["items"] == [])
    assert len(gateway.recorded(operation="sign_in")) == 1
    polls = len(gateway.recorded(operation="poll"))
    gateway.wait_for(requests=polls + 2, operation="poll", timeout=20)


def test_when_one_stops_the_other_goes_on_with_its_session_and_its_poller(
    gateway: Simulator, pair: list[ActionServer]
) -> None:
    first, second = pair
    assign(first, 1)
    first.webhook(turn("customer-1"))
    gateway.wait_for(messages=1)
    gateway.wait_for(requests=1, operation="poll")
    gateway.fault("status", path="*sendmessage", status=503, times=1)
    assign(first, 2)
    body = {"text": "Hello", "client_id": "1"}
    assert first.post("/bridge/calls/call-1/replies", json=body).status_code in (200, 201)
    assert first.stop() == 0
    polls = len(gateway.recorded(operation="poll"))
    gateway.wait_for(messages=2)
    assert slots(second.webhook(turn("customer-2")))["handoff_delivery"] == "delivered"
    gateway.wait_for(requests=polls + 2, operation="poll")
    gateway.event("291", "AgentEvent_Call_Release", "call-1")
    gateway.wait_for(requests=polls + 4, operation="poll")
    assert said(gateway) == {"call-1": [WELCOME, "Hello"], "call-2": [WELCOME]}
    assert len(gateway.messages()) == 3
    assert len(gateway.recorded(operation="sign_in")) == 1
    assert gateway.state()["violations"] == []
    assert second.stop() == 0


def test_while_the_database_is_away_they_are_not_ready_and_nothing_is_lost(
    gateway: Simulator, tmp_path: Path
) -> None:
    with PostgresServer() as postgres, postgres.database() as url:
        bridge = {"gateway": {"url": gateway.url}, "storage": {"url": url}}
        with ActionServer(tmp_path, bridge=bridge) as server:
            assign(server, 1)
            gateway.fault("status", path="*sendmessage", status=503, times=1)
            assert slots(server.webhook(turn("customer-1")))["handoff_state"] == "handoff"
            postgres.stop()
            assert server.wait_for("/bridge/ready", 503)
            assert server.get("/bridge/ready").json()["checks"]["store"] == "failed"
            refused = slots(server.webhook(turn("customer-2")))
            assert refused["handoff_error"] == "store_unavailable"
            assert server.get("/bridge/calls").status_code == 503
            postgres.start()
            assert server.wait_for("/bridge/ready")
            assign(server, 2)
            assert slots(server.webhook(turn("customer-2")))["handoff_state"] == "handoff"
            gateway.wait_for(messages=2, timeout=20)
            assert said(gateway) == {"call-1": [WELCOME], "call-2": [WELCOME]}
            assert "Traceback" not in server.log()
