"""What the bot would say is worked out from whatever Rasa returns."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge import dialogue
from bridge.dialogue import Message, Move, Prediction, Rendering
from bridge.errors import RasaError

RESPONSES: dict[str, Any] = {
    "utter_hours": [{"text": "From 9 to 5, {name}."}],
    "utter_blank": [{"text": " "}],
    "utter_faq/where": [{"text": "In Berlin."}],
}
SELECTED = {
    "faq": {
        "response": {"utter_action": "utter_faq/where", "confidence": 0.8},
        "ranking": [{"intent_response_key": "faq/where", "confidence": 0.8}],
    }
}
PARSE: dict[str, Any] = {
    "intent": {"name": "faq", "confidence": 0.9},
    "entities": [],
    "response_selector": SELECTED,
}
anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["event", "events", "name", "action", "scores", "score", "slots"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


def message(text: str = "Where?") -> Message:
    return Message(text, "m-1", 1000.0, PARSE)


def prediction(tracker: Any = None, *listed: str) -> Prediction:
    conversation = dialogue.read("maria", tracker)
    return Prediction(conversation, message(), Rendering(RESPONSES), listed)


def scores(*names: str) -> dict[str, Any]:
    """Rasa's prediction: the first name is the likeliest."""
    rows = [{"action": name, "score": 1.0 / at} for at, name in enumerate(names, 1)]
    return {"scores": [*reversed(rows), {"action": "action_restart", "score": 0.0}]}


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"event": kind, **more}


LISTEN = event("action", name="action_listen")


@pytest.mark.parametrize(
    ("events", "kept"),
    [
        ([], ["action_session_start", "session_started", "action_listen"]),
        (
            [event("user", text="old"), event("session_started"), LISTEN, event("pause")],
            ["action_session_start", "session_started", "action_listen"],
        ),
        (
            [LISTEN, event("user", text="hello"), event("action", name="utter_hours")],
            [
                *("action_session_start", "session_started", "action_listen", "user"),
                *("utter_hours", "action_listen"),
            ],
        ),
        (
            [event("followup", name="x"), event("reminder"), event("cancel_reminder"), LISTEN],
            ["action_session_start", "session_started", "action_listen"],
        ),
        (["no event", None, {"event": 5}, LISTEN], None),
    ],
)
def test_a_prediction_begins_with_the_session(events: list[Any], kept: list[str] | None) -> None:
    found = dialogue.read("maria", {"events": events, "slots": {"name": "Maria"}})
    expected = kept or ["action_session_start", "session_started", "action_listen"]
    assert [each.get("name", each["event"]) for each in found.events] == expected
    assert found.slots == {"name": "Maria"}


@pytest.mark.parametrize(
    ("text", "neutral"),
    [
        ("/restart", "restart"),
        (" \n//restart{}", "restart{}"),
        ("/ / x", "x"),
        ("/", ""),
        ("a/b", "a/b"),
        ("24 /7", "24 /7"),
        ("", ""),
        ("\u3000/greet", "greet"),
    ],
)
def test_a_leading_slash_is_taken_off(text: str, neutral: str) -> None:
    assert dialogue.neutralised(text) == neutral


@given(st.text(alphabet="/ \t\n\u00a0\u2003ab", max_size=8))
def test_no_text_is_left_that_rasa_takes_for_an_intent(text: str) -> None:
    assert not dialogue.neutralised(text).strip().startswith("/")


def test_utterances_are_rendered_and_appended_until_it_listens() -> None:
    found = prediction({"slots": {"name": "Maria"}})
    assert found.take(scores("action_bridge", "utter_hours")) is Move.PREDICT
    assert found.take(scores("utter_hours")) is Move.PREDICT
    assert found.take(scores("utter_faq")) is Move.PREDICT
    assert found.take(scores("utter_blank")) is Move.PREDICT
    assert found.take(scores("utter_unknown")) is Move.PREDICT
    assert found.take(scores("action_listen")) is Move.DONE
    assert [each.reply.get("text") for each in found.answer] == [
        "From 9 to 5, Maria.",
        "In Berlin.",
    ]
    assert [each.get("name", each["event"]) for each in found.events[3:]] == [
        *("user", "action_bridge", "utter_hours", "bot", "utter_faq", "bot"),
        *("utter_blank", "utter_unknown"),
    ]
    assert found.stopped_at is None


@pytest.mark.parametrize("name", ["action_order", "order_form", "action_default_fallback"])
def test_it_stops_before_what_is_not_listed(name: str) -> None:
    found = prediction(None, "action_other")
    assert found.take(scores(name)) is Move.DONE
    assert found.stopped_at == name
    assert prediction(None, name).take(scores(name)) is Move.RUN


def test_a_bot_that_never_listens_is_stopped() -> None:
    found = prediction()
    moves = [found.take(scores("utter_hours")) for _ in range(11)]
    assert moves == [Move.PREDICT] * 10 + [Move.DONE]
    assert found.stopped_at == "utter_hours"


@given(anything)
def test_of_any_prediction_an_action_is_taken_or_an_error_told(value: Any) -> None:
    found = prediction()
    with suppress(RasaError):
        assert found.take(value) in Move


@given(anything)
def test_any_tracker_can_be_read(value: Any) -> None:
    conversation = dialogue.read("maria", value)
    assert conversation.events[-1] == {"event": "action", "name": "action_listen"} or any(
        each.get("name") == "action_listen" for each in conversation.events
    )
    dialogue.turn_of(conversation, message())
    dialogue.said_to(value, "mark", "value")


def test_an_action_that_did_not_run_in_the_shadow_is_an_error() -> None:
    found = prediction(None, "action_order")
    found.take(scores("action_order"))
    with pytest.raises(RasaError, match="has not run"):
        found.took(dialogue.read("assist-1", {"events": [LISTEN]}, in_turn=True))


def test_after_an_action_the_prediction_goes_on_from_the_shadow() -> None:
    found = prediction(None, "action_order")
    found.take(scores("action_order"))
    events = [
        *found.events,
        event("action", name="action_order"),
        event("bot", text="Done."),
        event("slot", name="name", value="Jon"),
    ]
    found.took(
        dialogue.read("assist-1", {"events": events, "slots": {"name": "Jon"}}, in_turn=True)
    )
    assert found.take(scores("utter_hours")) is Move.PREDICT
    assert [each.reply["text"] for each in found.answer] == ["Done.", "From 9 to 5, Jon."]


def test_what_the_bot_said_to_a_marked_message_ends_at_the_next() -> None:
    events = [
        event("user", metadata={"mark": "1"}),
        event("bot", text="one"),
        event("bot", text="two"),
        event("user", metadata={}),
        event("bot", text="three"),
    ]
    said = dialogue.said_to({"events": events}, "mark", "1")
    assert said is not None
    assert [each.reply["text"] for each in said] == ["one", "two"]
    assert dialogue.said_to({"events": events}, "mark", "2") is None


@pytest.mark.parametrize(
    ("parse", "calm"),
    [
        ({"commands": [], "intent": {"name": None}}, True),
        ({"commands": [{"command": "start flow"}]}, True),
        ({"commands": [], "intent": {"name": "greet"}}, False),
        ({"intent": {"name": None}}, False),
    ],
)
def test_a_calm_bot_is_known_by_its_commands(parse: dict[str, Any], *, calm: bool) -> None:
    assert dialogue.is_calm(parse) is calm
