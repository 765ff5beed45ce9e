"""Events: polled one at a time, or pushed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.simulator.harness import Simulator

CUSTOMER = {"callid": "1552038964-16797222", "message": "testmessage", "feature": 0}


def drain(gateway: Simulator, guid: str, agent: str = "291") -> list[dict[str, Any]]:
    """Poll until there is nothing left."""
    events = []
    while (event := gateway.poll(agent, guid).json()["event"]) is not None:
        events.append(event)
    return events


def test_events_come_one_by_one_and_reading_consumes_them(gateway: Simulator, guid: str) -> None:
    gateway.event("291", "AgentEvent_MessageData", CUSTOMER)
    gateway.event("291", "AgentEvent_Call_Release", "1552038964-16797222")
    assert drain(gateway, guid) == [
        {"eventType": "AgentOther_InService", "workNo": "291", "content": None},
        {"eventType": "AgentState_Ready", "workNo": "291", "content": None},
        {"eventType": "AgentEvent_MessageData", "workNo": "291", "content": CUSTOMER},
        {
            "eventType": "AgentEvent_Call_Release",
            "workNo": "291",
            "content": "1552038964-16797222",
        },
    ]


def test_an_agent_signed_in_busy_is_not_ready(gateway: Simulator) -> None:
    guid = gateway.sign_in("291", status="3")
    assert [event["eventType"] for event in drain(gateway, guid)] == ["AgentOther_InService"]


def test_a_waiting_poll_is_answered_at_once(gateway: Simulator) -> None:
    gateway.settings(poll_seconds=30)
    guid = gateway.sign_in("291", status="3")
    gateway.poll("291", guid)
    heard: list[Any] = []
    reader = threading.Thread(target=lambda: heard.append(gateway.poll("291", guid).json()))
    reader.start()
    gateway.wait_for(requests=1, operation="poll", verdict="pending")
    gateway.event("291", "AgentEvent_MessageData", CUSTOMER)
    reader.join(5)
    assert heard[0]["event"]["content"] == CUSTOMER


@pytest.mark.parametrize("ending", [{"announce": True}, {}], ids=["announced", "silently"])
def test_a_session_that_ends_during_a_poll_ends_the_poll(
    gateway: Simulator, ending: dict[str, bool]
) -> None:
    gateway.settings(poll_seconds=30)
    guid = gateway.sign_in("291", status="3")
    gateway.poll("291", guid)
    heard: list[Any] = []
    reader = threading.Thread(target=lambda: heard.append(gateway.poll("291", guid).json()))
    reader.start()
    gateway.wait_for(requests=1, operation="poll", verdict="pending")
    gateway.expire("291", **ending)
    reader.join(5)
    if ending:
        assert heard[0]["event"]["eventType"] == "AgentOther_ShutdownService"
        assert set(heard[0]["event"]["content"]) == {"loginTime"}
    else:
        assert heard[0]["retcode"] == "100-006"


def test_two_readers_of_one_agent_are_noted(gateway: Simulator) -> None:
    gateway.settings(poll_seconds=30)
    guid = gateway.sign_in("291", status="3")
    gateway.poll("291", guid)
    readers = [threading.Thread(target=gateway.poll, args=("291", guid)) for _ in range(2)]
    for reader in readers:
        reader.start()
    gateway.wait_for(requests=2, operation="poll", verdict="pending")
    gateway.expire("291")
    for reader in readers:
        reader.join(5)
    (violation,) = gateway.state()["violations"]
    assert "one reader per agent" in violation["what"]


class _Receiver(BaseHTTPRequestHandler):
    """Takes pushes; the first ``failures`` of them badly."""

    got: list[tuple[str, dict[str, str], Any]]
    failures: int

    def do_POST(self) -> None:
        cls = type(self)
        read = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        cls.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, read))
        bad, cls.failures = cls.failures > 0, cls.failures - 1
        reply = b"oops" if bad else b'{"message":"success","retcode":"0"}'
        self.send_response(500 if bad else 200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
        del format, args


@contextmanager
def receiving(failures: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """An address to push to, and what came."""
    handler: type[_Receiver] = type("Receiver", (_Receiver,), {"got": [], "failures": failures})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/bridge/events?token=t", handler.got
        finally:
            server.shutdown()
            thread.join(5)


def test_events_are_pushed_with_the_published_headers(gateway: Simulator) -> None:
    with receiving() as (url, got):
        guid = gateway.sign_in("291", status="3", callBackUri=url, serviceToken="abc123")
        gateway.pushes(at_least=1, timeout=5)
        gateway.events(
            "291", ("AgentEvent_Talking", CUSTOMER), ("AgentEvent_MessageData", CUSTOMER), repeat=2
        )
        gateway.pushes(at_least=3, timeout=5)
        path, headers, read = got[1]
        assert path == "/bridge/events?token=t"
        assert (headers["guid"], headers["service_token"]) == (guid, "abc123")
        assert read["workNo"] == "291"
        assert [event["eventType"] for event in read["eventList"]] == [
            "AgentEvent_Talking",
            "AgentEvent_MessageData",
        ]
        assert got[2][2] == read
        assert gateway.agent("291")["unread"] == 0
        gateway.expire("291", announce=True)
        farewell = gateway.pushes(at_least=4, timeout=5)[3]["body"]["eventList"][0]
        assert farewell["eventType"] == "AgentOther_ShutdownService"


def test_a_push_that_is_not_taken_is_tried_again(gateway: Simulator) -> None:
    gateway.settings(push_retry_ms=10)
    with receiving(failures=2) as (url, got):
        gateway.sign_in("291", status="3", callBackUri=url, serviceToken="abc123")
        pushes = gateway.pushes(at_least=3, timeout=5)
        assert [push["taken"] for push in pushes] == [False, False, True]
        assert len({json.dumps(read) for _, _, read in got}) == 1


def test_in_push_mode_the_handshake_brings_the_new_guid(gateway: Simulator) -> None:
    with receiving() as (url, _):
        guid = gateway.sign_in("291", callBackUri=url, serviceToken="abc123")
        gateway.advance(61)
        reply = gateway.request("POST", "onlineagent/291/handshake", guid=guid)
        assert reply.headers["Set-GUID"].partition("=")[2] != guid
        gateway.pushes(at_least=1, timeout=5)
