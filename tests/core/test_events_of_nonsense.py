"""Whatever events say, and in whatever order they come: no call is lost, and the core goes on."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.gateway.events import EVENTS
from bridge.state.calls import CallState
from bridge.state.commands import RequestResult
from bridge.store import lists
from tests.core.nonsense import anything, gateway_errors
from tests.core.readers import BOT, READER, answered, chosen, hear, messages, sign_in, write
from tests.core.rig import Making, Rig

CALLS = ("A-1", "A-2")
KINDS = sorted(EVENTS.keys() - {"AgentOther_ShutdownService"})  # without it, agents stay signed in
_named = st.fixed_dictionaries(
    {"callid": st.sampled_from(CALLS)},
    optional={
        "caller": st.sampled_from(["1", "2", "a305", ""]) | anything,
        "mediaAbility": st.sampled_from(["5", "1"]) | anything,
        "message": st.sampled_from(["hello", '{"fileId": "f"}']) | anything,
    },
)
_events = st.tuples(
    st.sampled_from(KINDS) | st.just("AgentEvent_New"),
    _named | st.sampled_from(CALLS) | anything,
    st.sampled_from([READER, BOT, "292"]),
)
_steps = st.lists(_events | st.none() | gateway_errors, max_size=25)


@pytest.fixture
def rig(make: Making) -> Rig:
    made = make(chosen=chosen())
    sign_in(made)
    return made


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(steps=_steps)
def test_events_and_answers_in_any_order(
    rig: Rig, steps: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    for step in steps:
        if isinstance(step, tuple):
            kind, content, agent = step
            hear(rig, kind, content, agent=agent)
        elif rig.senders.requested:
            request, guid, _ = rig.senders.requested.pop(0)
            rig.core.put(RequestResult(call_request=request, guid=guid, error=step))
            rig.step(2)
        rig.clock.move(1.0)
    assert caplog.messages == []
    stored = rig.store.read(lambda tx: lists.reader_calls(tx, list(CALLS)))
    for call in stored.values():
        assert call.agent_id != "292"
        assert (call.ended_at is not None) == (call.state is CallState.ENDED)
        if call.sender_id is not None:
            assert call.held == ()


def test_after_all_that_a_chat_is_a_chat(rig: Rig) -> None:
    for kind in KINDS:
        hear(rig, kind, {"callid": "\ud800", "caller": None})
        hear(rig, kind, ["x" * 1_000_000])
    answered(rig, "A-9")
    write(rig, "hello", "A-9")
    assert [item.text for item in messages(rig, "A-9")] == ["hello"]
