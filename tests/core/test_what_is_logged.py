"""Lines of the log name the conversation that they are about, and the state after the event."""

from __future__ import annotations

import logging
import re

import pytest

from bridge.errors import FinalError, GatewayError, RetryableError, UnknownOutcomeError
from bridge.model import DeliveryState
from bridge.planners import Rules
from bridge.state.commands import ActionKind, HandBackCall
from tests.core.rig import Making, Rig, call, reply, rules


@pytest.fixture
def chosen() -> Rules:
    return rules(rasa={"url": "http://127.0.0.1:9"})


@pytest.fixture
def rig(make: Making, chosen: Rules, caplog: pytest.LogCaptureFixture) -> Rig:
    caplog.set_level(logging.INFO)
    return make(chosen=chosen)


def line(caplog: pytest.LogCaptureFixture, start: str) -> str:
    """The one line that begins so."""
    (found,) = (each for each in caplog.messages if each.startswith(start))
    return found


def test_a_handoff_that_cannot_be_made_names_the_conversation(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.ask(call("somebody"))
    said = line(caplog, "No handoff could be made")
    assert said.endswith("code=no_assignment sender_id=somebody")


def test_an_expiry_is_logged(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.assign("A")
    rig.do(reply("A", "first"))
    rig.do(reply("A", "second", "c-2"))
    expire = rig.rules.bridge.delivery.expire_after
    rig.complete(RetryableError("busy", status=503))
    rig.senders.sent.clear()
    rig.clock.leap(2 * expire)
    rig.step(3)
    lines = [each for each in caplog.messages if each.startswith("A message is no longer sent")]
    assert len(lines) == 2
    for said, item in zip(lines, rig.all(), strict=True):
        assert item.state is DeliveryState.EXPIRED
        assert f"call_id=A delivery={item.id} attempts={item.attempts} state=expired" in said


@pytest.mark.parametrize(("agent", "by"), [("291", "agent:291"), (None, "system")])
def test_a_handback_is_logged(
    rig: Rig, caplog: pytest.LogCaptureFixture, agent: str | None, by: str
) -> None:
    rig.assign("A")
    rig.do(HandBackCall(call_id="A", agent_id=agent))
    assert line(caplog, "Handed back") == f"Handed back call_id=A by={by}"


def test_a_handback_by_the_bot_is_logged(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    sender = rig.assign("A")
    rig.ask(call(sender, action=ActionKind.HANDBACK))
    assert line(caplog, "Handed back") == "Handed back call_id=A by=rasa"


@pytest.mark.parametrize(
    "error",
    [
        RetryableError("busy", status=503),
        UnknownOutcomeError("no answer"),
        FinalError("refused", retcode="106-001"),
    ],
)
def test_a_failed_attempt_is_logged_with_the_state_after_it(
    rig: Rig, caplog: pytest.LogCaptureFixture, error: GatewayError
) -> None:
    rig.assign("A")
    rig.do(reply("A"))
    rig.complete(error)
    (item,) = rig.all()
    said = line(caplog, error.message)
    found = re.search(r"attempt=(\d+) state=(\w+)", said)
    assert found is not None
    sent_again = item.state is DeliveryState.SENDING  # it was claimed anew in the same commit
    state = "waiting" if sent_again else item.state.value
    assert found.groups() == (str(item.attempts), state)
