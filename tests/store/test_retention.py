"""Words go after ``retention.content``, the record after ``retention.audit``; not what is open."""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config.settings import RetentionSettings
from bridge.core.core import Core
from bridge.model import Card, DeliveryState, Owner, SuggestionState
from bridge.state.commands import Command, LeadTask, LeaveTask, PruneRows
from bridge.state.records import (
    AssignmentRecord,
    LeaderRecord,
    RevocationRecord,
    UpdateState,
)
from bridge.store import Store, lists, pruning, schema
from bridge.store.pruning import Limit
from bridge.upkeep.retention import _ROWS_WRITTEN, Retention
from tests.core.clock import HeldClock
from tests.making import NOW, assignment
from tests.store.machine import Machine, keep, reading, rules, working
from tests.store.people import dump, history, written

DAY = 86400.0
RULES = RetentionSettings(content=timedelta(days=30), audit=timedelta(days=365))
RECORD = {  # columns that are neither words nor a person's
    "assignments": "agent_id channel channel_config_id agent_nickname agent_avatar owner source"
    " given_at handed_off_at handed_back_at ended_at untold erased_at command_key"
    " assist_hidden typing_at desktop_at moved_to alert_at alerted_at alert_attempts bot_note",
    "sessions": "agent_id guid state ours generation error_code error_message renewed_at"
    " signing_in signing_in_until poller poller_until service_token next_service_token"
    " chosen_state agent_state sign_in_failures pushed_digest pushed_at chats",
    "presences": "agent_id present_at",
    "events": "seq agent_id event_type received_at handled_at erased_at generated_at",
    "turns": "key made_at answer unavailable pushable",
    "suggestions": "seq id candidates agent_id state created_at expires_at source displayed_at"
    " settled_at settled_by command_key erased_at asked_at edit_distance configuration",
    "messages": "seq id written_at created_at erased_at author via",
    "rasa_updates": "seq id kind state created_at due_at expires_at attempts lease lease_until"
    " error settled_at erased_at",
    "calls": "agent_id state begun_at answered_at ended_at event_at called media internal skill_id"
    " problem transfer_to transferred_at transfers erased_at",
    "call_requests": "seq id agent_id kind body state created_at due_at expires_at attempts lease"
    " lease_until error_code error settled_at",
    "changes": "seq kind agent_id at",
    "switches": "name value changed_at",
    "leaders": "name holder held_until done_at",
    "revocations": "subject revoked_at expires_at",
    "deliveries": "seq message_code agent_id channel channel_config_id nickname avatar media_type"
    " media_file_type content_type origin turn_key suggestion_id reply_key part state created_at"
    " expires_at due_at attempts unknowns connected lease lease_until error_code error_message"
    " settled_at approved_by command_key erased_at",
}


@pytest.fixture
def retention(store: Store, core: Core) -> Retention:
    return Retention(store, core, RULES)


def test_of_every_column_it_is_known_what_it_holds_of_people() -> None:
    """A new column has to be one of the three: words, a person's id, or the record."""
    unmarked = {
        table.name: {column.name for column in table.columns if not column.info}
        for table in schema.metadata.sorted_tables
    }
    assert unmarked == {name: set(columns.split()) for name, columns in RECORD.items()}


def test_the_words_go_and_the_record_stays(store: Store, retention: Retention) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    history(store, "jon", "call-2", "40002", NOW - 29 * DAY)
    found = retention.round()
    assert found.done
    assert +found.erased == dict.fromkeys(
        (
            "assignments",
            "calls",
            "deliveries",
            "messages",
            "rasa_updates",
            "events",
            "suggestions",
        ),
        1,
    )
    assert not +found.dropped
    assert "words of maria" not in written(store)
    assert written(store).count("words of jon") == 14  # six of them in the suggestion
    old, new = dump(store)["deliveries"]
    assert (old["content"], old["erased_at"], new["erased_at"]) == ("", NOW, None)
    kept = ("sender_id", "call_id", "agent_id", "state", "message_code", "created_at")
    assert all(old[column] for column in kept)
    assert dump(store)["events"][0]["handled_at"] == NOW  # nobody is to act on it any more


def test_the_record_goes_in_the_end(store: Store, retention: Retention) -> None:
    history(store, "maria", "call-1", "40001", NOW - 366 * DAY)
    history(store, "jon", "call-2", "40002", NOW - 364 * DAY)
    found = retention.round()
    assert +found.dropped == dict.fromkeys((kept.name for kept in pruning.TABLES), 1)
    assert "maria" not in written(store)
    assert all(len(dump(store)[kept.name]) == 1 for kept in pruning.TABLES)


def test_what_is_open_is_left_alone(store: Store, retention: Retention) -> None:
    history(
        store,
        "maria",
        "call-1",
        "40001",
        NOW - 400 * DAY,
        state=DeliveryState.WAITING,
        offered=SuggestionState.OFFERED,
        update=UpdateState.WAITING,
    )
    under_way = {"state": DeliveryState.SENDING, "update": UpdateState.SENDING}
    history(store, "jon", "call-2", "40002", NOW - 400 * DAY, **under_way)  # type: ignore[arg-type]
    before = dump(store)
    retention.round()
    after = dump(store)
    assert after["deliveries"] == before["deliveries"]
    assert after["rasa_updates"] == before["rasa_updates"]
    assert after["suggestions"] == before["suggestions"][:1]


def test_what_nobody_decided_in_time_is_not_open_for_ever(
    store: Store, retention: Retention
) -> None:
    """An uncertain delivery waits for a person's word, but not longer than words are kept."""
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY, DeliveryState.UNCERTAIN)
    retention.round()
    assert dump(store)["deliveries"][0]["erased_at"] == NOW


def test_an_offer_whose_time_is_up_is_not_open(store: Store, retention: Retention) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY, offered=SuggestionState.OFFERED)
    run(store, "UPDATE suggestions SET expires_at = 1")
    retention.round()
    assert dump(store)["suggestions"][0]["state"] == "expired"
    assert "maria at" not in written(store)


def test_a_call_that_nobody_ended_keeps_its_card_while_something_moves(
    store: Store, retention: Retention
) -> None:
    history(store, "maria", "call-1", "40001", NOW - 400 * DAY, ended=False)
    history(store, "jon", "call-2", "40002", NOW - 400 * DAY, ended=False)
    history(store, "jon", "call-3", "40002", NOW - 2 * DAY)
    run(store, "UPDATE deliveries SET call_id = 'call-2' WHERE call_id = 'call-3'")
    retention.round()
    kept = {row["call_id"]: row["card"] is not None for row in dump(store)["assignments"]}
    assert kept == {"call-2": True, "call-3": True}


def test_a_call_in_use_keeps_its_card_however_soon_words_are_to_go(
    store: Store, core: Core
) -> None:
    history(store, "maria", "call-1", "40001", NOW - 3600, ended=False)
    at_once = RetentionSettings(content=timedelta(0), audit=timedelta(days=1))
    Retention(store, core, at_once).round()
    assert dump(store)["assignments"][0]["card"] is not None
    assert dump(store)["deliveries"][0]["content"] == ""


def test_a_new_card_is_not_an_erased_one(store: Store, retention: Retention) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    retention.round()
    erased = store.read(lambda tx: lists.assignment_of_call(tx, "call-1"))
    assert erased is not None
    assert erased.card_erased_at == NOW
    given = assignment(sender_id="maria", call_id="call-1")
    new = AssignmentRecord(given, Owner.AGENT, "http", NOW, handed_off_at=NOW, card=Card("again"))
    keep(store, assignments=[new])
    record = store.read(lambda tx: lists.assignment_of_call(tx, "call-1"))
    assert record is not None
    assert record.card_erased_at is None


def test_revocations_of_tokens_that_are_void_go(store: Store, retention: Retention) -> None:
    keep(store, revocations=[RevocationRecord("a", NOW - 9, NOW - 1)])
    retention.round()
    assert dump(store)["revocations"] == []


def test_a_clock_that_jumped_hides_nothing(store: Store, retention: Retention) -> None:
    history(store, "future", "call-0", "1", NOW + 99 * DAY)
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    history(store, "future", "call-2", "1", NOW + 99 * DAY)
    history(store, "jon", "call-3", "40002", NOW - 31 * DAY)
    retention.round()
    assert "words of maria" not in written(store)
    assert "words of jon" not in written(store)


def run(store: Store, statement: str) -> None:
    """Change rows as no command does."""
    with store.transaction() as tx:
        tx.execute(statement)


def test_the_next_round_begins_where_nothing_is_left(
    store: Store, core: Core, clock: HeldClock
) -> None:
    for number in range(20):
        history(store, f"p{number}", f"call-{number}", "40001", NOW + number * DAY - 40 * DAY)
    task = Retention(store, core, RULES, rows_read=3)
    for _ in range(7):
        task.round()
        left = [row["created_at"] for row in dump(store)["deliveries"] if not row["erased_at"]]
        assert all(at >= clock.now() - 30 * DAY for at in left)
        clock.move(2 * DAY)
    assert left == []


class Watched(Core):
    """Counts the rows of each command that prunes."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.pruned: list[int] = []

    def call(self, command: Command, *, seconds: float = 60.0, background: bool = False) -> Any:
        if isinstance(command, PruneRows):
            assert background  # behind all that people wait for
            self.pruned.append(len(command.keys))
        return super().call(command, seconds=seconds, background=background)


def test_no_more_than_a_few_rows_are_in_one_transaction(
    store: Store, store_url: str, clock: HeldClock
) -> None:
    for number in range(_ROWS_WRITTEN + 50):
        history(store, f"p{number}", f"call-{number}", "40001", NOW - 31 * DAY)
    with closing(Store(store_url)) as own, closing(Watched(own, rules(), clock=clock)) as core:
        core.start()
        found = Retention(store, core, RULES).round()
    assert found.erased["deliveries"] == _ROWS_WRITTEN + 50
    assert max(core.pruned) == _ROWS_WRITTEN


def done_at(store: Store) -> float | None:
    found = store.read(lambda tx: lists.leader(tx, "retention"))
    return found.done_at if found is not None else None


def test_one_process_does_it_for_all(store: Store, retention: Retention, clock: HeldClock) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    keep(store, leaders=[LeaderRecord("retention", "another", NOW + 60)])
    assert retention.turn() == 60
    assert "words of maria" in written(store)
    # Its lease runs out, and it is not heard of again.
    clock.move(61)
    assert retention.turn() == 3600
    assert "words of maria" not in written(store)
    # Done a moment ago, by whomever: not again before its time.
    clock.move(10)
    assert retention.turn() == 3590
    assert done_at(store) == NOW + 61


def test_a_task_is_given_back_only_by_who_has_it(store: Store) -> None:
    machine = Machine(store)
    lead = LeadTask(name="retention", holder="a", seconds=60)
    assert machine.do(lead)
    assert machine.do(lead, now=NOW + 9)
    assert not machine.do(LeaveTask(name="retention", holder="b", done_at=NOW))
    other = LeadTask(name="retention", holder="b", seconds=60)
    assert not machine.do(other)
    assert Machine(store, dead=lambda holder: holder == "a").do(other)


def test_it_stops_amid_a_round(store: Store, retention: Retention) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    retention.close()
    assert not retention.round().done
    retention.turn()
    assert done_at(store) is None


def test_it_works_by_itself_and_logs_no_words(
    store: Store, core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    history(store, "maria", "call-1", "40001", NOW - 31 * DAY)
    caplog.set_level(logging.INFO)
    with closing(Retention(store, core, RULES, first=0.0)) as task:
        task.start()
        while done_at(store) is None:
            pass
    assert "words of maria" not in written(store)
    assert "'deliveries': 1" in caplog.text
    assert "maria" not in caplog.text


def test_nothing_erased_is_left_in_sqlites_files(sqlite_url: str, tmp_path: Path) -> None:
    with closing(Store(sqlite_url)) as store, working(sqlite_url, HeldClock()) as core:
        for number in range(50):
            history(store, f"p{number}", f"call-{number}", "40001", NOW - 31 * DAY)
        assert b"the words of p7" in files(tmp_path)
        Retention(store, core, RULES).round()
        assert b"the words of" not in files(tmp_path)


def test_a_full_table_is_looked_through_along_its_key(sqlite_url: str) -> None:
    limit = Limit(NOW, NOW)
    with closing(Store(sqlite_url)) as store:
        for target in pruning.TABLES:
            after = ("a", "b")[: len(target.keys)] if not target.in_order else (7,)
            with reading(store) as steps:
                store.read(partial(pruning.whole, target=target, limit=limit, after=after, rows=9))
            scans = [step for step in steps if "SCAN" in step or "TEMP B-TREE" in step]
            assert scans == [], target.name


def files(folder: Path) -> bytes:
    """The database's file and its log, byte by byte."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob("bridge.db*")))


CASES = st.tuples(
    st.integers(0, 500),
    st.sampled_from(list(DeliveryState)),
    st.sampled_from(list(UpdateState)),
    st.sampled_from([SuggestionState.OFFERED, SuggestionState.EDITED, SuggestionState.REJECTED]),
    st.booleans(),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cases=st.lists(CASES, max_size=6), content=st.integers(0, 400), longer=st.integers(1, 99))
def test_whatever_happened_nothing_is_too_old_and_nothing_open_was_touched(
    store: Store, core: Core, cases: list[Any], content: int, longer: int
) -> None:
    for table in schema.metadata.sorted_tables:
        run(store, f"DELETE FROM {table.name}")  # noqa: S608 - the schema's own names
    for number, (days, state, update, offered, ended) in enumerate(cases):
        at = NOW - days * DAY
        history(
            store, f"p{number}", f"call-{number}", "40001", at, state, offered, update, ended=ended
        )
    before = dump(store)
    chosen = RetentionSettings(
        content=timedelta(days=content), audit=timedelta(days=content + longer)
    )
    Retention(store, core, chosen).round()
    words, rows = NOW - content * DAY, NOW - (content + longer) * DAY
    now = dump(store)
    for name, open_states in (
        ("deliveries", ("waiting", "sending")),
        ("suggestions", ("offered",)),
        ("rasa_updates", ("waiting", "sending")),
    ):
        untouched = [row for row in before[name] if row["state"] in open_states]
        assert [row for row in now[name] if row["state"] in open_states] == untouched
        for row in now[name]:
            if row["state"] not in open_states:
                assert row["created_at"] >= rows
                assert (row["erased_at"] is None) == (row["created_at"] >= words)
                assert ("the words of" in str(row)) == (row["created_at"] >= words)
    assert all(row["received_at"] >= rows for row in now["events"])
    assert all(row["made_at"] >= rows for row in now["turns"])
    for row in now["assignments"]:
        if row["ended_at"] is not None:
            assert (row["card"] is not None) == (row["handed_off_at"] >= words)
