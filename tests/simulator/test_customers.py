"""Customers who call, write and hang up, and who they are."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.simulator import samples
from tests.simulator.harness import Simulator

CALL = "1-1"
TRANSFER = {"callid": CALL, "devicetype": "2", "mode": "2", "address": "292"}
KEY = {"app_key": "an-app-key", "app_secret": "an-app-secret"}
TENANT = "202301010001"


def heard(gateway: Simulator, guid: str, agent: str = "291") -> list[tuple[str, Any]]:
    """An agent's events after the sign-in, until there are no more."""
    found = []
    while (event := gateway.poll(agent, guid).json()["event"]) is not None:
        found.append((event["eventType"], event["content"]))
    return [item for item in found if "State" not in item[0] and "InService" not in item[0]]


def ask(gateway: Simulator, method: str, path: str, guid: str, body: object = None) -> Any:
    return gateway.request(method, path, body, guid=guid).json()


@pytest.mark.parametrize(
    ("family", "names"),
    [
        (
            "event",
            [
                "AgentEvent_Incoming_CallInfo",
                "AgentEvent_Ringing",
                "AgentEvent_Talking",
                "AgentEvent_MessageData",
                "AgentEvent_Customer_Release",
                "AgentEvent_Call_Release",
            ],
        ),
        (
            "chat",
            [
                "AgentChat_Ring",
                "AgentChat_Connected",
                "AgentChat_DataRecved",
                "AgentChat_Disconnected",
            ],
        ),
    ],
)
def test_a_chat_in_each_family(
    gateway: Simulator, guid: str, family: str, names: list[str]
) -> None:
    gateway.settings(event_family=family)
    gateway.ring(CALL, "291", caller="4711")
    assert ask(gateway, "PUT", f"voicecall/291/answer?callid={CALL}", guid)["retcode"] == "0"
    gateway.write(CALL, "hello")
    gateway.leave(CALL)
    events = heard(gateway, guid)
    assert [name for name, _ in events] == names
    assert "4711" in str(events[0])
    assert "hello" in str(events[-3 if family == "event" else -2])
    assert gateway.state()["calls"][CALL]["state"] == "released"


def test_a_call_is_answered_once(gateway: Simulator, guid: str) -> None:
    gateway.ring(CALL, "291")
    path = f"voicecall/291/answer?callid={CALL}"
    answers = [ask(gateway, "PUT", path, guid)["retcode"] for _ in range(2)]
    assert answers == ["0", "106-007"]


def test_a_look_up_knows_its_agents_call(gateway: Simulator, guid: str) -> None:
    gateway.ring(CALL, "291", caller="4711", media="53")
    found = ask(gateway, "GET", f"calldata/291/callinfobycallid/{CALL}", guid)
    assert found["retcode"] == "0"
    assert (found["result"]["caller"], found["result"]["mediaType"]) == (4711, 53)
    for path in ("calldata/291/callinfobycallid/9-9", f"calldata/292/callinfobycallid/{CALL}"):
        assert ask(gateway, "GET", path, guid)["retcode"] != "0"


def test_a_transfer_to_a_signed_in_agent_rings_there(gateway: Simulator, guid: str) -> None:
    other = gateway.sign_in("292")
    gateway.ring(CALL, "291", caller="4711")
    ask(gateway, "PUT", f"voicecall/291/answer?callid={CALL}", guid)
    assert ask(gateway, "POST", "mediacall/291/transfer", guid, TRANSFER)["retcode"] == "0"
    assert heard(gateway, guid)[-1] == ("AgentEvent_Call_Release", CALL)
    ringing = dict(heard(gateway, other, "292"))["AgentEvent_Ringing"]
    assert (ringing["callid"], ringing["caller"]) == (CALL, "4711")


@pytest.mark.parametrize(
    ("transfers", "target", "outcome"),
    [
        ("by_target", "299", "AgentChat_TransferFailed"),
        ("fails", "292", "AgentChat_TransferFailed"),
        ("pending", "292", "AgentEvent_Talking"),
    ],
)
def test_a_transfer_that_does_not_succeed(
    gateway: Simulator, guid: str, transfers: str, target: str, outcome: str
) -> None:
    gateway.sign_in("292")
    gateway.settings(transfers=transfers)
    gateway.ring(CALL, "291")
    ask(gateway, "PUT", f"voicecall/291/answer?callid={CALL}", guid)
    body = {**TRANSFER, "address": target}
    assert ask(gateway, "POST", "mediacall/291/transfer", guid, body)["retcode"] == "0"
    assert heard(gateway, guid)[-1][0] == outcome
    assert gateway.state()["calls"][CALL]["agent"] == "291"


def post(gateway: Simulator, path: str, body: Any, **headers: str) -> requests.Response:
    return requests.post(gateway.url + path, json=body, headers=headers, timeout=10)


def test_the_workbench_tells_the_customer_to_who_has_a_token(gateway: Simulator, guid: str) -> None:
    assert guid
    gateway.ring(CALL, "291", caller="1", user_id="u-1", channel="LINE", channel_config_id="77")
    user_info = "/apiaccess/rest/workbench/v1/getUserInfoBycallId"
    token_path = "/apigovernance/api/oauth/tokenByAkSk"
    wanted = {"callId": CALL, "userId": "1", "tenantId": TENANT}
    assert post(gateway, user_info, wanted).status_code == 401
    assert post(gateway, token_path, {**KEY, "app_secret": "x"}).status_code == 401
    token = post(gateway, token_path, KEY).json()["AccessToken"]
    bearer = {"Authorization": f"Bearer {token}"}
    found = post(gateway, user_info, wanted, **bearer).json()
    assert (found["userId"], found["channel"], found["channelConfigId"]) == ("u-1", "LINE", "77")
    assert post(gateway, user_info, {**wanted, "tenantId": "0"}, **bearer).status_code == 500


def news(gateway: Simulator, **known: str) -> dict[str, Any]:
    answer = requests.get(f"{gateway.url}/simulator/customers/{CALL}", params=known, timeout=10)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_customer_is_told_news_of_the_call_at_once(gateway: Simulator, guid: str) -> None:
    gateway.ring(CALL, "291")
    known = {"state": "ringing", "agent": "291", "timeout": "0.05"}
    assert news(gateway, **known)["messages"] == []
    ask(gateway, "PUT", f"voicecall/291/answer?callid={CALL}", guid)
    assert news(gateway, **{**known, "timeout": "10"})["call"]["state"] == "talking"
    body = {**samples.body(), "callid": CALL}
    assert ask(gateway, "POST", "mediacall/291/sendmessage", guid, body)["retcode"] == "0"
    known = {"state": "talking", "agent": "291", "timeout": "10"}
    (message,) = news(gateway, **known)["messages"]
    assert message["text"] == "<p>Message sent by the agent</p>"
    after = {**known, "after": str(message["seq"]), "timeout": "0.05"}
    assert news(gateway, **after)["messages"] == []


def test_a_customer_of_no_call_and_an_unknown_filter_are_refused(gateway: Simulator) -> None:
    gateway.ring(CALL, "291")
    for path in ("9-9", f"{CALL}?colour=red"):
        answer = requests.get(f"{gateway.url}/simulator/customers/{path}", timeout=10)
        assert answer.status_code == 400
