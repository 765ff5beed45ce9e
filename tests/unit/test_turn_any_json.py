"""Whatever JSON comes in: reading, deciding and rendering never raise."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.config.settings import AssistRule, AssistRules, Condition, HandoffRules, HandoffSettings
from bridge.model import Mode
from bridge.replies import bot_replies, render, selector_replies
from bridge.triggers import assist_rule, decide, handoff_reason, in_cooldown
from bridge.turn import Turn, fault, read

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["nlu_fallback", "/a{}", "{a}", "{{a}}", "{", "\ud800", "action_bridge"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


def keyed(*names: str) -> st.SearchStrategy[Any]:
    """Objects with Rasa's keys and anything under them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON))


RANKING = st.lists(keyed("name", "confidence", "intent_response_key") | JSON, max_size=3)
MESSAGE = st.fixed_dictionaries(
    {},
    optional={
        "intent": keyed("name", "confidence", "full_retrieval_intent_name") | JSON,
        "intent_ranking": RANKING | JSON,
        "entities": st.lists(keyed("entity", "value") | JSON, max_size=3) | JSON,
        "commands": st.lists(keyed("command", "flow") | JSON, max_size=3) | JSON,
        "text": JSON,
        "message_id": JSON,
        "metadata": JSON,
        "response_selector": st.dictionaries(
            st.sampled_from(["faq", "default", "all_retrieval_intents"]),
            st.fixed_dictionaries(
                {"ranking": RANKING | JSON, "response": keyed("utter_action", "responses") | JSON}
            )
            | JSON,
        )
        | JSON,
    },
)
KINDS = ["user", "bot", "action", "slot", "agent", "flow_started", "resume", "rewind", "restart"]
EVENT = st.fixed_dictionaries(
    {"event": st.sampled_from(KINDS) | JSON},
    optional={
        "name": JSON,
        "value": JSON,
        "text": JSON,
        "timestamp": JSON,
        "message_id": JSON,
        "flow_id": JSON,
        "parse_data": MESSAGE | JSON,
        "metadata": keyed("utter_action", "is_external", "cc_bridge") | JSON,
        "data": keyed("image", "attachment", "buttons", "custom") | JSON,
    },
)
STATE = st.fixed_dictionaries(
    {},
    optional={
        "sender_id": JSON,
        "slots": keyed("requested_slot", "session_started_metadata", "a") | JSON,
        "latest_message": MESSAGE | JSON,
        "events": st.lists(EVENT | JSON, max_size=6) | JSON,
        "paused": JSON,
        "active_loop": keyed("name") | JSON,
        "latest_input_channel": JSON,
    },
)
RULES = HandoffSettings(
    handoff=HandoffRules(
        when=(
            Condition(intent="a", min_confidence=0.5),
            Condition(slot="a", **{"is": [1, {"b": 2}]}),
            Condition(slot="a", entity="b"),
            Condition(flow="f"),
            Condition(keyword={"en": ("agent", "人工")}),
            Condition(command="human_handoff"),
            Condition(fallbacks=2),
        )
    ),
    assist=AssistRules(when=(AssistRule(intent="*", reply="response_selector"),)),
)


def everything(turn: Turn) -> None:
    """Ask a turn for all that it can tell."""
    for name in dir(turn):
        getattr(turn, name)
    assert isinstance(turn.message_id, str)
    assert isinstance(turn.sender_id, str)
    assert turn.fallbacks(1.0) <= turn.fallbacks()
    assert all(line.who in ("customer", "bot", "agent") and line.text for line in turn.lines(3))
    for one in (*bot_replies(turn), *selector_replies(turn, channels=("web",))):
        assert one.reply
        assert None not in one.reply.values()
    for handed_back_at in (None, 1.0):
        for decision in (
            decide(turn, RULES, handed_back_at=handed_back_at),
            decide(turn, RULES, mode=Mode.OFF),
            handoff_reason(turn, RULES, handed_back_at=handed_back_at),
            assist_rule(turn, RULES),
        ):
            assert decision.reason
            in_cooldown(decision, turn, handed_back_at=handed_back_at, cooldown=60, now=30.0)


@settings(max_examples=400, deadline=None)
@given(state=STATE | JSON, domain=keyed("responses") | JSON, action=st.text(max_size=5))
def test_any_tracker_can_be_read(state: Any, domain: Any, action: str) -> None:
    everything(read(state, domain, action))


@settings(max_examples=200, deadline=None)
@given(
    tracker=STATE.map(lambda state: {**state, "sender_id": "kim"}),
    domain=keyed("responses") | st.none(),
)
def test_what_has_no_fault_can_be_read(tracker: dict[str, Any], domain: Any) -> None:
    body = {"next_action": "a", "sender_id": "kim", "tracker": tracker, "domain": domain}
    if fault(body) is None:
        everything(read(tracker, domain, "a"))


@settings(max_examples=300, deadline=None)
@given(payload=JSON | keyed("next_action", "sender_id", "tracker", "domain"))
def test_any_body_is_judged_in_words(payload: Any) -> None:
    found = fault(payload)
    assert found is None or "expected" in found


VARIATION = keyed("text", "channel", "condition", "custom", "buttons", "image", "attachment") | JSON
ROW = keyed("type", "name", "value")


@settings(max_examples=400, deadline=None)
@given(
    variations=st.lists(
        VARIATION | st.fixed_dictionaries({"text": JSON, "condition": st.lists(ROW, max_size=2)}),
        max_size=4,
    )
    | JSON,
    slots=keyed("a", "b") | JSON,
    seed=st.text(max_size=5) | st.just("\ud800"),
)
def test_any_response_can_be_rendered(variations: Any, slots: Any, seed: str) -> None:
    reply = render({"utter_x": variations}, "utter_x", slots, channels=("web", "rest"), seed=seed)
    assert reply is None or None not in reply.values()
    again = render({"utter_x": variations}, "utter_x", slots, channels=("web", "rest"), seed=seed)
    assert str(again) == str(reply)  # as text: NaN is not equal to itself


def test_payloads_nested_deeper_than_python_goes() -> None:
    deep: Any = "{a}"
    for _ in range(900):
        deep = [deep]
    deep = {"text": "x", "custom": deep, "image": deep, "attachment": deep}
    assert render({"utter_x": [deep]}, "utter_x", {"a": deep}, channels=(), seed="") is not None
    state = {"slots": {"a": deep}, "events": [{"event": "bot", "data": deep}]}
    everything(read(state, {"responses": deep}, "a"))
