"""The API of a reader's calls: what an agent's page shows and does, on a running server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator.harness import Simulator
from tests.web.serving import ActionServer, error

READER = {"session": "sign_in", "password": "x", "phone": "40038", "reader": True}
CALL, REJECTED, KILLED = "1552524689-7", "1552524689-8", "1552524689-9"
MOVED = "1552524689-10"
ADDRESS = f"/bridge/calls/{CALL}"


def bridge(gateway: Simulator, **reader: Any) -> dict[str, Any]:
    """A bridge.yml with a reader."""
    return {
        "gateway": {"url": gateway.url, "poll_pause": 0.05},
        "agents": {"305": READER, "306": READER, "*": {}},
        "reader": reader,
    }


READERS = ("305", "306")


@contextmanager
def started(
    gateway: Simulator, folder: Path, *, auto_answer: bool = True
) -> Iterator[ActionServer]:
    """A server whose readers are signed in, and nobody's sessions of an earlier test."""
    for agent in READERS:
        gateway.expire(agent)
    with ActionServer(folder, bridge=bridge(gateway, auto_answer=auto_answer)) as server:
        server.until(lambda: all(is_polled(server, gateway, agent) for agent in READERS))
        yield server


def is_polled(server: ActionServer, gateway: Simulator, agent: str) -> bool:
    session = server.get(f"/bridge/agents/{agent}").json()["session"]
    signed_in = session is not None and session["state"] == "signed_in"
    return signed_in and bool(gateway.recorded(operation="poll", agent=agent))


@pytest.fixture
def server(gateway: Simulator, tmp_path: Path) -> Iterator[ActionServer]:
    with started(gateway, tmp_path, auto_answer=False) as found:
        yield found


def calls(server: ActionServer, **query: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.get("/bridge/calls", params=query).json()["items"]
    return items


def has(server: ActionServer, state: str, call_id: str = CALL) -> bool:
    answer = server.get(f"/bridge/calls/{call_id}")
    return answer.status_code == 200 and answer.json()["state"] == state


def body(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_chat_by_the_api_alone(server: ActionServer, gateway: Simulator) -> None:
    gateway.ring(CALL, "305", caller="4711")
    server.until(lambda: has(server, "ringing"))
    (ringing,) = calls(server)
    assert ringing["actions"] == ["answer", "reject"]
    assert (ringing["sender_id"], ringing["user_id"]) == (f"cc-{CALL}", "4711")
    assert (ringing["media"], ringing["owner"]) == ("text", "bot")
    assert error(server.post(f"{ADDRESS}/release"), 409) == "ringing"
    gateway.write(CALL, "anybody?")
    server.until(lambda: len(server.get(ADDRESS).json()["history"]) == 1)

    assert body(server.post(f"{ADDRESS}/answer"))["agent_id"] == "305"
    server.until(lambda: [call["owner"] for call in calls(server)] == ["agent"])
    (talking,) = calls(server)
    assert (talking["state"], talking["actions"]) == ("talking", ["release", "transfer"])
    assert "problem" not in talking
    assert error(server.post(f"{ADDRESS}/answer"), 409) == "talking"
    gateway.write(CALL, {"mediaType": "FILE_IMAGE", "fileId": "f-1", "fileName": "cat.jpg"})
    server.until(lambda: len(server.get(ADDRESS).json()["history"]) == 2)
    first, picture = server.get(ADDRESS).json()["history"]
    assert (first["from"], first["text"]) == ("customer", "anybody?")
    assert picture["attachment"] == {"kind": "picture", "file_id": "f-1", "name": "cat.jpg"}

    for given in ({}, {"agent_id": "306", "skill": "1"}, {"agent_id": "anna"}, {"skill": -1}):
        assert error(server.post(f"{ADDRESS}/transfer", json=given), 422) == "invalid_field"
    gateway.fault("retcode", path="*transfer", retcode="106-004")
    refused = server.post(f"{ADDRESS}/transfer", json={"skill": 12})
    assert error(refused, 502) == "gateway"
    assert "106-004" in refused.json()["error"]["message"]
    assert "106-004" in calls(server)[0]["problem"]

    assert body(server.post(f"{ADDRESS}/release"))["state"] == "ended"
    assert calls(server) == []
    assert error(server.post(f"{ADDRESS}/release"), 409) == "call_ended"


def test_a_call_that_rings_is_its_agents(server: ActionServer, gateway: Simulator) -> None:
    gateway.ring(REJECTED, "305")
    server.until(lambda: has(server, "ringing", REJECTED))
    assert [call["call_id"] for call in calls(server, agent_id="305")] == [REJECTED]
    assert calls(server, agent_id="306") == []
    assert error(server.post("/bridge/calls/nothing/answer"), 404) == "not_found"
    assert body(server.post(f"/bridge/calls/{REJECTED}/reject"))["state"] == "ended"
    assert calls(server) == []


def test_killed_between_the_answer_and_the_look_up_it_loses_nothing(
    gateway: Simulator, tmp_path: Path
) -> None:
    address = f"/bridge/calls/{KILLED}"
    with started(gateway, tmp_path) as server:
        gateway.fault("hang", path="*callinfobycallid*", seconds=60, taken=False)
        gateway.ring(KILLED, "305", caller="4711")
        gateway.wait_for(requests=1, operation="look_up", call=KILLED)
        gateway.write(KILLED, "hello")
        server.until(lambda: len(server.get(address).json().get("history", ())) == 1)
        server.kill()
        gateway.clear_faults()
        server.start()
        server.until(lambda: [call["owner"] for call in calls(server)] == ["agent"])
        found = server.get(address).json()
        assert found["user_id"] == "4711"
        assert [line["text"] for line in found["history"]] == ["hello"]
        gateway.write(KILLED, "still there?")
        server.until(lambda: len(server.get(address).json()["history"]) == 2)
        assert len(gateway.recorded(operation="answer_call", call=KILLED)) == 1


def test_a_transfer_shows_the_call_as_its_former_agent_sees_it(
    server: ActionServer, gateway: Simulator
) -> None:
    address = f"/bridge/calls/{MOVED}"
    gateway.ring(MOVED, "305")
    server.until(lambda: has(server, "ringing", MOVED))
    server.post(f"{address}/answer")
    server.until(lambda: has(server, "talking", MOVED))
    asked = body(server.post(f"{address}/transfer", json={"agent_id": "306"}))
    assert asked["agent_id"] == "305"
    assert asked.get("moved_to") in (None, "306")
    server.until(lambda: [call["agent_id"] for call in calls(server)] == ["306"])
