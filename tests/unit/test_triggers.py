"""Which item of the designer's rules a turn meets, and the words for it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bridge.config.settings import AssistRule, AssistRules, Condition, HandoffRules, HandoffSettings
from bridge.model import Because, Mode
from bridge.triggers import DecisionKind, assist_rule, decide, handoff_reason
from bridge.turn import Turn, read
from bridge.web.page import FOLDER as PANEL
from tests.unit.conversations import action, event, real_turn, request, turn, user


def rules(*when: dict[str, Any], assist: list[dict[str, Any]] | None = None) -> HandoffSettings:
    """The designer's rules, as their YAML has them."""
    return HandoffSettings(
        handoff=HandoffRules(when=tuple(Condition(**item) for item in when)),
        assist=AssistRules(when=tuple(AssistRule(**item) for item in assist or [])),
    )


def why(read_turn: Turn, **item: Any) -> str | None:
    """The reason of a handoff by one item, None where it does not hold."""
    decision = decide(read_turn, rules(item))
    assert (decision.kind is DecisionKind.HANDOFF) == (decision.rule == 0)
    return decision.reason if decision.kind is DecisionKind.HANDOFF else None


def test_an_intent_over_its_threshold() -> None:
    read_turn = turn(user("a person please", "request_human", confidence=0.931))
    decision = decide(read_turn, rules({"intent": "request_human", "min_confidence": 0.6}))
    assert decision.kind is DecisionKind.HANDOFF
    assert decision.reason == (
        "intent request_human at 0.93, at least 0.6 was asked (handoff.when[0])"
    )
    assert (decision.rule, decision.explicit, decision.counted) == (0, True, False)
    assert (decision.intent, decision.confidence) == ("request_human", 0.931)


def test_a_real_request_for_a_person() -> None:
    assert why(real_turn("rest"), intent="request_human", min_confidence=0.6) == (
        "intent request_human at 1.00, at least 0.6 was asked (handoff.when[0])"
    )
    assert why(real_turn("rest"), intent="human_handoff") is None


def test_an_intent_under_its_threshold_says_so() -> None:
    read_turn = turn(user("a person?", "request_human", confidence=0.5999))
    decision = decide(read_turn, rules({"intent": "request_human", "min_confidence": 0.6}))
    assert decision.kind is DecisionKind.NONE
    assert decision.reason == (
        "no item matched: handoff.when[0]: intent request_human at 0.5999, below the 0.6 that was "
        "asked; assist.when is empty"
    )


def test_a_missing_confidence_counts_as_none_at_all() -> None:
    read_turn = turn(latest_message={"intent": {"name": "a"}, "text": "x"})
    assert why(read_turn, intent="a") == "intent a (handoff.when[0])"
    assert why(read_turn, intent="a", min_confidence=0.1) is None


def test_any_intent() -> None:
    assert why(turn(user("hi", "greet")), intent="*") == "intent greet at 0.90 (handoff.when[0])"
    assert why(turn(user("hi")), intent="*") == "intent of no name at 0.00 (handoff.when[0])"
    assert why(turn(), intent="*") is None


def test_a_retrieval_intent_by_either_name() -> None:
    body = request("intent_ranking")["tracker"]
    hours = next(one for one in body["events"] if one.get("text") == "opening hours")
    read_turn = read({**body, "latest_message": hours["parse_data"]}, None, "action_bridge")
    assert why(read_turn, intent="faq/hours") == "intent faq/hours at 1.00 (handoff.when[0])"
    assert why(read_turn, intent="faq") == "intent faq at 1.00 (handoff.when[0])"
    assert why(read_turn, intent="faq/where") is None


@pytest.mark.parametrize(
    ("item", "slots", "reason"),
    [
        ({"slot": "vip"}, {"vip": False}, "slot vip is set"),
        ({"slot": "vip"}, {"vip": None}, None),
        ({"slot": "vip"}, {}, None),
        ({"slot": "vip", "is": True}, {"vip": True}, "slot vip is true"),
        ({"slot": "vip", "is": True}, {"vip": "true"}, None),
        ({"slot": "vip", "is": True}, {"vip": 1}, None),
        ({"slot": "n", "is": 1}, {"n": 1.0}, "slot n is 1"),
        ({"slot": "n", "is": 1}, {"n": True}, None),
        ({"slot": "n", "is": "1"}, {"n": 1}, None),
        ({"slot": "tier", "is": "gold"}, {"tier": "gold"}, 'slot tier is "gold"'),
        ({"slot": "tier", "is": "gold"}, {"tier": "Gold"}, None),
        ({"slot": "tier", "is": None}, {}, "slot tier is null"),
        ({"slot": "tier", "is": None}, {"tier": "x"}, None),
    ],
)
def test_slots(item: dict[str, Any], slots: dict[str, Any], reason: str | None) -> None:
    found = why(turn(user("x"), slots=slots), **item)
    assert found == (reason and f"{reason} (handoff.when[0])")


def test_what_a_slot_holds_is_not_told() -> None:
    decision = decide(turn(user("x"), slots={"card": "4111"}), rules({"slot": "card", "is": "0"}))
    assert "4111" not in decision.reason


def test_an_entity() -> None:
    real = real_turn("slash_intent")
    assert why(real, entity="product") == "entity product (handoff.when[0])"
    assert why(real, entity="city") is None


def test_a_command_in_either_spelling() -> None:
    given = turn(user("x", parse={"commands": [{"command": "human handoff"}]}))
    for spelling in ("human_handoff", "human handoff", "Human Handoff"):
        assert why(given, command=spelling) == "command human_handoff (handoff.when[0])"
    assert why(given, command="start flow") is None


def test_the_handoff_command_is_met_by_its_pattern() -> None:
    started = turn(user("x"), event("flow_started", flow_id="pattern_human_handoff"))
    assert why(started, command="human_handoff") == (
        "command human_handoff (flow pattern_human_handoff started) (handoff.when[0])"
    )
    assert why(started, command="cancel flow") is None
    assert why(started, flow="pattern_human_handoff") is not None


def test_a_flow() -> None:
    commands = [{"command": "start flow", "flow": "speak_to_a_person"}]
    given = turn(user("x", parse={"commands": commands}))
    assert (
        why(given, flow="speak_to_a_person") == "flow speak_to_a_person started (handoff.when[0])"
    )
    assert why(given, flow="transfer_money") is None


def test_fallbacks_in_a_row() -> None:
    lost = [user("?", "nlu_fallback"), action("action_default_fallback")]
    decision = decide(turn(*lost * 3), rules({"fallbacks": 3}))
    assert decision.kind is DecisionKind.HANDOFF
    assert decision.reason == "3 fallbacks in a row, at least 3 asked for (handoff.when[0])"
    assert (decision.explicit, decision.counted) == (False, True)
    assert decide(turn(*lost * 2), rules({"fallbacks": 3})).reason == (
        "no item matched: handoff.when[0]: 2 fallbacks in a row, at least 3 asked for; "
        "assist.when is empty"
    )


def test_the_fallback_intent_is_no_wish() -> None:
    decision = decide(turn(user("?", "nlu_fallback")), rules({"intent": "nlu_fallback"}))
    assert (decision.kind, decision.explicit) == (DecisionKind.HANDOFF, False)


def test_all_keys_of_an_item_must_hold() -> None:
    item = {"intent": "request_human", "slot": "vip", "is": True}
    person = user("a person", "request_human")
    assert why(turn(person, slots={"vip": True}), **item) == (
        "intent request_human at 0.90 and slot vip is true (handoff.when[0])"
    )
    assert why(turn(person, slots={"vip": False}), **item) is None
    assert why(turn(user("hi", "greet"), slots={"vip": True}), **item) is None


@pytest.mark.parametrize(
    ("item", "code", "values"),
    [
        ({"intent": "ask"}, "intent_at", {"name": "ask", "confidence": "0.90"}),
        (
            {"intent": "*", "min_confidence": 0.6},
            "intent_at",
            {"name": "ask", "confidence": "0.90"},
        ),
        ({"command": "human handoff"}, "command", {"name": "human_handoff"}),
        ({"entity": "city"}, "entity", {"name": "city"}),
        ({"slot": "vip"}, "slot", {"name": "vip"}),
        ({"slot": "vip", "is": True}, "slot_is", {"name": "vip", "value": "true"}),
        ({"keyword": {"en": ["person"]}}, "keyword", {"name": "person"}),
        ({"flow": "talk"}, "flow", {"name": "talk"}),
        ({"fallbacks": 1}, "fallbacks", {"number": 1}),
    ],
)
def test_the_reason_in_parts(item: dict[str, Any], code: str, values: dict[str, Any]) -> None:
    commands = [{"command": "human handoff"}, {"command": "start flow", "flow": "talk"}]
    parse = {"commands": commands, "entities": [{"entity": "city", "value": "Bonn"}]}
    asked = user("a person", "ask", parse=parse)
    lost = [user("?", "nlu_fallback"), action("action_default_fallback")]
    given = turn(*(lost if code == "fallbacks" else [asked]), slots={"vip": True})
    decision = decide(given, rules(item))
    assert decision.because == (Because(code, values),)
    chinese = json.loads((PANEL / "languages" / "zh.json").read_text("utf-8"))
    text = chinese[f"code.because_{code}"]
    assert set(re.findall(r"\{(\w+)\}", text)) == set(values)


def test_each_part_of_the_reason() -> None:
    item = {"intent": "request_human", "slot": "vip"}
    given = turn(user("a person", "request_human"), slots={"vip": True})
    assert [part.code for part in decide(given, rules(item)).because] == ["intent_at", "slot"]
    called = handoff_reason(given, rules())
    assert called.because == (Because("called", {"name": given.action_name}),)
    assert decide(given, rules({"slot": "other"})).because == ()


def test_any_item_is_enough_and_the_first_is_named() -> None:
    several = rules({"intent": "a"}, {"intent": "b"}, {"intent": "*"})
    assert decide(turn(user("x", "b")), several).rule == 1
    assert decide(turn(user("x", "c")), several).rule == 2


def test_no_more_than_six_items_are_told() -> None:
    many = rules(*({"intent": f"i{n}"} for n in range(9)))
    reason = decide(turn(user("x", "z")), many).reason
    assert "handoff.when[5]: intent is z, not i5; and 3 more; assist.when is empty" in reason


def test_handoff_comes_before_assist() -> None:
    both = rules({"intent": "a"}, assist=[{"intent": "*", "reply": "utter_x"}])
    assert decide(turn(user("x", "a")), both).kind is DecisionKind.HANDOFF
    helped = decide(turn(user("x", "b")), both)
    assert helped.kind is DecisionKind.ASSIST
    assert helped.reason == "intent b at 0.90 (assist.when[0])"
    assert (helped.rule, helped.reply, helped.intent) == (0, "utter_x", "b")


def test_assist_that_is_off() -> None:
    given, read_turn = rules(assist=[{"intent": "*"}]), turn(user("x", "b"))
    assert decide(read_turn, given, mode=Mode.OFF) == decide(
        read_turn,
        HandoffSettings(
            handoff=given.handoff, assist=AssistRules(when=given.assist.when, mode=Mode.OFF)
        ),
    )
    off = decide(read_turn, given, mode=Mode.OFF)
    assert off.kind is DecisionKind.NONE
    assert off.reason == "no item matched: handoff.when is empty; assist is off"


def test_the_defaults() -> None:
    given = HandoffSettings()
    assert decide(turn(user("x", "human_handoff")), given).rule == 0
    assert decide(turn(user("x", "greet")), given).kind is DecisionKind.NONE
    reason = decide(turn(user("x", "greet")), given).reason
    assert reason == (
        "no item matched: handoff.when[0]: intent is greet, not human_handoff; "
        "handoff.when[1]: no command human_handoff; "
        "handoff.when[2]: 0 fallbacks in a row, at least 3 asked for; assist.when is empty"
    )


def test_a_handoff_that_a_story_called_for() -> None:
    given = rules({"intent": "a"}, {"fallbacks": 1})
    matched = handoff_reason(turn(user("x", "a"), action_name="action_human_handoff"), given)
    assert (matched.rule, matched.explicit) == (0, True)
    called = handoff_reason(turn(user("x", "b"), action_name="action_human_handoff"), given)
    assert called.kind is DecisionKind.HANDOFF
    assert called.reason == "the story or flow called action_human_handoff"
    assert (called.rule, called.explicit, called.intent) == (None, True, "b")
    lost = handoff_reason(turn(user("x"), action_name="action_human_handoff"), given)
    assert (lost.rule, lost.explicit) == (1, False)


def test_a_story_that_answers_a_fallback_is_no_wish() -> None:
    for events in (
        [user("?", "nlu_fallback")],
        [user("?", "greet"), action("action_default_fallback")],
    ):
        assert handoff_reason(turn(*events), rules()).explicit is False
    assert handoff_reason(turn(user("free text in a form")), rules()).explicit is True


def test_assist_that_a_story_called_for() -> None:
    given = rules(assist=[{"intent": "ask_price", "reply": "utter_price"}])
    matched = assist_rule(turn(user("x", "ask_price")), given)
    assert (matched.kind, matched.rule, matched.reply) == (DecisionKind.ASSIST, 0, "utter_price")
    called = assist_rule(turn(user("x", "greet"), action_name="action_agent_assist"), given)
    assert (called.kind, called.rule, called.reply) == (DecisionKind.ASSIST, None, None)
    assert called.reason == (
        "the story or flow called action_agent_assist; no item matched: "
        "assist.when[0]: intent is greet, not ask_price"
    )
