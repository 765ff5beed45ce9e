"""Whatever is put, each command has an answer or an error, and the core goes on."""

from __future__ import annotations

import logging
from dataclasses import replace
from inspect import isabstract
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.core.batches import BATCH
from bridge.errors import BridgeError, GatewayError, RetryableError
from bridge.model import DeliveryState
from bridge.planners import PLANNERS
from bridge.state import commands
from bridge.state.commands import Command
from tests.core.nonsense import gateway_errors, nonsense, texts
from tests.core.rig import Asked, Making, Rig, call, reply

LEAST = 1000  # commands on each engine
EXAMPLES = 90
FROM_OUTSIDE = (
    commands.CallAction,
    commands.AssignCall,
    commands.EndCall,
    commands.HandBackCall,
    commands.AnswerCall,
    commands.RejectCall,
    commands.ReleaseCall,
    commands.TransferCall,
    commands.PushGuid,
    commands.SignOut,
    commands.ChooseState,
    commands.ChooseChats,
    commands.PushEvents,
    commands.AcceptSuggestion,
    commands.RejectSuggestion,
    commands.DisplaySuggestion,
    commands.CopySuggestion,
    commands.OfferSuggestion,
    commands.ForwardMessage,
    commands.NotePresence,
    commands.NoteTyping,
    commands.HideAssist,
    commands.SendReply,
    commands.RetryDelivery,
    commands.DiscardDelivery,
    commands.SetSwitch,
    commands.RevokeTokens,
    commands.LeadTask,
    commands.LeaveTask,
    commands.PruneRows,
    commands.DropRevocations,
    commands.StopErased,
    commands.EraseRows,
    commands.CheckStore,
)
_settings = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def test_every_command_has_a_planner() -> None:
    bases = {base for kind in PLANNERS for base in kind.__mro__[1:]}
    known = {
        each
        for each in vars(commands).values()
        if isinstance(each, type) and issubclass(each, Command) and not isabstract(each)
    }
    assert known - bases == set(PLANNERS)


@pytest.mark.timeout(300)
def test_the_loop_survives_a_thousand_commands_of_nonsense(
    make: Making, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    rig = make()
    put = 0
    numbers = count()

    def handle(batch: list[Command]) -> list[Asked]:
        asked = []
        for command in batch:
            if isinstance(command, FROM_OUTSIDE):
                asked += rig.submit(command)
            else:
                rig.core.put(command)
        rig.step(len(batch) // BATCH + 2)
        rig.clock.move(61.0)  # longer than anybody waits
        rig.step(2)
        rig.senders.sent.clear()
        rig.senders.requested.clear()
        return asked

    @_settings
    @given(st.lists(nonsense, min_size=12, max_size=20))
    def run(batch: list[Command]) -> None:
        nonlocal put
        put += len(batch)
        for command, asked in zip(
            [each for each in batch if isinstance(each, FROM_OUTSIDE)], handle(batch), strict=True
        ):
            assert len(asked.answers) == 1, command
            assert asked.error is None or isinstance(asked.error, BridgeError)

    run()
    assert put >= LEAST
    assert rig.core._refusals.pending == [], "it is offered to the store for ever"
    _works(rig, next(numbers))


def _works(rig: Rig, number: int) -> None:
    """A handoff is made as if nothing had been."""
    sender = rig.assign(f"normal-{number}", owner=None)
    asked = rig.ask(call(sender, at=rig.clock.now()))
    (sending,) = (
        each for each in rig.senders.sent if each.delivery.envelope.call_id == f"normal-{number}"
    )
    rig.core.put(sending.result())
    rig.step()
    assert asked.value.delivery == "delivered"


@pytest.mark.timeout(300)
def test_whatever_a_gateway_says_its_delivery_is_not_sending_for_ever(
    make: Making, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    numbers = count()

    @_settings
    @given(gateway_errors | st.none(), st.none() | texts, st.booleans())
    def run(error: GatewayError | None, new_guid: str | None, retried: bool) -> None:  # noqa: FBT001 - hypothesis passes it
        rig, call_id = make(), f"call-{next(numbers)}"
        rig.assign(call_id)
        (stored,) = rig.do(reply(call_id)).value
        (sending,) = (item for item in rig.senders.sent if item.delivery.seq == stored.seq)
        result = sending.result(error, new_guid=new_guid)
        rig.core.put(replace(result, retried=retried))
        rig.step()
        (found,) = (item for item in rig.all() if item.seq == stored.seq)
        assert found.lease != sending.delivery.lease, "nobody completes it any more"
        assert error is not None or found.state is DeliveryState.DELIVERED

    run()
    rig = make()
    _works(rig, next(numbers))


def test_an_outcome_that_cannot_be_stored_is_unknown_and_holds_up_nothing(
    make: Making, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    rig = make()
    rig.assign("A")
    rig.assign("B")
    rig.do(reply("A", "one"))
    rig.do(reply("B", "two"))
    first, second = rig.senders.sent
    rig.senders.sent.clear()
    rig.core.put(first.result(RetryableError("busy", status=503), jitter=float("nan")))
    rig.core.put(second.result())
    rig.step(2)
    assert [item.state.value for item in rig.all()] == ["sending", "delivered"]
    (again,) = rig.senders.sent  # at once, under the same code
    assert again.delivery.message_code == first.delivery.message_code
    assert rig.all()[0].unknowns == 1
