"""Nothing of a forgotten customer is in any table, nor a byte of it in SQLite's files."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bridge.desk.forgetting import Forgetting, Forgotten
from bridge.model import CallId, DeliveryState, Draft, MediaType, SenderId, SuggestionState, derive
from bridge.store import (
    Store,
    deliveries,
    errands,
    events,
    forgetting,
    queue,
    schema,
    settlements,
    turns,
)
from bridge.turn import kept_name
from tests.making import NOW, delivery, envelope
from tests.store.people import dump, history, written

OPEN = {
    "state": DeliveryState.WAITING,
    "offered": SuggestionState.OFFERED,
    "errand": "waiting",
    "ended": False,
}


def forget(store: Store, kind: str, name: str, *, compact: bool | None = None) -> Forgotten:
    desk = Forgetting(store)
    return desk.erase(desk.whose(kind, name), lambda _done, _total: None, compact=compact)


def found(store: Store, kind: str, name: str) -> Forgotten:
    desk = Forgetting(store)
    return desk.look(desk.whose(kind, name), lambda _done, _total: None)


@pytest.fixture
def two(store: Store) -> Store:
    """Maria with two calls, one of them open; and Jon."""
    history(store, "whatsapp:+49170", "call-1", "40001", NOW - 100)
    history(store, "whatsapp:+49170", "call-2", "40001", NOW, **OPEN)  # type: ignore[arg-type]
    history(store, "jon", "call-3", "40002", NOW)
    return store


@pytest.mark.parametrize(("kind", "name"), [("sender", "whatsapp:+49170"), ("user", "40001")])
def test_nothing_is_left_of_a_customer_and_all_of_the_others(
    two: Store, kind: str, name: str
) -> None:
    before = dump(two)
    assert found(two, kind, name).total == 12
    assert dump(two) == before  # looking changes nothing
    assert dict(forget(two, kind, name).rows) == {
        "deliveries": 2,
        "suggestions": 2,
        "assignments": 2,
        "errands": 2,
        "turns": 2,
        "events": 2,
    }
    left = written(two)
    for known in ("+49170", "40001", "call-1", "call-2"):
        assert known not in left
    jons = [row for rows in before.values() for row in rows if "call-3" in str(row)]
    assert all(row in dump(two)[table] for table in before for row in jons if row in before[table])
    assert found(two, kind, name).total == 0


def test_one_call_is_forgotten_and_not_its_conversation(two: Store) -> None:
    assert forget(two, "call", "call-1").total == 6
    left = written(two)
    assert "call-1" not in left
    assert "call-2" in left
    assert "whatsapp:+49170" in left


def test_a_call_of_the_readers_is_a_conversation_of_its_own(store: Store) -> None:
    history(store, "cc-call-9", "call-9", "40009", NOW)
    forget(store, "call", "call-9")
    assert "call-9" not in written(store)


def test_a_conversation_whose_name_is_too_long_to_be_kept_is_known_by_it(store: Store) -> None:
    history(store, kept_name("x" * 600), "call-1", "40001", NOW)
    assert forget(store, "sender", "x" * 600).total == 6


def test_the_code_of_an_answer_stays_and_says_nothing(two: Store) -> None:
    keys = {row["key"] for row in dump(two)["turns"] if row["call_id"] != "call-3"}
    forget(two, "user", "40001")
    left = [row for row in dump(two)["turns"] if row["key"] in keys]
    assert len(left) == 2
    assert {(row["sender_id"], row["call_id"], row["answer"]) for row in left} == {("", None, "{}")}
    record = two.read(lambda tx: turns.get(tx, next(iter(keys))))
    assert record is not None
    assert record.answer == {}


def test_who_is_not_known_is_not_found(two: Store) -> None:
    for kind in ("sender", "user", "call"):
        assert found(two, kind, "nobody").total == 0
        assert forget(two, kind, "nobody").total == 0


def test_what_is_under_way_settles_nothing_any_more(store: Store) -> None:
    history(store, "maria", "call-1", "40001", NOW, DeliveryState.WAITING, errand="waiting")
    (claimed,) = store.write(
        lambda tx: queue.claim(tx, lease="a", now=NOW + 1, until=NOW + 11, limit=9)
    )
    (told,) = store.write(
        lambda tx: errands.claim(tx, lease="a", now=NOW + 1, until=NOW + 11, limit=9)
    )
    forget(store, "sender", "maria")
    done = replace(claimed, state=DeliveryState.DELIVERED, settled_at=NOW + 2, lease=None)
    assert not store.write(lambda tx: settlements.settle(tx, claimed, done))
    assert not store.write(
        lambda tx: errands.settle(tx, told, state="waiting", now=NOW, due=NOW, error=None)
    )
    assert "maria" not in written(store)


def test_what_waits_is_gone_before_the_rest_is_looked_for(two: Store) -> None:
    desk = Forgetting(two)
    seen: list[bool] = []

    def look(_done: int, _total: int) -> None:
        seen.append(two.read(lambda tx: deliveries.open_of_call(tx, "call-2")))

    desk.erase(desk.whose("user", "40001"), look, compact=None)
    assert seen
    assert not any(seen)


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
    store: Store, content: Any, *, named: bool
) -> None:
    history(store, "maria", "call-1", "40001", NOW)
    store.write(lambda tx: tx.execute(schema.events.delete()))
    store.write(lambda tx: events.add(tx, "291", [("AgentEvent", content)], now=NOW))
    forget(store, "user", "40001")
    assert (dump(store)["events"] == []) is named


def test_a_short_user_id_is_no_number_of_an_event(store: Store) -> None:
    history(store, "maria", "call-1", "5", NOW)
    store.write(lambda tx: tx.execute(schema.events.delete()))
    heard = [("AgentEvent", {"mediaAbility": "5"}), ("AgentEvent", {"caller": "5"})]
    store.write(lambda tx: events.add(tx, "291", heard, now=NOW))
    forget(store, "user", "5")
    (left,) = dump(store)["events"]
    assert "mediaAbility" in left["content"]


def test_more_rows_than_a_look_takes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.desk.forgetting._ROWS_READ", 3)
    monkeypatch.setattr("bridge.desk.forgetting._ROWS_WRITTEN", 2)
    for number in range(9):
        history(store, f"p{number % 2}", f"call-{number}", f"4000{number % 2}", NOW)
    told: list[tuple[int, int]] = []
    desk = Forgetting(store)
    whose = desk.whose("sender", "p1")
    done = desk.erase(whose, lambda *so_far: told.append(so_far), compact=False)
    assert done.total == 24
    assert "40001" not in written(store)
    assert told == sorted(told)
    assert told[-1][0] <= told[-1][1]


def test_a_large_file_is_written_anew_only_if_that_is_asked_for(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(sqlite_url)
    history(store, "maria", "call-1", "40001", NOW)
    history(store, "jon", "call-2", "40002", NOW)
    monkeypatch.setattr("bridge.desk.forgetting._COMPACTED", 4096)
    assert not forget(store, "sender", "maria").clean
    assert forget(store, "sender", "jon", compact=True).clean
    store.close()


def test_a_reader_that_is_at_it_all_the_time_is_told(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    history(store, "maria", "call-1", "40001", NOW)
    reader = store._reading.connect()
    reader.exec_driver_sql("BEGIN")
    reader.exec_driver_sql("SELECT count(*) FROM deliveries").all()
    history(store, "jon", "call-2", "40002", NOW)
    assert not store.empty_log(patience=0.1)
    reader.exec_driver_sql("COMMIT")
    reader.close()
    assert store.empty_log(patience=5)
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
    store = Store(f"sqlite:///{folder / 'bridge.db'}")
    chance = random.Random(seed)  # noqa: S311 - rows of any size

    def write(tx: Any) -> None:
        for number in range(300):
            who = f"person-{number % 7}-end"
            words = f"WORDS of {who} " + "x" * chance.choice([1, 90, 400, 1900, 3800, 9000])
            made = delivery(
                sender_id=SenderId(who),
                envelope=replace(
                    envelope(), call_id=CallId(f"call-of-{who}"), user_id=f"user-of-{who}"
                ),
                draft=Draft(MediaType.TEXT, words),
                message_code=derive(seed, number),
                reply_key=derive(number),
            )
            queue.add(tx, [made])
            grown = schema.deliveries.update().where(
                schema.deliveries.c.seq == chance.randrange(1, number + 2)
            )
            tx.execute(
                grown.values(error_message="e" * chance.choice([1, 50, 300]), state="failed")
            )

    store.write(write)
    assert b"person-3-end" in files(folder)
    forget(store, "sender", "person-3-end")
    assert b"person-3-end" not in files(folder)
    assert b"person-4-end" in files(folder)
    assert len(dump(store)["deliveries"]) == 300 - 300 // 7 - (3 < 300 % 7)
    store.close()


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("bridge.db*")))


def test_every_table_of_people_is_looked_through() -> None:
    with_people = {
        table.name
        for table in schema.metadata.sorted_tables
        if any(column.info for column in table.columns)
    }
    assert set(forgetting.TABLES) == with_people
