"""The record and the control API around it."""

from __future__ import annotations

import threading

import pytest
import requests

from tests.simulator.harness import Simulator
from tests.simulator.samples import CALL, SEND, body


def test_a_request_is_recorded_whole(gateway: Simulator, guid: str) -> None:
    gateway.request("POST", SEND, body(), guid=guid)
    (entry,) = gateway.recorded(path="*/sendmessage", call=CALL, verdict="accepted")
    assert (entry["method"], entry["path"], entry["agent"]) == ("POST", SEND, "291")
    assert entry["headers"]["guid"] == guid
    assert entry["body"] == body()
    assert entry["answer"]["body"] == {"message": "", "retcode": "0"}
    assert entry["took_ms"] > 0


def test_what_cannot_be_read_is_recorded_as_it_came(gateway: Simulator) -> None:
    gateway.request("POST", SEND, b"{oops")
    assert gateway.recorded()[0]["body"] == "{oops"


def test_filters_and_counts(gateway: Simulator, guid: str) -> None:
    gateway.request("POST", SEND, body(), guid=guid)
    gateway.request("POST", SEND, body(content=""), guid=guid)
    assert len(gateway.recorded(verdict="refused")) == 1
    assert len(gateway.recorded(operation="sign_in", agent="291")) == 1
    assert gateway.recorded(after=1, operation="sign_in") == []
    assert gateway.messages(call="other") == []
    assert (gateway.count("messages"), gateway.count("send_message.refused")) == (1, 1)
    reply = requests.get(f"{gateway.url}/simulator/recorded?pth=x", timeout=5)
    assert (reply.status_code, "unknown filter pth" in reply.text) == (400, True)


def test_overlapping_messages_of_one_call_are_told(gateway: Simulator, guid: str) -> None:
    gateway.settings(delay_ms=200)
    senders = [
        threading.Thread(target=gateway.request, args=("POST", SEND, body()), kwargs={"guid": guid})
        for _ in range(2)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(5)
    beside = [entry["beside"] for entry in gateway.recorded(operation="send_message")]
    assert sorted(beside) == [0, 1]


def test_waiting_ends_with_the_condition_or_tells_what_was_there(
    gateway: Simulator, guid: str
) -> None:
    sender = threading.Timer(0.05, gateway.request, ("POST", SEND, body()), {"guid": guid})
    sender.start()
    assert len(gateway.wait_for(messages=1, timeout=5)) == 1
    sender.join(5)
    with pytest.raises(AssertionError, match=r"1 of 2 after 0\.05 s"):
        gateway.wait_for(messages=2, timeout=0.05)


@pytest.mark.parametrize(
    ("level", "requests_kept", "messages_kept"), [("summary", 1, 1), ("none", 0, 0)]
)
def test_less_can_be_kept(
    gateway: Simulator, guid: str, level: str, requests_kept: int, messages_kept: int
) -> None:
    gateway.settings(record=level)
    gateway.request("POST", SEND, body(), guid=guid)
    found = gateway.recorded(operation="send_message")
    assert len(found) == requests_kept
    assert all(entry["body"] is None and entry["headers"] is None for entry in found)
    assert len(gateway.messages()) == messages_kept
    assert gateway.count("messages") == 1


def test_a_reset_begins_anew(gateway: Simulator, guid: str) -> None:
    gateway.settings(deployment="private", strict=True)
    gateway.fault("status", times=None)
    gateway.request("POST", SEND, body(), guid=guid)
    gateway.reset()
    state = gateway.state()
    assert (state["agents"], state["counts"], gateway.faults()) == ({}, {}, [])
    assert (state["settings"]["deployment"], state["settings"]["strict"]) == ("public_cloud", False)


def test_settings_are_checked(gateway: Simulator) -> None:
    url = f"{gateway.url}/simulator/settings"
    reply = requests.post(url, json={"deployment": "moon", "colour": 1}, timeout=5)
    assert reply.status_code == 400
    assert "deployment" in reply.json()["error"]
    assert "colour" in reply.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("POST", "/clock", {"advance": -1}, 400),
        ("POST", "/clock", [], 400),
        ("POST", "/events", {"agent": "291"}, 400),
        ("POST", "/refuse", {}, 400),
        ("GET", "/nothing", None, 404),
    ],
)
def test_the_control_api_tells_what_is_wrong(
    gateway: Simulator, method: str, path: str, given: object, status: int
) -> None:
    reply = requests.request(method, f"{gateway.url}/simulator{path}", json=given, timeout=5)
    assert (reply.status_code, "error" in reply.json()) == (status, True)
    assert gateway.recorded() == []
