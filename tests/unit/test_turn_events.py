"""Reading raw events: ids, ordinals, replies, lines and rows of fallbacks."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.turn import WRITTEN_BACK, CalmCommand, read
from tests.unit.conversations import action, bot, event, slot, state, turn, user

REMINDER = {"is_external": True}


def test_a_message_without_an_id_gets_one_of_its_position() -> None:
    assert turn(user("hi", "greet")).message_id == "#0"
    assert turn(user("hi", "greet"), bot("Hi"), user("bye", "bye")).message_id == "#1"
    assert turn().message_id == "#"


def test_a_reminder_is_counted_from_the_last_message_with_an_id() -> None:
    reminder = user("EXTERNAL: remind", "remind", metadata=REMINDER)
    before = [user("hi", "greet", id="m1"), action("action_listen"), reminder]
    assert turn(*before).message_id == "m1#1"
    assert turn(*before, action("action_listen"), reminder).message_id == "m1#2"


def test_the_derived_id_holds_no_time_and_no_text() -> None:
    one = turn(user("hi", "greet", id="m1"), user("a", at=5.0))
    other = turn(user("ho", "greet", id="m1"), user("b", at=9.0))
    assert one.message_id == other.message_id == "m1#1"


def test_numbers_serve_as_message_ids() -> None:
    assert turn(user("hi", "greet", id=7)).message_id == "7"


def test_the_ordinal_counts_this_action_after_this_message() -> None:
    events = [
        user("one", "greet", id="m1"),
        action("action_bridge"),
        user("two", "greet", id="m2"),
        action("action_bridge"),
        action("action_other"),
        action("action_bridge"),
    ]
    assert turn(*events).ordinal == 2
    assert turn(*events, action_name="action_other").ordinal == 1
    assert turn(*events, action_name="action_handback").ordinal == 0


def test_replies_begin_after_our_own_previous_action() -> None:
    events = [
        user("hi", "greet", id="m1"),
        action("utter_first"),
        bot("first", "utter_first"),
        action("action_agent_assist"),
        bot("ours"),
        action("utter_second"),
        bot("second", "utter_second"),
    ]
    (only,) = turn(*events).replies
    assert only.reply == {"text": "second"}
    assert only.response == "utter_second"


def test_two_utterances_of_one_action_keep_their_order() -> None:
    replies = turn(
        user("hi", "greet"), action("action_x"), bot("one"), bot("two"), action("utter_y"), bot("3")
    ).replies
    assert [one.reply for one in replies] == [{"text": "one"}, {"text": "two"}, {"text": "3"}]


def test_what_an_agent_said_is_no_reply_of_the_bot() -> None:
    written = bot("I am Anna")
    written["metadata"] = {WRITTEN_BACK: {"agent_id": "291"}}
    read_turn = turn(user("hi", "greet"), written, action("utter_x"), bot("bot"))
    assert [one.reply for one in read_turn.replies] == [{"text": "bot"}]
    assert [(line.who, line.text) for line in read_turn.lines(1)] == [
        ("customer", "hi"),
        ("agent", "I am Anna"),
        ("bot", "bot"),
    ]


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        ({"image": "u", "attachment": "u"}, {"image": "u"}),
        (
            {"image": "u", "attachment": {"type": "video"}},
            {"image": "u", "attachment": {"type": "video"}},
        ),
        ({"attachment": "u"}, {"attachment": "u"}),
        ({"buttons": [], "custom": {}, "elements": None, "image": ""}, {}),
        ({"custom": ["a"], "quick_replies": [{"title": "x"}]}, None),
    ],
)
def test_a_reply_holds_what_there_is(data: dict[str, Any], reply: dict[str, Any] | None) -> None:
    replies = turn(user("hi", "greet"), bot(None, **data)).replies
    if reply == {}:
        assert replies == ()
    else:
        assert [one.reply for one in replies] == [data if reply is None else reply]


def test_textless_events_have_a_readable_stand_in() -> None:
    lines = turn(
        user(None),
        bot(None, image="u", attachment="u"),
        bot(None, buttons=[{"title": "A"}], quick_replies=[{"title": "B"}]),
        bot(None),
        event("agent", text="hello from Anna"),
    ).lines(1)
    assert [(line.who, line.text) for line in lines] == [
        ("customer", "[no text]"),
        ("bot", "[image]"),
        ("bot", "[buttons] [quick replies]"),
        ("agent", "hello from Anna"),
    ]


def test_a_clicked_button_reads_as_its_title() -> None:
    lines = turn(
        user("hi", "greet"),
        bot("Which?", buttons=[{"title": "Sales", "payload": "/pick{}"}]),
        user("/pick{}", "pick"),
        user("/other", "other"),
    ).lines(9)
    assert [line.text for line in lines] == ["hi", "Which?", "Sales", "/other"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([("m1", "a"), ("m2", "b"), ("m2", "b")], ["a", "b"]),  # a two-stage fallback's copy
        ([("m1", "a"), ("m2", "b"), ("m1", "a")], ["a", "b"]),
        ([("1", "a"), ("1", "b"), ("1", "c")], ["a", "b", "c"]),  # one ID for everything
        ([(None, "a"), (None, "a")], ["a", "a"]),  # no IDs: nobody knows
    ],
)
def test_a_message_is_one_line_however_often_it_is_stored(
    written: list[tuple[str | None, str]], expected: list[str]
) -> None:
    events = [user(text, id=message_id) for message_id, text in written]
    assert [line.text for line in turn(*events).lines(9)] == expected


def test_a_message_that_is_stored_twice_is_one_turn_of_the_card() -> None:
    events = [user("a", id="1"), user("b", id="2"), event("rewind"), user("b", id="2")]
    assert [line.text for line in turn(*events).lines(2)] == ["a", "b"]


def test_reminders_are_no_lines_and_no_turns() -> None:
    lines = turn(
        user("one", "greet"),
        user("two", "greet"),
        user("EXTERNAL: remind", "remind", metadata=REMINDER),
        bot("Still there?"),
    ).lines(1)
    assert [line.text for line in lines] == ["two", "Still there?"]


def test_fallbacks_in_a_row() -> None:
    fallback = [user("?", "nlu_fallback"), action("action_default_fallback"), event("rewind")]
    assert turn(*fallback * 3).fallbacks() == 3
    assert turn(*fallback, user("hi", "greet"), *fallback * 2).fallbacks() == 2
    assert turn(*fallback, user("nonsense", "out_of_scope")).fallbacks() == 0


@pytest.mark.parametrize(
    "step", ["action_default_fallback", "action_two_stage_fallback", "action_default_ask_rephrase"]
)
def test_a_recognised_message_that_rasa_gave_up_on_is_a_fallback(step: str) -> None:
    assert turn(user("hi", "greet"), action(step), user("?", None)).fallbacks() == 2


def test_only_messages_after_the_handback_count() -> None:
    read_turn = turn(user("?", None, at=1.0), user("?", None, at=2.0), user("?", None, at=3.0))
    assert [read_turn.fallbacks(since) for since in (None, 0.0, 1.0, 2.5, 3.0)] == [3, 3, 2, 1, 0]


@pytest.mark.parametrize("kind", ["resume", "restart", "session_started"])
def test_a_row_does_not_reach_past_a_fresh_start(kind: str) -> None:
    assert turn(user("?"), user("?"), event(kind), user("?")).fallbacks() == 1


def test_an_answer_that_a_form_took_is_no_fallback() -> None:
    asked = slot("requested_slot", "name")
    answer = [user("Kim", "nlu_fallback"), slot("name", "Kim")]
    reminder = user("EXTERNAL: remind", "remind", metadata=REMINDER)
    assert turn(asked, *answer).fallbacks() == 0
    assert turn(asked, reminder, *answer).fallbacks() == 0
    assert turn(asked, user("Kim", "nlu_fallback"), slot("other", "Kim")).fallbacks() == 1
    assert turn(asked, user("Kim", "nlu_fallback"), slot("name", None)).fallbacks() == 1
    assert turn(*answer).fallbacks() == 1
    assert turn(asked, user("hm", "nlu_fallback"), *answer).fallbacks() == 2


def test_a_reminder_neither_counts_nor_ends_a_row() -> None:
    reminder = user("EXTERNAL: remind", "remind", metadata=REMINDER)
    assert turn(user("?"), reminder, action("action_default_fallback"), user("?")).fallbacks() == 2
    assert turn(user("hi", "greet"), reminder, action("action_default_fallback")).fallbacks() == 0


def test_calm_names_no_intent_and_its_commands_tell() -> None:
    start = {"commands": [{"command": "start flow", "flow": "transfer_money"}]}
    lost = {"commands": [{"command": "cannot handle"}]}
    assert turn(user("send money", parse=start)).fallbacks() == 0
    assert turn(user("gibberish", parse=lost), user("more", parse=lost)).fallbacks() == 2
    pattern = event("flow_started", flow_id="pattern_cannot_handle")
    assert turn(user("send", parse=start), pattern).fallbacks() == 1


def test_calm_commands_and_flows() -> None:
    commands = [
        {"command": "start flow", "flow": "transfer_money"},
        {"command": "Human-Handoff"},
        {"command": None},
        "nonsense",
    ]
    read_turn = turn(
        event("flow_started", flow_id="of_an_earlier_turn"),
        user("a person", parse={"commands": commands}),
        event("flow_started", flow_id="transfer_money"),
        event("flow_started", flow_id="pattern_human_handoff"),
    )
    assert read_turn.commands == (
        CalmCommand("start_flow", "transfer_money"),
        CalmCommand("human_handoff"),
    )
    assert read_turn.flows == ("transfer_money", "pattern_human_handoff")


def test_over_grpc_the_channel_comes_from_the_message() -> None:
    tracker = state(user("hi", "greet", id="m1", input_channel="socketio"))
    del tracker["latest_input_channel"]
    assert read(tracker, None, "action_bridge").input_channel == "socketio"


def test_without_a_latest_message_the_last_user_event_speaks() -> None:
    tracker = state(user("hi", "greet", id="m1", metadata={"k": 1}), latest_message=None)
    read_turn = read(tracker, None, "action_bridge")
    assert (read_turn.text, read_turn.intent, read_turn.message_id) == ("hi", "greet", "m1")
    assert read_turn.metadata == {"k": 1}


@pytest.mark.parametrize(
    ("domain", "responses"),
    [(None, None), ({}, None), ({"responses": None}, None), ({"responses": {}}, {})],
)
def test_a_domain_without_responses_is_told_from_one_with_none_of_them(
    domain: dict[str, Any] | None, responses: dict[str, Any] | None
) -> None:
    assert turn(user("hi"), domain=domain).responses == responses


@pytest.mark.parametrize(
    ("intent", "name", "confidence"),
    [
        ({"name": "a", "confidence": float("nan")}, "a", None),
        ({"name": "a", "confidence": 1}, "a", 1.0),
        ({"name": "a", "confidence": True}, "a", None),
        ({"name": "a", "confidence": 10**400}, "a", None),
        ({"name": "", "confidence": "0.9"}, None, None),
        ("a", "a", None),
        (["a"], None, None),
        (None, None, None),
    ],
)
def test_odd_intents(intent: Any, name: str | None, confidence: float | None) -> None:
    read_turn = turn(latest_message={"intent": intent, "text": "x"})
    assert (read_turn.intent, read_turn.confidence) == (name, confidence)


def test_halves_of_surrogate_pairs_do_not_travel_on() -> None:
    read_turn = turn(user("a\ud800b", "greet"), sender_id="k\udfffm")
    assert read_turn.text == "a?b"
    assert read_turn.sender_id == "k?m"


def test_a_loop_that_should_not_be_set_is_none() -> None:
    assert turn(active_loop={"name": "should_not_be_set"}).active_loop is None
    assert turn(active_loop=None).active_loop is None
    assert turn(active_loop={"name": "form"}).active_loop == "form"
