"""Calls: answered, dropped, released, rejected and transferred."""

from __future__ import annotations

import pytest

from tests.simulator.harness import Simulator

RINGING = {"caller": "49997", "callid": "1-1", "called": "49999", "mediaAbility": "5"}
TRANSFER = {"callid": "1-1", "devicetype": 2, "mode": "2", "address": "292"}


def code(gateway: Simulator, method: str, path: str, guid: str, given: object = None) -> str:
    retcode: str = gateway.request(method, path, given, guid=guid).json()["retcode"]
    return retcode


def call_state(gateway: Simulator) -> str:
    state: str = gateway.state()["calls"]["1-1"]["state"]
    return state


def last_event(gateway: Simulator, guid: str, agent: str = "291") -> str:
    kind = ""
    while (event := gateway.poll(agent, guid).json()["event"]) is not None:
        kind = event["eventType"]
    return kind


def test_a_ringing_call_is_answered_and_dropped(gateway: Simulator, guid: str) -> None:
    gateway.event("291", "AgentEvent_Ringing", RINGING)
    assert call_state(gateway) == "ringing"
    assert code(gateway, "PUT", "voicecall/291/answer?callid=1-1", guid) == "0"
    assert call_state(gateway) == "talking"
    assert last_event(gateway, guid) == "AgentEvent_Talking"
    assert code(gateway, "POST", "voicecall/291/dropcall/1-1", guid) == "0"
    assert call_state(gateway) == "released"
    assert last_event(gateway, guid) == "AgentEvent_Call_Release"
    assert code(gateway, "PUT", "voicecall/291/answer?callid=1-1", guid) == "106-007"


def test_release_ends_the_newest_call(gateway: Simulator, guid: str) -> None:
    gateway.call("1-0", "291")
    gateway.call("1-1", "291")
    assert code(gateway, "DELETE", "voicecall/291/release", guid) == "0"
    assert call_state(gateway) == "released"
    assert gateway.state()["calls"]["1-0"]["state"] == "talking"


def test_a_call_is_rejected(gateway: Simulator, guid: str) -> None:
    gateway.event("291", "AgentEvent_Ringing", RINGING)
    assert code(gateway, "POST", "voicecall/291/reject", guid, {"callId": "1-1"}) == "000-002"
    assert code(gateway, "POST", "voicecall/291/reject", guid, {"callid": "1-1"}) == "0"
    assert call_state(gateway) == "rejected"


def test_a_transferred_call_rings_at_the_other_agent(gateway: Simulator, guid: str) -> None:
    other = gateway.sign_in("292")
    gateway.call("1-1", "291")
    assert code(gateway, "POST", "mediacall/291/transfer", guid, TRANSFER) == "0"
    assert last_event(gateway, guid) == "AgentEvent_Call_Release"
    assert last_event(gateway, other, "292") == "AgentEvent_Ringing"
    assert gateway.state()["calls"]["1-1"]["agent"] == "292"


@pytest.mark.parametrize(
    "changes", [{"devicetype": 3}, {"mode": 1}, {"address": ""}, {"skillid": 1}]
)
def test_a_transfer_that_is_wrong_is_refused(
    gateway: Simulator, guid: str, changes: dict[str, object]
) -> None:
    given = {**TRANSFER, **changes}
    assert code(gateway, "POST", "mediacall/291/transfer", guid, given) == "000-002"


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        ("setcallnums", {"mediaType": "51", "callnums": "5"}, "0"),
        ("setcallnums", {"mediaType": "1", "callnums": "60"}, "0"),
        ("setcallnums", {"mediaType": "51", "callnums": "61"}, "000-002"),
        ("setcallnums", {"mediaType": "51", "callnums": "0"}, "000-002"),
        ("setcallnums", {"mediaType": "51", "callnums": 5}, "000-002"),
        ("setcallnums", {"mediaType": "9", "callnums": "5"}, "000-002"),
        ("setcallnums", {"callnums": "5"}, "000-002"),
        ("setcallnums", None, "000-002"),
        ("setcallnums/5", None, "000-002"),
    ],
)
def test_the_number_of_chats_is_1_to_60(
    gateway: Simulator, guid: str, path: str, given: object, expected: str
) -> None:
    assert code(gateway, "POST", f"mediacall/291/{path}", guid, given) == expected


@pytest.mark.parametrize(
    "path",
    ["voicecall/291/answer", "voicecall/291/answer?callid=a%2Fb", "voicecall/291/answer?x=1"],
)
def test_an_answer_names_its_call(gateway: Simulator, guid: str, path: str) -> None:
    assert code(gateway, "PUT", path, guid) == "000-002"
