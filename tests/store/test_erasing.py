"""Nothing of an erased customer is in any table, nor a byte of it in SQLite's files."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bridge.core.core import Core
from bridge.model import (
    CallId,
    DeliveryState,
    Draft,
    MediaType,
    MessageCode,
    Owner,
    SenderId,
    SuggestionState,
    derive,
)
from bridge.state.commands import StopErased, UpdateResult
from bridge.state.records import ActionAnswer, AssignmentRecord, EventRecord, UpdateState
from bridge.store import Store, erasure, lists, schema
from bridge.turn import kept_name
from bridge.upkeep.erasing import Erased, Eraser
from tests.making import NOW, assignment, delivery, envelope
from tests.store.machine import Machine, keep, keep_in, reading, signed_in, working
from tests.store.people import dump, history, written

OPEN: dict[str, Any] = {
    "state": DeliveryState.WAITING,
    "offered": SuggestionState.OFFERED,
    "update": UpdateState.WAITING,
    "ended": False,
}


def quiet(_done: int, _total: int) -> None:
    """Nobody watches."""


@pytest.fixture
def eraser(store: Store, core: Core) -> Eraser:
    return Eraser(store, core)


def erase(eraser: Eraser, kind: str, name: str, *, compact: bool | None = None) -> Erased:
    return eraser.erase(eraser.erasure(kind, name), quiet, compact=compact)


def found(eraser: Eraser, kind: str, name: str) -> Erased:
    return eraser.find(eraser.erasure(kind, name), quiet)


@pytest.fixture
def two(store: Store) -> Store:
    """Maria with two calls, one of them open; and Jon."""
    history(store, "whatsapp:+49170", "call-1", "40001", NOW - 100)
    history(store, "whatsapp:+49170", "call-2", "40001", NOW, **OPEN)
    history(store, "jon", "call-3", "40002", NOW)
    return store


@pytest.mark.parametrize(("kind", "name"), [("sender", "whatsapp:+49170"), ("user", "40001")])
def test_nothing_is_left_of_a_customer_and_all_of_the_others(
    two: Store, eraser: Eraser, kind: str, name: str
) -> None:
    before = dump(two)
    assert found(eraser, kind, name).total == 20
    assert dump(two) == before  # looking changes nothing
    assert dict(erase(eraser, kind, name).rows) == {
        "deliveries": 2,
        "messages": 2,
        "suggestions": 2,
        "assignments": 2,
        "rasa_updates": 2,
        "call_requests": 2,
        "calls": 2,
        "turns": 2,
        "changes": 2,
        "events": 2,
    }
    left = written(two)
    for known in ("+49170", "40001", "call-1", "call-2"):
        assert known not in left
    jons = [row for rows in before.values() for row in rows if "call-3" in str(row)]
    assert all(row in dump(two)[table] for table in before for row in jons if row in before[table])
    assert found(eraser, kind, name).total == 0


def test_one_call_is_erased_and_not_its_conversation(two: Store, eraser: Eraser) -> None:
    assert erase(eraser, "call", "call-1").total == 10
    left = written(two)
    assert "call-1" not in left
    assert "call-2" in left
    assert "whatsapp:+49170" in left


def test_a_call_of_the_readers_is_a_conversation_of_its_own(store: Store, eraser: Eraser) -> None:
    history(store, "cc-call-9", "call-9", "40009", NOW)
    erase(eraser, "call", "call-9")
    assert "call-9" not in written(store)


def test_a_conversation_whose_name_is_too_long_to_be_kept_is_known_by_it(
    store: Store, eraser: Eraser
) -> None:
    history(store, kept_name("x" * 600), "call-1", "40001", NOW)
    assert erase(eraser, "sender", "x" * 600).total == 10


def test_the_code_of_an_answer_stays_and_says_nothing(two: Store, eraser: Eraser) -> None:
    keys = {row["key"] for row in dump(two)["turns"] if row["call_id"] != "call-3"}
    erase(eraser, "user", "40001")
    left = [row for row in dump(two)["turns"] if row["key"] in keys]
    assert len(left) == 2
    assert {(row["sender_id"], row["call_id"], row["answer"]) for row in left} == {("", None, "{}")}
    record = two.read(lambda tx: lists.turn(tx, next(iter(keys))))
    assert record is not None
    assert record.answer == ActionAnswer()


def test_who_is_not_known_is_not_found(two: Store, eraser: Eraser) -> None:
    assert two
    for kind in ("sender", "user", "call"):
        assert found(eraser, kind, "nobody").total == 0
        assert erase(eraser, kind, "nobody").total == 0


def test_what_is_under_way_completes_nothing_any_more(store: Store, eraser: Eraser) -> None:
    waits = {"state": DeliveryState.WAITING, "update": UpdateState.WAITING}
    history(store, "maria", "call-1", "40001", NOW, **waits, ended=False)  # type: ignore[arg-type]
    keep(store, sessions=[signed_in("291")])
    machine = Machine(store)
    (claimed,) = machine.claim()
    (told,) = machine.claim_updates()
    erase(eraser, "sender", "maria")
    machine.complete(claimed, DeliveryState.DELIVERED)
    machine.do(UpdateResult(update=told))
    assert "maria" not in written(store)


def test_what_waits_is_gone_before_the_rest_is_looked_for(two: Store, eraser: Eraser) -> None:
    seen: list[str] = []

    def look(_done: int, _total: int) -> None:
        of_call = two.read(lambda tx: lists.deliveries(tx, call_id="call-2", limit=9))
        seen.append(str([item for item in of_call if not item.state.settled]))

    eraser.erase(eraser.erasure("user", "40001"), look, compact=None)
    assert seen
    assert set(seen) == {"[]"}


@pytest.mark.parametrize(("kind", "name"), [("sender", "whatsapp:+49170"), ("user", "40001")])
def test_an_erasure_that_was_interrupted_is_done_by_the_next(
    two: Store, eraser: Eraser, core: Core, kind: str, name: str
) -> None:
    core.call(StopErased(erasure=eraser.erasure(kind, name)))
    erase(eraser, kind, name)
    for known in ("+49170", "40001", "call-1", "call-2"):
        assert known not in written(two)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"callid": "call-1", "message": "hi"}, True),
        ("call-1", True),  # AgentEvent_Call_Release
        ({"deep": [{"callId": "call-1"}]}, True),
        ({"content": '{"callid": "call-1"}'}, True),
        ({"caller": "40001", "callid": "another"}, True),
        ({"number": 40001}, True),
        ({"callid": "call-10", "caller": "400012"}, False),
        (None, False),
        ({"text": "about call-1"}, False),
    ],
)
def test_an_event_is_known_by_its_call_or_its_user(
    store: Store, eraser: Eraser, content: Any, *, named: bool
) -> None:
    history(store, "maria", "call-1", "40001", NOW)
    instead_of_events(store, content)
    erase(eraser, "user", "40001")
    assert (dump(store)["events"] == []) is named


def test_a_short_user_id_is_no_number_of_an_event(store: Store, eraser: Eraser) -> None:
    history(store, "maria", "call-1", "5", NOW)
    instead_of_events(store, {"mediaAbility": "5"}, {"caller": "5"})
    erase(eraser, "user", "5")
    (left,) = dump(store)["events"]
    assert "mediaAbility" in left["content"]


def instead_of_events(store: Store, *contents: Any) -> None:
    """Keep these events and no others."""
    with store.transaction() as tx:
        tx.execute("DELETE FROM events")
    keep(store, events=[EventRecord("291", "AgentEvent", each, NOW) for each in contents])


def test_more_rows_than_a_look_takes(store: Store, core: Core) -> None:
    for number in range(9):
        history(store, f"p{number % 2}", f"call-{number}", f"4000{number % 2}", NOW)
    told: list[tuple[int, int]] = []
    eraser = Eraser(store, core, rows_read=3, rows_written=2)
    whose = eraser.erasure("sender", "p1")
    done = eraser.erase(whose, lambda *so_far: told.append(so_far), compact=False)
    assert done.total == 40
    assert "40001" not in written(store)
    assert told == sorted(told)
    assert told[-1][0] <= told[-1][1]


def test_a_large_file_is_written_anew_only_if_that_is_asked_for(
    sqlite_url: str,
) -> None:
    with closing(Store(sqlite_url)) as store, working(sqlite_url) as core:
        history(store, "maria", "call-1", "40001", NOW)
        history(store, "jon", "call-2", "40002", NOW)
        eraser = Eraser(store, core, compacted=4096)
        assert not erase(eraser, "sender", "maria").clean
        assert erase(eraser, "sender", "jon", compact=True).clean


def test_a_reader_that_is_at_it_all_the_time_is_told(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    history(store, "maria", "call-1", "40001", NOW)
    reader = store._reading.connect()
    reader.exec_driver_sql("BEGIN")
    reader.exec_driver_sql("SELECT count(*) FROM deliveries").all()
    history(store, "jon", "call-2", "40002", NOW)
    assert not store.empty_log(timeout=0.1)
    reader.exec_driver_sql("COMMIT")
    reader.close()
    assert store.empty_log(timeout=5)
    store.close()


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(seed=942)
@given(seed=st.integers(0, 10**6))
def test_no_byte_is_left_in_sqlites_files(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """Whatever was written between: rows grow, pages are split, and former bytes stay in them."""
    folder = tmp_path_factory.mktemp("files")
    url = f"sqlite:///{folder / 'bridge.db'}"
    chance = random.Random(seed)  # noqa: S311 - rows of any size
    with closing(Store(url)) as store, working(url) as core:
        with store.transaction() as tx:
            for number in range(7):
                who = f"person-{number}-end"
                given = assignment(
                    sender_id=SenderId(who),
                    call_id=CallId(f"call-of-{who}"),
                    user_id=f"user-of-{who}",
                )
                keep_in(tx, assignments=[AssignmentRecord(given, Owner.AGENT, "http", NOW)])
            for number in range(300):
                who = f"person-{number % 7}-end"
                words = f"WORDS of {who} " + "x" * chance.choice([1, 90, 400, 1900, 3800, 9000])
                made = delivery(
                    sender_id=SenderId(who),
                    envelope=replace(
                        envelope(), call_id=CallId(f"call-of-{who}"), user_id=f"user-of-{who}"
                    ),
                    draft=Draft(MediaType.TEXT, words),
                    message_code=MessageCode(derive(seed, number)),
                    reply_key=derive(number),
                )
                keep_in(tx, deliveries=[made])
                grown = schema.deliveries.update().where(
                    schema.deliveries.c.seq == chance.randrange(1, number + 2)
                )
                tx.connection.execute(
                    grown.values(error_message="e" * chance.choice([1, 50, 300]), state="failed")
                )
        assert b"person-3-end" in files(folder)
        assert erase(Eraser(store, core), "sender", "person-3-end").clean
        assert b"person-3-end" not in files(folder)
        assert b"person-4-end" in files(folder)
        assert len(dump(store)["deliveries"]) == 300 - 300 // 7 - (3 < 300 % 7)


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("bridge.db*")))


def test_every_table_of_people_is_looked_through() -> None:
    with_people = {
        table.name
        for table in schema.metadata.sorted_tables
        if any(column.info for column in table.columns)
    }
    assert set(erasure.TABLES) == with_people


def test_what_is_erased_is_found_by_indexes(sqlite_url: str) -> None:
    """However much is kept of others; the gateway's events alone are looked through, in windows."""
    with closing(Store(sqlite_url)) as store:
        for number in range(3):
            history(store, f"p{number}", f"call-{number}", f"4000{number}", NOW)
        with reading(store) as steps:
            whose = [
                store.read(lambda tx: erasure.of_sender(tx, "p1")),
                store.read(lambda tx: erasure.of_user(tx, "40001")),
                store.read(lambda tx: erasure.of_call(tx, "call-1")),
            ]
            for erased in whose:
                for table in erasure.TABLES:
                    if table != "events":
                        store.read(lambda tx, e=erased, t=table: erasure.matching_keys(tx, t, e))  # type: ignore[misc]
    assert len(steps) > 15
    assert [step for step in steps if step.startswith("SCAN") and "CONSTANT ROW" not in step] == []
