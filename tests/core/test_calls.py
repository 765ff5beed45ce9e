"""The life of a reader's call, by the gateway's events, on both engines."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from bridge.errors import (
    FinalError,
    NotYoursError,
    RefusedError,
    RetryableError,
    SessionGoneError,
    UnknownOutcomeError,
)
from bridge.model import CallInfo, Channel, DeliveryState, Owner, SuggestionState
from bridge.state.calls import CallRequestKind, CallState, RequestOutcome
from bridge.state.commands import (
    AnswerCall,
    AssignCall,
    EndCall,
    OfferSuggestion,
    RejectCall,
    ReleaseCall,
    SendReply,
    TransferCall,
)
from bridge.store import lists
from tests.core.readers import (
    BOT,
    CALL,
    CUSTOMER,
    READER,
    answered,
    asked,
    chosen,
    finish,
    hang_up,
    hear,
    messages,
    ring,
    sign_in,
    talk,
    the_call,
    write,
)
from tests.core.rig import Asked, Making, Rig, given, reply
from tests.making import assignment

pytestmark = pytest.mark.both_engines

ANSWER, LOOK_UP = CallRequestKind.ANSWER, CallRequestKind.LOOK_UP
TRANSFER, RELEASE = CallRequestKind.TRANSFER, CallRequestKind.RELEASE


@pytest.fixture
def rig(make: Making) -> Rig:
    made = make(chosen=chosen())
    sign_in(made)
    return made


# -- from the ring to the conversation -------------------------------------------------------------


def test_a_ring_is_answered_looked_up_and_assigned_to_a_conversation_of_its_own(rig: Rig) -> None:
    ring(rig)
    assert asked(rig) == ["answer"]
    assert the_call(rig).state is CallState.ANSWERING
    finish(rig, ANSWER)
    assert asked(rig) == ["look_up"]
    found = CallInfo(CUSTOMER, "Maria", Channel.WHATSAPP, "77")
    finish(rig, LOOK_UP, found=found)
    record = rig.record(CALL)
    given = record.assignment
    assert (given.sender_id, given.agent_id, given.user_id) == (f"cc-{CALL}", READER, CUSTOMER)
    assert (given.channel, given.channel_config_id) == (Channel.WHATSAPP, "77")
    assert (record.owner, record.source, record.handed_off_at is None) == (
        Owner.AGENT,
        "reader",
        False,
    )
    assert the_call(rig).problem is None
    assert the_call(rig).nickname == "Maria"


def test_the_older_family_of_events_has_the_same_consequences(rig: Rig) -> None:
    hear(rig, "AgentChat_Ring", {"callId": CALL, "caller": CUSTOMER})
    finish(rig, ANSWER)
    hear(rig, "AgentChat_Connected", {"callId": CALL, "caller": CUSTOMER, "isInnerCall": False})
    finish(rig, LOOK_UP, found=CallInfo(CUSTOMER))
    hear(rig, "AgentChat_DataRecved", {"sender": CUSTOMER, "callId": CALL, "chatContent": "hello"})
    assert [item.text for item in messages(rig)] == ["hello"]
    hear(rig, "AgentChat_Disconnected", {"callId": CALL})
    assert not rig.record(CALL).open


def test_it_joins_the_open_conversation_of_its_customer(rig: Rig) -> None:
    theirs = assignment(sender_id="whatsapp:+49170", user_id=CUSTOMER, call_id="queue-1")
    rig.do(AssignCall(assignment=theirs))
    answered(rig)
    record = rig.record(CALL)
    assert record.assignment.sender_id == "whatsapp:+49170"
    assert record.assignment.agent_id == READER
    assert record.owner is Owner.AGENT
    assert not rig.record("queue-1").open


def test_it_does_not_take_a_conversation_whose_call_goes_on(rig: Rig) -> None:
    answered(rig, "call-1")
    answered(rig, "call-2")
    assert rig.record("call-1").open
    assert rig.record("call-2").assignment.sender_id == "cc-call-2"


@pytest.mark.parametrize("when", ["before it rings", "while it is looked up"])
def test_what_a_desktop_assigned_wins_over_the_look_up(rig: Rig, when: str) -> None:
    theirs = assignment(
        sender_id="jon", call_id=CALL, agent_id=READER, user_id="4711", channel=Channel.SMS
    )
    if when == "before it rings":
        rig.do(AssignCall(assignment=theirs))
        ring(rig)
        finish(rig, ANSWER)
        assert asked(rig) == []  # nothing is left to find out
    else:
        ring(rig)
        finish(rig, ANSWER)
        write(rig, "early")
        rig.do(AssignCall(assignment=theirs))
        finish(rig, LOOK_UP, found=CallInfo("other", channel=Channel.WECHAT))
        assert [item.sender_id for item in messages(rig)] == ["jon"]
    record = rig.record(CALL)
    assert record.assignment == theirs
    assert record.owner is Owner.AGENT
    assert the_call(rig).sender_id == "jon"


def test_the_calls_of_a_bot_agent_are_the_bots(rig: Rig) -> None:
    answered(rig, agent=BOT)
    assert rig.record(CALL).owner is Owner.BOT


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({"caller": "a305"}, CallState.RINGING),
        ({"caller": "A305"}, CallState.RINGING),
        ({"mediaAbility": "1", "mediaType": "5"}, CallState.RINGING),
        ({"caller": "anna"}, CallState.ANSWERING),
        ({"mediaAbility": None}, CallState.ANSWERING),
    ],
)
def test_an_internal_call_and_a_voice_call_are_not_answered_by_themselves(
    rig: Rig, more: dict[str, str], state: CallState
) -> None:
    ring(rig, **more)
    assert the_call(rig).state is state


def test_without_auto_answer_the_agent_answers(make: Making) -> None:
    rig = make(chosen=chosen(reader={"auto_answer": False}))
    sign_in(rig)
    ring(rig)
    assert asked(rig) == []
    clicked = rig.ask(AnswerCall(call_id=CALL, agent_id=READER))
    rig.step()
    twice = rig.ask(AnswerCall(call_id=CALL, agent_id=READER))
    assert not clicked.answered
    assert asked(rig) == ["answer"]
    finish(rig, ANSWER)
    for each in (clicked, twice):
        assert each.value.call.state is CallState.TALKING


# -- what cannot be found out ----------------------------------------------------------------------


def test_what_cannot_be_found_out_is_logged_once_and_shown(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    ring(rig, caller="")
    finish(rig, ANSWER)
    with caplog.at_level(logging.WARNING):
        finish(rig, LOOK_UP, FinalError("refused (retcode 000-002)", retcode="000-002"))
        write(rig, "hello")
        write(rig, "hello?")
    problem = the_call(rig).problem
    assert problem is not None
    for part in ("look-up failed: refused", "user ID is not known", "channel is not known"):
        assert part in problem
    assert len([line for line in caplog.messages if "Not all is known" in line]) == 1
    assert [item.text for item in messages(rig)] == ["hello", "hello?"]


def test_a_channel_without_configuration_id_is_a_problem(rig: Rig) -> None:
    ring(rig)
    finish(rig, ANSWER)
    finish(rig, LOOK_UP, found=CallInfo(CUSTOMER, channel=Channel.WECHAT))
    assert "channel WECHAT has no Configuration ID" in (the_call(rig).problem or "")


def test_a_look_up_that_fails_for_a_while_is_tried_again_and_then_given_up(rig: Rig) -> None:
    ring(rig)
    finish(rig, ANSWER)
    write(rig, "first")
    for _ in range(30):
        if not asked(rig):
            rig.clock.move(6)
            rig.step(3)
        if the_call(rig).sender_id is not None:
            break
        if asked(rig):
            finish(rig, LOOK_UP, RetryableError("HTTP 503"))
    assert the_call(rig).sender_id == f"cc-{CALL}"
    assert rig.record(CALL).assignment.user_id == CUSTOMER  # the event's caller
    assert "HTTP 503" in (the_call(rig).problem or "")
    assert [item.text for item in messages(rig)] == ["first"]


def test_without_a_look_up_the_caller_is_the_customer(make: Making) -> None:
    rig = make(chosen=chosen(reader={"lookup": "off"}))
    sign_in(rig)
    ring(rig)
    finish(rig, ANSWER)
    rig.step(3)
    assert asked(rig) == []
    assert rig.record(CALL).assignment.user_id == CUSTOMER


# -- messages --------------------------------------------------------------------------------------


def test_messages_before_the_look_up_is_done_follow_in_order(rig: Rig) -> None:
    ring(rig)
    write(rig, "one")
    finish(rig, ANSWER)
    write(rig, "two")
    assert messages(rig) == []
    finish(rig, LOOK_UP, found=CallInfo(CUSTOMER))
    write(rig, "three")
    assert [item.text for item in messages(rig)] == ["one", "two", "three"]
    assert {item.sender_id for item in messages(rig)} == {f"cc-{CALL}"}


def test_a_message_supersedes_what_was_offered(rig: Rig) -> None:
    answered(rig)
    write(rig, "how much?")
    (message,) = messages(rig)
    offer = OfferSuggestion(
        call_id=CALL, answers=message.message_id, external_id="1", source="kb", text="3 Euro"
    )
    offered = rig.do(offer).value
    write(rig, "never mind")
    state = rig.store.read(lambda tx: lists.suggestion(tx, offered.id))
    assert state is not None
    assert state.state is SuggestionState.SUPERSEDED


@pytest.mark.parametrize(
    ("message", "attachment"),
    [
        (
            '{"mediaType":"FILE_IMAGE","fileId":"f-1","fileName":"cat.jpg"}',
            {"kind": "picture", "file_id": "f-1", "name": "cat.jpg"},
        ),
        (
            '{"latitude":48.2,"longitude":16.4,"description":"Vienna"}',
            {"kind": "location", "latitude": 48.2, "longitude": 16.4, "description": "Vienna"},
        ),
    ],
)
def test_files_and_places_are_kept_as_what_they_are(
    rig: Rig, message: str, attachment: dict[str, object]
) -> None:
    ring(rig)
    finish(rig, ANSWER)
    write(rig, message)  # held
    finish(rig, LOOK_UP, found=CallInfo(CUSTOMER))
    write(rig, message)
    for item in messages(rig):
        assert item.text == ""
        assert item.attachment == attachment
    assert len(messages(rig)) == 2


def test_a_voice_call_is_no_conversation_until_somebody_writes(rig: Rig) -> None:
    hear(rig, "AgentEvent_Talking", {"callid": CALL, "caller": "1", "mediaAbility": "1"})
    assert asked(rig) == []
    write(rig, "hello")
    finish(rig, LOOK_UP, found=CallInfo(CUSTOMER))
    assert [item.text for item in messages(rig)] == ["hello"]


def test_a_chat_stays_one_whatever_a_later_event_says(rig: Rig) -> None:
    ring(rig)
    hear(rig, "AgentEvent_Talking", {"callid": CALL, "mediaAbility": "1"})
    assert the_call(rig).media == "text"
    assert "look_up" in asked(rig)


def test_messages_after_the_conversation_was_ended_elsewhere_are_kept(rig: Rig) -> None:
    answered(rig)
    rig.do(EndCall(sender_id=f"cc-{CALL}"))
    write(rig, "still there?")
    hang_up(rig)
    assert [item.text for item in messages(rig)] == ["still there?"]


# -- the end ---------------------------------------------------------------------------------------


def test_the_end_settles_everything_of_the_call(rig: Rig) -> None:
    answered(rig)
    write(rig, "how much?")
    (message,) = messages(rig)
    offer = OfferSuggestion(
        call_id=CALL, answers=message.message_id, external_id="1", source="kb", text="3 Euro"
    )
    offered = rig.do(offer).value
    rig.do(reply(CALL, "a moment", "c-1"))
    rig.do(reply(CALL, "three Euro", "c-2"))
    hang_up(rig)
    record = rig.record(CALL)
    assert (record.open, record.owner) == (False, Owner.BOT)
    waiting = [item for item in rig.all() if item.state is not DeliveryState.SENDING]
    assert [item.error.code for item in waiting if item.error] == ["call_ended"]
    suggestion = rig.store.read(lambda tx: lists.suggestion(tx, offered.id))
    assert suggestion is not None
    assert suggestion.state is SuggestionState.EXPIRED
    assert the_call(rig).state is CallState.ENDED


def test_a_customer_who_leaves_during_the_look_up_is_not_forgotten(rig: Rig) -> None:
    ring(rig)
    finish(rig, ANSWER)
    write(rig, "hello")
    hang_up(rig)
    assert [item.text for item in messages(rig)] == ["hello"]
    assert not rig.record(CALL).open
    finish(rig, LOOK_UP, found=CallInfo("other"))  # too late
    assert rig.record(CALL).assignment.user_id == CUSTOMER


def test_a_call_that_its_customer_left_is_released_unless_the_gateway_does(rig: Rig) -> None:
    for call, released in (("call-1", True), ("call-2", False)):
        answered(rig, call, user=call)
        hear(rig, "AgentEvent_Customer_Release", {"callid": call, "number": "1"})
        assert not rig.record(call).open
        if released:
            hang_up(rig, call)
        rig.clock.move(3)
        rig.step(3)
        assert asked(rig) == ([] if released else ["release"])


def test_a_handed_off_conversation_is_the_bots_again_after_the_call(rig: Rig) -> None:
    theirs = assignment(sender_id="maria", user_id=CUSTOMER, call_id=CALL, agent_id=READER)
    rig.do(AssignCall(assignment=theirs))
    answered_by_event = rig.record(CALL).owner
    assert answered_by_event is Owner.BOT
    ring(rig)
    finish(rig, ANSWER)
    hang_up(rig)
    updates = rig.store.read(lambda tx: lists.updates_of_call(tx, CALL))
    assert [item.kind.value for item in updates] == ["resume"]


# -- events that come twice, out of order, or of nowhere -------------------------------------------


def test_events_that_come_twice_change_nothing(rig: Rig) -> None:
    for _ in range(2):
        ring(rig)
    assert asked(rig) == ["answer"]
    finish(rig, ANSWER)
    for _ in range(2):
        talk(rig)
    assert asked(rig) == ["look_up"]
    finish(rig, LOOK_UP, found=CallInfo(CUSTOMER))
    talk(rig)
    for _ in range(2):
        hang_up(rig)
    assert asked(rig) == []
    assert not rig.record(CALL).open


def test_a_message_of_an_unknown_call_makes_it_known(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        write(rig, "one")
        write(rig, "two")
    finish(rig, LOOK_UP, found=CallInfo(CUSTOMER))
    talk(rig)
    assert [item.text for item in messages(rig)] == ["one", "two"]
    assert rig.record(CALL).open
    assert len([line for line in caplog.messages if "that is not known" in line]) == 1


def test_a_ring_older_than_the_end_is_not_answered_and_a_newer_one_is(rig: Rig) -> None:
    hang_up(rig)
    assert the_call(rig).state is CallState.ENDED
    ring(rig)  # nothing says that it is older
    assert asked(rig) == ["answer"]
    finish(rig, ANSWER, FinalError("no such call (retcode 106-007)", retcode="106-007"))
    call = the_call(rig)
    assert call.state is CallState.RINGING
    assert "106-007" in (call.problem or "")


def test_a_message_after_the_end_is_kept(rig: Rig) -> None:
    answered(rig)
    hang_up(rig)
    write(rig, "thanks")
    assert [item.text for item in messages(rig)] == ["thanks"]


@pytest.mark.parametrize("agent", ["292", "291"])
def test_the_events_of_others_than_readers_change_nothing(rig: Rig, agent: str) -> None:
    ring(rig, agent=agent)
    assert asked(rig) == []
    assert rig.store.read(lambda tx: lists.reader_calls(tx, [CALL])) == {}


def test_the_end_of_a_call_that_was_only_assigned_ends_it(rig: Rig) -> None:
    rig.do(AssignCall(assignment=given(CALL, agent=READER)))
    hang_up(rig)
    assert not rig.record(CALL).open


# -- what agents do --------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [None, FinalError("no such call")])  # its end was missed
def test_a_rejected_call_is_over(rig: Rig, error: FinalError | None) -> None:
    ring(rig, caller="a305")
    clicked = rig.ask(RejectCall(call_id=CALL, agent_id=READER))
    rig.step()
    finish(rig, CallRequestKind.REJECT, error)
    assert clicked.value.call.state is CallState.ENDED
    hang_up(rig)  # the gateway's event follows
    assert the_call(rig).state is CallState.ENDED


def test_a_released_call_is_over_once_the_gateway_says_so(rig: Rig) -> None:
    answered(rig)
    clicked = rig.ask(ReleaseCall(call_id=CALL, agent_id=READER))
    rig.step()
    assert rig.record(CALL).open
    finish(rig, RELEASE)
    assert clicked.value.call.state is CallState.ENDED
    assert not rig.record(CALL).open


def test_to_release_a_call_that_ends_meanwhile_succeeds(rig: Rig) -> None:
    answered(rig)
    clicked = rig.ask(ReleaseCall(call_id=CALL, agent_id=READER))
    rig.step()
    hang_up(rig)
    finish(rig, RELEASE, FinalError("no such call"))
    assert clicked.value.call.state is CallState.ENDED


def test_the_gateways_refusal_is_the_answer(rig: Rig) -> None:
    answered(rig)
    clicked = rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent="292"))
    rig.step()
    finish(rig, TRANSFER, FinalError("wrong transfer device (retcode 106-004)", retcode="106-004"))
    with pytest.raises(FinalError, match="106-004"):
        assert clicked.value
    call = the_call(rig)
    assert (call.state, call.transfer_to) == (CallState.TALKING, None)
    assert "106-004" in (call.problem or "")
    assert rig.record(CALL).owner is Owner.AGENT


def test_a_transfer_is_confirmed_by_the_end_of_the_call(rig: Rig) -> None:
    answered(rig, agent=BOT)
    clicked = rig.ask(TransferCall(call_id=CALL, agent_id=BOT, to_agent="292"))
    rig.step()
    finish(rig, TRANSFER)
    assert isinstance(clicked.value, RequestOutcome)
    assert rig.record(CALL).owner is Owner.BOT  # nothing is confirmed yet
    hang_up(rig, agent=BOT)
    record = rig.record(CALL)
    assert (record.assignment.agent_id, record.owner, record.open) == ("292", Owner.AGENT, True)
    assert the_call(rig, agent=BOT).transfers == 1


def test_a_transfer_that_is_never_confirmed_has_failed(rig: Rig) -> None:
    answered(rig)
    for _ in range(2):  # it can be tried again
        clicked = rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent="292"))
        rig.step()
        finish(rig, TRANSFER)
        assert isinstance(clicked.value, RequestOutcome)
        rig.clock.move(59.0)
        rig.step(3)
        assert the_call(rig).transfer_to == "agent 292"
        rig.clock.move(1.5)
        rig.step(3)
        call = the_call(rig)
        assert (call.transfer_to, call.transferred_at) == (None, None)
        assert call.problem == "the transfer failed: the gateway did not confirm it"
    hang_up(rig)
    record = rig.record(CALL)
    assert (record.assignment.agent_id, record.open) == (READER, False)


def test_the_time_of_a_former_transfer_does_not_end_the_next(rig: Rig) -> None:
    answered(rig)
    for fails in (True, False):
        rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent="292"))
        rig.step()
        finish(rig, TRANSFER)
        rig.clock.move(40.0)
        if fails:
            hear(rig, "AgentChat_TransferFailed", {"callId": CALL})
        rig.step(3)
    assert the_call(rig).transfer_to == "agent 292"
    hang_up(rig)
    assert rig.record(CALL).assignment.agent_id == "292"


def test_a_transfer_does_not_delay_the_release(rig: Rig) -> None:
    answered(rig)
    rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent="292"))
    rig.step()
    finish(rig, TRANSFER)
    rig.ask(ReleaseCall(call_id=CALL, agent_id=READER))
    rig.step()
    assert asked(rig) == ["release"]


@pytest.mark.parametrize(
    "ends",
    [
        ["customer", "end"],
        ["end", "customer"],
        ["asks", "released"],
        ["asks", "released", "end"],
        ["asks", "end", "released"],
    ],
)
@pytest.mark.parametrize("target", ["292", BOT])
def test_a_call_that_ends_otherwise_is_not_transferred(
    rig: Rig, ends: list[str], target: str
) -> None:
    answered(rig)
    rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent=target))
    rig.step()
    finish(rig, TRANSFER)
    for each in ends:
        if each == "customer":
            hear(rig, "AgentEvent_Customer_Release", {"callid": CALL, "number": CUSTOMER})
        elif each == "end":
            hang_up(rig)
        elif each == "asks":
            rig.ask(ReleaseCall(call_id=CALL, agent_id=READER))
            rig.step()
        else:
            finish(rig, RELEASE)
    assert not rig.record(CALL).open
    assert not the_call(rig).live


def test_a_transfer_whose_end_comes_before_the_gateways_answer_is_one(rig: Rig) -> None:
    answered(rig)
    clicked = rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent="292"))
    rig.step()
    hang_up(rig)
    finish(rig, TRANSFER)
    assert clicked.value.call.transfers == 1
    assert rig.record(CALL).assignment.agent_id == "292"


def test_a_transfer_to_a_skill_ends_the_agents_part_and_resumes_no_bot(rig: Rig) -> None:
    answered(rig)
    rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_skill="12"))
    rig.step()
    assert rig.senders.requested[0][0].body == {"skill": "12"}
    finish(rig, TRANSFER)
    hang_up(rig)
    record = rig.record(CALL)
    assert not record.open
    assert the_call(rig).transfer_to == "skill 12"
    assert rig.store.read(lambda tx: lists.updates_of_call(tx, CALL)) == []
    # The next reader who answers it has the same conversation.
    ring(rig, agent=BOT)
    finish(rig, ANSWER)
    assert rig.record(CALL).assignment.agent_id == BOT
    assert rig.record(CALL).assignment.sender_id == record.assignment.sender_id
    assert rig.record(CALL).open


def test_a_failed_transfer_leaves_the_call_with_its_agent(rig: Rig) -> None:
    answered(rig)
    rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent="292"))
    rig.step()
    finish(rig, TRANSFER)
    hear(rig, "AgentChat_TransferFailed", {"callId": CALL})
    call = the_call(rig)
    assert (call.transfer_to, call.transferred_at) == (None, None)
    assert "transfer failed" in (call.problem or "")
    hang_up(rig)
    assert the_call(rig).transfers == 0
    assert rig.record(CALL).assignment.agent_id == READER


def test_a_transfer_of_unknown_outcome_is_not_repeated(rig: Rig) -> None:
    answered(rig)
    clicked = rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent="292"))
    rig.step()
    finish(rig, TRANSFER, UnknownOutcomeError("no answer in time"))
    rig.clock.move(10)
    rig.step(3)
    assert asked(rig) == []
    assert clicked.value.pending
    hang_up(rig)
    assert rig.record(CALL).assignment.agent_id == "292"


def test_a_command_put_twice_has_one_outcome(rig: Rig) -> None:
    answered(rig)
    command = ReleaseCall(key="once", call_id=CALL, agent_id=READER)
    first = rig.ask(command)
    rig.step()
    again = rig.ask(command)
    assert asked(rig) == ["release"]
    finish(rig, RELEASE)
    late = rig.ask(command)
    for each in (first, again, late):
        assert each.value.call.state is CallState.ENDED


def test_who_waits_too_long_learns_that_the_gateway_is_still_asked(rig: Rig) -> None:
    answered(rig)
    clicked = rig.ask(ReleaseCall(call_id=CALL, agent_id=READER))
    rig.step()
    rig.clock.move(9)
    rig.step(2)
    assert clicked.value.pending
    finish(rig, RELEASE)
    assert not rig.record(CALL).open


def before(rig: Rig) -> None:
    """Nothing happened."""


def ringing(rig: Rig) -> None:
    ring(rig, caller="a305")


def over(rig: Rig) -> None:
    answered(rig)
    hang_up(rig)


@pytest.mark.parametrize(
    ("prepare", "command", "code"),
    [
        (ringing, ReleaseCall, "ringing"),
        (ringing, TransferCall, "ringing"),
        (answered, AnswerCall, "talking"),
        (answered, RejectCall, "talking"),
        (over, AnswerCall, "call_ended"),
        (over, RejectCall, "call_ended"),
        (over, ReleaseCall, "call_ended"),
        (over, TransferCall, "call_ended"),
    ],
)
def test_what_does_not_fit_the_state_of_the_call_is_refused(
    rig: Rig,
    prepare: Callable[[Rig], None],
    command: type[AnswerCall | RejectCall | ReleaseCall | TransferCall],
    code: str,
) -> None:
    prepare(rig)
    more: dict[str, Any] = {"to_agent": "292"} if command is TransferCall else {}
    refused = rig.ask(command(call_id=CALL, agent_id=READER, **more)).error
    assert isinstance(refused, RefusedError)
    assert (refused.status, refused.code) == (409, code)


@pytest.mark.parametrize("command", [AnswerCall, RejectCall, ReleaseCall])
def test_anothers_call_is_not_there(
    rig: Rig, command: type[AnswerCall | RejectCall | ReleaseCall]
) -> None:
    missing = rig.ask(command(call_id=CALL, agent_id=READER)).error
    assert isinstance(missing, RefusedError)
    assert missing.status == 404
    answered(rig)
    assert isinstance(rig.ask(command(call_id=CALL, agent_id="292")).error, NotYoursError)


def test_a_call_that_no_reader_has_is_the_desktops(rig: Rig) -> None:
    rig.assign("call-9", agent="292")
    refused = rig.ask(ReleaseCall(call_id="call-9", agent_id="292")).error
    assert isinstance(refused, RefusedError)
    assert (refused.status, refused.code) == (409, "no_reader")


# -- the queue of requests -------------------------------------------------------------------------


def test_a_refused_guid_costs_a_new_one_and_no_request(rig: Rig) -> None:
    ring(rig)
    finish(rig, ANSWER, SessionGoneError("not signed in", retcode="100-006"))
    assert [each.agent_id for each in rig.senders.sign_ins].count(READER) == 1
    sign_in(rig, READER)
    rig.clock.move(1)
    rig.step(2)
    assert asked(rig) == ["answer"]


def test_what_was_under_way_when_a_process_died_goes_on(make: Making) -> None:
    first = make(chosen=chosen(), name="first")
    sign_in(first)
    ring(first)
    finish(first, ANSWER)
    write(first, "hello")
    assert asked(first) == ["look_up"]
    second = make(
        first.store, chosen=chosen(), name="second", is_dead=lambda holder: "first" in holder
    )
    second.step(3)
    assert asked(second) == ["look_up"]
    finish(second, LOOK_UP, found=CallInfo(CUSTOMER))
    assert [item.text for item in messages(second)] == ["hello"]
    assert second.record(CALL).owner is Owner.AGENT


def test_a_transfer_under_way_when_a_process_died_is_not_made_twice(make: Making) -> None:
    first = make(chosen=chosen(), name="first")
    sign_in(first)
    answered(first)
    first.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent="292"))
    first.step()
    assert asked(first) == ["transfer"]
    second = make(
        first.store, chosen=chosen(), name="second", is_dead=lambda holder: "first" in holder
    )
    second.step(4)
    assert asked(second) == []
    hang_up(second)
    assert second.record(CALL).assignment.agent_id == "292"


def test_requests_of_one_call_are_made_one_after_the_other(rig: Rig) -> None:
    answered(rig)
    rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent="292"))
    rig.step()
    rig.ask(ReleaseCall(call_id=CALL, agent_id=READER))
    rig.step()
    assert asked(rig) == ["transfer"]
    finish(rig, TRANSFER, FinalError("refused"))
    assert asked(rig) == ["release"]


def test_a_slow_look_up_delays_no_transfer(rig: Rig) -> None:
    ring(rig)
    finish(rig, ANSWER)
    rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent="292"))
    rig.step()
    assert sorted(asked(rig)) == ["look_up", "transfer"]


def test_a_request_for_an_agent_who_is_not_signed_in_waits_and_is_given_up(make: Making) -> None:
    rig = make(chosen=chosen(reader={"auto_answer": False}))
    ring(rig)
    clicked: Asked = rig.ask(AnswerCall(call_id=CALL, agent_id=READER))
    rig.step()
    assert asked(rig) == []
    assert rig.senders.sign_ins
    for _ in range(8):
        rig.clock.move(5)
        rig.step(3)
    assert clicked.value.pending
    assert "not signed in" in (the_call(rig).problem or "")


def test_a_bot_agents_reply_needs_no_handoff(rig: Rig) -> None:
    answered(rig, agent=BOT)
    refused = rig.ask(SendReply(call_id=CALL, text="hi", client_id="1", agent_id=BOT)).error
    assert isinstance(refused, RefusedError)
    assert refused.code == "not_with_agent"


def test_the_end_of_the_conversation_over_http_does_not_end_the_call(rig: Rig) -> None:
    answered(rig)
    assert rig.do(EndCall(sender_id=f"cc-{CALL}"))
    assert the_call(rig).state is CallState.TALKING


@pytest.mark.parametrize("target", ["292", BOT])
def test_a_transfer_closes_the_former_agents_suggestions(rig: Rig, target: str) -> None:
    answered(rig)
    write(rig, "hello")
    (message,) = messages(rig)
    offer = OfferSuggestion(
        call_id=CALL, answers=message.message_id, external_id="1", source="kb", text="3 Euro"
    )
    rig.do(offer)
    rig.ask(TransferCall(call_id=CALL, agent_id=READER, to_agent=target))
    rig.step()
    finish(rig, TRANSFER)
    hang_up(rig)
    ((_, found),) = rig.store.read(lambda tx: lists.suggestions(tx, call_id=CALL, limit=9))
    assert (found.agent_id, found.state.value, found.reason) == (READER, "expired", "reassigned")
