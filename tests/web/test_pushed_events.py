"""``/bridge/events`` and ``/bridge/agents``: what the gateway pushes to a real server."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.simulator.harness import Simulator
from tests.web.serving import ActionServer, error

READER = {"session": "sign_in", "password": "x", "phone": "40038", "reader": True}
TAKEN = {"message": "success", "retcode": "0"}
EVENT = {"eventType": "AgentState_Busy", "workNo": "306", "content": None}


@pytest.fixture(scope="module")
def own_gateway() -> Iterator[Simulator]:
    with Simulator("--poll-seconds", "0.2") as started:
        yield started


@pytest.fixture(scope="module")
def reading(
    tmp_path_factory: pytest.TempPathFactory, own_gateway: Simulator
) -> Iterator[ActionServer]:
    """A server whose readers are signed in; the gateway pushes to its own address."""
    bridge = {
        "gateway": {"url": own_gateway.url},
        "agents": {"305": READER, "306": {**READER, "events": "push"}},
        "reader": {"push_url": "http://127.0.0.1:${SERVED_PORT}"},
    }
    with ActionServer(tmp_path_factory.mktemp("reading"), bridge=bridge) as server:
        own_gateway.wait_for(requests=1, operation="handshake", agent="306", timeout=20)
        yield server


def until(met: Callable[[], object], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def token_of(gateway: Simulator) -> str:
    found: str = gateway.recorded(operation="sign_in", agent="306")[-1]["body"]["serviceToken"]
    return found


def events(server: ActionServer, agent: str = "306") -> list[tuple[str, Any]]:
    """What is stored, in order."""
    with closing(sqlite3.connect(server.folder / "bridge.db")) as database:
        rows = database.execute(
            "SELECT event_type, content FROM events WHERE agent_id = ? ORDER BY seq", (agent,)
        ).fetchall()
    return [(kind, json.loads(content)) for kind, content in rows]


def test_what_the_gateway_pushes_is_stored_and_acknowledged(
    reading: ActionServer, own_gateway: Simulator
) -> None:
    own_gateway.events(
        "306", ("AgentEvent_Hold", {"callid": "A-1"}), ("AgentState_SetNotReady_Success", None)
    )
    until(
        lambda: any(
            push["body"]["eventList"][0]["eventType"] == "AgentEvent_Hold"
            for push in own_gateway.pushes(agent="306")
        )
    )
    (push,) = [
        each
        for each in own_gateway.pushes(agent="306")
        if each["body"]["eventList"][0]["eventType"] == "AgentEvent_Hold"
    ]
    assert (push["status"], push["reply"], push["attempt"]) == (200, TAKEN, 1)
    assert events(reading)[-2:] == [
        ("AgentEvent_Hold", {"callid": "A-1"}),
        ("AgentState_SetNotReady_Success", None),
    ]
    shown = reading.get("/bridge/agents/306").json()
    assert (shown["state"], shown["reported_state"]) == ("busy", "busy")
    assert token_of(own_gateway) not in reading.log()


def test_a_batch_that_is_sent_again_at_once_is_one(
    reading: ActionServer, own_gateway: Simulator
) -> None:
    before = len(events(reading))
    own_gateway.event("306", "AgentEvent_Conference", {"callid": "A-2"}, repeat=3)
    until(lambda: sum("A-2" in str(push["body"]) for push in own_gateway.pushes()) == 3)
    assert len(events(reading)) == before + 1


@pytest.mark.parametrize("place", ["header", "query", "body"])
def test_where_the_token_may_be(reading: ActionServer, own_gateway: Simulator, place: str) -> None:
    token = token_of(own_gateway)
    content = {"callid": f"place-{place}"}
    body: dict[str, Any] = {"workNo": 306, "eventList": [{**EVENT, "content": content}]}
    address, headers = "/bridge/events", {"Guid": "not-to-be-adopted"}
    if place == "header":
        headers["service_token"] = token
    elif place == "query":
        address += f"?service_token={token}"
    else:
        body["service_token"] = token
    answer = reading.ask("POST", address, json=body, headers=headers, token=None)
    assert (answer.status_code, answer.json()) == (200, TAKEN)
    assert events(reading)[-1] == ("AgentState_Busy", content)
    guid = own_gateway.agent("306")["session"]["guid"]
    assert reading.put("/bridge/agents/306/state", json={"state": "ready"}).status_code == 200
    assert own_gateway.recorded(operation="say_free")[-1]["headers"]["guid"] == guid


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"token": "wrong"}, 401),
        ({"token": None}, 401),
        ({"token": ""}, 401),
        ({"token": "x" * 5000}, 401),
        ({"workNo": "305"}, 401),  # whose events are polled
        ({"workNo": "291"}, 401),
        ({"workNo": None}, 422),
        ({"workNo": "305/../306"}, 422),
        ({"workNo": True}, 422),
        ({"eventList": [EVENT, {**EVENT, "workNo": "305"}]}, 403),
    ],
)
def test_a_push_that_is_not_this_agents_changes_nothing(
    reading: ActionServer, own_gateway: Simulator, changes: dict[str, Any], status: int
) -> None:
    given = {"token": token_of(own_gateway), "workNo": "306", "eventList": [EVENT], **changes}
    token = given.pop("token")
    headers = {} if token is None else {"service_token": token}
    before = events(reading), events(reading, "305")
    answer = reading.ask("POST", "/bridge/events", json=given, headers=headers, token=None)
    error(answer, status)
    assert events(reading)[: len(before[0])] == before[0]
    assert EVENT["eventType"] not in [kind for kind, _ in events(reading)[len(before[0]) :]]


@pytest.mark.parametrize(
    "listed",
    [
        None,
        {},
        "x",
        [None, 1, "x", []],
        [{"eventType": None}],
        [{"eventType": "AgentEvent_Talking", "content": {"callid": {"a": [1]}, "caller": 1e400}}],
        [{"eventType": "\ud83d", "content": "\ud83d"}],
        [{"eventType": "x" * 9000, "content": "\0"}],
        [{"eventType": "AgentEvent_MessageData", "content": {"message": "x" * 900_000}}],
    ],
)
def test_a_push_of_nonsense_is_acknowledged_and_the_next_one_is_taken(
    reading: ActionServer, own_gateway: Simulator, listed: Any
) -> None:
    headers = {"service_token": token_of(own_gateway), "content-type": "application/json"}
    raw = json.dumps({"workNo": "306", "eventList": listed}).encode()
    answer = reading.ask("POST", "/bridge/events", data=raw, headers=headers, token=None)
    assert (answer.status_code, answer.json()) == (200, TAKEN)
    content = {"callid": f"after-{time.monotonic_ns()}"}
    body = {"workNo": "306", "eventList": [{**EVENT, "content": content}]}
    answer = reading.ask("POST", "/bridge/events", json=body, headers=headers, token=None)
    assert answer.json() == TAKEN
    assert events(reading)[-1] == ("AgentState_Busy", content)


def test_more_than_a_megabyte_is_refused(reading: ActionServer, own_gateway: Simulator) -> None:
    headers = {"service_token": token_of(own_gateway)}
    body = {"workNo": "306", "eventList": [{**EVENT, "content": "x" * 1_100_000}]}
    answer = reading.ask("POST", "/bridge/events", json=body, headers=headers, token=None)
    assert error(answer, 413) == "too_large"


def test_an_agents_state_is_shown_and_changed(
    reading: ActionServer, own_gateway: Simulator
) -> None:
    shown = reading.get("/bridge/agents/305").json()
    assert (shown["signed_in_by"], shown["reader"], shown["events"]) == ("bridge", True, "poll")
    assert shown["session"]["state"] == "signed_in"
    answer = reading.put("/bridge/agents/305/state", json={"state": "wrap_up"})
    assert (answer.status_code, answer.json()["state"]) == (200, "wrap_up")
    assert own_gateway.agent("305")["session"]["status"] == "5"
    until(lambda: reading.get("/bridge/agents/305").json()["reported_state"] == "wrap_up")
    for body, status in (({"state": "asleep"}, 422), ({}, 422), ({"state": "busy", "x": 1}, 422)):
        error(reading.put("/bridge/agents/305/state", json=body), status)
    answer = reading.put("/bridge/agents/292/state", json={"state": "busy"})
    assert error(answer, 409) == "session_is_the_desktops"
    error(reading.get("/bridge/agents/29"), 422)
    own_gateway.fault("retcode", path="*saybusy", retcode="100-019")
    answer = reading.put("/bridge/agents/305/state", json={"state": "busy"})
    assert error(answer, 502) == "gateway"
    assert "100-019" in answer.json()["error"]["message"]


def test_a_readers_number_of_chats_is_shown_and_changed(
    reading: ActionServer, own_gateway: Simulator
) -> None:
    assert reading.get("/bridge/agents/305").json()["chats"] is None
    answer = reading.put("/bridge/agents/305/chats", json={"chats": 60})
    assert (answer.status_code, answer.json()["chats"]) == (200, 60)
    assert own_gateway.state()["chats"]["305"] == {"1": 60, "51": 60, "53": 60}
    own_gateway.fault("retcode", path="*setcallnums", retcode="106-008", times=2)
    assert reading.put("/bridge/agents/305/chats", json={"chats": 1}).json()["chats"] == 1
    own_gateway.fault("retcode", path="*setcallnums", retcode="106-008", times=3)
    answer = reading.put("/bridge/agents/305/chats", json={"chats": 2})
    assert error(answer, 502) == "gateway"
    assert "106-008" in answer.json()["error"]["message"]
    assert reading.get("/bridge/agents/305").json()["chats"] == 1
    for chats in (0, 61, "5", 5.5, True, None):
        error(reading.put("/bridge/agents/305/chats", json={"chats": chats}), 422)
    error(reading.put("/bridge/agents/305/chats", json={}), 422)
    error(reading.put("/bridge/agents/305/chats", json={"chats": 5, "x": 1}), 422)
    answer = reading.put("/bridge/agents/292/chats", json={"chats": 5})
    assert error(answer, 409) == "no_reader"
    assert reading.get("/bridge/agents/292").json()["chats"] is None
