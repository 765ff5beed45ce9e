"""What real requests of Rasa 3.6.21 read as."""

from __future__ import annotations

import pytest
from rasa_sdk.interfaces import Tracker

from bridge.turn import Ranked, Turn, fault, read
from tests.unit.conversations import FIXTURES, real_turn, request

ALL = sorted(path.stem for path in FIXTURES.glob("*.json"))
RICH = (
    ("utter_rich_text", {"text": "Connecting you to a person."}),
    ("utter_rich_image", {"text": "A picture.", "image": "https://example.test/agent.png"}),
    (
        "utter_rich_buttons",
        {
            "text": "Which queue?",
            "buttons": [
                {"title": "Sales", "payload": '/request_human{"product":"sales"}'},
                {"title": "Support", "payload": "/request_human"},
            ],
        },
    ),
    (
        "utter_rich_custom",
        {"custom": {"type": "handoff_notice", "wait_seconds": 30, "nested": {"a": [1, 2]}}},
    ),
)


def said(turn: Turn) -> tuple[tuple[str | None, object], ...]:
    return tuple((one.response, one.reply) for one in turn.replies)


@pytest.mark.parametrize("name", ALL)
def test_a_real_request_has_no_fault(name: str) -> None:
    assert fault(request(name)) is None


@pytest.mark.parametrize("name", ALL)
def test_the_sdks_tracker_reads_the_same_as_the_request(name: str) -> None:
    body = request(name)
    rebuilt = Tracker.from_dict(body["tracker"]).current_state()
    one = read(body["tracker"], body["domain"], body["next_action"])
    other = read(rebuilt, body["domain"], body["next_action"])
    for field in ("sender_id", "message_id", "text", "intent", "confidence", "slots", "metadata"):
        assert getattr(one, field) == getattr(other, field)
    assert one.message_at == other.message_at
    assert one.input_channel == other.input_channel
    assert one.replies == other.replies
    assert one.paused is other.paused is False


def test_rest() -> None:
    turn = real_turn("rest")
    assert turn.sender_id == "s-rest_request_human"
    assert turn.message_id == "3d536c351fb94f70ae4965136196460f"
    assert turn.text == "I want a human"
    assert (turn.intent, turn.confidence) == ("request_human", 1.0)
    assert turn.message_at == turn.last_written_at == 1795340169.2084749
    assert turn.metadata == {
        "page": "https://shop.example.test/cart",
        "customer": {"id": 42},
        "lang": "de",
    }
    assert turn.session_metadata == turn.metadata
    assert turn.input_channel == "rest"
    assert not turn.typed_intent
    assert turn.ranking == ()
    assert turn.margin is None
    assert turn.selections == ()
    assert (turn.entities, turn.commands, turn.flows) == ((), (), ())
    assert (turn.active_loop, turn.requested_slot) == (None, None)
    assert turn.ordinal == 0
    assert turn.fallbacks() == 0
    assert turn.responses is not None
    assert turn.responses["utter_default"] == [{"text": "Sorry, I did not get that."}]
    assert said(turn) == RICH


def test_callback_has_the_replies_and_no_metadata() -> None:
    turn = real_turn("callback")
    assert turn.input_channel == "callback"
    assert turn.metadata == {}
    assert turn.session_metadata == {}
    assert said(turn) == RICH


def test_socketio_keeps_metadata() -> None:
    turn = real_turn("socketio")
    assert turn.sender_id == "sio-websocket"
    assert turn.input_channel == "socketio"
    assert turn.metadata["page"] == "/cart"
    assert turn.session_metadata["user"] == 9
    assert turn.replies == ()


def test_the_client_may_name_any_input_channel() -> None:
    turn = real_turn("input_channel_override")
    assert turn.input_channel == "whatsapp"
    assert turn.metadata == {"a": 1}


def test_a_new_session_starts_the_events_over() -> None:
    turn = real_turn("new_session")
    assert [line.text for line in turn.lines(10)] == ["probe"]
    assert turn.message_at == 1795340254.3033116


def test_replies_of_earlier_turns_are_not_this_turns() -> None:
    turn = real_turn("bot_replies_before_action")
    assert turn.replies == ()
    assert turn.slots["product"] == "laptop"
    assert [(line.who, line.text) for line in turn.lines(2)] == [
        ("customer", "what is the price of the laptop"),
        ("bot", "Ten euros, please."),
        ("customer", "probe"),
    ]


def test_session_expired_carries_slots_over_and_counts_its_own_actions() -> None:
    turn = real_turn("session_expired")
    assert turn.slots["handoff_state"] == "live"
    assert turn.intent == "agent_assist"
    assert turn.ordinal == 0  # action_second did not run yet
    assert real_turn("session_expired", "action_probe").ordinal == 1
    assert said(turn) == ((None, {"text": "probe ran pid=11771 events=11"}),)


def test_slash_intent_is_marked_and_shows_its_entity() -> None:
    turn = real_turn("slash_intent")
    assert turn.typed_intent
    assert (turn.intent, turn.confidence) == ("request_human", 1.0)
    assert [(one["entity"], one["value"]) for one in turn.entities] == [("product", "sales")]
    assert turn.ranking == (Ranked("request_human", 1.0),)
    assert turn.margin is None
    assert said(turn) == RICH


def test_pause_and_resume_is_read_whole() -> None:
    turn = real_turn("pause_and_resume")
    assert not turn.paused
    assert turn.message_id == "34431a4fc6fc4ee983db3a7033b04b26"
    assert turn.ordinal == 0
    assert turn.replies == ()
    lines = [(line.who, line.text) for line in turn.lines(4)]
    assert lines == [
        ("customer", "probe"),
        ("bot", "probe ran pid=11771 events=18"),
        ("customer", "user msg while paused"),
        ("customer", "hello"),
        ("bot", "Hello from the bot, None."),
        ("customer", "probe"),
    ]
    everything = [line.text for line in turn.lines(99)]
    assert everything[:5] == [
        "human",
        "Connecting you to a person.",
        "A picture.",
        "Which queue?",
        "[custom]",
    ]
    assert turn.lines(1)[0].at == 1795340250.7676504
    assert turn.lines(0) == ()


def test_after_a_reverted_fallback_the_message_is_old_and_its_age_tells() -> None:
    """The resume trap inside a form: Rasa shows "probe" again, the customer had written "four"."""
    turn = real_turn("active_form")
    assert turn.text == "probe"
    assert turn.message_id == "1927c72cc845469abb11251f54b7efe8"
    assert turn.message_at == 1795341793.1496005
    assert turn.last_written_at == 1795341793.5626638
    assert turn.ordinal == 1  # action_probe ran for this very message before
    assert turn.active_loop == "booking_form"
    assert turn.requested_slot == "party_size"
    assert turn.fell_back


def test_reverted_replies_were_seen_and_count() -> None:
    turn = real_turn("active_form")
    sorry = {"text": "Sorry, I did not get that."}
    assert said(turn) == (("utter_default", sorry), ("utter_default", sorry))
    assert [line.text for line in turn.lines(2)] == [
        "six",
        "four",
        "Sorry, I did not get that.",
        "Sorry, I did not get that.",
    ]


def test_what_was_written_to_a_paused_bot_is_no_fallback() -> None:
    turn = real_turn("active_form")
    assert turn.fallbacks() == 1  # "four", not "six", which came before the resume
    assert turn.fallbacks(since=1795341793.5) == 1
    assert turn.fallbacks(since=1795341793.5626638) == 0


def test_ranking_and_selector_of_the_full_pipeline() -> None:
    body = request("intent_ranking")
    tracker = body["tracker"]
    hours = next(one for one in tracker["events"] if one.get("text") == "opening hours")
    turn = read({**tracker, "latest_message": hours["parse_data"]}, body["domain"], "action_bridge")
    assert turn.intent == "faq"
    assert turn.full_retrieval_intent == "faq/hours"
    assert turn.message_id == "2489e857c62b4363bb9197d556fce85f"
    assert turn.message_at == hours["timestamp"]
    assert turn.ranking[:2] == (
        Ranked("faq", 0.9999364614486694),
        Ranked("greet", 2.59423723036889e-05),
    )
    assert turn.margin == pytest.approx(0.99991052)
    assert turn.runner_up == "greet"
    (selected,) = turn.selections
    assert selected.intent == "faq"
    assert selected.response == "utter_faq/hours"
    assert selected.confidence == 1.0
    assert selected.responses == ({"text": "We are open 9 to 5."},)
    assert selected.ranking == (Ranked("faq/hours", 1.0), Ranked("faq/where", 0.0))


def test_a_recognised_message_ends_a_row_of_fallbacks() -> None:
    turn = real_turn("intent_ranking")  # "xyzzy qwerty" fell back, "/probe" came after
    assert turn.fallbacks() == 0
    body = request("intent_ranking")["tracker"]
    cut = [one for one in body["events"] if one["timestamp"] < 1795340497.42]
    assert read({**body, "events": cut}, None, "action_bridge").fallbacks() == 1


def test_nothing_of_a_customer_is_in_the_repr() -> None:
    turn = real_turn("rest")
    assert repr(turn) == (
        "Turn('s-rest_request_human', '3d536c351fb94f70ae4965136196460f', 'action_probe')"
    )
