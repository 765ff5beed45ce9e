"""The gateway's interface, field by field as the published page has it."""

from __future__ import annotations

import json

import pytest

from bridge.config.settings import AgentSettings, GatewaySettings
from bridge.errors import (
    AlreadySignedInError,
    BridgeError,
    FinalError,
    GatewayError,
    RetryableError,
    SessionGoneError,
    SignInRefusedError,
    UnknownOutcomeError,
)
from bridge.gateway import wire
from bridge.model import AgentId, Channel, Draft, MediaType
from tests.making import NOW, delivery, envelope

CLOUD = GatewaySettings(url="https://gateway.example:8043")
PRIVATE = GatewaySettings(url="https://gateway.example:8043", deployment="private")


def test_sendmessage_on_the_public_cloud() -> None:
    message = delivery(draft=Draft(MediaType.IMAGE, "file-7", "jpg", "0"))
    request = wire.send_message(message, CLOUD)
    assert (request.method, request.path) == ("POST", "/mediacall/291/sendmessage")
    body = json.loads(request.body or b"")
    assert set(body) == {"callid", "userid", "data"}
    assert body["callid"] == "1552524689-16797284"
    assert json.loads(body["data"]) == {
        "from": "202301032048582419",
        "to": "40001",
        "channel": "WEB",
        "controlType": "CHAT",
        "mediaType": "IMAGE",
        "messageCode": message.message_code,
        "mediaFileType": "jpg",
        "senderNickname": "Anna",
        "senderAvatar": "DefaultAvatar",
        "sendTime": "1800000000000",
        "content": "file-7",
        "contentType": "0",
        "userId": "40001",
    }


def test_a_text_names_no_file_type() -> None:
    body = json.loads(wire.send_message(delivery(), CLOUD).body or b"")
    assert {"mediaFileType", "contentType"}.isdisjoint(json.loads(body["data"]))


def test_a_private_deployment_gets_the_text_itself() -> None:
    body = json.loads(wire.send_message(delivery(), PRIVATE).body or b"")
    assert body["data"] == "message 1"


def test_a_message_sent_again_is_the_same_to_the_byte() -> None:
    assert wire.send_message(delivery(), CLOUD) == wire.send_message(
        delivery(attempts=3, due_at=NOW + 9), CLOUD
    )


def test_nothing_that_is_not_ascii_is_escaped_on_the_wire() -> None:
    request = wire.send_message(delivery(draft=Draft(MediaType.TEXT, "你好 🙂")), CLOUD)
    assert "你好 🙂".encode() in (request.body or b"")


def test_the_overhead_is_never_less_than_what_a_message_adds() -> None:
    around = envelope(channel=Channel.INSTAGRAM, nickname='Än"na')
    widest = Draft(MediaType.WHATSAPPTEMPLATE, "", "jpeg", "1")
    for draft in (Draft(MediaType.TEXT, ""), widest):
        written = wire.data(around, draft, delivery().message_code, NOW)
        counted = len(json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode())
        assert counted <= wire.overhead(around, CLOUD)
    assert wire.overhead(around, PRIVATE) == 0


def test_ids_are_percent_encoded_in_the_path() -> None:
    strange = delivery(envelope=envelope(agent_id=AgentId("../1?x")))
    assert wire.send_message(strange, CLOUD).path == "/mediacall/..%2F1%3Fx/sendmessage"


def test_sign_in_is_busy_and_for_text_chat() -> None:
    agent = AgentSettings.model_validate({"session": "sign_in", "password": "pw", "phone": "40038"})
    request = wire.sign_in("291", agent)
    body = json.loads(request.body or b"")
    assert (request.method, request.path) == ("PUT", "/onlineagent/291")
    assert body["password"] == "pw"
    assert body["phonenum"] == "40038"
    assert body["status"] == "3"
    assert body["checkInWebm"] == "true"
    assert wire.sign_in("291", agent, force=True).path == "/onlineagent/291/forcelogin"


@pytest.mark.parametrize(
    ("header", "guid"),
    [
        (
            "JSESSIONID=279fe21d-2caa-4437-84c3-ab9e9dae20f5.AgentGateway0",
            "279fe21d-2caa-4437-84c3-ab9e9dae20f5.AgentGateway0",
        ),
        ("JSESSIONID=abc.AgentGateway1; Path=/; HttpOnly", "abc.AgentGateway1"),
        ("abc.AgentGateway1", "abc.AgentGateway1"),
        ("JSESSIONID=", None),
        ("JSESSIONID=has space", None),
        ("JSESSIONID=" + "x" * 129, None),
    ],
)
def test_the_guid_is_everything_after_the_equals_sign(header: str, guid: str | None) -> None:
    assert wire.new_guid({"Set-GUID": header}) == guid


@pytest.mark.parametrize(
    ("retcode", "kind"),
    [
        ("100-006", SessionGoneError),
        ("000-003", SessionGoneError),
        ("105-005", SessionGoneError),
        ("105-006", SessionGoneError),
        ("105-007", SessionGoneError),
        ("100-008", SessionGoneError),
        ("105-001", SessionGoneError),
        ("000-004", RetryableError),
        ("000-007", UnknownOutcomeError),
        ("100-021", RetryableError),
        ("105-002", RetryableError),
        ("105-003", RetryableError),
        ("105-004", RetryableError),
        ("100-002", AlreadySignedInError),
        ("100-004", SignInRefusedError),
        ("100-020", SignInRefusedError),
        ("110-016", SignInRefusedError),
        ("106-001", FinalError),
        ("106-002", FinalError),
        ("106-014", FinalError),
        ("000-002", FinalError),
        ("999-999", FinalError),
    ],
)
def test_retcodes(retcode: str, kind: type[GatewayError]) -> None:
    body = json.dumps({"message": "", "retcode": retcode}).encode()
    with pytest.raises(GatewayError) as raised:
        wire.read(200, body)
    assert type(raised.value) is kind
    assert raised.value.retcode == retcode
    assert retcode in raised.value.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, SessionGoneError),
        (429, RetryableError),
        (502, RetryableError),
        (503, RetryableError),
        (500, UnknownOutcomeError),
        (504, UnknownOutcomeError),
        (302, FinalError),
        (400, FinalError),
        (403, FinalError),
        (404, FinalError),
        (501, FinalError),
    ],
)
def test_statuses(status: int, kind: type[GatewayError]) -> None:
    with pytest.raises(GatewayError) as raised:
        wire.read(status, b"")
    assert type(raised.value) is kind
    assert raised.value.status == status


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b"{}", b'{"retcode":null}', b"[" * 100_000]
)
def test_success_without_a_readable_retcode_is_unknown(body: bytes) -> None:
    with pytest.raises(UnknownOutcomeError):
        wire.read(200, body)


def test_retcode_zero_is_success_as_text_and_as_number() -> None:
    assert wire.read(200, b'{"retcode":"0","a":1}')["a"] == 1
    assert wire.read(200, b'{"retcode":0}') == {"retcode": 0}


def test_retry_after_in_seconds_is_kept() -> None:
    with pytest.raises(RetryableError) as raised:
        wire.read(503, b"", retry_after="7")
    assert raised.value.retry_after == 7
    with pytest.raises(RetryableError) as raised:
        wire.read(503, b"", retry_after="Wed, 21 Oct 2026 07:28:00 GMT")
    assert raised.value.retry_after is None


@pytest.mark.parametrize("value", ["101", "291", "59999"])
def test_agent_ids(value: str) -> None:
    assert wire.is_agent_id(value, highest=59999)


@pytest.mark.parametrize("value", ["100", "60000", "0291", "29a", "", " 291", "291\n", "²91", 291])
def test_no_agent_ids(value: object) -> None:
    assert not wire.is_agent_id(value, highest=59999)


@pytest.mark.parametrize("value", ["", "a b", "a/b", "a.b", "x" * 65, "call\n", None, 7])
def test_no_call_ids(value: object) -> None:
    assert not wire.is_call_id(value)


def test_every_error_is_a_bridge_error_with_a_sentence() -> None:
    error = wire.by_retcode("123-456")
    assert isinstance(error, BridgeError)
    assert error.message == "the gateway refused it (retcode 123-456)"
