"""What a replay says of conversations that are written event by event."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.config.settings import HandoffSettings
from bridge.replay import Explained, replay
from tests.unit.conversations import action, bot, event, slot, state, user

RULES = {
    "handoff": {
        "when": [
            {"intent": "human_handoff", "min_confidence": 0.6},
            {"fallbacks": 3},
            {"intent": "complain", "slot": "vip", "is": True},
            {"keyword": {"en": ["lawyer"]}},
        ]
    },
    "assist": {"when": [{"intent": "ask_price", "reply": "utter_price"}]},
}


def told(*events: dict[str, Any]) -> list[Explained]:
    """What the rules make of a conversation."""
    return list(replay(state(*events), HandoffSettings.model_validate(RULES)))


def decisions(*events: dict[str, Any]) -> list[str]:
    return [each.decision.value for each in told(*events)]


def near(explained: Explained) -> dict[str, str]:
    return {each.condition: each.why for each in explained.near}


def test_each_message_is_a_turn() -> None:
    assert decisions(
        user("hello", "greet", id="1"),
        bot("Hello!"),
        user("the price?", "ask_price", id="2"),
        user("a human!", "human_handoff", id="3"),
    ) == ["none", "assist", "handoff"]


def test_slots_are_those_of_the_moment() -> None:
    early, late = told(
        user("bad!", "complain", id="1"),
        bot("Sorry."),
        slot("vip", value=True),
        user("bad!", "complain", id="2"),
    )
    assert early.decision.value == "none"
    assert (
        near(early)["handoff.when[2]"] == "intent complain at 0.90 holds, but slot vip is not true"
    )
    assert late.decision.value == "handoff"


def test_a_reverted_message_takes_its_slots_back() -> None:
    assert decisions(
        user("x", "nlu_fallback", id="1"),
        slot("vip", value=True),
        event("rewind"),
        user("bad!", "complain", id="2"),
    ) == ["none", "none"]


@pytest.mark.parametrize(
    ("called", "decision"),
    [
        ("action_human_handoff", "handoff"),
        ("action_agent_assist", "assist"),
        ("action_bridge", "none"),
        ("action_handback", "none"),
    ],
)
def test_an_action_that_was_called_by_name_acts(called: str, decision: str) -> None:
    (only,) = told(
        user("hello", "greet", id="1"),
        action(called),
        action("action_listen"),
        slot("handoff_error", "no_assignment"),
        action("utter_sorry"),
        slot("handoff_state", "handoff"),
    )
    assert (only.called, only.decision.value) == (called, decision)
    assert only.recorded == {"handoff_error": "no_assignment"}


HANDED_OVER = (
    user("a human", "human_handoff", id="1"),
    action("action_human_handoff"),
    action("action_listen"),
    slot("handoff_state", "handoff"),
    slot("handoff_error", None),
    event("pause"),
)
# As the bridge adds them to Rasa's tracker.
HANDED_BACK = (
    event("resume"),
    slot("handoff_state", "bot"),
    slot("handoff_summary", "Time with our team: 1 min."),
)
AGENTS_WORDS = {**bot("Hello, this is Anna."), "metadata": {"cc_bridge": {}, "cc_bridge_update": 1}}
CUSTOMERS_WORDS = user("And my bill?", id="2", metadata={"cc_bridge": {}, "cc_bridge_update": 2})
APOLOGY = {**bot("Nobody is here."), "metadata": {"cc_bridge_update": 3}}


@pytest.mark.parametrize(
    "later",
    [
        (),
        HANDED_BACK,
        (AGENTS_WORDS, slot("handoff_state", "bot")),
        (CUSTOMERS_WORDS, *HANDED_BACK),
        (*HANDED_BACK, APOLOGY),
        (APOLOGY, slot("handoff_state", "bot")),
        (action("action_session_start"), event("session_started"), slot("handoff_state", "bot")),
    ],
)
def test_an_action_set_only_what_its_answer_did(later: tuple[dict[str, Any], ...]) -> None:
    first, *_ = told(*HANDED_OVER, *later, user("hello", "greet", id="3"))
    assert first.called == "action_human_handoff"
    assert first.recorded == {"handoff_state": "handoff", "handoff_error": None}


def test_what_the_bridge_wrote_back_is_no_turn_of_rasas() -> None:
    found = told(*HANDED_OVER, AGENTS_WORDS, CUSTOMERS_WORDS, *HANDED_BACK, user("hi", id="3"))
    assert [each.message_id for each in found] == ["1", "3"]


def test_a_paused_bot_does_nothing_until_it_is_resumed() -> None:
    first, second, third = told(
        user("a human", "human_handoff", id="1"),
        action("action_human_handoff"),
        event("pause"),
        user("a human", "human_handoff", id="2"),
        event("resume"),
        user("a human", "human_handoff", id="3"),
    )
    assert [each.decision.value for each in (first, second, third)] == [
        "handoff",
        "none",
        "handoff",
    ]
    assert "paused" in second.reason


def test_after_a_handback_only_requests_hand_off_for_a_while() -> None:
    handed_back = [
        slot("handoff_state", "handoff", at=10.0),
        slot("handoff_state", "bot", at=100.0),
    ]
    fallbacks = [user("?", "nlu_fallback", id=str(at), at=float(at)) for at in (110, 111, 112)]
    *_, last = told(user("x", "human_handoff", id="1"), *handed_back, *fallbacks)
    assert last.decision.value == "none"
    assert "within 60 s of the handback (cooldown)" in last.reason
    *_, asked = told(
        user("x", "human_handoff", id="1"),
        *handed_back,
        user("a human", "human_handoff", id="2", at=110.0),
    )
    assert asked.decision.value == "handoff"


HOURS = {
    "handoff": {
        "when": [{"intent": "human_handoff"}, {"fallbacks": 2}],
        "hours": {"time_zone": "Europe/Berlin", "week": {"mon-fri": ["09:00-17:00"]}},
    }
}
FRIDAY = 1_764_345_540.0  # 2025-11-28, 16:59 in Berlin


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([user("a human", "human_handoff", id="1", at=FRIDAY)], "handoff"),
        ([user("a human", "human_handoff", id="1", at=FRIDAY + 60)], "none"),
        ([user("hello", "greet", id="1", at=FRIDAY + 60), action("action_human_handoff")], "none"),
        (
            [
                slot("handoff_state", "assist", at=FRIDAY),
                user("a human", "human_handoff", id="1", at=FRIDAY + 60),
            ],
            "handoff",
        ),
    ],
)
def test_hours_are_judged_at_the_time_of_the_message(
    events: list[dict[str, Any]], expected: str
) -> None:
    (only,) = replay(state(*events), HandoffSettings.model_validate(HOURS))
    assert only.decision.value == expected
    closed = "Fri 2025-11-28 17:00 Europe/Berlin is outside the hours (handoff.hours)"
    assert (closed in only.reason) == (expected == "none")


def test_within_the_cooldown_a_trigger_is_ignored_also_outside_the_hours() -> None:
    *_, last = replay(
        state(
            user("a human", "human_handoff", id="1", at=FRIDAY),
            slot("handoff_state", "handoff", at=FRIDAY + 1),
            slot("handoff_state", "bot", at=FRIDAY + 60),
            user("?", "nlu_fallback", id="2", at=FRIDAY + 61),
            user("?", "nlu_fallback", id="3", at=FRIDAY + 62),
        ),
        HandoffSettings.model_validate(HOURS),
    )
    assert "(cooldown)" in last.reason


@pytest.mark.parametrize(
    ("message", "condition", "why"),
    [
        (
            user("a human", "human_handoff", id="1", confidence=0.52),
            "handoff.when[0]",
            "intent human_handoff at 0.52 is below 0.6, 0.08 too little",
        ),
        (
            user(
                "someone",
                "greet",
                id="1",
                confidence=0.5,
                parse={
                    "intent_ranking": [
                        {"name": "greet", "confidence": 0.5},
                        {"name": "human_handoff", "confidence": 0.4},
                    ]
                },
            ),
            "handoff.when[0]",
            "intent human_handoff at 0.40 is second, 0.10 behind greet",
        ),
        (
            user("?", "nlu_fallback", id="1"),
            "handoff.when[1]",
            "1 of 3 fallbacks in a row, 2 too few",
        ),
        (
            user("my lawyers", "greet", id="1"),
            "handoff.when[3]",
            'keyword "lawyer" (en) is only a part of a word',
        ),
    ],
)
def test_what_came_close_says_by_how_much(
    message: dict[str, Any], condition: str, why: str
) -> None:
    (only,) = told(message)
    assert only.decision.value == "none"
    assert near(only) == {condition: why}


def test_what_is_far_is_not_near() -> None:
    (only,) = told(user("hello", "greet", id="1"))
    assert near(only) == {}


RANKED = {
    "faq": {
        "response": {
            "utter_action": "utter_faq/hours",
            "confidence": 0.08,
            "responses": [{"text": "From 9 to 5."}],
        },
        "ranking": [{"intent_response_key": "faq/hours", "confidence": 0.08}],
    }
}
FAQ = {
    "handoff": {"when": [{"intent": "human_handoff"}]},
    "assist": {
        "when": [
            {"intent": "faq", "reply": "response_selector"},
            {"intent": "ask_price", "reply": "utter_price"},
        ],
    },
}
SAID: dict[str, Any] = {"utter_faq/hours": [{"text": "From 9 to 5."}]}
WITH_AGENT = slot("handoff_state", "assist")


@pytest.mark.parametrize(
    ("events", "responses", "lacking"),
    [
        ((user("open?", "faq", id="1"),), SAID, "the message has no ranking of a response"),
        ((user("open?", "faq", id="1"),), None, "the message has no ranking of a response"),
        ((user("open?", "faq", id="1", parse={"response_selector": RANKED}),), SAID, ""),
        ((user("open?", "faq", id="1", parse={"response_selector": RANKED}),), None, ""),
        (
            (WITH_AGENT, user("open?", "faq", id="1", parse={"response_selector": RANKED})),
            SAID,
            "the response selector is below assist.min_confidence (0.1)",
        ),
        ((user("how much?", "ask_price", id="1"),), None, ""),
        ((user("how much?", "ask_price", id="1"),), {}, "the domain has no response utter_price"),
    ],
)
def test_an_assist_has_something_to_say(
    events: tuple[dict[str, Any], ...], responses: dict[str, Any] | None, lacking: str
) -> None:
    domain = {"responses": responses} if responses is not None else None
    (only,) = replay(state(*events), HandoffSettings.model_validate(FAQ), domain=domain)
    assert only.decision.value == ("none" if lacking else "assist")
    assert lacking in only.reason
    assert "(assist.when[" in only.reason


@pytest.mark.parametrize("events", [[], [None, 5, {}], [{"event": "user"}], [{"event": 3}]])
def test_any_events_are_read(events: list[Any]) -> None:
    tracker = {"events": events}
    assert len(list(replay(tracker, HandoffSettings()))) in (0, 1)
