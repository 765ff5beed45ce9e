"""Requests about calls as they go over the wire, and what look-ups answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.gateway import calls
from bridge.gateway.wire import GatewayRequest
from bridge.model import CallInfo, Channel


@pytest.mark.parametrize(
    ("request_", "method", "path", "body"),
    [
        (calls.answer("291", "1-1"), "PUT", "/voicecall/291/answer?callid=1-1", None),
        (calls.reject("291", "1-1"), "POST", "/voicecall/291/reject", {"callid": "1-1"}),
        (calls.drop("291", "1-1"), "POST", "/voicecall/291/dropcall/1-1", None),
        (
            calls.transfer("291", "1-1", {"agent": "292"}),
            "POST",
            "/mediacall/291/transfer",
            {"callid": "1-1", "devicetype": "2", "mode": "2", "address": "292"},
        ),
        (
            calls.transfer("291", "1-1", {"skill": "12"}),
            "POST",
            "/mediacall/291/transfer",
            {"callid": "1-1", "devicetype": "1", "mode": "2", "address": "12"},
        ),
        (calls.look_up("291", "1-1"), "GET", "/calldata/291/callinfobycallid/1-1", None),
        (
            calls.set_chats("291", 5, "51"),
            "POST",
            "/mediacall/291/setcallnums",
            {"mediaType": "51", "callnums": "5"},
        ),
    ],
)
def test_a_request(
    request_: GatewayRequest, method: str, path: str, body: dict[str, str] | None
) -> None:
    assert (request_.method, request_.path) == (method, path)
    assert (json.loads(request_.body) if request_.body is not None else None) == body


FOUND = {"callid": "1-1", "caller": 88880022, "called": "20012", "mediaType": 51}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"result": FOUND}, CallInfo("88880022", channel=Channel.WEB, media="text")),
        ({"result": [FOUND]}, CallInfo("88880022", channel=Channel.WEB, media="text")),
        ({"result": {"CALLER": "a b", "mediatype": "53"}}, CallInfo("a b", media="text")),
        ({"result": {"caller": "1", "mediaType": 5}}, CallInfo("1", media="voice")),
        ({"caller": "7"}, CallInfo("7")),
    ],
)
def test_what_the_gateway_knows(answer: dict[str, Any], found: CallInfo) -> None:
    assert calls.looked_up(answer) == found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (
            {
                "userNickname": "Maria",
                "userId": "u-1",
                "channel": "whatsapp",
                "channelConfigId": 2023,
            },
            CallInfo("u-1", "Maria", Channel.WHATSAPP, "2023"),
        ),
        ({"result": {"userId": "u-1"}}, CallInfo("u-1")),
        ({"data": {"userId": "u-1", "channel": "PIGEON"}}, CallInfo("u-1")),
    ],
)
def test_what_the_workbench_knows(answer: dict[str, Any], found: CallInfo) -> None:
    assert calls.user_info(answer) == found


@pytest.mark.parametrize(
    "value", [None, True, 1.5, [], {}, "x" * 10_000, 10**30, "\ud800", {"a": []}, [[]]]
)
def test_nonsense_is_nothing(value: Any) -> None:
    for answer in ({"result": value}, {"result": {"caller": value, "mediaType": value}}):
        assert calls.looked_up(answer).channel is None
    for answer in (
        {"result": value},
        {"userId": value, "channel": value, "channelConfigId": value},
    ):
        assert calls.user_info(answer).channel is None
