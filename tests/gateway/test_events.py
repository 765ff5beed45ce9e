"""The gateway's events: a case for each type and each spelling, and any content at all."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateway import events, messages
from bridge.gateway.events import (
    EVENTS,
    AgentState,
    CallEnded,
    CustomerLeft,
    CustomerWrote,
    Incoming,
    Media,
    NoConsequence,
    Parsed,
    Ringing,
    SessionEnded,
    SignedIn,
    Talking,
    TransferFailed,
)
from bridge.gateway.messages import Attachment, Location
from tests import poison

CALL = "1552038964-16797222"
WROTE = "AgentEvent_MessageData"


def wrote(message: Any, **more: Any) -> CustomerWrote:
    """The event of a message, which must be usable."""
    parsed = events.read(WROTE, {"callid": CALL, "caller": "88880022", "message": message, **more})
    assert isinstance(parsed.event, CustomerWrote), parsed.fault
    return parsed.event


@pytest.mark.parametrize(
    ("event_type", "content", "expected"),
    [
        ("AgentOther_InService", None, SignedIn()),
        ("AgentOther_ShutdownService", {"loginTime": "1471585949806"}, SessionEnded()),
        ("AgentState_Ready", None, AgentState("ready")),
        ("AgentState_Force_Ready", None, AgentState("ready")),
        ("AgentState_CancelNotReady_Success", None, AgentState("ready")),
        ("AgentState_CancelWork_Success", None, AgentState("ready")),
        ("AgentState_CancelRest_Success", None, AgentState("ready")),
        ("AgentState_Busy", None, AgentState("talking")),
        ("AgentState_SetNotReady_Success", None, AgentState("busy")),
        ("AgentState_Force_SetNotReady", None, AgentState("busy")),
        ("AgentState_SetWork_Success", None, AgentState("wrap_up")),
        ("AgentState_Work", None, AgentState("wrap_up")),
        ("AgentState_SetRest_Success", None, AgentState("rest")),
        (
            "AgentEvent_Incoming_CallInfo",
            {
                "callId": "1669951418-12166",
                "skillName": "chat",
                "skillId": 1,
                "caller": "40001",
                "called": "20012",
                "mediaType": 51,
            },
            Incoming("1669951418-12166", "40001", "20012", Media.TEXT, "1"),
        ),
        (
            "AgentEvent_Ringing",
            {
                "caller": "49997",
                "callid": "1456404043-37",
                "called": "49999",
                "type": "main",
                "mediaType": "5",
                "mediaAbility": "1",
                "feature": "0",
            },
            Ringing("1456404043-37", "49997", "49999", Media.VOICE),
        ),
        (
            "AgentEvent_Talking",
            {"caller": 10086, "callid": CALL, "called": "70092", "mediaAbility": 5},
            Talking(CALL, "10086", "70092", Media.TEXT),
        ),
        ("AgentEvent_Customer_Release", {"callid": CALL, "number": "70093"}, CustomerLeft(CALL)),
        ("AgentEvent_Call_Release", CALL, CallEnded(CALL)),
        ("AgentEvent_Call_Release", {"callid": CALL}, CallEnded(CALL)),
        ("AgentEvent_Auto_Answer", {"callid": CALL}, NoConsequence()),
        ("AgentEvent_Conference", {"callid": CALL}, NoConsequence()),
        ("AgentEvent_Hold", {"callid": CALL}, NoConsequence()),
        ("AgentEvent_Customer_Alerting", {"callid": CALL}, NoConsequence()),
        ("AgentOther_PhoneAlerting", None, NoConsequence()),
        ("AgentOther_All_Agent_Busy", None, NoConsequence()),
        ("AgentChat_Ring", {"callId": CALL}, Ringing(CALL, "", "", Media.TEXT)),
        (
            "AgentChat_Connected",
            {"callId": CALL, "caller": "40001", "called": "291", "isInnerCall": False},
            Talking(CALL, "40001", "291", Media.TEXT),
        ),
        (
            "AgentChat_DataRecved",
            {"sender": "40001", "callId": CALL, "chatContent": "Hello"},
            CustomerWrote(CALL, "40001", "Hello"),
        ),
        ("AgentChat_Disconnected", {"callId": CALL}, CallEnded(CALL)),
        ("AgentChat_TransferFailed", {"callId": CALL}, TransferFailed(CALL)),
        ("AgentChat_DELAY_EMAIL", {}, NoConsequence()),
    ],
)
def test_each_event(event_type: str, content: Any, expected: Any) -> None:
    assert events.read(event_type, content) == Parsed(event_type, expected)
    if isinstance(content, dict):  # the same as JSON in a string, and in other capitals
        assert events.read(event_type, json.dumps(content)).event == expected
        shouted = {key.upper(): value for key, value in content.items()}
        assert events.read(event_type.lower(), shouted).event == expected


def test_every_row_is_tested() -> None:
    marks = test_each_event.pytestmark
    assert {case[0] for case in marks[0].args[1]} | {WROTE} == set(EVENTS)


@pytest.mark.parametrize(
    "name", [name for name in EVENTS if name.startswith(("AgentState_", "AgentOther_"))]
)
@given(content=poison.values)
def test_a_state_needs_no_content(name: str, content: Any) -> None:
    assert events.read(name, content).event == events.read(name, None).event


@pytest.mark.parametrize(
    ("fields", "internal"),
    [
        ({"caller": "a291"}, True),
        ({"caller": "A291"}, True),
        ({"caller": "anna"}, False),
        ({"caller": "a1b2c3"}, False),
        ({"caller": "291", "isInnerCall": True}, True),
        ({"caller": "291", "isInnerCall": "true"}, True),
        ({"caller": "291", "isInnerCall": 0}, False),
        ({}, False),
    ],
)
def test_calls_between_agents(fields: dict[str, Any], internal: bool) -> None:  # noqa: FBT001 - a parameter of the test
    for event_type in ("AgentEvent_Ringing", "AgentChat_Connected"):
        found = events.read(event_type, {"callid": CALL, **fields}).event
        assert isinstance(found, (Ringing, Talking))
        assert found.internal is internal


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"transfer": "0"}, None),
        ({"transfer": False, "transfrom": ""}, None),
        ({"transfer": "1", "transfrom": "305"}, "305"),
        ({"transfer": 305}, "305"),
    ],
)
def test_who_transferred_a_call(fields: dict[str, Any], expected: str | None) -> None:
    found = events.read("AgentEvent_Ringing", {"callid": CALL, **fields}).event
    assert isinstance(found, Ringing)
    assert found.transferred_from == expected


@pytest.mark.parametrize(
    ("fields", "media"),
    [
        ({"mediaType": "1"}, Media.TEXT),
        ({"mediaType": 51}, Media.TEXT),
        ({"mediaType": "53"}, Media.TEXT),
        ({"mediaType": "5", "mediaAbility": 5}, Media.TEXT),
        ({"mediaType": 5}, Media.VOICE),
        ({"mediaAbility": "2"}, Media.VOICE),
        ({"mediaType": "17"}, Media.MESSAGE),
        ({"mediaType": "99"}, Media.UNKNOWN),
        ({"mediaType": [5], "mediaAbility": {}}, Media.UNKNOWN),
        ({}, Media.UNKNOWN),
    ],
)
def test_media(fields: dict[str, Any], media: Media) -> None:
    found = events.read("AgentEvent_Ringing", {"callid": CALL, **fields}).event
    assert isinstance(found, Ringing)
    assert found.media is media


@pytest.mark.parametrize(
    "content", [None, {}, [], "", "a b", 7.5, {"callid": "a/b"}, {"callid": None}]
)
@pytest.mark.parametrize("name", ["AgentEvent_Ringing", "AgentEvent_Call_Release", WROTE])
def test_without_a_call_id_a_known_event_has_a_fault(name: str, content: Any) -> None:
    parsed = events.read(name, content)
    assert (parsed.name, parsed.event) == (name, None)
    assert parsed.fault == "it names no valid call ID"


@pytest.mark.parametrize("name", ["AgentEvent_New", "", "x" * 5000, "\ud83d", "\0"])
def test_an_unknown_type_has_one_name_and_no_fault(name: str) -> None:
    assert events.read(name, {"callid": CALL}) == Parsed(events.UNKNOWN, None)


@pytest.mark.parametrize(
    ("given_as", "seconds"),
    [
        (1_800_000_000_500, 1_800_000_000.5),
        ("1800000000500", 1_800_000_000.5),
        (1_800_000_000_500.0, 1_800_000_000.5),
        (None, None),
        ("yesterday", None),
        ("9" * 400, None),
        (-5, None),
        (True, None),
        (10**400, None),
        ([], None),
    ],
)
def test_when_the_gateway_made_it(given_as: Any, seconds: float | None) -> None:
    message = {"callid": CALL, "caller": "1", "message": "Hello"}
    parsed = events.read(WROTE, message, given_as)
    assert parsed.at == seconds
    assert parsed.event == CustomerWrote(CALL, "1", "Hello", at=seconds)
    assert events.read("AgentEvent_New", None, given_as).at == seconds


def public(**fields: Any) -> str:
    """A message as the public cloud wraps it."""
    around = {"from": "40001", "to": "2023", "channel": "WEB", "controlType": "CHAT"}
    return json.dumps({**around, **fields})


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("testmessage", "testmessage"),
        ("<p>Where is my parcel?</p>", "Where is my parcel?"),
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("<div>a &lt; b<br/>c&nbsp;d</div>", "a < b\nc d"),
        ("a < b and c > d", "a < b and c > d"),
        ("<order>", "<order>"),
        (public(mediaType="TEXT", content="Hello"), "Hello"),
        (public(mediaType="TEXT", content="<p>Hello</p>"), "Hello"),
        (public(mediaType="TEXT", contentType="0", content='{"a":1}'), '{"a":1}'),
        (public(content=json.dumps({"content": "inside"})), "inside"),
        ('{"content":"Hello"}', "Hello"),
        ({"content": "Hello"}, "Hello"),
        ({"text": "Hello"}, "Hello"),
        ('{"name":"typed by the customer"}', '{"name":"typed by the customer"}'),
        ('{"content":', '{"content":'),
        ("[1, 2]", "[1, 2]"),
        (4711, "4711"),
        ("half \ud83d of a pair", "half ? of a pair"),
        ("pair \ud83d\ude00", "pair \U0001f600"),
        ("x" * messages.LONGEST_TEXT, "x" * messages.LONGEST_TEXT),
        ("x" * 1_000_000, "x" * (messages.LONGEST_TEXT - 1) + "…"),
        ("<p>" + "x" * 1_000_000 + "</p>", "x" * (messages.LONGEST_TEXT - 1) + "…"),
    ],
)
def test_the_customers_words(message: Any, words: str) -> None:
    assert wrote(message) == CustomerWrote(CALL, "88880022", words)


@pytest.mark.parametrize(
    ("message", "attachment"),
    [
        (
            public(
                contentType="FILE",
                content=json.dumps(
                    {"fileName": "bill.pdf", "fileSize": "2048", "fileId": "f-1", "fileType": "pdf"}
                ),
            ),
            Attachment("file", "f-1", "bill.pdf", 2048, "pdf"),
        ),
        (
            public(contentType="FILE_IMAGE", content={"fileId": "f-2", "mediaType": "jpg"}),
            Attachment("picture", "f-2"),
        ),
        (
            public(mediaType="FILE_VIDEO", content=json.dumps({"fileId": "f-3"})),
            Attachment("video", "f-3"),
        ),
        (
            public(mediaType="IMAGE", mediaFileType="png", content="object/key.png"),
            Attachment("picture", "object/key.png", "key.png", None, "png"),
        ),
        (public(mediaType="AUDIO", content="f-4"), Attachment("audio", "f-4")),
        (public(mediaType="EMOTICONS", content="f-5"), Attachment("emoticon", "f-5")),
        (public(mediaType="CARD", content="{}"), Attachment("other", "{}", file_type="card")),
        ('{"filePath":"/a/b/photo.jpg"}', Attachment("picture", "/a/b/photo.jpg", "photo.jpg")),
        ('{"fileId":"f-6","fileName":"x.zip"}', Attachment("file", "f-6", "x.zip")),
        (
            "<p><img src='https://x.example/1.png'></p>",
            Attachment("picture", "https://x.example/1.png"),
        ),
        (
            public(
                mediaType="LOCATE",
                content=json.dumps({"latitude": "52.5", "longitude": 13.4, "description": "Gate"}),
            ),
            Location(52.5, 13.4, "Gate"),
        ),
        ('{"latitude":52.5,"longitude":13.4}', Location(52.5, 13.4)),
        (
            public(mediaType="LOCATION", content=json.dumps({"latitude": 95, "longitude": "x"})),
            Attachment("other", file_type="location"),
        ),
    ],
)
def test_files_and_places_are_no_words(message: Any, attachment: Any) -> None:
    assert wrote(message) == CustomerWrote(CALL, "88880022", "", attachment)


def test_a_file_may_come_with_words() -> None:
    found = wrote(public(mediaType="IMAGE", fileId="f-1", content="<p>This one</p>"))
    assert (found.text, found.attachment) == ("This one", Attachment("picture", "f-1"))


@pytest.mark.parametrize(
    "message", [None, "", "   ", "<p></p>", [], True, {}, public(mediaType="TEXT"), 10**400]
)
def test_a_message_without_words_has_a_fault(message: Any) -> None:
    assert events.read(WROTE, {"callid": CALL, "message": message}).fault == "it has no message"


# Anything

_keys = st.sampled_from(
    ["callid", "callId", "caller", "called", "message", "chatContent", "sender", "mediaType"]
)
_message_keys = st.sampled_from(
    ["content", "mediaType", "fileId", "fileName", "filePath", "fileSize", "latitude", "longitude"]
)
_messages = st.dictionaries(_message_keys, poison.values).map(json.dumps)
_contents = poison.values | st.dictionaries(_keys, poison.values | _messages | st.just(CALL))


def plain(value: Any) -> Any:
    """A dataclass as JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return value.value if isinstance(value, Enum) else value


@given(st.sampled_from(list(EVENTS)) | poison.texts, _contents, poison.values)
def test_any_content_is_read_without_an_exception(name: str, content: Any, at: Any) -> None:
    parsed = events.read(name, content, at)
    assert parsed.name in {*EVENTS, events.UNKNOWN}
    assert poison.is_storable(plain(parsed))
    if isinstance(parsed.event, CustomerWrote):
        assert parsed.event.text.strip() or parsed.event.attachment
        assert len(parsed.event.text) <= messages.LONGEST_TEXT


def test_deep_json_is_no_words_of_ours() -> None:
    deep = '{"content":' * 100_000
    assert wrote(deep).text.startswith('{"content":')
    nested: Any = "bottom"
    for _ in range(10_000):
        nested = {"content": nested}
    assert events.read(WROTE, {"callid": CALL, "message": nested}).fault == "it has no message"
