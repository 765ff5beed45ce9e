"""Values of the product as JSON."""

from __future__ import annotations

import json

from bridge.model import (
    AgentId,
    Card,
    DeliveryError,
    DeliveryState,
    Draft,
    Guid,
    Line,
    MediaType,
    Mode,
    Origin,
    Owner,
)
from bridge.planners.masking import masked
from bridge.queries import CallView
from bridge.state.records import AssignmentRecord, MessageRecord, SessionRecord, SessionState
from bridge.web import schemas, serializers
from tests import making

AT = 1_800_000_000.25


def test_times_are_iso_8601_in_utc() -> None:
    assert schemas.time(AT) == "2027-01-15T08:00:00.250Z"
    assert schemas.time(0) == "1970-01-01T00:00:00.000Z"


def test_a_delivery_with_its_error() -> None:
    error = DeliveryError("rejected", "the gateway refused it")
    found = serializers.delivery(
        making.delivery(seq=7, state=DeliveryState.FAILED, error=error, settled_at=AT, attempts=2)
    ).dump()
    assert found["id"] == "7"
    assert found["error"] == {"code": "rejected", "message": "the gateway refused it"}
    assert (found["state"], found["attempts"]) == ("failed", 2)
    assert found["settled_at"] == "2027-01-15T08:00:00.250Z"
    assert "error" not in serializers.delivery(making.delivery()).dump()
    assert "settled_at" not in serializers.delivery(making.delivery()).dump()


def test_a_line_of_a_failed_delivery_says_why() -> None:
    error = DeliveryError("rejected", "the gateway refused it")
    failed = making.delivery(state=DeliveryState.FAILED, error=error, settled_at=AT)
    shown = serializers.sent(failed, "Hello").dump()["delivery"]
    assert shown["error"] == {"code": "rejected", "message": "the gateway refused it"}
    assert "error" not in serializers.sent(making.delivery(), "Hello").dump()["delivery"]


def test_an_assignment_leaves_out_what_it_has_not() -> None:
    assert serializers.assignment(making.assignment()).dump() == {
        "agent_id": "291",
        "call_id": "1552524689-16797284",
        "user_id": "40001",
        "channel": "WEB",
    }


def test_a_session_never_shows_its_guid() -> None:
    session = SessionRecord(
        agent_id=AgentId("291"),
        guid=Guid("secret-guid"),
        state=SessionState.REFUSED,
        ours=True,
        generation=1,
        renewed_at=AT,
        error_code="100-001",
        error_message="locked",
    )
    found = serializers.session(session).dump()
    assert "secret-guid" not in json.dumps(found)
    assert found["held_by"] == "bridge"
    assert found["error"] == {"code": "100-001", "message": "locked"}


def test_history_is_the_cards_turns_and_the_deliveries_in_order() -> None:
    record = AssignmentRecord(making.assignment(), Owner.AGENT, "http", AT, handed_off_at=AT)
    card = Card(
        "the customer asked for a person",
        {"order": "7", "sum": float("inf"), "list": [float("nan"), 1.5]},
        (Line("customer", "help", AT - 5), Line("bot", "how?", AT - 4)),
    )
    told = making.delivery(seq=1, created_at=AT, origin=Origin.HANDOFF)
    image = Draft(MediaType.IMAGE, "https://i.example/a.png")
    shown = making.delivery(2, seq=2, created_at=AT + 1, origin=Origin.AUTO, draft=image)
    before = MessageRecord("sender", "A", "m-1", "help", AT - 5, AT)  # the card holds it
    after = MessageRecord("sender", "A", "m-2", "thanks", AT + 2, AT + 2)
    found = serializers.call_detail(
        CallView(record, card, (shown, told), {1: "message 1"}, (before, after)), (), Mode.AUTO
    ).dump()
    assert [item["from"] for item in found["history"]] == [
        "customer",
        "bot",
        "agent",
        "bot",
        "customer",
    ]
    assert [item.get("text") for item in found["history"]] == [
        "help",
        "how?",
        "message 1",
        "",
        "thanks",
    ]
    assert found["history"][3]["media_type"] == "IMAGE"
    assert all({"id", "call_id", "from", "text", "at"} <= item.keys() for item in found["history"])
    assert len({item["id"] for item in found["history"]}) == 5
    assert found["history"][4]["message_id"] == "m-2"
    assert found["card"]["slots"] == {"order": "7", "sum": None, "list": [None, 1.5]}
    json.dumps(found, allow_nan=False)


def test_what_the_card_and_the_deliveries_both_hold_is_shown_once() -> None:
    record = AssignmentRecord(making.assignment(), Owner.AGENT, "reader", AT, handed_off_at=AT)
    words = {1: "We are open.", 2: "Call +49 30 1234567."}
    lines = (
        Line("bot", words[1], AT - 9),
        Line("bot", masked(words[2]), AT - 8),  # a card is masked
        Line("bot", words[1], AT - 7),  # said on another channel
        Line("customer", "A human!", AT - 2),
    )
    card = Card("intent human", {}, lines)
    sent = [
        making.delivery(number, seq=number, created_at=AT - 9 + number, origin=Origin.BOT)
        for number in words
    ]
    meanwhile = MessageRecord("sender", "A", "m-1", "Hurry", AT - 1, AT - 1)
    view = CallView(record, card, tuple(sent), words, (meanwhile,))
    found = serializers.call_detail(view, (), Mode.AUTO).dump()
    shown = [(item["from"], item["text"]) for item in found["history"]]
    assert sorted(shown) == sorted(
        [
            ("bot", "We are open."),
            ("bot", "We are open."),
            ("bot", words[2]),
            ("customer", "A human!"),
            ("customer", "Hurry"),
        ]
    )


def test_a_call_without_a_card() -> None:
    record = AssignmentRecord(making.assignment(), Owner.BOT, "http", AT)
    found = serializers.call_detail(CallView(record, None, ()), (), Mode.OFF).dump()
    assert (found["card"], found["history"], found["owner"]) == (None, [], "bot")
