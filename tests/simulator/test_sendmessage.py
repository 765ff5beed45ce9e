"""What sendmessage takes and refuses, rule by rule, and what the customer gets of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator.harness import Simulator
from tests.simulator.samples import ABSENT, CALL, SEND, body, data


def send(
    gateway: Simulator, guid: str | None, given: object, path: str = SEND, **headers: str
) -> tuple[str, str]:
    """The retcode, and the reason that was recorded."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = gateway.request("POST", path, given, guid=guid, headers=named)
    entry = gateway.recorded(path="mediacall/*")[-1]
    assert entry["verdict"] == ("accepted" if reply.json()["retcode"] == "0" else "refused")
    return reply.json()["retcode"], entry["reason"]


def test_the_published_sample_reaches_the_customer(gateway: Simulator, guid: str) -> None:
    assert send(gateway, guid, body()) == ("0", "")
    (message,) = gateway.messages()
    assert (message["call"], message["agent"]) == (CALL, "291")
    assert message["text"] == "<p>Message sent by the agent</p>"
    assert message["data"] == data()
    assert message["repeated"] is False


@pytest.mark.parametrize(
    "changes",
    [
        {"sendTime": "1552524689123"},
        {"contentType": "1", "mediaType": "IMAGE", "mediaFileType": "png"},
        {"contentType": 1, "mediaType": "DOCUMENT", "mediaFileType": "RTF"},
        {"mediaType": "VIDEO", "mediaFileType": "mp4"},
        {"mediaType": "TEXT", "mediaFileType": ""},
        {"channel": "5G"},
        {"mediaType": "LOCATION", "channel": "WEB"},
        {"content": "x" * 1900},
        {"content": "é" * 950},
    ],
)
def test_what_the_table_allows_is_taken(
    gateway: Simulator, guid: str, changes: dict[str, Any]
) -> None:
    assert send(gateway, guid, body(**changes)) == ("0", "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"from_": ABSENT}, "data.from: is mandatory"),
        ({"from_": ""}, "data.from: must be a string that is not blank"),
        ({"to": ABSENT}, "data.to: is mandatory"),
        ({"userId": ABSENT}, "data.userId: is mandatory"),
        ({"userId": ABSENT, "userid": "1"}, "unknown field 'userid' (did you mean 'userId'?)"),
        ({"channel": "web"}, "data.channel: must be one of WEB, WECHAT"),
        ({"controlType": "chat"}, "data.controlType: must be one of CHAT"),
        ({"mediaType": "FILE"}, "data.mediaType: must be one of TEXT"),
        ({"messageCode": ABSENT}, "data.messageCode: is mandatory"),
        ({"messageCode": ""}, "data.messageCode: must be"),
        ({"senderNickname": ABSENT}, "data.senderNickname: is mandatory"),
        ({"senderAvatar": ABSENT}, "data.senderAvatar: is mandatory"),
        ({"sendTime": ABSENT}, "data.sendTime: is mandatory"),
        ({"sendTime": 1552524689}, "data.sendTime: must be epoch milliseconds"),
        ({"sendTime": 1552524689123.0}, "data.sendTime: must be epoch milliseconds"),
        ({"sendTime": True}, "data.sendTime: must be epoch milliseconds"),
        ({"content": ABSENT}, "data.content: is mandatory"),
        ({"content": {"a": 1}}, "data.content: must be a string"),
        ({"contentType": "2"}, "data.contentType: must be one of 0, 1"),
        ({"contentType": None}, "data.contentType: must be one of 0, 1"),
        ({"mediaType": "IMAGE", "mediaFileType": "gif"}, "IMAGE takes jpg, png, jpeg"),
        ({"mediaType": "IMAGE", "mediaFileType": "JPG"}, "IMAGE takes jpg, png, jpeg"),
        ({"mediaType": "AUDIO", "mediaFileType": "wav"}, "AUDIO takes mp3"),
        ({"mediaType": "EMOTICONS", "mediaFileType": "png"}, "EMOTICONS takes gif"),
        ({"mediaType": "DOCUMENT", "mediaFileType": "rtf"}, "DOCUMENT takes doc"),
        ({"extra": 1}, "data: unknown field 'extra'"),
        ({"content": "x" * 1901}, "content: 1901 bytes, at most 1900"),
        ({"content": "é" * 951}, "content: 1902 bytes, at most 1900"),
    ],
)
def test_a_field_of_data_that_is_wrong_is_refused(
    gateway: Simulator, guid: str, changes: dict[str, Any], reason: str
) -> None:
    retcode, said = send(gateway, guid, body(**changes))
    assert retcode == "000-002"
    assert reason in said
    assert gateway.messages() == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"data": "{}"}, "body.callid: is mandatory"),
        ({**body(), "callid": ""}, "body.callid: must be"),
        ({**body(), "callid": "a/b"}, "body.callid: must be"),
        ({**body(), "callid": 15}, "body.callid: must be"),
        ({**body(), "userid": 1}, "body.userid: must be a string"),
        ({**body(), "userId": "1"}, "did you mean 'userid'"),
        ({"callid": CALL}, "body.data: is mandatory"),
        ({"callid": CALL, "data": data()}, "body.data: must be a string"),
        ({"callid": CALL, "data": "Hello"}, "a string that holds a JSON object"),
        ({"callid": CALL, "data": "[]"}, "a string that holds a JSON object"),
        ([], "body: must be a JSON object"),
        (b"{", "body: not JSON"),
        (b'{"callid": "\xff"}', "body: not JSON in UTF-8"),
        (b"", "header Content-Type"),
    ],
)
def test_a_body_that_is_wrong_is_refused(
    gateway: Simulator, guid: str, given: object, reason: str
) -> None:
    headers = {"Content_Type": "text/plain"} if given == b"" else {}
    retcode, said = send(gateway, guid, given, **headers)
    assert retcode == "000-002"
    assert reason in said


def test_all_faults_of_a_request_are_told_at_once(gateway: Simulator, guid: str) -> None:
    _, said = send(gateway, guid, body(channel="X", controlType="Y", to=ABSENT))
    assert [part.split(":")[0] for part in said.split("; ")] == [
        "data.to",
        "data.channel",
        "data.controlType",
    ]


def test_an_empty_message_has_the_code_of_the_page(gateway: Simulator, guid: str) -> None:
    assert send(gateway, guid, body(content=""))[0] == "106-002"
    assert send(gateway, guid, {"callid": CALL, "data": ""})[0] == "106-002"
    assert send(gateway, guid, body(content=" "))[0] == "0"
    gateway.settings(strict=True)
    assert send(gateway, guid, body(content=" "))[0] == "106-002"


@pytest.mark.parametrize(
    "header", ["application/json", "text/plain; charset=UTF-8", "application/json; charset=latin-1"]
)
def test_the_content_type_is_the_published_one(gateway: Simulator, guid: str, header: str) -> None:
    retcode, said = send(gateway, guid, body(), Content_Type=header)
    assert retcode == "000-002"
    assert "Content-Type" in said
    entry = gateway.recorded(operation="send_message")[-1]
    assert entry["answer"]["status"] == 415


def test_business_encryption_takes_twice_as_much(gateway: Simulator, guid: str) -> None:
    gateway.settings(encryption="business")
    assert send(gateway, guid, body(content="x" * 3800))[0] == "0"
    assert "at most 3800" in send(gateway, guid, body(content="x" * 3801))[1]


def test_the_cap_can_count_the_whole_data_string(gateway: Simulator, guid: str) -> None:
    gateway.settings(limit_counts="data")
    rest = len(json.dumps(data(content="")))
    assert send(gateway, guid, body(content="x" * (1900 - rest)))[0] == "0"
    assert "data: 1901 bytes" in send(gateway, guid, body(content="x" * (1901 - rest)))[1]


def test_the_sample_s_second_content_is_taken_unless_strict(gateway: Simulator, guid: str) -> None:
    assert send(gateway, guid, {**body(), "content": "Message sent by the agent"})[0] == "0"
    gateway.settings(strict=True)
    said = send(gateway, guid, {**body(), "content": "Message sent by the agent"})[1]
    assert "unknown field 'content'" in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mediaType": "LOCATION"}, "LOCATION is Telegram's"),
        ({"channel": "EMAIL", "mediaType": "EMAIL"}, "EMAIL takes an address"),
        ({"mediaType": "WEBCARD", "content": "hello"}, "a WEBCARD is a JSON object"),
        ({"mediaType": "VIDEO", "mediaFileType": "mp4"}, "none is listed for VIDEO"),
        ({"mediaFileType": ""}, "data.mediaFileType: must be"),
    ],
)
def test_likely_rows_are_held_only_when_strict(
    gateway: Simulator, guid: str, changes: dict[str, Any], reason: str
) -> None:
    gateway.call(CALL, "291")
    assert send(gateway, guid, body(**changes))[0] == "0"
    gateway.settings(strict=True)
    assert reason in send(gateway, guid, body(**changes))[1]


def test_a_private_deployment_takes_plain_text(gateway: Simulator, guid: str) -> None:
    gateway.settings(deployment="private")
    assert send(gateway, guid, {"callid": CALL, "data": "Hello"})[0] == "0"
    assert gateway.messages()[0]["text"] == "Hello"
    assert gateway.messages()[0]["data"] is None
    assert send(gateway, guid, {"callid": CALL, "data": ""})[0] == "106-002"
    assert "1901 bytes" in send(gateway, guid, {"callid": CALL, "data": "x" * 1901})[1]
    said = send(gateway, guid, {"callid": CALL, "data": "Hello", "content": "Hello"})[1]
    assert "unknown field 'content'" in said


@pytest.mark.parametrize("agent", ["100", "60000", "0291", "anna", "29\u0661"])
def test_an_agent_id_outside_its_range_is_refused(
    gateway: Simulator, guid: str, agent: str
) -> None:
    retcode, said = send(gateway, guid, body(), path=f"mediacall/{agent}/sendmessage")
    assert retcode == "000-002"
    assert "101 to 59999" in said or "path" in said


def test_the_2025_edition_s_range_is_a_setting(gateway: Simulator) -> None:
    gateway.settings(max_agent_id=999999)
    guid = gateway.sign_in("600000")
    assert send(gateway, guid, body(), path="mediacall/600000/sendmessage")[0] == "0"


def test_calls_may_have_to_be_known(gateway: Simulator, guid: str) -> None:
    gateway.settings(calls="declared")
    assert "no call" in send(gateway, guid, body())[1]
    gateway.call(CALL, "291")
    assert send(gateway, guid, body())[0] == "0"


def test_a_known_call_is_held_to_its_agent_and_its_end(gateway: Simulator, guid: str) -> None:
    gateway.call(CALL, "292")
    retcode, said = send(gateway, guid, body())
    assert (retcode, "with agent 292" in said) == ("106-007", True)
    gateway.event("291", "AgentEvent_Talking", {"callid": CALL})
    assert send(gateway, guid, body())[0] == "0"
    gateway.event("291", "AgentEvent_Call_Release", CALL)
    assert "was released" in send(gateway, guid, body())[1]


def test_the_same_code_twice_is_two_messages_to_the_customer(gateway: Simulator, guid: str) -> None:
    send(gateway, guid, body())
    send(gateway, guid, body())
    send(gateway, guid, body(messageCode="another"))
    assert [message["repeated"] for message in gateway.messages()] == [False, True, False]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", SEND, 405),
        ("POST", "mediacall/291/sendMessage", 404),
        ("POST", "mediacall/291/sendmessage/", 404),
        ("POST", "../mediacall/291/sendmessage", 404),
    ],
)
def test_other_paths_and_methods_are_refused_and_recorded(
    gateway: Simulator, guid: str, method: str, path: str, status: int
) -> None:
    assert gateway.request(method, path, body(), guid=guid).status_code == status
    entry = gateway.recorded()[-1]
    assert (entry["verdict"], entry["answer"]["status"]) == ("refused", status)


def test_query_parameters_that_no_row_has_are_refused(gateway: Simulator, guid: str) -> None:
    retcode, said = send(gateway, guid, body(), path=SEND + "?guid=1")
    assert (retcode, said) == ("000-002", "query: unknown parameter 'guid'")
