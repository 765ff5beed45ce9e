"""After a handback: what may hand off again, and when."""

from __future__ import annotations

from typing import Any

from bridge.config.settings import Condition, HandoffRules, HandoffSettings
from bridge.model import Mode
from bridge.triggers import Decision, DecisionKind, decide, handoff_reason, in_cooldown
from bridge.turn import Turn, read
from tests.unit.conversations import action, event, real_turn, request, slot, state, turn, user

BACK = 100.0
RULES = HandoffSettings()


def held(decision: Decision, read_turn: Turn, *, now: float, cooldown: float = 60) -> bool:
    return in_cooldown(decision, read_turn, handed_back_at=BACK, cooldown=cooldown, now=now)


def lost(at: float) -> list[dict[str, Any]]:
    return [user("?", "nlu_fallback", at=at), action("action_default_fallback"), event("rewind")]


def test_without_a_handback_nothing_is_held() -> None:
    read_turn = turn(*lost(1) * 3)
    decision = decide(read_turn, RULES)
    assert decision.kind is DecisionKind.HANDOFF
    assert not in_cooldown(decision, read_turn, handed_back_at=None, cooldown=60, now=2)


def test_fallbacks_are_held_for_the_cooldown_only() -> None:
    read_turn = turn(*lost(101), *lost(102), *lost(103))
    decision = decide(read_turn, RULES, handed_back_at=BACK)
    assert decision.counted
    assert held(decision, read_turn, now=104)
    assert held(decision, read_turn, now=159.9)
    assert not held(decision, read_turn, now=160)
    assert not held(decision, read_turn, now=104, cooldown=0)


def test_fallbacks_from_before_the_handback_do_not_count() -> None:
    read_turn = turn(*lost(98), *lost(99), *lost(101))
    assert decide(read_turn, RULES).kind is DecisionKind.HANDOFF
    assert decide(read_turn, RULES, handed_back_at=BACK).kind is DecisionKind.NONE


def test_an_explicit_intent_in_a_newer_message_passes() -> None:
    read_turn = turn(user("a person!", "human_handoff", at=101))
    decision = decide(read_turn, RULES, handed_back_at=BACK)
    assert not held(decision, read_turn, now=102)


def test_an_explicit_command_in_a_newer_message_passes() -> None:
    read_turn = turn(user("x", at=101, parse={"commands": [{"command": "human handoff"}]}))
    assert not held(decide(read_turn, RULES, handed_back_at=BACK), read_turn, now=102)


def test_the_message_that_was_handed_off_before_never_hands_off_again() -> None:
    read_turn = turn(user("a person!", "human_handoff", at=99))
    for decide_it in (decide, handoff_reason):
        decision = decide_it(read_turn, RULES, handed_back_at=BACK)
        assert decision.kind is DecisionKind.HANDOFF
        for now in (101, 161, 4000):
            assert held(decision, read_turn, now=now)


def resume_trap(*since_handback: dict[str, Any]) -> Turn:
    """Rasa reverted what came after the handback and shows the old message again."""
    asked = user("a person!", "human_handoff", id="old", at=90)
    events = [asked, action("action_human_handoff"), event("pause"), event("resume")]
    latest = asked["parse_data"]
    return read(state(*events, *since_handback, latest_message=latest), None, "action_bridge")


def test_gibberish_after_a_handback_does_not_run_into_the_old_handoff() -> None:
    read_turn = resume_trap(*lost(101))
    assert (read_turn.message_at, read_turn.last_written_at) == (90, 101)
    assert read_turn.ordinal == 0
    for decide_it in (decide, handoff_reason):
        decision = decide_it(read_turn, RULES, handed_back_at=BACK)
        assert held(decision, read_turn, now=1000)


def test_enough_gibberish_hands_off_once_the_cooldown_is_over() -> None:
    read_turn = resume_trap(*lost(101), *lost(102), *lost(103))
    decision = decide(read_turn, RULES, handed_back_at=BACK)
    assert (decision.rule, decision.counted) == (2, True)
    assert held(decision, read_turn, now=104)
    assert not held(decision, read_turn, now=161)


def test_the_real_trap() -> None:
    """The fixture's handoff was "probe"; it was handed back before "four" was written."""
    read_turn = real_turn("active_form")
    rules = HandoffSettings(handoff=HandoffRules(when=(Condition(intent="probe"),)))
    decision = decide(read_turn, rules, handed_back_at=1795341793.44)
    assert decision.kind is DecisionKind.HANDOFF
    assert in_cooldown(
        decision, read_turn, handed_back_at=1795341793.44, cooldown=60, now=1795349999.0
    )


def test_a_wish_goes_before_fallbacks_because_only_it_passes() -> None:
    rules = HandoffSettings(
        handoff=HandoffRules(when=(Condition(fallbacks=1), Condition(keyword={"en": ("person",)})))
    )
    read_turn = turn(user("person", "nlu_fallback", at=101))
    decision = decide(read_turn, rules, handed_back_at=BACK)
    assert decision.rule == 1
    assert not held(decision, read_turn, now=102)


def test_a_slot_that_is_still_set_is_no_new_wish() -> None:
    rules = HandoffSettings.model_validate({"handoff": {"when": [{"slot": "angry", "is": True}]}})
    slots = {"angry": True}
    still = turn(slot("angry", value=True, at=90), user("hi", "greet", at=101), slots=slots)
    decision = decide(still, rules, handed_back_at=BACK)
    assert decision.kind is DecisionKind.HANDOFF
    assert held(decision, still, now=102)
    assert not held(decision, still, now=161)
    again = turn(user("grr", "greet", at=101), slot("angry", value=True, at=101.1), slots=slots)
    assert not held(decide(again, rules, handed_back_at=BACK), again, now=102)


def test_a_message_of_unknown_age_is_held_for_the_cooldown() -> None:
    tracker = request("rest")["tracker"]
    read_turn = read({**tracker, "events": []}, None, "action_human_handoff")
    assert read_turn.message_at is None
    decision = handoff_reason(read_turn, RULES, handed_back_at=BACK)
    assert decision.explicit
    assert held(decision, read_turn, now=101)
    assert not held(decision, read_turn, now=161)


def test_only_handoffs_are_held() -> None:
    read_turn = turn(user("hi", "greet", at=90))
    decision = decide(read_turn, RULES, handed_back_at=BACK, mode=Mode.OFF)
    assert decision.kind is DecisionKind.NONE
    assert not held(decision, read_turn, now=101)
