"""Readers as planners see them: events, pushes, states, taking over, and ending."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import (
    FinalError,
    GatewayError,
    RefusedError,
    RetryableError,
    SessionGoneError,
    SignInRefusedError,
    UnreachableError,
)
from bridge.model import AgentId, Guid, ReceivedEvent
from bridge.planners import PLANNERS, Rules, received
from bridge.planners.changes import LONGEST_REFUSED, REFUSED_SECONDS
from bridge.planners.sessions import HANDSHAKE_PAUSE, POLL_LEASE, SIGN_INS
from bridge.state.commands import (
    AgentAnswered,
    ChooseChats,
    ChooseState,
    Command,
    ContinuePolling,
    PollResult,
    PushEvents,
    ReleasePolls,
    RepeatRequest,
    SignInResult,
    TakeOverSessions,
)
from bridge.state.plan import (
    AskAgent,
    Count,
    Log,
    Plan,
    Poll,
    Put,
    SignInAgent,
    SignOutAgent,
    StopPolling,
)
from bridge.state.records import AgentRequest, RequestKind, SessionRecord, SessionState
from bridge.state.snapshot import Process, Snapshot
from tests.core.rig import GUID, rules
from tests.gateway.rig import SIGN_IN
from tests.making import NOW

READER = {**SIGN_IN, "reader": True}
PUSHED = {**READER, "events": "push"}
AGENTS = {"305": READER, "306": PUSHED, "291": SIGN_IN, "*": {"session": "pushed"}}
CHOSEN = rules(agents=AGENTS, reader={"push_url": "http://127.0.0.1:5055"})
TOKEN = "0123456789abcdef0123456789abcdef"


class Scene:
    """One agent's session, as one after another command changes it."""

    def __init__(self, agent_id: str, chosen: Rules = CHOSEN, **process: Any) -> None:
        self.agent_id = agent_id
        self.rules = chosen
        self.now = NOW
        self.snapshot = Snapshot(Process("here", nonce="of-this-batch", **process))

    def session(self, **changes: Any) -> SessionRecord:
        """The agent is signed in by the bridge, and this process keeps the session."""
        made = SessionRecord(
            AgentId(self.agent_id),
            GUID,
            SessionState.SIGNED_IN,
            ours=True,
            generation=1,
            renewed_at=NOW - 100,
            poller="here",
            poller_until=NOW + POLL_LEASE,
        )
        self.snapshot.sessions[self.agent_id] = replace(made, **changes)
        return self.now_stored

    @property
    def now_stored(self) -> SessionRecord:
        return self.snapshot.sessions[self.agent_id]

    def plan(self, command: Command) -> Plan:
        plan = PLANNERS[type(command)](self.snapshot, command, self.rules, self.now)
        self.snapshot.after(plan)
        return plan


def effects(plan: Plan, kind: type[Any]) -> list[Any]:
    return [effect for effect in plan.effects if isinstance(effect, kind)]


def polled(*events: ReceivedEvent, agent_id: str = "305", **more: Any) -> PollResult:
    event = events[0] if events else None
    return PollResult(agent_id=agent_id, guid=GUID, event=event, **more)


def pushed(*events: ReceivedEvent, **changes: Any) -> PushEvents:
    given_with = {"service_token": TOKEN, "digest": "one", **changes}
    return PushEvents(agent_id="306", events=events, **given_with)


STATE = ReceivedEvent("AgentState_SetNotReady_Success", None)
UNKNOWN = ReceivedEvent("AgentEvent_Brand_New", {"callid": "A"}, 1_800_000_000_000)


# -- signing in ------------------------------------------------------------------------------------


def test_absent_readers_are_signed_in_as_many_at_a_time_as_there_is_room_for() -> None:
    many = {str(number): READER for number in range(300, 320)}
    scene = Scene("300", rules(agents=many), signing=3)
    scene.snapshot.absent = list(many)
    plan = scene.plan(TakeOverSessions(readers=frozenset(many)))
    begun = effects(plan, SignInAgent)
    assert [each.agent_id for each in begun] == list(many)[: SIGN_INS - 3]
    assert {each.state for each in begun} == {"ready"}
    assert {each.service_token for each in begun} == {None}
    again = scene.plan(TakeOverSessions(readers=frozenset(many)))  # these are under way
    assert not {each.agent_id for each in effects(again, SignInAgent)} & {
        each.agent_id for each in begun
    }


def test_a_sign_in_that_ends_makes_room_for_the_next() -> None:
    scene = Scene("305", signing=SIGN_INS)
    plan = scene.plan(SignInResult(agent_id="305", guid=Guid("new")))
    (put,) = [each for each in effects(plan, Put) if isinstance(each.command, TakeOverSessions)]
    assert put.command.readers == {"305", "306"}


def test_a_reader_signs_in_with_the_state_that_was_chosen_last() -> None:
    for chosen, expected in ((None, "ready"), ("busy", "busy"), ("wrap_up", "wrap_up")):
        scene = Scene("305")
        scene.session(state=SessionState.GONE, guid=None, chosen_state=chosen)
        scene.snapshot.absent = ["305"]
        (begun,) = effects(scene.plan(TakeOverSessions()), SignInAgent)
        assert begun.state == expected
    other = Scene("291")
    other.session(state=SessionState.GONE, guid=None)
    (begun,) = effects(other.plan(ContinuePolling(agent_id="291")), SignInAgent)
    assert begun.state == "busy"  # nobody answers its calls


def test_each_sign_in_of_a_pushed_reader_has_a_token_that_counts_once_it_is_signed_in() -> None:
    scene = Scene("306")
    scene.session(state=SessionState.GONE, guid=None, service_token=TOKEN)
    scene.snapshot.absent = ["306"]
    (begun,) = effects(scene.plan(TakeOverSessions()), SignInAgent)
    token = begun.service_token
    assert token is not None
    assert token.isalnum()
    assert len(token) <= 50
    assert token != TOKEN
    assert scene.now_stored.takes_push(token)  # the gateway may push before it answers
    scene.plan(SignInResult(agent_id="306", guid=Guid("new")))
    assert scene.now_stored.takes_push(token)
    assert not scene.now_stored.takes_push(TOKEN)
    scene.snapshot.process = replace(scene.snapshot.process, nonce="of-another-batch")
    scene.session(state=SessionState.GONE, guid=None)
    (next_one,) = effects(scene.plan(TakeOverSessions()), SignInAgent)
    assert next_one.service_token not in (None, token)


def test_a_refused_sign_in_is_repeated_later_each_time() -> None:
    scene = Scene("305")
    scene.snapshot.absent = ["305"]
    waits = []
    for _ in range(7):
        scene.plan(SignInResult(agent_id="305", error=SignInRefusedError("no", retcode="100-004")))
        began = scene.now
        while not effects(scene.plan(TakeOverSessions()), SignInAgent):
            scene.now += 5
        waits.append(scene.now - began)
    assert waits[:4] == [REFUSED_SECONDS * factor for factor in (1, 2, 4, 8)]
    assert waits[4:] == [LONGEST_REFUSED] * 3
    scene.plan(SignInResult(agent_id="305", guid=Guid("new")))
    assert scene.now_stored.sign_in_failures == 0


def test_a_gateway_that_is_away_is_tried_again_at_once_and_logged_now_and_then() -> None:
    scene = Scene("305")
    scene.snapshot.absent = ["305"]
    lines = 0
    for _ in range(64):
        plan = scene.plan(SignInResult(agent_id="305", error=UnreachableError("away")))
        lines += len([each for each in effects(plan, Log) if each.level == logging.WARNING])
        assert effects(scene.plan(TakeOverSessions()), SignInAgent)
    assert lines == 7


def test_one_who_was_signed_out_on_purpose_stays_so() -> None:
    scene = Scene("305")
    scene.session(state=SessionState.SIGNED_OUT, guid=None)
    scene.snapshot.absent = ["305"]
    assert effects(scene.plan(TakeOverSessions()), SignInAgent) == []


def test_skills_are_reset_after_a_readers_sign_in_and_after_no_other() -> None:
    for agent_id, expected in (("305", [RequestKind.SKILLS]), ("291", [])):
        scene = Scene(agent_id)
        plan = scene.plan(SignInResult(agent_id=agent_id, guid=Guid("new")))
        assert [each.request.kind for each in effects(plan, AskAgent)] == expected


@pytest.mark.parametrize(
    ("error", "again"),
    [(RetryableError("busy"), True), (FinalError("no"), False), (SessionGoneError("gone"), False)],
)
def test_a_reset_that_was_not_taken_is_made_again(error: GatewayError, *, again: bool) -> None:
    scene = Scene("305")
    scene.session()
    request = AgentRequest(RequestKind.SKILLS)
    plan = scene.plan(AgentAnswered(agent_id="305", request=request, guid=GUID, error=error))
    puts = [each for each in effects(plan, Put) if isinstance(each.command, RepeatRequest)]
    assert len(puts) == again
    if again:
        assert puts[0].at > NOW
        (asked,) = effects(scene.plan(puts[0].command), AskAgent)
        assert asked.request.attempt == 2
    last = replace(request, attempt=4)
    plan = scene.plan(AgentAnswered(agent_id="305", request=last, guid=GUID, error=error))
    assert not [each for each in effects(plan, Put) if isinstance(each.command, RepeatRequest)]


# -- keeping the session ---------------------------------------------------------------------------


@pytest.mark.parametrize(("agent_id", "pause"), [("305", 0.3), ("306", HANDSHAKE_PAUSE)])
def test_a_poll_is_repeated_after_a_pause_and_a_handshake_after_half_a_minute(
    agent_id: str, pause: float
) -> None:
    scene = Scene(agent_id)
    scene.session()
    (poll,) = effects(scene.plan(polled(agent_id=agent_id)), Poll)
    assert poll.pause == pause


def test_the_lease_never_ends_between_two_handshakes() -> None:
    scene = Scene("306")
    scene.session(poller=None, poller_until=None)
    for _ in range(20):
        plan = scene.plan(polled(agent_id="306"))
        (poll,) = effects(plan, Poll)
        scene.now += poll.pause
        assert (scene.now_stored.poller_until or 0) > scene.now
        scene.plan(ContinuePolling(agent_id="306"))


@pytest.mark.parametrize("command", [polled(agent_id="292"), ContinuePolling(agent_id="292")])
def test_an_agent_whose_desktop_polls_is_never_polled(command: Command) -> None:
    scene = Scene("292")
    scene.session()  # signed in by the bridge before the configuration was changed
    plan = scene.plan(command)
    assert effects(plan, Poll) == []
    assert effects(plan, StopPolling)
    scene.session(poller=None)
    scene.snapshot.unattended = ["292"]
    assert effects(scene.plan(TakeOverSessions()), Poll) == []


def test_an_agent_that_was_taken_over_is_polled_and_asked_for_nothing() -> None:
    scene = Scene("305")
    scene.session(poller="there", poller_until=NOW - 1)
    scene.snapshot.unattended = ["305"]
    taken = scene.plan(TakeOverSessions())
    assert effects(taken, Poll)
    for plan in (taken, scene.plan(polled(STATE)), scene.plan(polled())):
        assert effects(plan, AskAgent) == []


@pytest.mark.parametrize(("reported", "expected"), [("wrap_up", "wrap_up"), ("ready", None)])
def test_the_event_of_a_new_state_may_come_before_the_response(
    reported: str, expected: str | None
) -> None:
    scene = Scene("305")
    scene.session(agent_state=reported)
    request = AgentRequest(RequestKind.STATE, state="wrap_up")
    (session,) = scene.plan(AgentAnswered(agent_id="305", request=request, guid=GUID)).sessions
    assert (session.chosen_state, session.agent_state) == ("wrap_up", expected)


def test_a_reader_without_calls_is_signed_out_at_the_end_and_the_others_are_not() -> None:
    for agent_id, calls, expected in (
        ("305", set(), True),
        ("305", {"305"}, False),
        ("306", set(), True),
        ("291", set(), False),
    ):
        scene = Scene(agent_id)
        scene.session(service_token=TOKEN)
        scene.snapshot.with_calls = set(calls)
        plan = scene.plan(ReleasePolls(agent_ids=frozenset({agent_id})))
        assert bool(effects(plan, SignOutAgent)) is expected
        assert scene.now_stored.poller is None
        assert scene.now_stored.usable is not expected
        # While the sign-out is under way, no other process signs the agent in.
        assert (scene.now_stored.signing_in == "here") is expected


# -- events ----------------------------------------------------------------------------------------


def test_events_are_stored_and_counted_and_the_unknown_are_logged_once() -> None:
    scene = Scene("305")
    scene.session()
    plan = scene.plan(polled(UNKNOWN))
    (stored,) = plan.events
    assert (stored.event_type, stored.generated_at) == ("AgentEvent_Brand_New", 1_800_000_000.0)
    assert Count("event_read", ("unknown",)) in plan.effects
    (line,) = effects(plan, Log)
    assert line.once == "event AgentEvent_Brand_New"
    plan = scene.plan(polled(ReceivedEvent("AgentEvent_Ringing", {"callid": "a secret/"})))
    (line,) = effects(plan, Log)
    assert "secret" not in line.message % line.arguments
    assert Count("event_read", ("AgentEvent_Ringing",)) in plan.effects


def test_the_state_that_the_platform_reports_is_kept() -> None:
    scene = Scene("305")
    scene.session(chosen_state="ready")
    scene.plan(polled(ReceivedEvent("AgentState_Busy", None)))
    assert (scene.now_stored.agent_state, scene.now_stored.chosen_state) == ("talking", "ready")
    scene.plan(polled(STATE))  # a supervisor may have forced it: nobody chose it
    assert (scene.now_stored.agent_state, scene.now_stored.chosen_state) == ("busy", "ready")


_events = st.lists(
    st.builds(
        ReceivedEvent,
        st.just("AgentEvent_MessageData"),
        st.sampled_from([{"callid": "A"}, {"callid": "B"}, {"callid": "C"}, None]),
        st.integers(1_800_000_000_000, 1_800_000_000_009) | st.none(),
    ),
    max_size=8,
)


@given(_events)
def test_a_batch_keeps_its_events_and_the_order_of_each_call(batch: list[ReceivedEvent]) -> None:
    found = received.in_order(batch)
    assert sorted(map(repr, found)) == sorted(map(repr, batch))
    for call_id in "ABC":
        before = [each for each in batch if (each.content or {}).get("callid") == call_id]
        after = [each for each in found if (each.content or {}).get("callid") == call_id]
        times = [each.generated_at for each in before]
        assert after == (before if None in times else sorted(before, key=lambda each: each[2]))
    assert [each.content for each in found] == [each.content for each in batch]


# -- pushes ----------------------------------------------------------------------------------------


def test_a_push_is_taken_with_the_token_of_its_session_alone() -> None:
    scene = Scene("306")
    scene.session(service_token=TOKEN)
    for wrong in ("", "x", TOKEN[:-1], TOKEN + "0", "\ud83d"):
        with pytest.raises(RefusedError) as refused:
            scene.plan(pushed(STATE, service_token=wrong))
        assert refused.value.status == 401
    assert scene.plan(pushed(STATE)).answer is True
    scene.session(service_token=None)
    with pytest.raises(RefusedError):
        scene.plan(pushed(STATE))


def test_an_identical_batch_within_five_seconds_is_the_same_one() -> None:
    scene = Scene("306")
    scene.session(service_token=TOKEN)
    assert len(scene.plan(pushed(STATE, UNKNOWN)).events) == 2
    scene.now += 4.9
    assert scene.plan(pushed(STATE, UNKNOWN)) == Plan(answer=True)
    assert len(scene.plan(pushed(STATE, digest="two")).events) == 1
    scene.now += 5.1
    assert len(scene.plan(pushed(STATE, digest="two")).events) == 1
    scene.now -= 60  # the clock was set back
    assert len(scene.plan(pushed(STATE, digest="two")).events) == 1


def test_a_push_that_ends_the_session_signs_in_again() -> None:
    scene = Scene("306")
    scene.session(service_token=TOKEN)
    plan = scene.plan(pushed(ReceivedEvent("AgentOther_ShutdownService", {"loginTime": "1"})))
    assert effects(plan, SignInAgent)
    assert scene.now_stored.state is SessionState.GONE


# -- states ----------------------------------------------------------------------------------------


def test_a_state_is_stored_when_the_gateway_has_agreed() -> None:
    scene = Scene("305")
    scene.session(agent_state="wrap_up", chosen_state="wrap_up")
    plan = scene.plan(ChooseState(agent_id="305", state="busy"))
    (asked,) = effects(plan, AskAgent)
    assert (asked.request.state, asked.request.former) == ("busy", "wrap_up")
    assert scene.now_stored.chosen_state == "wrap_up"
    refused = AgentAnswered(
        agent_id="305", request=asked.request, guid=GUID, error=FinalError("no")
    )
    assert isinstance(scene.plan(refused).answer, FinalError)
    assert scene.now_stored.chosen_state == "wrap_up"
    agreed = AgentAnswered(agent_id="305", request=asked.request, guid=GUID)
    assert scene.plan(agreed).answer.chosen_state == "busy"


@pytest.mark.parametrize(
    "state", [SessionState.GONE, SessionState.REFUSED, SessionState.SIGNED_OUT]
)
def test_choosing_a_state_signs_an_absent_agent_in(state: SessionState) -> None:
    scene = Scene("305")
    scene.session(state=state, guid=None)
    plan = scene.plan(ChooseState(agent_id="305", state="busy"))
    (begun,) = effects(plan, SignInAgent)
    assert begun.state == "busy"
    assert plan.answer.chosen_state == "busy"


def test_the_state_of_another_agent_is_its_desktops() -> None:
    with pytest.raises(RefusedError) as refused:
        Scene("292").plan(ChooseState(agent_id="292", state="ready"))
    assert (refused.value.status, refused.value.code) == (409, "session_is_the_desktops")


# -- chats -----------------------------------------------------------------------------------------


def test_a_number_of_chats_is_stored_when_the_gateway_has_accepted_it() -> None:
    scene = Scene("305")
    scene.session()
    plan = scene.plan(ChooseChats(agent_id="305", chats=5))
    (asked,) = effects(plan, AskAgent)
    assert (asked.request.kind, asked.request.chats) == (RequestKind.CHATS, 5)
    refused = AgentAnswered(
        agent_id="305", request=asked.request, guid=GUID, error=RetryableError("later")
    )
    plan = scene.plan(refused)
    assert isinstance(plan.answer, RetryableError)
    assert effects(plan, Put) == []
    assert scene.now_stored.chats is None
    accepted = AgentAnswered(agent_id="305", request=asked.request, guid=GUID)
    assert scene.plan(accepted).answer.chats == 5
    assert scene.now_stored.chats == 5


@pytest.mark.parametrize(
    "state", [SessionState.GONE, SessionState.REFUSED, SessionState.SIGNED_OUT, None]
)
def test_an_absent_readers_number_of_chats_waits_for_the_next_sign_in(
    state: SessionState | None,
) -> None:
    scene = Scene("305")
    if state is not None:
        scene.session(state=state, guid=None)
    plan = scene.plan(ChooseChats(agent_id="305", chats=5))
    assert plan.effects == ()
    assert plan.answer.chats == scene.now_stored.chats == 5


@pytest.mark.parametrize(
    ("configured", "chosen", "expected"), [(None, None, None), (3, None, 3), (3, 5, 5)]
)
def test_the_chosen_number_of_chats_goes_before_the_configured_one(
    configured: int | None, chosen: int | None, expected: int | None
) -> None:
    scene = Scene("305", rules(agents={"305": {**READER, "chats": configured}}))
    scene.session(state=SessionState.GONE, guid=None, chats=chosen)
    plan = scene.plan(SignInResult(agent_id="305", guid=Guid("new")))
    (asked,) = effects(plan, AskAgent)
    assert (asked.request.kind, asked.request.chats) == (RequestKind.SKILLS, expected)


def test_a_number_that_is_chosen_while_the_skills_are_reset_again_is_not_undone() -> None:
    scene = Scene("305")
    scene.session(chats=5)
    earlier = AgentRequest(RequestKind.SKILLS, chats=3, attempt=2)
    (asked,) = effects(scene.plan(RepeatRequest(agent_id="305", request=earlier)), AskAgent)
    assert asked.request == AgentRequest(RequestKind.SKILLS, chats=5, attempt=2)


@pytest.mark.parametrize("agent_id", ["291", "292"])  # the bridge signs 291 in, and reads nothing
def test_only_readers_have_a_number_of_chats(agent_id: str) -> None:
    with pytest.raises(RefusedError) as refused:
        Scene(agent_id).plan(ChooseChats(agent_id=agent_id, chats=5))
    assert (refused.value.status, refused.value.code) == (409, "no_reader")
