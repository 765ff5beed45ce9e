"""Agents' sessions as stories, on what the gateway recorded."""

from __future__ import annotations

import time

import pytest

from bridge.gateway import wire
from bridge.model import AgentId, DeliveryState, Guid
from bridge.state.commands import PushGuid, SignOut
from bridge.state.records import SessionRecord, SessionState
from bridge.store import Store
from tests.gateway.rig import Rig, fresh, settings, until
from tests.making import envelope
from tests.simulator.harness import Simulator
from tests.store.machine import keep

pytestmark = pytest.mark.both_engines


def state_of(rig: Rig, agent_id: str) -> SessionState | None:
    session = rig.session(agent_id)
    return session.state if session else None


def push(rig: Rig, agent_id: str, guid: str) -> None:
    """The agent's desktop hands over its GUID."""
    rig.core.call(PushGuid(agent_id=agent_id, guid=Guid(guid)))


def accepted_sign_ins(gateway: Simulator) -> int:
    return len(gateway.recorded(operation="sign_in", verdict="accepted"))


def test_ten_calls_of_an_agent_whose_session_is_gone_make_one_sign_in(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(0, call="first"))
        gateway.wait_for(messages=1)
        gateway.expire("291")
        before = len(gateway.recorded(operation="sign_in"))
        rig.send(*(fresh(number, call=f"call-{number}") for number in range(1, 11)))
        gateway.wait_for(messages=11)
        assert len(gateway.recorded(operation="sign_in")) - before == 1
        codes = [message["code"] for message in gateway.messages()]
        assert len(set(codes)) == 11


def test_a_session_lives_through_ten_minutes_of_rotation_without_a_second_sign_in(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        gateway.wait_for(messages=1)
        gateway.wait_for(requests=1, operation="poll")
        first = gateway.agent("291")["session"]["guid"]
        gateway.advance(600, step=20)
        rig.send(fresh(2))
        gateway.wait_for(messages=2)
        assert gateway.agent("291")["session"]["guid"] != first
        assert len(gateway.recorded(operation="sign_in")) == 1


def test_a_pushed_agent_waits_for_its_desktop_and_is_never_signed_in(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1, envelope=envelope(agent_id="292")))
        rig.wait(lambda batch: batch[0].error is not None)
        error = rig.all()[0].error
        assert error is not None
        assert error.code == "agent_signed_out"
        assert gateway.recorded() == []
        push(rig, "292", gateway.sign_in("292"))
        gateway.wait_for(messages=1)
        assert rig.settled(1)[0].state is DeliveryState.DELIVERED


def test_a_stale_guid_of_a_pushed_agent_is_not_used_again(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        push(rig, "292", gateway.sign_in("292"))
        gateway.expire("292")
        rig.send(fresh(1, envelope=envelope(agent_id="292")))
        gateway.wait_for(requests=1, operation="send_message")
        rig.wait(lambda batch: batch[0].error is not None)
        push(rig, "292", gateway.sign_in("292"))
        gateway.wait_for(messages=1)
        assert len(gateway.recorded(operation="send_message")) == 2


def test_a_desktop_that_holds_the_agent_is_not_thrown_out(
    gateway: Simulator, store_url: str
) -> None:
    gateway.sign_in("291")
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        gateway.wait_for(requests=2, operation="sign_in")  # the desktop's and the refused one
        rig.wait(lambda batch: batch[0].error is not None)
        rig.wait(lambda _batch: state_of(rig, "291") is SessionState.REFUSED)
        assert gateway.recorded(operation="force_sign_in") == []
        assert gateway.messages() == []


def test_a_session_that_is_ours_is_tried_again_and_then_forced_once(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        gateway.wait_for(messages=1)
        # From now on the gateway takes our GUID for wrong and yet has the agent signed in.
        gateway.fault("expire_guids", path="*sendmessage")
        rig.send(fresh(2))
        gateway.wait_for(messages=2)
        assert len(gateway.recorded(operation="force_sign_in")) <= 1
        assert rig.settled(2)[1].state is DeliveryState.DELIVERED


def test_a_sign_in_that_a_dying_process_left_behind_is_taken_over(
    gateway: Simulator, store_url: str
) -> None:
    begun = SessionRecord(
        AgentId("291"),
        None,
        SessionState.GONE,
        ours=False,
        generation=0,
        renewed_at=time.time() - 9,
        signing_in="the-dead",
        signing_in_until=time.time() - 3,
    )
    store = Store(store_url)
    keep(store, sessions=[begun])
    store.close()
    gateway.sign_in("291")  # whose answer nobody stored
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        gateway.wait_for(messages=1)
    assert len(gateway.recorded(operation="force_sign_in")) == 1


def test_wrong_credentials_are_tried_once_not_again_and_again(
    gateway: Simulator, store_url: str
) -> None:
    gateway.settings(agents={"291": "another-password"})
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(*(fresh(number, call=f"call-{number}") for number in range(5)))
        gateway.wait_for(requests=1, operation="sign_in")
        rig.wait(lambda _batch: state_of(rig, "291") is SessionState.REFUSED)
        rig.send(fresh(9, call="later"))
        rig.wait(lambda batch: all(item.error is not None for item in batch))
        assert len(gateway.recorded(operation="sign_in")) == 1


def test_a_process_that_starts_goes_on_with_the_session_that_the_last_one_had(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        gateway.wait_for(messages=1)
    polls = len(gateway.recorded(operation="poll"))
    with Rig(store_url, settings(gateway.url)) as rig:
        gateway.wait_for(requests=polls + 2, operation="poll")
        rig.send(fresh(2))
        gateway.wait_for(messages=2)
    assert accepted_sign_ins(gateway) == 1


def test_signing_out_ends_the_polling_and_does_not_sign_in_again(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        gateway.wait_for(messages=1)
        gateway.wait_for(requests=1, operation="poll")
        rig.core.call(SignOut(agent_id="291"))
        until(lambda: not rig.core._polls.agents)
        polls = len(gateway.recorded(operation="poll"))
        time.sleep(0.5)
        assert len(gateway.recorded(operation="poll")) == polls
        assert len(gateway.recorded(operation="sign_in")) == 1
        assert not gateway.agent("291")["signed_in"]


def test_no_session_secret_is_in_a_request_but_where_it_belongs(
    gateway: Simulator, store_url: str
) -> None:
    with Rig(store_url, settings(gateway.url)) as rig:
        rig.send(fresh(1))
        gateway.wait_for(messages=1)
        guid = gateway.agent("291")["session"]["guid"]
        for request in gateway.recorded():
            assert guid not in request["path"] + str(request["query"])
            if request["operation"] != "sign_in":
                assert "secret-password" not in str(request)
    assert wire.is_guid(guid)
