"""``cc-bridge outbox`` as an operator runs it, on a database that nobody works on."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.model import (
    AgentId,
    CallId,
    Delivery,
    DeliveryError,
    DeliveryState,
    Draft,
    MediaType,
    Owner,
)
from bridge.state.commands import EndCall
from bridge.state.records import AssignmentRecord
from bridge.store import Store, lists
from tests.cli.running import at_terminal, configure, piped, within
from tests.making import assignment, delivery, envelope
from tests.store.machine import keep, working

REFUSED = DeliveryError("106-001", "multimedia is switched off for this tenant (retcode 106-001)")
WORDS = "Dear Maria, your order is lost"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'bridge.db'}"


@pytest.fixture
def folder(tmp_path: Path, url: str) -> Path:
    """Seven deliveries: of each state one, and a failed one of another agent's call."""
    now = time.time()
    made = [of_state(number, state, now) for number, state in enumerate([*DeliveryState, *LAST], 1)]
    made[-1] = replace(
        made[-1],
        envelope=replace(envelope(), call_id=CallId("call-7"), agent_id=AgentId("292")),
    )
    other = assignment(sender_id="jon", call_id="call-7", agent_id="292")
    given = [
        AssignmentRecord(each, Owner.AGENT, "http", now, handed_off_at=now)
        for each in (assignment(), other)
    ]
    with closing(Store(url)) as store:
        keep(store, assignments=given, deliveries=made)
    return configure(tmp_path, url)


LAST = (DeliveryState.FAILED,)


def of_state(number: int, state: DeliveryState, now: float) -> Delivery:
    bad = state in (DeliveryState.FAILED, DeliveryState.UNCERTAIN)
    return delivery(
        number,
        draft=Draft(MediaType.TEXT, WORDS),
        state=state,
        created_at=now - 60 * number,
        due_at=now,
        expires_at=now + 300,
        error=REFUSED if bad else None,
        settled_at=now if state.settled else None,
    )


def state_of(url: str, number: int) -> str:
    with closing(Store(url)) as store:
        found = store.read(lambda tx: lists.delivery(tx, number))
    assert found is not None
    return found.state.value


# -- list ----------------------------------------------------------------------------------------


def test_in_a_pipe_it_is_a_line_each_and_no_words(folder: Path) -> None:
    ran = piped(folder, "outbox", "list")
    assert ran.code == 0
    assert [row[:5] for row in ran.rows] == [
        ["1", "1552524689-16797284", "291", "waiting", "0"],
        ["2", "1552524689-16797284", "291", "sending", "0"],
        ["4", "1552524689-16797284", "291", "failed", "0"],
        ["5", "1552524689-16797284", "291", "uncertain", "0"],
        ["6", "1552524689-16797284", "291", "expired", "0"],
        ["7", "call-7", "292", "failed", "0"],
    ]
    assert ran.rows[2][6] == f"106-001: {REFUSED.message}"
    assert "Maria" not in ran.out
    assert "\x1b" not in ran.out


def test_what_was_said_is_shown_only_to_who_asks(folder: Path) -> None:
    assert within(folder, "outbox", "list", "--content").rows[0][7] == WORDS
    assert "content" not in within(folder, "outbox", "list", "--json").objects[0]
    shown = within(folder, "outbox", "list", "--json", "--content").objects
    assert shown[0]["content"] == WORDS
    assert "Maria" not in within(folder, "outbox", "show", "4").out
    assert WORDS in within(folder, "outbox", "show", "4", "--content").out


def test_it_is_narrowed_by_state_call_agent_and_number(folder: Path) -> None:
    def listed(*options: str) -> list[str]:
        return [row[0] for row in within(folder, "outbox", "list", *options).rows]

    assert listed("--state", "failed,uncertain") == ["4", "5", "7"]
    assert listed("--state", "failed", "--state", "delivered") == ["3", "4", "7"]
    assert listed("--call", "call-7") == ["7"]
    assert listed("--agent", "291", "--state", "failed") == ["4"]
    assert listed("--limit", "2") == ["6", "7"]
    assert listed("--limit", "2", "--all") == ["1", "2", "4", "5", "6", "7"]
    assert listed("--call", "nobody") == []


@pytest.mark.parametrize("columns", [80, 120])
def test_at_a_terminal_it_is_a_table_that_fits(folder: Path, columns: int) -> None:
    ran = at_terminal(folder, "outbox", "list", "--limit", "4", columns=columns)
    lines = [line.rstrip() for line in ran.out.splitlines()]
    assert max(len(line) for line in lines) <= columns
    assert lines[0].split() == ["id", "call", "agent", "state", "tries", "age", "error"]
    assert lines[1].split()[:5] == ["4", "1552524689-16797284", "291", "failed", "0"]
    assert lines[1].split()[5:8] == ["4", "min", "106-001"]
    assert ("multimedia is switched off" in lines[1]) is (columns == 120)
    assert "The newest 4 of 6; --all shows them all." in lines
    assert lines[-1].split("   ")[:3] == ["1 waiting", "1 sending", "1 delivered"]
    assert "Maria" not in ran.out


def test_an_empty_list_says_so(folder: Path) -> None:
    assert "No deliveries match." in at_terminal(folder, "outbox", "list", "--call", "x").out


# -- show ----------------------------------------------------------------------------------------


def test_one_is_shown_whole(folder: Path) -> None:
    ran = at_terminal(folder, "outbox", "show", "4")
    for told in ("failed", "sender", "40001 on WEB", "106-001", "the agent's own words", "stored"):
        assert told in ran.out
    found = json.loads(within(folder, "outbox", "show", "4", "--json").out)
    assert (found["state"], found["user_id"], found["parts"]) == ("failed", "40001", [])


def test_one_that_is_not_there_is_said_and_the_exit_code_is_1(folder: Path) -> None:
    ran = within(folder, "outbox", "show", "99")
    assert (ran.code, ran.out, ran.err) == (1, "", "there is no such delivery.\n")


# -- retry and discard -----------------------------------------------------------------------------


def test_each_outcome_is_told_and_one_refusal_makes_the_exit_code_1(folder: Path, url: str) -> None:
    ran = piped(folder, "outbox", "retry", "4", "3", "99", "--yes")
    assert ran.code == 1
    assert ran.rows == [
        ["4", "retried", ""],
        ["3", "settled", "this delivery is delivered"],
        ["99", "not_found", "there is no such delivery"],
    ]
    assert state_of(url, 4) == "waiting"


def test_all_of_a_kind_are_retried(folder: Path, url: str) -> None:
    ran = within(folder, "outbox", "retry", "--all", "--state", "failed", "--yes", "--json")
    assert ran.code == 0
    assert ran.objects == [{"id": "4", "outcome": "retried"}, {"id": "7", "outcome": "retried"}]
    assert [state_of(url, number) for number in (4, 5, 7)] == ["waiting", "uncertain", "waiting"]
    again = within(folder, "outbox", "retry", "--all", "--state", "failed", "--yes")
    assert (again.code, again.err) == (1, "No deliveries match.\n")


def test_what_waits_is_discarded_and_what_is_being_sent_is_not(folder: Path, url: str) -> None:
    ran = within(folder, "outbox", "discard", "1", "2", "5", "--yes")
    assert [row[:2] for row in ran.rows] == [
        ["1", "discarded"],
        ["2", "settled"],
        ["5", "discarded"],
    ]
    assert state_of(url, 1) == "failed"


def test_it_asks_first(folder: Path, url: str) -> None:
    no = at_terminal(folder, "outbox", "discard", "1", say="n\n")
    assert no.code == 1
    assert "Discard 1 delivery permanently? [y/N]" in no.out
    assert "Nothing was changed." in no.out
    assert state_of(url, 1) == "waiting"
    yes = at_terminal(folder, "outbox", "retry", "4", "7", "3", say="y\n")
    assert yes.code == 1
    assert "Send 3 deliveries again?" in yes.out
    assert "2 of 3 deliveries will be sent again." in yes.out
    assert state_of(url, 4) == "waiting"


def test_where_nobody_can_be_asked_nothing_is_done(folder: Path, url: str) -> None:
    ran = within(folder, "outbox", "discard", "1")
    assert (ran.code, ran.err) == (2, "Not an interactive terminal: add --yes to confirm.\n")
    assert state_of(url, 1) == "waiting"


def test_a_call_that_is_over_keeps_its_messages_unsent(folder: Path, url: str) -> None:
    with working(url) as core:
        assert core.call(EndCall(sender_id="jon"))
    ran = within(folder, "outbox", "retry", "7", "--yes")
    assert ran.rows == [["7", "call_ended", "this call has ended"]]


# -- what is not to be said twice ------------------------------------------------------------------

ON_PURPOSE = (
    "withdrawn",
    "call_ended",
    "reassigned",
    "discarded",
    "previous_part",
    "too_many_waiting",
)


@pytest.fixture
def said_otherwise(tmp_path: Path, url: str) -> Path:
    """Failed ones: of each reason on purpose, one that was overtaken, and one to be sent again."""
    now = time.time()
    failed = [
        replace(of_state(number, DeliveryState.FAILED, now), error=DeliveryError(code, "a reason"))
        for number, code in enumerate(ON_PURPOSE, 1)
    ]
    overtaken = of_state(7, DeliveryState.FAILED, now)
    told = of_state(8, DeliveryState.DELIVERED, now)
    to_send = of_state(9, DeliveryState.FAILED, now)
    record = AssignmentRecord(assignment(), Owner.AGENT, "http", now, handed_off_at=now)
    with closing(Store(url)) as store:
        keep(store, assignments=[record], deliveries=[*failed, overtaken, told, to_send])
    return configure(tmp_path, url)


def test_all_leaves_out_what_was_stopped_on_purpose_or_said_since(
    said_otherwise: Path, url: str
) -> None:
    ran = within(said_otherwise, "outbox", "retry", "--all", "--state", "failed", "--yes")
    assert ran.code == 0
    assert [row[:2] for row in ran.rows] == [
        ["9", "retried"],
        *[[str(number), "left_out"] for number in range(1, 8)],
    ]
    for code in ON_PURPOSE:
        reason = f"Left out: 1 delivery, {code}: it was stopped on purpose: a reason.\n"
        assert reason in ran.err
    assert "Left out: 1 delivery, said_since: a later message of this call was delivered" in ran.err
    states = [state_of(url, number) for number in (*range(1, 8), 9)]
    assert states == ["failed"] * 7 + ["waiting"]


@pytest.mark.parametrize("number", [1, 7])
def test_such_a_one_by_its_id_asks_first_and_says_why(
    said_otherwise: Path, url: str, number: int
) -> None:
    nobody = within(said_otherwise, "outbox", "retry", str(number))
    assert nobody.code == 2
    assert f"Delivery {number} should not be sent again: " in nobody.err
    assert nobody.err.endswith("Not an interactive terminal: add --yes to confirm.\n")
    assert state_of(url, number) == "failed"
    assert within(said_otherwise, "outbox", "retry", str(number), "--yes").code == 0
    assert state_of(url, number) == "waiting"


def test_where_all_are_left_out_nothing_is_asked(said_otherwise: Path, url: str) -> None:
    assert within(said_otherwise, "outbox", "retry", "9", "--yes").code == 0
    ran = within(said_otherwise, "outbox", "retry", "--all", "--state", "failed", "--json")
    assert ran.code == 1
    assert {item["outcome"] for item in ran.objects} == {"left_out"}
    assert state_of(url, 1) == "failed"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--state", "faild"], "a state is one of waiting, sending"),
        (["retry"], "Name deliveries by their IDs"),
        (["retry", "4", "--state", "failed"], "Name deliveries by their IDs"),
        (["retry", "--all"], "--all goes with --state"),
        (["discard", "1", "--all", "--state", "failed"], "--all goes with --state"),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, arguments: list[str], said: str) -> None:
    ran = within(folder, "outbox", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_no_database_is_made_where_there_is_none(tmp_path: Path) -> None:
    configure(tmp_path, "sqlite:///missing.db")
    ran = within(tmp_path, "outbox", "list")
    assert ran.code == 2
    assert "there is no database missing.db" in ran.err
    assert not (tmp_path / "missing.db").exists()


def test_a_wrong_configuration_is_told_whole(tmp_path: Path) -> None:
    configure(tmp_path, "sqlite:///missing.db", wrong=1)
    ran = within(tmp_path, "outbox", "list")
    assert ran.code == 2
    assert "wrong" in ran.err
