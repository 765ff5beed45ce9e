"""A reader's calls from end to end: a core and its senders against the simulated gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bridge.errors import FinalError
from bridge.model import Owner
from bridge.state.calls import CallRecord, CallState
from bridge.state.commands import AnswerCall, RejectCall, ReleaseCall, TransferCall
from bridge.state.records import AssignmentRecord, MessageRecord
from bridge.store import lists
from tests.gateway.rig import SIGN_IN, Rig, fresh, settings, until
from tests.making import envelope
from tests.simulator.harness import Simulator

READER, COLLEAGUE = "291", "292"
CALL = "1552524689-1"
WORKBENCH = {"app_key": "an-app-key", "app_secret": "an-app-secret", "tenant_id": "202301010001"}
Opened = Callable[..., Rig]


class Reader:
    """A rig whose agent's events are read, and what it knows of a call."""

    def __init__(self, rig: Rig, gateway: Simulator, agent: str = READER) -> None:
        self.rig = rig
        self.gateway = gateway
        self.agent = agent

    def begin(self) -> None:
        """Let the agent be signed in and polled for."""
        self.rig.send(fresh(int(self.agent), envelope=envelope(agent_id=self.agent)))
        self.gateway.wait_for(requests=1, operation="poll", agent=self.agent)

    def call(self, call_id: str = CALL, agent: str | None = None) -> CallRecord | None:
        found = self.rig.store.read(lambda tx: lists.reader_calls(tx, [call_id]))
        return found.get((call_id, agent or self.agent))

    def record(self, call_id: str = CALL) -> AssignmentRecord | None:
        return self.rig.store.read(lambda tx: lists.assignment_of_call(tx, call_id))

    def messages(self, call_id: str = CALL) -> list[MessageRecord]:
        return self.rig.store.read(lambda tx: lists.messages(tx, call_id, limit=100))

    def is_(self, state: CallState, call_id: str = CALL, agent: str | None = None) -> bool:
        call = self.call(call_id, agent)
        return call is not None and call.state is state

    def assigned(self, call_id: str = CALL) -> AssignmentRecord:
        until(lambda: (found := self.record(call_id)) is not None and found.open)
        found = self.record(call_id)
        assert found is not None
        return found

    def ended(self, call_id: str = CALL) -> None:
        until(lambda: (found := self.record(call_id)) is not None and not found.open)


@pytest.fixture
def opened(gateway: Simulator, sqlite_url: str) -> Iterator[Callable[..., Reader]]:
    """Open a rig with readers."""
    rigs: list[Rig] = []

    def open_one(*agents: str, chats: int | None = None, **reader: Any) -> Reader:
        entry = {**SIGN_IN, "reader": True, "chats": chats}
        chosen = settings(
            gateway.url,
            agents=dict.fromkeys(agents or (READER,), entry),
            reader=reader,
        )
        rig = Rig(sqlite_url, chosen, last_poll=0.2)
        rigs.append(rig.__enter__())
        return Reader(rig, gateway)

    yield open_one
    for rig in rigs:
        rig.__exit__(None, None, None)


@pytest.fixture
def reader(opened: Callable[..., Reader]) -> Reader:
    found = opened()
    found.begin()
    return found


@pytest.mark.parametrize("family", ["event", "chat"])
def test_a_whole_chat_in_either_family_of_events(
    reader: Reader, gateway: Simulator, family: str
) -> None:
    gateway.settings(event_family=family)
    gateway.ring(CALL, READER, caller="88880022")
    record = reader.assigned()
    assert record.assignment.sender_id == f"cc-{CALL}"
    assert (record.assignment.user_id, record.owner) == ("88880022", Owner.AGENT)
    for text in ("one", "two", "three"):
        gateway.write(CALL, text)
    until(lambda: len(reader.messages()) == 3)
    assert [item.text for item in reader.messages()] == ["one", "two", "three"]
    gateway.leave(CALL)
    reader.ended()
    answers = gateway.recorded(operation="answer_call")
    assert [item["verdict"] for item in answers] == ["accepted"]
    assert gateway.state()["violations"] == []


def test_a_slow_look_up_holds_the_messages_and_no_other_call(
    reader: Reader, gateway: Simulator
) -> None:
    gateway.fault("delay", path="*callinfobycallid/slow", ms=1500)
    gateway.ring("slow", READER, caller="1")
    gateway.wait_for(requests=1, operation="look_up", call="slow")
    gateway.write("slow", "anybody?")
    gateway.ring("quick", READER, caller="2")
    reader.assigned("quick")
    assert reader.record("slow") is None
    reader.assigned("slow")
    assert [item.text for item in reader.messages("slow")] == ["anybody?"]


def test_a_look_up_that_is_refused_is_a_problem_and_the_chat_goes_on(
    reader: Reader, gateway: Simulator
) -> None:
    gateway.fault("retcode", path="*callinfobycallid*", retcode="000-002", times=None)
    gateway.ring(CALL, READER, caller="4711")
    assert reader.assigned().assignment.user_id == "4711"
    call = reader.call()
    assert call is not None
    assert "000-002" in (call.problem or "")


def test_the_workbench_says_who_it_is(opened: Callable[..., Reader], gateway: Simulator) -> None:
    workbench = {**WORKBENCH, "url": gateway.url}
    reader = opened(lookup="workbench", workbench=workbench)
    reader.begin()
    for number in range(2):
        gateway.ring(
            f"call-{number}",
            READER,
            caller="1",
            user_id=f"user-{number}",
            channel="WHATSAPP",
            channel_config_id="77",
        )
        given = reader.assigned(f"call-{number}").assignment
        assert (given.user_id, given.channel.value, given.channel_config_id) == (
            f"user-{number}",
            "WHATSAPP",
            "77",
        )
    assert gateway.state()["workbench"] == ["token", "user_info", "user_info"]


def test_a_workbench_that_refuses_the_key_is_a_problem(
    opened: Callable[..., Reader], gateway: Simulator
) -> None:
    workbench = {**WORKBENCH, "url": gateway.url, "app_secret": "wrong"}
    reader = opened(lookup="workbench", workbench=workbench)
    reader.begin()
    gateway.ring(CALL, READER)
    reader.assigned()
    call = reader.call()
    assert call is not None
    assert "tokenByAkSk answered HTTP 401" in (call.problem or "")


def test_the_agent_rejects_and_releases(opened: Callable[..., Reader], gateway: Simulator) -> None:
    reader = opened(auto_answer=False)
    reader.begin()
    core = reader.rig.core
    gateway.ring("call-1", READER)
    until(lambda: reader.is_(CallState.RINGING, "call-1"))
    core.call(RejectCall(call_id="call-1", agent_id=READER))
    assert reader.is_(CallState.ENDED, "call-1")
    gateway.ring("call-2", READER)
    until(lambda: reader.is_(CallState.RINGING, "call-2"))
    core.call(AnswerCall(call_id="call-2", agent_id=READER))
    reader.assigned("call-2")
    core.call(ReleaseCall(call_id="call-2", agent_id=READER))
    reader.ended("call-2")
    states = {name: call["state"] for name, call in gateway.state()["calls"].items()}
    assert (states["call-1"], states["call-2"]) == ("rejected", "released")


def test_a_transfer_to_another_reader_moves_the_conversation(
    opened: Callable[..., Reader], gateway: Simulator
) -> None:
    reader = opened(READER, COLLEAGUE)
    reader.begin()
    Reader(reader.rig, gateway, COLLEAGUE).begin()
    gateway.ring(CALL, READER)
    reader.assigned()
    gateway.write(CALL, "hello")
    until(lambda: len(reader.messages()) == 1)
    reader.rig.core.call(TransferCall(call_id=CALL, agent_id=READER, to_agent=COLLEAGUE))
    until(lambda: reader.is_(CallState.TALKING, agent=COLLEAGUE))
    until(lambda: (found := reader.record()) is not None and found.assignment.agent_id == COLLEAGUE)
    record = reader.assigned()
    assert (record.assignment.sender_id, record.owner) == (f"cc-{CALL}", Owner.AGENT)
    gateway.write(CALL, "still me")
    until(lambda: len(reader.messages()) == 2)
    assert {item.sender_id for item in reader.messages()} == {f"cc-{CALL}"}
    assert len(gateway.recorded(operation="look_up", call=CALL)) == 1


def test_a_transfer_that_fails_leaves_the_call_where_it_is(
    reader: Reader, gateway: Simulator
) -> None:
    gateway.ring(CALL, READER)
    reader.assigned()
    core = reader.rig.core
    core.call(TransferCall(call_id=CALL, agent_id=READER, to_agent="299"))  # not signed in
    until(lambda: (call := reader.call()) is not None and bool(call.problem))
    assert reader.is_(CallState.TALKING)
    assert reader.assigned().assignment.agent_id == READER
    gateway.fault("retcode", path="*transfer", retcode="106-004")
    with pytest.raises(FinalError, match="106-004"):
        core.call(TransferCall(call_id=CALL, agent_id=READER, to_skill="12"))


def test_several_chats_at_once_do_not_mix(reader: Reader, gateway: Simulator) -> None:
    calls = [f"call-{number}" for number in range(8)]
    for call in calls:
        gateway.ring(call, READER, caller=f"of-{call}")
    for call in calls:
        reader.assigned(call)
    for text in ("one", "two", "three"):
        for call in calls:
            gateway.write(call, f"{text} of {call}")
    for call in calls:
        until(lambda call=call: len(reader.messages(call)) == 3)  # type: ignore[misc]
        assert [item.text for item in reader.messages(call)] == [
            f"{text} of {call}" for text in ("one", "two", "three")
        ]
        assert reader.assigned(call).assignment.user_id == f"of-{call}"
    with ThreadPoolExecutor(8) as pool:
        core = reader.rig.core
        list(pool.map(lambda call: core.call(ReleaseCall(call_id=call, agent_id=READER)), calls))
    for call in calls:
        reader.ended(call)


@pytest.mark.parametrize(
    ("refused", "set_"), [((), {"1": 7, "51": 7, "53": 7}), (("1", "53"), {"51": 7})]
)
def test_a_reader_has_as_many_chats_as_its_entry_says(
    opened: Callable[..., Reader],
    gateway: Simulator,
    refused: tuple[str, ...],
    set_: dict[str, int],
) -> None:
    if refused:  # the first and the last of three
        gateway.fault("retcode", path="*setcallnums", retcode="106-008")
        gateway.fault("retcode", path="*setcallnums", retcode="106-008", skip=1)
    opened(chats=7).begin()
    until(lambda: gateway.state()["chats"].get(READER) == set_)


def test_files_and_places_arrive_as_what_they_are(reader: Reader, gateway: Simulator) -> None:
    gateway.ring(CALL, READER)
    reader.assigned()
    gateway.write(CALL, {"mediaType": "FILE_IMAGE", "fileId": "f-1", "fileName": "cat.jpg"})
    gateway.write(CALL, {"latitude": 48.2, "longitude": 16.4, "description": "Vienna"})
    until(lambda: len(reader.messages()) == 2)
    picture, place = (item.attachment for item in reader.messages())
    assert picture == {"kind": "picture", "file_id": "f-1", "name": "cat.jpg"}
    assert place == {
        "kind": "location",
        "latitude": 48.2,
        "longitude": 16.4,
        "description": "Vienna",
    }


def test_a_core_started_anew_looks_up_what_the_former_had_answered(
    opened: Callable[..., Reader], gateway: Simulator
) -> None:
    first = opened()
    first.begin()
    gateway.fault("hang", path="*callinfobycallid*", seconds=60, taken=False)
    gateway.ring(CALL, READER, caller="4711")
    gateway.wait_for(requests=1, operation="look_up")
    gateway.write(CALL, "hello")
    until(lambda: (call := first.call()) is not None and len(call.held) == 1)
    second = opened()
    first.rig.core.close(within=0.1)
    assert second.assigned().assignment.user_id == "4711"
    until(lambda: len(second.messages()) == 1)


def test_a_look_up_that_answers_nonsense_is_made_again(reader: Reader, gateway: Simulator) -> None:
    gateway.fault("garbage", path="*callinfobycallid/call-0")
    gateway.fault("empty", path="*callinfobycallid/call-1")
    for number in range(2):
        gateway.ring(f"call-{number}", READER, caller=f"caller-{number}")
        found = reader.assigned(f"call-{number}")
        assert found.assignment.user_id == f"caller-{number}"
        call = reader.call(f"call-{number}")
        assert call is not None
        assert call.problem is None
