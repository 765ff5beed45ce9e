"""Two machines on one database that do the same at the same moment: it is done once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from bridge.model import CallId, DeliveryState, Owner
from bridge.state.commands import AssignCall, CallAction, EndCall, SendReply
from tests.core.rig import call, given
from tests.gateway.rig import Rig, settings
from tests.making import assignment
from tests.simulator.harness import Simulator

pytestmark = pytest.mark.both_engines
CUSTOMERS = 20


@pytest.fixture
def rigs(gateway: Simulator, store_url: str) -> Iterator[list[Rig]]:
    with ExitStack() as opened:
        yield [opened.enter_context(Rig(store_url, settings(gateway.url))) for _ in range(2)]


def at_once(rigs: list[Rig], commands: list[Any]) -> list[Any]:
    """Put each command to both; what the first answered each, then what the second did."""
    with ThreadPoolExecutor(2 * len(commands)) as askers:
        asked = [askers.submit(rig.core.call, command) for rig in rigs for command in commands]
        return [each.result(60) for each in asked]


def wish(number: int, message: int = 1) -> CallAction:
    """A customer's wish for a person, with the assignment in a token."""
    made = assignment(sender_id=f"customer-{number}", call_id=CallId(f"call-{number}"))
    return call(made.sender_id, brought=made, number=message, at=time.time())


def test_the_same_request_is_answered_alike_and_said_once(
    gateway: Simulator, rigs: list[Rig]
) -> None:
    answers = at_once(rigs, [wish(number) for number in range(CUSTOMERS)])
    first, second = answers[:CUSTOMERS], answers[CUSTOMERS:]
    assert first == second
    assert {answer.state for answer in first} == {"handoff"}
    rigs[0].settled(CUSTOMERS)
    said = Counter(message["call"] for message in gateway.messages())
    assert said == {f"call-{number}": 1 for number in range(CUSTOMERS)}
    assert len(gateway.recorded(operation="sign_in")) == 1
    assert gateway.state()["violations"] == []


def test_two_wishes_of_one_customer_are_one_handoff(gateway: Simulator, rigs: list[Rig]) -> None:
    """Two messages, one to each machine: whoever comes second finds that an agent has the call."""
    with ThreadPoolExecutor(2 * CUSTOMERS) as askers:
        asked = [
            askers.submit(rig.core.call, wish(number, message))
            for message, rig in enumerate(rigs, 1)
            for number in range(CUSTOMERS)
        ]
        answers = [each.result(60) for each in asked]
    assert {answer.state for answer in answers} == {"handoff"}
    assert {answer.error for answer in answers} == {None}
    rigs[0].wait(lambda batch: all(item.state is DeliveryState.DELIVERED for item in batch))
    said = Counter(message["call"] for message in gateway.messages())
    assert said == {f"call-{number}": 1 for number in range(CUSTOMERS)}


def test_forty_messages_of_one_agent_make_one_sign_in(gateway: Simulator, rigs: list[Rig]) -> None:
    gateway.fault("delay", path="onlineagent/*", ms=300)  # so that all of them wait for it
    for number in range(40):
        rigs[0].core.call(AssignCall(assignment=given(f"call-{number}"), owner=Owner.AGENT))
    with ThreadPoolExecutor(40) as agents:
        sent = [
            agents.submit(
                rigs[number % 2].core.call,
                SendReply(call_id=f"call-{number}", text="Hello", client_id="c", agent_id=None),
            )
            for number in range(40)
        ]
        for each in sent:
            each.result(60)
    gateway.wait_for(messages=40)
    assert {item.state for item in rigs[1].settled(40)} == {DeliveryState.DELIVERED}
    assert len(gateway.recorded(operation="sign_in")) == 1
    assert gateway.recorded(operation="force_sign_in") == []
    assert not any(message["repeated"] for message in gateway.messages())
    # And once more when that session is gone.
    gateway.expire("291")
    with ThreadPoolExecutor(40) as agents:
        list(
            agents.map(
                lambda number: rigs[number % 2].core.call(
                    SendReply(call_id=f"call-{number}", text="Bye", client_id="d", agent_id=None)
                ),
                range(40),
            )
        )
    gateway.wait_for(messages=80)
    assert {item.state for item in rigs[1].settled(80)} == {DeliveryState.DELIVERED}
    assert len(gateway.recorded(operation="sign_in")) == 2
    assert gateway.recorded(operation="force_sign_in") == []
    assert gateway.state()["violations"] == []


def test_a_conversation_that_both_change_stays_whole(gateway: Simulator, rigs: list[Rig]) -> None:
    """Given, written in, taken back and ended, by turns here and there."""
    gateway.settings(delay_ms=5)

    def talk(number: int) -> None:
        name, sender = f"call-{number}", f"customer-{number}"
        for turn in range(5):
            one, other = rigs[turn % 2].core, rigs[(turn + 1) % 2].core
            one.call(AssignCall(assignment=given(name, sender=sender), owner=Owner.AGENT))
            for text in ("a", "b", "c"):
                reply = SendReply(call_id=name, text=text, client_id=f"{turn}{text}", agent_id=None)
                other.call(reply)
                one.call(reply)
            other.call(AssignCall(assignment=given(name, sender=sender), owner=Owner.BOT))
        rigs[0].core.call(EndCall(sender_id=sender))

    with ThreadPoolExecutor(8) as talkers:
        list(talkers.map(talk, range(8)))
    stored = rigs[0].settled(8 * 15)
    assert len(stored) == 8 * 15
    arrived = [message["code"] for message in gateway.messages() if not message["repeated"]]
    assert len(arrived) == len(set(arrived))
    for item in stored:
        assert (item.message_code in arrived) == (item.state is DeliveryState.DELIVERED), item
    beside = [entry for entry in gateway.recorded() if entry["beside"]]
    assert beside == []  # never two of one call at a time
    for number in range(8):
        of_call = [
            item.message_code for item in stored if item.envelope.call_id == f"call-{number}"
        ]
        said = [message["code"] for message in gateway.messages(call=f"call-{number}")]
        assert said == [code for code in of_call if code in set(said)]  # in order
