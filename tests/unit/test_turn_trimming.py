"""A long conversation is shortened, and nothing that is asked of it changes."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.frames import pack
from bridge.turn import Turn
from bridge.turn.trimming import trim
from tests.unit.conversations import action, bot, event, slot, turn, user

MESSAGES = 5
SLOTS = ("city", "handoff_state")

_times = st.floats(1, 1000).map(lambda at: round(at, 1))
_said = st.sampled_from(["hi", "a human", "/wish{}", ""])
_events = st.one_of(
    st.builds(
        lambda text, intent, at, external: user(
            text, intent, at=at, metadata={"is_external": True} if external else {}
        ),
        _said,
        st.sampled_from(["greet", "nlu_fallback", None]),
        _times,
        st.booleans(),
    ),
    st.builds(bot, _said, st.sampled_from(["utter_a", None])),
    st.builds(
        action, st.sampled_from(["action_listen", "action_bridge", "action_default_fallback"])
    ),
    st.builds(slot, st.sampled_from([*SLOTS, "requested_slot", "other"]), _said, _times),
    st.builds(event, st.sampled_from(["pause", "resume", "restart", "session_started", "rewind"])),
    st.just(event("flow_started", flow_id="human_handoff")),
)
_conversations = st.lists(_events, max_size=60)


def asked(found: Turn) -> dict[str, Any]:
    """Everything that planners ask of a turn's events."""
    return {
        "message_at": found.message_at,
        "last_written_at": found.last_written_at,
        "flows": found.flows,
        "resumed": found.resumed,
        "ordinal": found.ordinal,
        "fell_back": found.fell_back,
        "replies": found.replies,
        "fallbacks": min(found.fallbacks(), MESSAGES - 1),
        "recent fallbacks": min(found.fallbacks(since=500.0), MESSAGES - 1),
        "slots": [found.slot_set_at(name) for name in SLOTS],
        "lines": found.lines(MESSAGES - 1),
    }


@given(_conversations)
@settings(max_examples=500, deadline=None)
def test_what_is_asked_of_it_stays_the_same(events: list[dict[str, Any]]) -> None:
    whole = turn(*events, action_name="action_bridge")
    short = trim(whole, messages=MESSAGES, slots=SLOTS, many=0)
    assert asked(short) == asked(whole)
    assert (short.message_id, short.text, short.slots) == (
        whole.message_id,
        whole.text,
        whole.slots,
    )


def test_a_conversation_of_thousands_is_passed_on_as_a_few_kilobytes() -> None:
    talk = [
        part
        for number in range(2000)
        for part in (user(f"hi {number}", "greet"), bot(f"{number}: " + "Hello " * 20))
    ]
    whole = turn(*talk)
    short = trim(whole, messages=MESSAGES, slots=SLOTS)
    assert len(pack(0, whole)) > 400_000
    assert len(pack(0, short)) < 10_000
    assert len(short.lines(MESSAGES)) == 2 * MESSAGES


def test_a_short_one_is_left_as_it_is() -> None:
    short = turn(user("hi", "greet"))
    assert trim(short, messages=1, slots=()) is short
