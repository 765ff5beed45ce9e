"""Words go after ``retention.content``, the record after ``retention.audit``; not what is open."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from bridge.config.settings import RetentionSettings
from bridge.model import Card, DeliveryState, Owner, SuggestionState
from bridge.retention import _ROWS_WRITTEN, Retention
from bridge.store import Store, ageing, assignments, leases, revocations, schema
from bridge.store.ageing import Limit
from tests.making import NOW, assignment
from tests.store.people import dump, history, written

DAY = 86400.0
RULES = RetentionSettings(content=timedelta(days=30), audit=timedelta(days=365))
RECORD = {  # columns that are neither words nor a person's
    "assignments": "agent_id channel channel_config_id agent_nickname agent_avatar owner source"
    " given_at handed_off_at handed_back_at ended_at untold erased_at",
    "sessions": "agent_id guid state ours generation error_code error_message renewed_at"
    " signing_in signing_in_until keeper keeper_until",
    "events": "seq agent_id event_type received_at handled_at erased_at",
    "turns": "key made_at answer",
    "suggestions": "seq id candidates agent_id state created_at expires_at source displayed_at"
    " settled_at settled_by erased_at",
    "errands": "seq id kind state made_at due_at give_up_at attempts lease lease_until error"
    " done_at erased_at",
    "switches": "name value changed_at",
    "leases": "name holder held_until done_at",
    "revocations": "subject revoked_at expires_at",
    "deliveries": "seq message_code agent_id channel channel_config_id nickname avatar media_type"
    " media_file_type content_type origin turn_key reply_key part state created_at expires_at"
    " due_at attempts unknowns connected lease lease_until error_code error_message settled_at"
    " approved_by erased_at",
}


def retention(store: Store, now: float = NOW, rules: RetentionSettings = RULES) -> Retention:
    return Retention(store, rules, clock=lambda: now)


def test_of_every_column_it_is_known_what_it_holds_of_people() -> None:
    """A new column has to be one of the three: words, a person's id, or the record."""
    unmarked = {
        table.name: {column.name for column in table.columns if not column.info}
        for table in schema.metadata.sorted_tables
    }
    assert unmarked == {name: set(columns.split()) for name, columns in RECORD.items()}


def test_the_words_go_and_the_record_stays(store: Store) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    history(store, "jon", "call-2", "40002", NOW - 29 * DAY)
    found = retention(store).round()
    assert found.done
    assert +found.erased == dict.fromkeys(
        ("assignments", "deliveries", "errands", "events", "suggestions"), 1
    )
    assert not +found.dropped
    assert "words of maria" not in written(store)
    assert written(store).count("words of jon") == 9  # five of them in the suggestion
    old, new = dump(store)["deliveries"]
    assert (old["content"], old["erased_at"], new["erased_at"]) == ("", NOW, None)
    kept = ("sender_id", "call_id", "agent_id", "state", "message_code", "created_at")
    assert all(old[column] for column in kept)
    assert dump(store)["events"][0]["handled_at"] == NOW  # nobody is to act on it any more


def test_the_record_goes_in_the_end(store: Store) -> None:
    history(store, "maria", "call-1", "40001", NOW - 366 * DAY)
    history(store, "jon", "call-2", "40002", NOW - 364 * DAY)
    found = retention(store).round()
    assert +found.dropped == dict.fromkeys((kind.name for kind in ageing.KINDS), 1)
    assert "maria" not in written(store)
    assert all(len(dump(store)[kind.name]) == 1 for kind in ageing.KINDS)


def test_what_is_open_is_left_alone(store: Store) -> None:
    history(
        store,
        "maria",
        "call-1",
        "40001",
        NOW - 400 * DAY,
        state=DeliveryState.WAITING,
        offered=SuggestionState.OFFERED,
        errand="waiting",
    )
    history(store, "jon", "call-2", "40002", NOW - 400 * DAY, DeliveryState.SENDING, errand="doing")
    before = dump(store)
    retention(store).round()
    after = dump(store)
    assert after["deliveries"] == before["deliveries"]
    assert after["errands"] == before["errands"]
    assert after["suggestions"] == before["suggestions"][:1]


def test_what_nobody_decided_in_time_is_not_open_for_ever(store: Store) -> None:
    """An uncertain delivery waits for a person's word, but not longer than words are kept."""
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY, DeliveryState.UNCERTAIN)
    retention(store).round()
    assert dump(store)["deliveries"][0]["erased_at"] == NOW


def test_an_offer_whose_time_is_up_is_not_open(store: Store) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY, offered=SuggestionState.OFFERED)
    store.write(lambda tx: tx.execute(schema.suggestions.update().values(expires_at=NOW - 1)))
    retention(store).round()
    assert dump(store)["suggestions"][0]["state"] == "expired"
    assert "maria at" not in written(store)


def test_a_call_that_nobody_ended_keeps_its_card_while_something_moves(store: Store) -> None:
    history(store, "maria", "call-1", "40001", NOW - 400 * DAY, ended=False)
    history(store, "jon", "call-2", "40002", NOW - 400 * DAY, ended=False)
    history(store, "jon", "call-3", "40002", NOW - 2 * DAY)
    store.write(
        lambda tx: tx.execute(
            text("UPDATE deliveries SET call_id = 'call-2' WHERE call_id = 'call-3'")
        )
    )
    retention(store).round()
    kept = {row["call_id"]: row["card"] is not None for row in dump(store)["assignments"]}
    assert kept == {"call-2": True, "call-3": True}


def test_a_call_in_use_keeps_its_card_however_soon_words_are_to_go(store: Store) -> None:
    history(store, "maria", "call-1", "40001", NOW - 3600, ended=False)
    at_once = RetentionSettings(content=timedelta(0), audit=timedelta(days=1))
    retention(store, rules=at_once).round()
    assert dump(store)["assignments"][0]["card"] is not None
    assert dump(store)["deliveries"][0]["content"] == ""


def test_a_new_card_is_not_an_erased_one(store: Store) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    retention(store).round()
    erased = store.read(lambda tx: assignments.of_call(tx, "call-1"))
    assert erased is not None
    assert erased.card_erased_at == NOW
    given = assignment(sender_id="maria", call_id="call-1")

    def again(tx: Any) -> None:
        assignments.give(tx, given, Owner.AGENT, "http", now=NOW)
        assignments.hand_off(tx, "maria", "call-1", card=Card("again"), now=NOW)

    store.write(again)
    standing = store.read(lambda tx: assignments.of_call(tx, "call-1"))
    assert standing is not None
    assert standing.card_erased_at is None


def test_revocations_of_tokens_that_are_void_go(store: Store) -> None:
    store.write(lambda tx: revocations.revoke(tx, "a", now=NOW - 9, until=NOW - 1))
    retention(store).round()
    assert dump(store)["revocations"] == []


def test_a_clock_that_jumped_hides_nothing(store: Store) -> None:
    history(store, "future", "call-0", "1", NOW + 99 * DAY)
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    history(store, "future", "call-2", "1", NOW + 99 * DAY)
    history(store, "jon", "call-3", "40002", NOW - 31 * DAY)
    retention(store).round()
    assert "words of maria" not in written(store)
    assert "words of jon" not in written(store)


def test_the_next_round_begins_where_nothing_is_left(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [NOW]
    monkeypatch.setattr("bridge.retention._ROWS_READ", 3)
    for number in range(20):
        history(store, f"p{number}", f"call-{number}", "40001", NOW + number * DAY - 40 * DAY)
    duty = Retention(store, RULES, clock=lambda: clock[0])
    for _ in range(7):
        duty.round()
        left = [row["created_at"] for row in dump(store)["deliveries"] if not row["erased_at"]]
        assert all(at >= clock[0] - 30 * DAY for at in left)
        clock[0] += 2 * DAY
    assert left == []


def test_no_more_than_a_few_rows_are_in_one_transaction(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(_ROWS_WRITTEN + 50):
        history(store, f"p{number}", f"call-{number}", "40001", NOW - 31 * DAY)
    written: list[int] = []
    erase = ageing.erase_words

    def counted(tx: Any, kind: Any, limit: Any, keys: Any, *, now: float) -> int:
        written.append(len(keys))
        return erase(tx, kind, limit, keys, now=now)

    monkeypatch.setattr(ageing, "erase_words", counted)
    assert retention(store).round().erased["deliveries"] == _ROWS_WRITTEN + 50
    assert max(written) == _ROWS_WRITTEN


def test_one_process_does_it_for_all(store: Store) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    store.write(lambda tx: leases.claim(tx, "retention", "another", now=NOW, seconds=60))
    assert retention(store).turn() == 60
    assert "words of maria" in written(store)
    # Its lease runs out, and it is not heard of again.
    assert retention(store, NOW + 61).turn() == 3600
    assert "words of maria" not in written(store)
    # Done a moment ago, by whomever: not again before its time.
    assert retention(store, NOW + 71).turn() == 3590
    assert store.read(lambda tx: leases.done_at(tx, "retention")) == NOW + 61


def test_a_duty_is_given_back_only_by_who_has_it(store: Store) -> None:
    store.write(lambda tx: leases.claim(tx, "retention", "a", now=NOW, seconds=60))
    assert store.write(lambda tx: leases.claim(tx, "retention", "a", now=NOW + 9, seconds=60))
    store.write(lambda tx: leases.release(tx, "retention", "b", done_at=NOW))
    assert not store.write(lambda tx: leases.claim(tx, "retention", "b", now=NOW, seconds=60))
    assert store.write(
        lambda tx: leases.claim(tx, "retention", "b", now=NOW, seconds=60, dead=lambda _: True)
    )


def test_it_stops_amid_a_round(store: Store) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    duty = retention(store)
    duty.close()
    assert not duty.round().done
    duty.turn()
    assert store.read(lambda tx: leases.done_at(tx, "retention")) is None


def test_it_works_by_itself_and_logs_no_words(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bridge.retention._FIRST", 0.0)
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    caplog.set_level(logging.INFO)
    duty = retention(store)
    done: Any = None
    duty.start()
    while done is None:
        done = store.read(lambda tx: leases.done_at(tx, "retention"))
    duty.close()
    assert "words of maria" not in written(store)
    assert "'deliveries': 1" in caplog.text
    assert "maria" not in caplog.text


def test_nothing_erased_is_left_in_sqlites_files(sqlite_url: str, tmp_path: Path) -> None:
    store = Store(sqlite_url)
    for number in range(50):
        history(store, f"p{number}", f"call-{number}", "40001", NOW - 31 * DAY)
    assert b"the words of p7" in files(tmp_path)
    retention(store).round()
    assert b"the words of" not in files(tmp_path)
    store.close()


def test_a_full_table_is_looked_through_along_its_key(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    limit = Limit(NOW, NOW)
    for kind in ageing.KINDS:
        after = ("a", "b")[: len(kind.keys)] if not kind.in_order else (7,)
        with plans(store) as steps:
            store.read(lambda tx, kind=kind, after=after: ageing.whole(tx, kind, limit, after, 9))  # type: ignore[misc]
        scans = [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step]
        assert scans == [], kind.name
    store.close()


@contextmanager
def plans(store: Store) -> Iterator[list[str]]:
    """How SQLite goes about what is asked meanwhile."""
    steps: list[str] = []

    def explain(*given: Any) -> None:
        connection, _, statement, parameters, *_ = given
        if statement.startswith("SELECT"):
            rows = connection.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps.extend(row[3] for row in rows)

    event.listen(store._reading, "before_cursor_execute", explain)
    yield steps
    event.remove(store._reading, "before_cursor_execute", explain)


def files(folder: Path) -> bytes:
    """The database's file and its log, byte by byte."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("bridge.db*")))


CASES = st.tuples(
    st.integers(0, 500),
    st.sampled_from(list(DeliveryState)),
    st.sampled_from(["waiting", "doing", "done", "failed"]),
    st.sampled_from([SuggestionState.OFFERED, SuggestionState.EDITED, SuggestionState.REJECTED]),
    st.booleans(),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cases=st.lists(CASES, max_size=6), content=st.integers(0, 400), longer=st.integers(1, 99))
def test_whatever_happened_nothing_is_too_old_and_nothing_open_was_touched(
    store: Store, cases: list[Any], content: int, longer: int
) -> None:
    for table in schema.metadata.sorted_tables:
        store.write(lambda tx, table=table: tx.execute(table.delete()))  # type: ignore[misc]
    for number, (days, state, errand, offered, ended) in enumerate(cases):
        at = NOW - days * DAY
        history(
            store, f"p{number}", f"call-{number}", "40001", at, state, offered, errand, ended=ended
        )
    before = dump(store)
    rules = RetentionSettings(
        content=timedelta(days=content), audit=timedelta(days=content + longer)
    )
    retention(store, rules=rules).round()
    words, rows = NOW - content * DAY, NOW - (content + longer) * DAY
    now = dump(store)
    for name, open_states in (
        ("deliveries", ("waiting", "sending")),
        ("suggestions", ("offered",)),
        ("errands", ("waiting", "doing")),
    ):
        born = "made_at" if name == "errands" else "created_at"
        untouched = [row for row in before[name] if row["state"] in open_states]
        assert [row for row in now[name] if row["state"] in open_states] == untouched
        for row in now[name]:
            if row["state"] not in open_states:
                assert row[born] >= rows
                assert (row["erased_at"] is None) == (row[born] >= words)
                assert ("the words of" in str(row)) == (row[born] >= words)
    assert all(row["received_at"] >= rows for row in now["events"])
    assert all(row["made_at"] >= rows for row in now["turns"])
    for row in now["assignments"]:
        if row["ended_at"] is not None:
            assert (row["card"] is not None) == (row["handed_off_at"] >= words)
