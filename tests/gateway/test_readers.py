"""Readers as stories, on what the gateway recorded: signed in, kept so, and signed out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from bridge.config.settings import BridgeSettings
from bridge.state.commands import AssignCall, ChooseChats, ChooseState, PushEvents
from bridge.state.records import EventRecord, SessionRecord, SessionState
from bridge.store import lists
from tests.core.rig import given
from tests.gateway.rig import SIGN_IN, Rig, fresh, settings, until
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines

READER = {**SIGN_IN, "reader": True}
ELSEWHERE = "another-machine.0123456789ab:17:0123456789abcdef"


def readers(gateway: Simulator, **changes: Any) -> BridgeSettings:
    """``bridge.yml`` with two readers, of whom the events of one are pushed."""
    pushed = {**READER, "events": "push"}
    # Nobody serves this address: what is pushed is lost.
    reader = {"push_url": "http://127.0.0.1:9", "skills": [1, 2], **changes}
    return settings(gateway.url, agents={"305": READER, "306": pushed}, reader=reader)


@pytest.fixture
def rig(gateway: Simulator, store_url: str) -> Iterator[Rig]:
    with Rig(store_url, readers(gateway)) as started:
        yield started


def usable(rig: Rig, agent_id: str) -> SessionRecord:
    """An agent's session, once it is signed in."""
    until(lambda: (found := rig.session(agent_id)) is not None and found.usable)
    found = rig.session(agent_id)
    assert found is not None
    return found


def stored(rig: Rig, agent_id: str) -> list[EventRecord]:
    """What an agent's reader read, oldest first."""
    found = rig.store.read(lambda tx: lists.events_of_agent(tx, agent_id))
    return sorted(found, key=lambda event: event.seq)


def _read(rig: Rig, agent_id: str, number: int) -> bool:
    return len(stored(rig, agent_id)) >= number


def _is_in_state(rig: Rig, call_id: str, agent_id: str, state: str) -> bool:
    found = rig.store.read(lambda tx: lists.reader_calls(tx, [call_id]))
    return (call_id, agent_id) in found and found[call_id, agent_id].state.value == state


def counted(gateway: Simulator, operation: str, agent: str) -> int:
    return len(gateway.recorded(operation=operation, agent=agent))


def test_readers_are_signed_in_at_start_with_their_skills(gateway: Simulator, rig: Rig) -> None:
    gateway.wait_for(requests=2, operation="reset_skill")
    for agent_id in ("305", "306"):
        (signed_in,) = gateway.recorded(operation="sign_in", agent=agent_id)
        assert signed_in["body"]["status"] == "4"
        assert signed_in["body"]["autoanswer"] == "false"
        assert signed_in["body"]["autoenteridle"] == "true"
        (reset,) = gateway.recorded(operation="reset_skill", agent=agent_id)
        assert reset["path"].endswith("/resetskill/false")
        assert reset["query"] == {"skillid": "1;2", "phonelinkage": "0"}
    assert gateway.recorded(operation="sign_in", agent="291") == []
    gateway.wait_for(requests=2, operation="poll", agent="305")
    gateway.wait_for(requests=1, operation="handshake", agent="306")
    assert gateway.recorded(operation="poll", agent="306") == []
    until(lambda: len(stored(rig, "305")) == 2)
    assert [event.event_type for event in stored(rig, "305")] == [
        "AgentOther_InService",
        "AgentState_Ready",
    ]


def test_a_pushed_readers_address_and_token_are_its_own(gateway: Simulator, rig: Rig) -> None:
    session = usable(rig, "306")
    (signed_in,) = gateway.recorded(operation="sign_in", agent="306")
    token = signed_in["body"]["serviceToken"]
    assert token == session.service_token
    assert (
        signed_in["body"]["callBackUri"]
        == f"http://127.0.0.1:9/bridge/events?service_token={token}"
    )
    (polled,) = gateway.recorded(operation="sign_in", agent="305")
    assert not {"serviceToken", "callBackUri"} & set(polled["body"])


def test_a_guid_is_taken_from_a_handshake_and_never_from_a_push(
    gateway: Simulator, rig: Rig
) -> None:
    first = usable(rig, "306")
    assert first.service_token is not None
    rig.core.call(
        PushEvents(agent_id="306", service_token=first.service_token, events=(), digest="one")
    )
    assert rig.session("306") is not None
    gateway.rotate("306")
    gateway.event("306", "AgentState_Ready")
    until(lambda: gateway.pushes(agent="306"))
    session = rig.session("306")
    assert session is not None
    assert session.guid == first.guid
    # The next handshake brings it; so would that of any response.
    rig.core.call(ChooseState(agent_id="306", state="busy"))
    assert gateway.agent("306")["session"]["status"] == "3"


@pytest.mark.parametrize(
    ("states", "verbs", "status"),
    [
        (["busy"], ["saybusy"], "3"),
        (["wrap_up"], ["work"], "5"),
        (["busy", "ready"], ["saybusy", "sayfree"], "4"),
        (["wrap_up", "ready"], ["work", "cancelwork"], "4"),
        (["wrap_up", "busy"], ["work", "saybusy", "cancelwork"], "4"),
    ],
)
def test_states_at_the_gateway(
    gateway: Simulator, rig: Rig, states: list[str], verbs: list[str], status: str
) -> None:
    usable(rig, "305")
    until(lambda: stored(rig, "305")[-1:] and stored(rig, "305")[-1].event_type.endswith("Ready"))
    before = len(gateway.recorded(method="POST", agent="305"))
    for number, state in enumerate(states, 1):
        session = rig.core.call(ChooseState(agent_id="305", state=state))
        assert session.chosen_state == state
        expected = 2 + (len(verbs) if number == len(states) else number)
        until(partial(_read, rig, "305", expected))
    made = gateway.recorded(method="POST", agent="305")[before:]
    named = [each["path"].rsplit("/", 1)[1] for each in made]
    assert [name for name in named if name != "false"] == verbs
    assert gateway.agent("305")["session"]["status"] == status


def test_the_chosen_state_lasts_over_a_restart(gateway: Simulator, store_url: str) -> None:
    with Rig(store_url, readers(gateway)) as rig:
        usable(rig, "305")
        rig.core.call(ChooseState(agent_id="305", state="busy"))
    with Rig(store_url, readers(gateway)) as rig:
        usable(rig, "305")
        second = gateway.recorded(operation="sign_in", agent="305")[1]
        assert second["body"]["status"] == "3"


def test_the_chosen_number_of_chats_lasts_over_a_restart(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, readers(gateway)) as rig:
        usable(rig, "305")
        assert rig.core.call(ChooseChats(agent_id="305", chats=7)).chats == 7
        assert gateway.state()["chats"]["305"] == {"1": 7, "51": 7, "53": 7}
        assert "306" not in gateway.state()["chats"]
    with Rig(store_url, readers(gateway)) as rig:
        usable(rig, "305")
        until(lambda: len(gateway.recorded(operation="set_call_nums", agent="305")) == 6)
        session = rig.session("305")
        assert session is not None
        assert session.chats == 7


def test_at_the_end_readers_are_signed_out_unless_they_have_calls(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, readers(gateway)) as rig:
        usable(rig, "305")
        usable(rig, "306")
        rig.core.call(AssignCall(assignment=given("A", agent="305")))
    assert gateway.agent("305")["signed_in"]
    assert not gateway.agent("306")["signed_in"]
    gateway.event("305", "AgentEvent_Hold", {"callid": "A"})  # what happens meanwhile
    with Rig(store_url, readers(gateway)) as rig:
        until(lambda: stored(rig, "305")[-1].event_type == "AgentEvent_Hold")
        usable(rig, "306")
    assert counted(gateway, "sign_in", "305") == 1
    assert counted(gateway, "sign_in", "306") == 2
    assert gateway.recorded(operation="force_sign_in") == []
    assert gateway.recorded(operation="synchronise") == []
    assert gateway.state()["violations"] == []


@pytest.mark.parametrize(("auto_answer", "waits_in"), [(False, "ringing"), (True, "talking")])
def test_a_reader_whose_call_is_not_assigned_yet_is_not_signed_out_at_the_end(
    gateway: Simulator, store_url: str, *, auto_answer: bool, waits_in: str
) -> None:
    gateway.fault("hang", path="*callinfobycallid*", seconds=60, taken=False)
    chosen = readers(gateway, auto_answer=auto_answer)
    with Rig(store_url, chosen, last_poll=0.2) as rig:
        usable(rig, "305")
        usable(rig, "306")
        gateway.ring("A", "305")
        until(partial(_is_in_state, rig, "A", "305", waits_in))
        assert rig.store.read(lambda tx: lists.assignment_of_call(tx, "A")) is None
    assert gateway.agent("305")["signed_in"]
    assert not gateway.agent("306")["signed_in"]


def _held(rig: Rig) -> int:
    return [event.event_type for event in stored(rig, "305")].count("AgentEvent_Hold")


def test_after_a_crash_all_events_that_wait_are_read(gateway: Simulator, store_url: str) -> None:
    guid = gateway.sign_in("305", checkInWebm="true")
    for number in range(3):
        gateway.event("305", "AgentEvent_Hold", {"callid": f"A-{number}"})
    left = SessionRecord(
        agent_id="305",  # type: ignore[arg-type]
        guid=guid,  # type: ignore[arg-type]
        state=SessionState.SIGNED_IN,
        ours=True,
        generation=1,
        renewed_at=time.time() - 70,
        poller=ELSEWHERE,
        poller_until=time.time() - 1,
    )
    chosen = settings(gateway.url, agents={"305": READER})
    rig = Rig(store_url, chosen)
    rig.keep(sessions=[left])
    with rig:
        until(lambda: _held(rig) == 3)
        polls = counted(gateway, "poll", "305")
        gateway.wait_for(requests=polls + 2, operation="poll", agent="305")
        gateway.event("305", "AgentEvent_Hold", {"callid": "A-3"})
        until(lambda: _held(rig) == 4)
    assert counted(gateway, "sign_in", "305") == 1
    assert gateway.recorded(operation="synchronise") == []


def test_three_bridges_sign_each_reader_in_once(gateway: Simulator, store_url: str) -> None:
    rigs = [Rig(store_url, readers(gateway)) for _ in range(3)]
    for rig in rigs:
        rig.__enter__()
    try:
        for agent_id in ("305", "306"):
            usable(rigs[0], agent_id)
        gateway.wait_for(requests=4, operation="poll", agent="305")
        assert counted(gateway, "sign_in", "305") == 1
        assert counted(gateway, "sign_in", "306") == 1
    finally:
        for rig in rigs:
            rig.__exit__(None, None, None)
    assert gateway.recorded(operation="force_sign_in") == []
    assert gateway.state()["violations"] == []


def test_guids_that_rotate_every_second_lose_no_message(gateway: Simulator, store_url: str) -> None:
    gateway.settings(guid_interval_ms=1000, guid_timeout_ms=2000)
    with Rig(store_url, settings(gateway.url, agents={"305": READER, "291": READER})) as rig:
        usable(rig, "291")
        sent, end = 0, time.monotonic() + 4
        pace = threading.Event()
        while time.monotonic() < end:
            rig.send(*(fresh(sent + each, call=f"c-{(sent + each) % 7}") for each in range(5)))
            sent += 5
            pace.wait(0.05)
        assert len(rig.settled(sent, timeout=30)) == sent
        assert len(gateway.messages()) == sent
    assert counted(gateway, "sign_in", "291") == 1
    assert gateway.recorded(operation="force_sign_in") == []
    guids = {each["headers"]["guid"] for each in gateway.recorded(operation="send_message")}
    assert len(guids) >= 3
