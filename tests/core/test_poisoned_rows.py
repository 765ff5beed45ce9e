"""Rows that cannot be read stop neither the loop nor a list: they are read with replacements."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Float, Integer

from bridge.model import DeliveryState, Mode
from bridge.planners import Rules
from bridge.queries import Calls, Deliveries
from bridge.state.commands import ActionKind, ExpireSuggestions, HandBackCall
from bridge.store import EVERYTHING, Store, lists, schema
from bridge.web import serializers
from tests.core.rig import Making, Rig, call, reply, rules

TABLES = ("deliveries", "assignments", "suggestions", "sessions", "rasa_updates", "turns")
KEYS = {"seq", "id", "key", "message_code", "call_id", "sender_id", "agent_id", "candidates"}
BY_SQLITE = ("CAST(X'eda0bd' AS TEXT)", "X'00ff'", "'no such value'", "9e999", "-9e999", "1e300")
MANY = range(2)  # values of each column; all of them take minutes
FLOATS = ("'Infinity'", "'-Infinity'", "'NaN'", "1e300", "-1e300")


@pytest.fixture
def chosen() -> Rules:
    assist = {"assist": {"when": [{"intent": "ask_hours", "reply": "utter_hours"}]}}
    return rules(assist, rasa={"url": "http://127.0.0.1:9"})


@pytest.fixture
def rig(make: Making, chosen: Rules) -> Iterator[Rig]:
    """A core whose log is not what matters here."""
    logging.disable(logging.CRITICAL)
    try:
        yield make(chosen=chosen)
    finally:
        logging.disable(logging.NOTSET)


def values_of(store: Store, column: Column[Any]) -> tuple[str, ...]:
    """The SQL of values that the engine takes for a column, and the bridge never writes."""
    if store.dialect == "sqlite":
        return BY_SQLITE
    if isinstance(column.type, Float):
        return FLOATS
    if isinstance(column.type, Boolean):
        return ()
    if isinstance(column.type, Integer):
        return ("-2147483648", "2147483647")
    return ("'?'", "''")


def poisons(store: Store) -> list[dict[str, tuple[str, str]]]:
    """Rounds: for each table a column and the SQL of its value. Every column has two values."""
    rounds: list[dict[str, tuple[str, str]]] = []
    turn = 0
    for name in TABLES:
        cases = []
        for column in schema.metadata.tables[name].columns:
            values = values_of(store, column)
            if column.name not in KEYS:
                cases += [
                    (column.name, values[(turn + each) % len(values)]) for each in MANY if values
                ]
                turn += len(MANY)
        for number, case in enumerate(cases):
            if number == len(rounds):
                rounds.append({})
            rounds[number][name] = case
    return rounds


def execute(store: Store, sql: str) -> None:
    with store.transaction() as tx:
        tx.execute(sql)


def fill(rig: Rig) -> None:
    """An open row of each table, on call A; nothing has been sent yet."""
    sender = rig.assign("A")
    rig.do(call(sender, action=ActionKind.ASSIST, intent="ask_hours", number=9))
    rig.do(reply("A", "one", "c-1"))
    rig.do(reply("A", "two", "c-2"))
    rig.assign("H", owner=None)
    rig.ask(call("customer-H"))
    rig.assign("U")
    rig.do(HandBackCall(call_id="U", agent_id=None))


def show_all(rig: Rig) -> None:
    """What the API and the command show of everything."""
    store = rig.store
    calls, deliveries = Calls(store, rig.rules.composer), Deliveries(store)
    page: dict[str, Any] = {"cursor": None, "limit": 200, "agent_id": None}
    listed = calls.listing(ended=True, **page)
    assert serializers.calls(listed).dump()["items"]
    for item in listed.items:
        serializers.call_detail(calls.call(item.assignment.call_id), (), Mode.OFF).dump()
    shown = deliveries.listing(call_id=None, state=None, **page)
    assert serializers.deliveries(shown).dump()["items"]
    for _, item in store.read(lambda tx: lists.suggestions(tx, limit=200)):
        serializers.suggestion(item).dump()
    serializers.session(calls.session("291")).dump()
    store.read(lists.figures)


def works(rig: Rig, name: str) -> None:
    """A reply on another call is sent and delivered."""
    while rig.senders.sent:
        rig.complete()
    rig.assign(name, agent="292")
    rig.do(reply(name))
    (sending,) = (each for each in rig.senders.sent if each.delivery.envelope.call_id == name)
    rig.core.put(sending.result())
    rig.step()
    (done,) = (item for item in rig.all() if item.envelope.call_id == name)
    assert done.state is DeliveryState.DELIVERED


@pytest.mark.timeout(300)
def test_no_value_of_any_column_stops_the_loop_or_a_list(rig: Rig) -> None:
    fill(rig)
    for number, where in enumerate(poisons(rig.store)):
        for table, (column, value) in where.items():
            execute(rig.store, f"UPDATE {table} SET {column} = {value}")  # noqa: S608 - as above
        for _ in range(3):
            rig.clock.move(1.1)
            rig.tell()
        show_all(rig)
        works(rig, f"after-{number}")
        assert rig.core._refusals.pending == [], where
        for emptied in TABLES:
            execute(rig.store, f"DELETE FROM {emptied}")  # noqa: S608 - as above
        rig.core.notified(EVERYTHING)
        fill(rig)


@pytest.mark.timeout(60)
def test_a_server_starts_on_such_rows_and_sets_the_open_ones_aside(
    make: Making, chosen: Rules, caplog: pytest.LogCaptureFixture
) -> None:
    first = make(chosen=chosen)
    fill(first)
    first.core.close(within=1.0)
    execute(
        first.store, "UPDATE deliveries SET media_type = 'LOST', state = 'waiting', lease = NULL"
    )
    execute(first.store, "UPDATE rasa_updates SET kind = 'lost', due_at = 0")
    execute(first.store, "UPDATE suggestions SET drafts = '{', expires_at = 0")
    rig = make(chosen=chosen)
    for _ in range(3):
        rig.clock.move(20.0)
        rig.tell()
    rig.do(ExpireSuggestions())
    for item in rig.all():
        assert item.state is DeliveryState.FAILED
        assert item.error is not None
        assert item.error.code == "unreadable"
    states = rig.store.read(
        lambda tx: [
            *tx.exec_driver_sql(
                "SELECT state FROM rasa_updates UNION SELECT state FROM suggestions"
            )
        ]
    )
    assert {state for (state,) in states} == {"failed", "expired"}
    works(rig, "B")
    said = [line for line in caplog.messages if "cannot be read and are set aside" in line]
    assert {line.partition("table=")[2].split()[0] for line in said} == {
        "deliveries",
        "rasa_updates",
        "suggestions",
    }
