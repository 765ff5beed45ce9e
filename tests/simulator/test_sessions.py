"""Sign-in, GUIDs, heartbeats and sign-out."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from tests.simulator.harness import Simulator
from tests.simulator.samples import SEND, body

SIGN_IN = "onlineagent/291"
GOOD: dict[str, Any] = {"password": "x", "phonenum": "40038"}


def retcode(
    gateway: Simulator, method: str, path: str, given: object = None, guid: str | None = None
) -> str:
    code: str = gateway.request(method, path, given, guid=guid).json()["retcode"]
    return code


def sends(gateway: Simulator, guid: str | None) -> str:
    return retcode(gateway, "POST", SEND, body(), guid)


def test_sign_in_answers_as_published(gateway: Simulator) -> None:
    reply = gateway.request("PUT", SIGN_IN, {**GOOD, "status": 3, "autoanswer": "true"})
    result = reply.json()["result"]
    assert (result["workno"], result["mediatype"][1]) == ("291", "T")
    assert re.fullmatch(r"\d{13}", result["loginTime"])
    header = reply.headers["Set-GUID"]
    assert re.fullmatch(r"JSESSIONID=[0-9a-f-]{36}\.AgentGateway[01]", header)
    assert gateway.agent("291")["session"]["guid"] == header.partition("=")[2]
    assert gateway.agent("291")["session"]["status"] == "3"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": None}, "body.password: must be"),
        ({"password": "p" * 33}, "body.password: must be"),
        ({"phonenum": "1" * 25}, "at most 24"),
        ({"phoneNum": "1"}, "did you mean 'phonenum'"),
        ({"status": "2"}, "one of 3, 4, 5"),
        ({"autoanswer": "yes"}, "true or false"),
        ({"agenttype": "four"}, "a whole number"),
        ({"callBackUri": "http://127.0.0.1/" + "x" * 200}, "at most 200"),
        ({"serviceToken": "t" * 51}, "at most 50"),
        ({"serviceToken": "a b"}, "body.serviceToken"),
        ({"callBackUri": "http://example.org/", "serviceToken": "t"}, "loopback only"),
    ],
)
def test_a_sign_in_that_is_wrong_is_refused(
    gateway: Simulator, changes: dict[str, Any], reason: str
) -> None:
    assert retcode(gateway, "PUT", SIGN_IN, {**GOOD, **changes}) == "000-002"
    entry = gateway.recorded()[-1]
    assert reason in entry["reason"]
    assert "ppp" not in entry["reason"]
    assert gateway.agent("291")["signed_in"] is False


def test_accounts_may_be_given(gateway: Simulator) -> None:
    gateway.settings(agents={"291": "secret"})
    assert retcode(gateway, "PUT", SIGN_IN, GOOD) == "100-004"
    assert retcode(gateway, "PUT", "onlineagent/292", GOOD) == "100-004"
    assert retcode(gateway, "PUT", SIGN_IN, {**GOOD, "password": "secret"}) == "0"


def test_a_second_sign_in_needs_force_and_throws_the_first_out(gateway: Simulator) -> None:
    first = gateway.sign_in("291")
    assert retcode(gateway, "PUT", SIGN_IN, GOOD) == "100-002"
    second = gateway.sign_in("291", force=True)
    assert gateway.agent("291")["forced"] == 1
    assert sends(gateway, second) == "0"
    assert sends(gateway, first) == "000-003"
    assert gateway.poll("291", first).json()["event"]["eventType"] == "AgentOther_ShutdownService"


def test_force_may_be_forbidden(gateway: Simulator) -> None:
    gateway.settings(force_login=False)
    assert retcode(gateway, "PUT", SIGN_IN + "/forcelogin", GOOD) == "100-015"


def test_without_a_session_the_agent_is_not_signed_in(gateway: Simulator) -> None:
    assert sends(gateway, "f3f1c1f4.AgentGateway0") == "100-006"
    assert sends(gateway, None) == "100-006"


def test_a_guid_that_is_not_the_session_s_has_no_permission(gateway: Simulator, guid: str) -> None:
    other = gateway.sign_in("292")
    assert [sends(gateway, each) for each in (None, other, guid + "x", guid)] == [
        *["000-003"] * 3,
        "0",
    ]
    assert sends(gateway, "JSESSIONID=" + guid) == "000-003"
    assert "does not belong to it" in gateway.recorded()[-1]["reason"]
    gateway.settings(stale_code="100-006")
    assert sends(gateway, other) == "100-006"


def test_the_guid_is_a_header_never_a_cookie(gateway: Simulator, guid: str) -> None:
    cookie = {"Cookie": f"JSESSIONID={guid}"}
    reply = gateway.request("POST", SEND, body(), headers=cookie)
    assert reply.json()["retcode"] == "000-003"


def test_the_poll_brings_a_new_guid_and_the_former_one_ends_with_its_timeout(
    gateway: Simulator, guid: str
) -> None:
    assert "Set-GUID" not in gateway.poll("291", guid).headers
    gateway.advance(61)
    newer = gateway.poll("291", guid).headers["Set-GUID"].partition("=")[2]
    assert newer != guid
    assert [sends(gateway, guid), sends(gateway, newer)] == ["0", "0"]
    gateway.advance(60)  # 121 s after the first one's issue
    assert [sends(gateway, guid), sends(gateway, newer)] == ["000-003", "0"]


def test_a_site_may_void_the_former_guid_at_once(gateway: Simulator, guid: str) -> None:
    gateway.settings(former_guid=False)
    gateway.rotate("291")
    newer = gateway.poll("291", guid).headers["Set-GUID"].partition("=")[2]
    assert [sends(gateway, guid), sends(gateway, newer)] == ["000-003", "0"]


def test_a_static_guid_lasts_the_whole_session(gateway: Simulator, guid: str) -> None:
    gateway.settings(auth_mode="static")
    for _ in range(10):
        gateway.advance(100)
        assert "Set-GUID" not in gateway.poll("291", guid).headers
    reply = gateway.request("PUT", SIGN_IN + "/updateGuid", guid=guid)
    assert reply.json()["result"]["guid"] == guid
    assert sends(gateway, guid) == "0"


def test_update_guid_rotates(gateway: Simulator, guid: str) -> None:
    reply = gateway.request("PUT", SIGN_IN + "/updateGuid", guid=guid)
    newer = reply.json()["result"]["guid"]
    assert newer != guid
    assert sends(gateway, newer) == "0"


def test_any_reply_may_bring_a_new_guid(gateway: Simulator, guid: str) -> None:
    gateway.settings(rotate_on="any")
    gateway.advance(61)
    reply = gateway.request("POST", SEND, body(), guid=guid)
    assert reply.headers["Set-GUID"].startswith("JSESSIONID=")


def test_two_minutes_of_silence_sign_the_agent_out(gateway: Simulator, guid: str) -> None:
    gateway.advance(119)
    assert sends(gateway, guid) == "0"  # which is no heartbeat
    gateway.advance(2)
    assert sends(gateway, guid) == "100-006"
    assert gateway.agent("291")["signed_in"] is False
    assert retcode(gateway, "PUT", SIGN_IN, GOOD) == "0"


def test_polls_and_handshakes_keep_the_agent_signed_in(gateway: Simulator, guid: str) -> None:
    gateway.settings(auth_mode="static")
    gateway.advance(100)
    gateway.poll("291", guid)
    gateway.advance(100)
    assert retcode(gateway, "POST", SIGN_IN + "/handshake", guid=guid) == "0"
    gateway.advance(100)
    assert sends(gateway, guid) == "0"


def test_ten_minutes_of_rotation_go_by_for_a_reader_that_keeps_up(gateway: Simulator) -> None:
    newest = [gateway.sign_in("291")]

    def read() -> None:
        while gateway.agent("291")["signed_in"]:
            reply = gateway.poll("291", newest[-1])
            if "Set-GUID" in reply.headers:
                newest.append(reply.headers["Set-GUID"].partition("=")[2])

    reader = threading.Thread(target=read)
    reader.start()
    try:
        gateway.wait_for(requests=1, operation="poll")
        gateway.advance(600, step=30)
        assert 9 <= len(newest) <= 11
        assert gateway.agent("291")["sign_ins"] == 1
        assert sends(gateway, newest[-1]) == "0"
    finally:
        gateway.expire("291")
        reader.join(5)


def test_sign_out_ends_the_session(gateway: Simulator, guid: str) -> None:
    assert retcode(gateway, "DELETE", SIGN_IN + "/logout", guid=guid) == "0"
    assert retcode(gateway, "DELETE", SIGN_IN + "/logout", guid=guid) == "100-006"
    assert sends(gateway, guid) == "100-006"


def test_forced_sign_out_also_releases_the_calls(gateway: Simulator, guid: str) -> None:
    gateway.call("1-1", "291")
    assert retcode(gateway, "DELETE", SIGN_IN + "/forcelogout", guid=guid) == "0"
    assert gateway.state()["calls"]["1-1"]["state"] == "released"


def test_a_sign_in_during_a_sign_in_is_refused_and_noted(gateway: Simulator) -> None:
    gateway.fault("delay", path=SIGN_IN, ms=300)
    first = threading.Thread(target=gateway.sign_in, args=("291",))
    first.start()
    gateway.wait_for(requests=1, operation="sign_in", verdict="pending")
    assert retcode(gateway, "PUT", SIGN_IN, GOOD) == "000-004"
    first.join(5)
    assert gateway.state()["violations"][0]["what"] == "sign_in during sign_in"
    assert gateway.agent("291")["sign_ins"] == 1


def test_a_session_without_text_chat_sends_nothing(gateway: Simulator) -> None:
    guid = gateway.sign_in("291", checkInWebm="false")
    assert sends(gateway, guid) == "106-001"


def test_a_load_balancer_may_want_its_cookie(gateway: Simulator) -> None:
    gateway.settings(cookie="required")
    reply = gateway.request("PUT", SIGN_IN, GOOD)
    guid = reply.headers["Set-GUID"].partition("=")[2]
    cookie = {"Cookie": reply.headers["Set-Cookie"].partition(";")[0]}
    reply = gateway.request("POST", SEND, body(), guid=guid, headers={"Cookie": "LBNODE=x"})
    assert reply.json()["retcode"] == "100-006"
    reply = gateway.request("POST", SEND, body(), guid=guid, headers=cookie)
    assert reply.json()["retcode"] == "0"


@pytest.mark.parametrize(
    ("path", "status"),
    [("sayfree", "4"), ("saybusy?reason=2", "3"), ("cancelbusy", "4"), ("work", "5")],
)
def test_states_are_set(gateway: Simulator, guid: str, path: str, status: str) -> None:
    assert retcode(gateway, "POST", f"{SIGN_IN}/{path}", guid=guid) == "0"
    assert gateway.agent("291")["session"]["status"] == status


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("resetskill/true?skillid=1;2&phonelinkage=0", "0"),
        ("resetskill/false", "0"),
        ("resetskill/maybe", "000-002"),
        ("resetskill/true?skillid=a", "000-002"),
    ],
)
def test_skills_are_reset(gateway: Simulator, guid: str, path: str, code: str) -> None:
    assert retcode(gateway, "POST", f"{SIGN_IN}/{path}", guid=guid) == code
