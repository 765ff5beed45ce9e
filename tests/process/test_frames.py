"""Messages arrive as they were sent, however they are cut; so does whatever is put or answered."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.command_queue import FullError
from bridge.core.planning import PlanningError
from bridge.core.port import AskMetrics, AskStatus, Status
from bridge.errors import (
    AssignmentError,
    BridgeError,
    FinalError,
    RasaError,
    SessionGoneError,
    StoreError,
)
from bridge.frames import Unpacker, Unreadable, pack
from bridge.model import CallInfo, Owner, ReceivedEvent
from bridge.state import commands
from bridge.state.calls import CallRequest, CallRequestKind
from bridge.state.commands import ActionKind, BroughtAssignment, Command
from bridge.state.inquiries import BotAnswer, BotReply
from bridge.state.records import (
    NOTHING,
    ActionAnswer,
    AgentRequest,
    Alert,
    Erasure,
    RasaUpdate,
    RequestKind,
    UpdateKind,
)
from bridge.store import UnavailableError
from tests.core import rig
from tests.making import NOW, assignment, delivery

HEAD = 12  # bytes before the pickle

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NUMBERS = st.integers(0, 2**64 - 1)


def kinds(base: type[Any]) -> Iterator[type[Any]]:
    """Every class of the bridge's own that is a ``base``."""
    for kind in base.__subclasses__():
        if kind.__module__.startswith("bridge."):
            yield kind
            yield from kinds(kind)


def passed(value: Any) -> Any:
    """What arrives of ``value``."""
    ((number, found),) = Unpacker().feed(pack(7, value))
    assert number == 7
    return found


# -- cutting ---------------------------------------------------------------------------------------


@given(
    sent=st.lists(st.tuples(NUMBERS, VALUES), max_size=6),
    sizes=st.lists(st.integers(1, 64), min_size=1, max_size=20),
)
@settings(deadline=None, max_examples=200)
def test_messages_survive_being_cut_into_any_pieces(
    sent: list[tuple[int, Any]], sizes: list[int]
) -> None:
    data = b"".join(pack(number, value) for number, value in sent)
    unpacker = Unpacker()
    found: list[tuple[int, Any]] = []
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        found += unpacker.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert found == sent


@given(first=VALUES, second=VALUES, cut=st.floats(0, 1, exclude_max=True))
@settings(deadline=None)
def test_a_message_is_there_when_its_last_byte_is(first: Any, second: Any, cut: float) -> None:
    whole, begun = pack(1, first), pack(2, second)
    kept = int(len(begun) * cut)
    unpacker = Unpacker()
    assert list(unpacker.feed(whole + begun[:kept])) == [(1, first)]
    assert list(unpacker.feed(b"")) == []
    assert list(unpacker.feed(begun[kept:-1])) == []
    assert list(unpacker.feed(begun[-1:])) == [(2, second)]


def test_what_was_not_looked_at_yet_is_still_there() -> None:
    unpacker = Unpacker()
    found = unpacker.feed(pack(1, "one") + pack(2, "two"))
    assert next(found) == (1, "one")
    del found  # whoever looked gave up
    assert list(unpacker.feed(pack(3, "three"))) == [(2, "two"), (3, "three")]


def test_several_megabytes_arrive_whole() -> None:
    value = {"text": "ä" * 3_000_000, "bytes": bytes(range(256)) * 10_000}
    data = pack(1, value)
    unpacker = Unpacker()
    found: list[tuple[int, Any]] = []
    for at in range(0, len(data), 65_536):
        found += unpacker.feed(data[at : at + 65_536])
    assert found == [(1, value)]


def test_what_is_no_pickle_is_told_and_what_comes_after_it_is_read() -> None:
    whole = pack(1, "one")
    data = whole[:HEAD] + b"x" * (len(whole) - HEAD) + pack(2, "two")
    (number, found), second = Unpacker().feed(data)
    assert number == 1
    assert isinstance(found, Unreadable)
    assert "UnpicklingError" in found.reason
    assert second == (2, "two")


def test_what_would_be_longer_than_any_message_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="bytes"):
        list(Unpacker().feed(b"GET / HTTP/1.1\r\n\r\n"))


def test_what_cannot_be_pickled_raises_where_it_is_packed() -> None:
    with pytest.raises(Exception, match="pickle"):
        pack(1, lambda: None)


# -- errors ----------------------------------------------------------------------------------------

ARGUMENTS: dict[str, Any] = {
    "message": "It is not so; do this.",
    "cause": "the database is away",
    "faults": ["bridge.yml: one", "handoff.yml: two"],
    "code": "no_assignment",
    "status": 503,
    "retcode": "106-001",
    "retry_after": 2.5,
    "seen": 7,
    "sent": True,
    "unknown": True,
}
ERRORS = [BridgeError, *sorted(set(kinds(BridgeError)), key=lambda kind: kind.__name__)]


def made(kind: type[BridgeError]) -> BridgeError:
    """An error whose every attribute says something."""
    named = inspect.signature(kind).parameters
    return kind(**{name: ARGUMENTS[name] for name in named})


def test_the_classes_that_were_found_are_those_of_the_whole_core() -> None:
    assert {FullError, PlanningError, StoreError, UnavailableError, FinalError} < set(ERRORS)


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_arrives_as_it_was_raised(kind: type[BridgeError]) -> None:
    error = made(kind)
    _, found = passed((None, error))
    assert type(found) is kind
    assert vars(found) == vars(error)
    assert found.args == error.args
    assert str(found) == str(error)


@pytest.mark.parametrize("kind", ERRORS)
def test_what_was_noted_on_a_raised_error_arrives_but_for_its_cause(
    kind: type[BridgeError],
) -> None:
    error = made(kind)
    try:
        raise error from OSError("a driver's own words")
    except BridgeError as raised:
        raised.seen_by = "the core"  # type: ignore[attr-defined]
        found = passed(raised)
    assert vars(found) == {**vars(made(kind)), "seen_by": "the core"}
    assert found.__cause__ is None
    assert found.__traceback__ is None


# -- commands and answers --------------------------------------------------------------------------

UPDATE = RasaUpdate(
    1, "update-1", "sender", "A", next(iter(UpdateKind)), {"text": "hello"}, NOW, NOW, NOW + 60
)
# Every field of every command, by its name.
FIELDS: dict[str, Any] = {
    "acted": True,
    "answer": BotAnswer(
        ((BotReply({"text": "24 euros"}, "utter_price", 0.9, 0.5),),),
        "ask_price",
        0.9,
        0.5,
        stopped_at="action_order",
        ran=True,
        slots={"name": "Maria"},
    ),
    "key": "the-key",
    "answer_by": NOW + 2.5,
    "action": ActionKind.ASSIST,
    "again": True,
    "alert": Alert("alert-1", "sender", "A", "291", NOW, NOW + 60, 1),
    "agent_id": "291",
    "agent_ids": frozenset({"291", "292"}),
    "readers": frozenset({"305"}),
    "chats": 5,
    "request": AgentRequest(RequestKind.STATE, "busy", "ready", attempt=2),
    "content": {"retcode": "0"},
    "state": "wrap_up",
    "service_token": "0123456789abcdef",
    "digest": "fedcba",
    "events": (ReceivedEvent("AgentState_Ready", None, "1800000000000"),),
    "sign_out": False,
    "again_at": NOW + 9,
    "answers": "message-1",
    "author": "customer",
    "assignment": assignment(),
    "before": NOW - 60,
    "brought": BroughtAssignment(assignment(), NOW, "token", "the channel was corrected"),
    "call_id": "A",
    "call_ids": ("A", "B"),
    "client_id": "c-1",
    "code": "agent_signed_out",
    "confidence": 0.71,
    "delivery": delivery(),
    "delivery_id": 12,
    "domain_asked": True,
    "done_at": NOW,
    "erasure": Erasure(senders=frozenset({"sender"}), turn_keys=frozenset({"turn"})),
    "error": None,  # compared by itself below
    "external_id": "kb-1",
    "event": ReceivedEvent("WeccCall", {"content": [1, "zwei", None]}),
    "failures": 3,
    "final": False,
    "forced": True,
    "found": CallInfo("40001", "Maria", None, "77", "text"),
    "guid": rig.GUID,
    "held": {1: "a-lease", 2: None},
    "hidden": True,
    "holder": "a-process",
    "interrupted": True,
    "jitter": 0.25,
    "inquiries": 4,
    "keys": [("one", 1), ("two", 2)],
    "latest": NOW + 4,
    "latest_due": NOW + 1,
    "latest_expiry": NOW + 2,
    "latest_rest": NOW + 3,
    "limit": 16,
    "message": "sign in first",
    "message_id": "message-1",
    "name": "auto",
    "new_guid": rig.GUID,
    "only_lowers": True,
    "owner": Owner.AGENT,
    "probe": True,
    "quiet": NOW - 30,
    "reason": "not now",
    "reply": {"text": "Which?", "buttons": [{"title": "Red"}]},
    "call_request": CallRequest(
        7, "request-1", "A", "A", "291", CallRequestKind.TRANSFER, NOW, NOW, NOW, {"agent": "292"}
    ),
    "request_id": "request-1",
    "responses": rig.RESPONSES,
    "retried": True,
    "seconds": 1.5,
    "sender_id": "sender",
    "source": "kb",
    "subject": "a-subject",
    "suggestion_id": "suggestion-1",
    "sweep": True,
    "take": True,
    "table": "events",
    "text": "Grüße 👋",
    "to_agent": "292",
    "to_skill": None,
    "turn_key": "turn-1",
    "unsent": True,
    "until": NOW + 60,
    "update": UPDATE,
    "value": "off",
    "wait": 1.25,
    "whole": True,
    "withdraws_auto": True,
}
COMMANDS = sorted(
    {kind for kind in kinds(Command) if kind.__module__.startswith(f"{commands.__name__}.")},
    key=lambda kind: kind.__name__,
)


def public(value: Any) -> dict[str, Any]:
    """What anybody may read of a turn."""
    found = {name: getattr(value, name) for name in dir(value) if not name.startswith("_")}
    return {name: each for name, each in found.items() if not callable(each)}


@pytest.mark.parametrize("kind", [kind for kind in COMMANDS if kind is not commands.CallAction])
def test_a_command_arrives_as_it_was_put(kind: type[Command]) -> None:
    command = kind(**{each.name: FIELDS[each.name] for each in fields(kind)})
    found = passed(command)
    assert type(found) is kind
    assert found == command
    assert found.needs() == command.needs()


@pytest.mark.parametrize("action", ActionKind)
@pytest.mark.parametrize("read_before", [False, True])
def test_an_action_call_arrives_with_its_whole_turn(
    action: ActionKind, *, read_before: bool
) -> None:
    command = rig.call("sender", action=action, brought=assignment(), answer_by=NOW, number=3)
    if read_before:
        public(command.turn)  # what was worked out once is kept with it
    found = passed(command)
    assert public(found.turn) == public(command.turn)
    assert {"text", "ranking", "last_written_at", "replies", "ordinal"} < set(public(found.turn))
    assert found.turn.fallbacks() == command.turn.fallbacks()
    assert replace(found, turn=command.turn) == command
    assert found.needs() == command.needs()


def test_errors_arrive_within_commands() -> None:
    sending = commands.SendingResult(
        delivery=delivery(), guid=rig.GUID, error=SessionGoneError("gone", retcode="x", seen=4)
    )
    update = commands.UpdateResult(update=UPDATE, error=RasaError("no", status=500, unknown=True))
    brought = replace(rig.call(), brought=AssignmentError("bad_token", "it is not signed"))
    pairs = (
        (passed(sending).error, sending.error),
        (passed(update).error, update.error),
        (passed(brought).brought, brought.brought),
    )
    for found, error in pairs:
        assert type(found) is type(error)
        assert vars(found) == vars(error)


@pytest.mark.parametrize(
    "value",
    [
        NOTHING,
        ActionAnswer(
            state="handoff",
            agent_id="291",
            call_id="A",
            delivery="failed",
            error="agent_signed_out",
            response="utter_handoff_unavailable",
            unavailable=True,
            variations=[{"text": "Nobody is there."}],
            language="de-at",
            message={"text": "hello", "buttons": [{"title": "Ja", "payload": "/affirm"}]},
            summary="a summary",
            pause=True,
        ),
        Status(alive=False, reason="it is being opened", breaker="open", since=NOW),
        AskStatus(),
        AskMetrics("text/plain", "1.0"),
        delivery(),
        UPDATE,
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_answer_arrives_as_it_was_given(value: object) -> None:
    assert passed((value, None)) == (value, None)


def test_whatever_json_can_read_can_be_packed() -> None:
    depth = 100
    deepest: Any = None
    while True:
        text = '{"a":' * depth + "1" + "}" * depth
        try:
            value = json.loads(text)
            json.dumps(value)
        except RecursionError:
            break
        deepest, depth = value, depth + 100
    assert depth > 500
    ((number, found),) = Unpacker().feed(pack(3, deepest))
    assert number == 3
    assert json.dumps(found) == json.dumps(deepest)
