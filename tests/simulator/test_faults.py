"""Scripted faults: each does what it says, to the requests it is meant for, and is recorded."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from tests.simulator.harness import Simulator
from tests.simulator.samples import SEND, body


def send(gateway: Simulator, guid: str, timeout: float = 10.0) -> requests.Response:
    return gateway.request("POST", SEND, body(), guid=guid, timeout=timeout)


def taken(gateway: Simulator) -> list[tuple[str, str]]:
    return [(r["verdict"], r["fault"]) for r in gateway.recorded(operation="send_message")]


@pytest.mark.parametrize(("kind", "messages"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection(gateway: Simulator, guid: str, kind: str, messages: int) -> None:
    gateway.fault(kind)
    with pytest.raises(requests.ConnectionError):
        send(gateway, guid)
    assert len(gateway.messages()) == messages
    assert taken(gateway) == [("accepted" if messages else "refused", kind)]
    assert gateway.recorded(operation="send_message")[0]["answer"] is None
    assert send(gateway, guid).json()["retcode"] == "0"


def test_a_status_with_headers_and_body(gateway: Simulator, guid: str) -> None:
    gateway.fault("status", status=503, body="busy", headers={"Retry-After": "2"})
    reply = send(gateway, guid)
    assert (reply.status_code, reply.text, reply.headers["Retry-After"]) == (503, "busy", "2")
    assert gateway.messages() == []


def test_a_status_after_the_message_was_taken(gateway: Simulator, guid: str) -> None:
    gateway.fault("status", status=500, taken=True)
    assert send(gateway, guid).status_code == 500
    assert len(gateway.messages()) == 1


def test_a_retcode(gateway: Simulator, guid: str) -> None:
    gateway.fault("retcode", retcode="105-002", message="later")
    assert send(gateway, guid).json() == {"message": "later", "retcode": "105-002"}
    assert gateway.messages() == []


@pytest.mark.parametrize(("kind", "text"), [("garbage", "<html>"), ("empty", "")])
def test_a_success_that_nobody_can_read(
    gateway: Simulator, guid: str, kind: str, text: str
) -> None:
    gateway.fault(kind)
    reply = send(gateway, guid)
    assert reply.status_code == 200
    assert reply.text.startswith(text)
    assert "retcode" not in reply.text
    assert len(gateway.messages()) == 1


def test_half_an_answer(gateway: Simulator, guid: str) -> None:
    gateway.fault("cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        send(gateway, guid)
    assert len(gateway.messages()) == 1


def test_a_dribble_outlasts_a_read_timeout(gateway: Simulator, guid: str) -> None:
    gateway.fault("dribble", ms=2)
    began = time.monotonic()
    assert send(gateway, guid, timeout=0.2).json()["retcode"] == "0"
    assert time.monotonic() - began > 0.2


def test_a_hang_ends_with_the_answer(gateway: Simulator, guid: str) -> None:
    gateway.fault("hang", seconds=0.05)
    assert send(gateway, guid).json()["retcode"] == "0"


@pytest.mark.parametrize(
    ("script", "verdict"), [({}, "accepted"), ({"taken": False}, "refused")], ids=["taken", "not"]
)
def test_a_hang_for_good(
    gateway: Simulator, guid: str, script: dict[str, bool], verdict: str
) -> None:
    gateway.fault("hang", **script)
    with pytest.raises(requests.ReadTimeout):
        send(gateway, guid, timeout=0.1)
    assert len(gateway.messages()) == (1 if verdict == "accepted" else 0)
    assert taken(gateway) == [(verdict, "hang")]


def test_a_reset_lets_go_what_hangs(gateway: Simulator, guid: str) -> None:
    gateway.fault("hang")
    failed: list[Exception] = []

    def attempt() -> None:
        try:
            send(gateway, guid)
        except requests.ConnectionError as error:
            failed.append(error)

    hanging = threading.Thread(target=attempt)
    hanging.start()
    gateway.wait_for(requests=1, operation="send_message")
    gateway.reset()
    hanging.join(5)
    assert len(failed) == 1


def test_a_delay_after_which_the_client_has_gone_takes_nothing(
    gateway: Simulator, guid: str
) -> None:
    gateway.fault("delay", ms=5000)
    with pytest.raises(requests.ReadTimeout):
        send(gateway, guid, timeout=0.1)
    (entry,) = gateway.wait_for(requests=1, operation="send_message", verdict="refused")
    assert entry["reason"] == "the client went away first"
    assert gateway.messages() == []


def test_guids_that_expire_leave_the_session(gateway: Simulator, guid: str) -> None:
    gateway.fault("expire_guids", path=SEND, skip=1)
    assert [send(gateway, guid).json()["retcode"] for _ in range(3)] == ["0", "000-003", "000-003"]
    reply = gateway.request("PUT", "onlineagent/291", {"password": "x", "phonenum": "1"})
    assert reply.json()["retcode"] == "100-002"


def test_sessions_that_expire_can_be_begun_anew(gateway: Simulator, guid: str) -> None:
    gateway.fault("expire_sessions", agent="291")
    other = gateway.sign_in("292")
    assert send(gateway, guid).json()["retcode"] == "100-006"
    assert gateway.agent("292")["session"]["guid"] == other
    assert send(gateway, gateway.sign_in("291")).json()["retcode"] == "0"


def test_rotation_on_command(gateway: Simulator, guid: str) -> None:
    gateway.fault("rotate", path="agentevent/*")
    assert "Set-GUID" in gateway.poll("291", guid).headers
    assert "Set-GUID" not in gateway.poll("291", guid).headers


def test_a_fault_meets_only_what_it_is_meant_for(gateway: Simulator, guid: str) -> None:
    gateway.fault("retcode", path="*/sendmessage", call="another", times=None)
    gateway.fault("retcode", path="agentevent/*", times=None)
    gateway.fault("retcode", path="*/sendmessage", agent="292", times=None)
    gateway.fault("retcode", method="GET", path="mediacall/*", times=None)
    assert send(gateway, guid).json()["retcode"] == "0"
    assert gateway.poll("291", guid).json()["retcode"] == "000-004"


def test_a_fault_strikes_as_often_as_it_says(gateway: Simulator, guid: str) -> None:
    fault = gateway.fault("retcode", path=SEND, skip=1, times=2)
    codes = [send(gateway, guid).json()["retcode"] for _ in range(4)]
    assert codes == ["0", "000-004", "000-004", "0"]
    (listed,) = gateway.faults()
    assert (listed["id"], listed["used"], listed["times"]) == (fault, 2, 2)
    gateway.clear_faults(fault)
    assert gateway.faults() == []


@pytest.mark.parametrize(
    "given",
    [{"kind": "explode"}, {"kind": "status", "wen": 1}, {"kind": "drop_after", "taken": False}],
)
def test_a_fault_that_is_misspelled_is_refused(
    gateway: Simulator, given: dict[str, object]
) -> None:
    reply = requests.post(f"{gateway.url}/simulator/faults", json=given, timeout=5)
    assert reply.status_code == 400
    assert reply.json()["error"]


def test_connections_are_refused_for_a_while(gateway: Simulator, guid: str) -> None:
    gateway.refuse(0.3)
    until = time.monotonic() + 5
    assert "refused" in _first(gateway, guid, until, answered=False)
    assert '"retcode": "0"' in _first(gateway, guid, until, answered=True)


def _first(gateway: Simulator, guid: str, until: float, *, answered: bool) -> str:
    """Send until it is answered, or until it is not; what came of it then."""
    while time.monotonic() < until:
        try:
            came, text = True, send(gateway, guid).text
        except requests.ConnectionError as error:
            came, text = False, str(error)
        if came is answered and (came or "refused" in text):
            return text
    return "the time was up"


def test_every_message_can_be_slow(gateway: Simulator, guid: str) -> None:
    gateway.settings(delay_ms=60)
    began = time.monotonic()
    send(gateway, guid)
    assert time.monotonic() - began >= 0.06
