"""However much is kept, what every message asks looks only at what is open, or at its own call."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import bridge.store
from bridge.model import DeliveryState, SuggestionState
from bridge.store import Store, indexes, lists, schema
from bridge.store.loading import claims
from bridge.store.queues import LeasedQueue
from bridge.store.statements import Rows, Select, Transaction
from tests.making import NOW
from tests.postgres import PostgresServer
from tests.store.machine import keep, reading, signed_in
from tests.store.people import history

assert indexes  # completes the metadata
LARGE = (
    "deliveries",
    "suggestions",
    "assignments",
    "rasa_updates",
    "turns",
    "events",
    "calls",
    "call_requests",
)
PARTIAL = {
    index.name
    for table in schema.metadata.sorted_tables
    for index in table.indexes
    if index.dialect_options["sqlite"]["where"] is not None
}
TEXT, NUMBER = "1", 1  # what is asked for: the plan is the same whatever it is


# -- the statements of the core --------------------------------------------------------------------


def statements() -> Iterator[tuple[str, Select | Rows]]:
    """Every statement of the store that is kept, by its module and name."""
    for found in pkgutil.walk_packages(bridge.store.__path__, "bridge.store."):
        if not found.ispkg and ".migrations." not in found.name:
            home = found.name.removeprefix("bridge.store.")
            for name, value in vars(importlib.import_module(found.name)).items():
                if isinstance(value, (Select, Rows)):
                    yield f"{home}.{name}", value
                elif isinstance(value, LeasedQueue):
                    for part, statement in vars(value).items():
                        if isinstance(statement, Select):
                            yield f"{home}.{name}.{part}", statement


def arguments(statement: Select) -> list[Any]:
    """Something for each of its places."""
    given = {"texts": [TEXT], "numbers": [NUMBER], "among": [TEXT], "value": TEXT}
    return [given[place] for place in re.findall(r"\{(\w+)\}", statement._text) if place != "open"]


def steps(tx: Transaction, statement: Select | Rows) -> list[str]:
    """How the engine goes about it."""
    explain = "EXPLAIN QUERY PLAN " if tx.dialect == "sqlite" else "EXPLAIN "
    if isinstance(statement, Rows):
        text = statement._spell(tx.dialect)
        row = "[" + ", ".join(["1"] * len(statement._columns)) + "]"
        named = ", ".join(f'"{name}": null' for name in statement._columns)
        tx.execute(explain + text, [f"[{row}]" if tx.dialect == "sqlite" else f"[{{{named}}}]"])
    else:
        text = statement.spelt(tx.dialect)
        tx.execute(explain + text, Select._given(tx.dialect, arguments(statement)))
    found = [str(row[-1]) for row in tx.cursor.fetchall()]
    aliases = {alias: table for table, alias in ALIAS.findall(text)}
    return [
        SCANNED.sub(lambda scan: f"SCAN {aliases.get(scan[1], scan[1])}", step) for step in found
    ]


ALIAS = re.compile(r"(?:FROM|JOIN) (\w+) (?:AS )?([a-z])\b")
SCANNED = re.compile(r"^SCAN (\w+)")


def looks_through(steps: list[str]) -> list[str]:
    """The steps that read all of a table, and not only the rows that the statement brings."""
    return [step for step in steps if _table_of(step) in LARGE]


def _table_of(step: str) -> str | None:
    """The table that a step reads whole, by its name."""
    found = re.search(r"Seq Scan on (\w+)", step)
    if found is None and " USING " not in step:
        found = SCANNED.match(step)
    return found[1] if found is not None else None


def fill(store: Store) -> None:
    """Much that is settled, and a little of everything that is open."""
    keep(store, sessions=[signed_in("291")])
    history(store, "jon", "call-x", "40002", NOW)
    with store.transaction() as tx:
        for table in LARGE:
            _copy(tx, schema.metadata.tables[table])
    for number in range(20):
        history(
            store,
            f"maria-{number}",
            f"open-{number}",
            "40001",
            NOW + number,
            DeliveryState.SENDING if number % 2 else DeliveryState.WAITING,
            SuggestionState.OFFERED,
            ended=False,
        )
    with store.transaction() as tx:
        tx.execute("ANALYZE")  # as PostgreSQL does by itself


def _copy(tx: Transaction, table: Any) -> None:
    """Make many rows of a table's only one, each with keys of its own."""
    own = {"message_code", "id", "key", "sender_id", "call_id", "candidates", "turn_key"}
    own |= {"reply_key", "user_id"}
    names = [column.name for column in table.columns if column.name != "seq"]
    number = "CAST(n AS TEXT)" if tx.dialect == "sqlite" else "n::text"
    values = ", ".join(number if name in own else name for name in names)
    numbers = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)"
    tx.execute(
        f"{numbers} INSERT INTO {table.name} ({', '.join(names)})"  # noqa: S608 - the schema's
        f" SELECT {values} FROM {table.name}, n"
    )


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def full(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store in which much is kept."""
    if request.param == "sqlite":
        folder: Path = tmp_path_factory.mktemp("full")
        with closing(Store(f"sqlite:///{folder}/bridge.db")) as store:
            fill(store)
            yield store
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url, closing(Store(url)) as store:
        fill(store)
        yield store


@pytest.fixture(scope="module")
def plans(full: Store) -> dict[str, list[str]]:
    with full.transaction() as tx:
        return {name: steps(tx, each) for name, each in statements()}


def test_no_statement_looks_through_what_was_ever_stored(plans: dict[str, list[str]]) -> None:
    assert len(plans) > 40
    slow = {name: found for name, steps in plans.items() if (found := looks_through(steps))}
    assert slow == {}
    # Nor through an index of all rows; one of what is open may be read whole.
    whole = [
        (name, step)
        for name, steps in plans.items()
        for step in steps
        if (scan := re.match(r"SCAN \w+ USING (?:COVERING )?INDEX (\w+)", step))
        and scan[1] not in PARTIAL
        and not scan[1].startswith("sqlite_autoindex")  # of a small table
    ]
    assert whole == []


@pytest.mark.parametrize("way", ["made just now", "opened again"])
def test_nor_does_sqlite_where_it_knows_nothing_of_the_tables(tmp_path: Path, way: str) -> None:
    """Among indexes that cost the same SQLite takes the one that it read first."""
    url = f"sqlite:///{tmp_path}/bridge.db"
    if way == "opened again":
        Store(url).close()
    with closing(Store(url)) as store, store.transaction() as tx:
        plans = {name: steps(tx, each) for name, each in statements()}
    slow = {name: found for name, steps in plans.items() if (found := looks_through(steps))}
    assert slow == {}
    due = plans["loading.claims._DUE"]
    assert "SEARCH d USING INDEX deliveries_due (due_at<?)" in due, due
    assert any("USING COVERING INDEX deliveries_open (call_id=?)" in step for step in due), due
    assert not any("ORDER BY" in step for step in due), due
    for name in ("loading.claims._STALE_DUE", "loading.claims._PROBE", "loading.claims._TIMES"):
        found = plans[name]
        assert any("INDEX deliveries_due" in step for step in found), (name, found)
    for name in ("writing._HAND_OVER", "writing._ANSWERED", "writing._MOVE"):
        found = plans[name]
        assert any(step.startswith("SEARCH") for step in found), (name, found)
    opened = plans["loading.collector._OPEN_OF_CALLS"]
    assert any("deliveries_open" in step for step in opened), opened


def test_the_claim_sorts_nothing_and_looks_at_what_waits(
    full: Store, plans: dict[str, list[str]]
) -> None:
    found = plans["loading.claims._DUE"]
    assert any("deliveries_due" in step for step in found), found
    assert any("deliveries_open" in step for step in found), found
    if full.dialect == "sqlite":
        assert not any("ORDER BY" in step for step in found), found


def test_after_an_outage_postgresql_sorts_nothing_to_find_the_next(postgres_url: str) -> None:
    with closing(Store(postgres_url)) as store:
        history(store, "maria", "open", "40001", NOW, DeliveryState.WAITING)
        with store.transaction() as tx:
            _copy(tx, schema.deliveries)
            tx.execute("ANALYZE deliveries")
        with store.transaction() as tx:
            tx.execute("EXPLAIN " + claims._DUE.spelt(tx.dialect), [NOW, 8])
            found = "\n".join(str(row[0]) for row in tx.cursor.fetchall())
    assert "Index Scan using deliveries_due" in found, found
    assert "Sort" not in found, found


# -- what the edge shows ---------------------------------------------------------------------------

OPEN = (DeliveryState.WAITING, DeliveryState.SENDING)
BAD = (DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.UNCERTAIN)
OFFERED = (SuggestionState.OFFERED,)
LISTS: dict[str, Callable[[Any], Any]] = {
    "deliveries": lambda tx: lists.deliveries(tx, limit=50),
    "deliveries after": lambda tx: lists.deliveries(tx, after=9000, limit=50),
    "deliveries of a call": lambda tx: lists.deliveries(tx, call_id="open-1", limit=50),
    "deliveries of an agent": lambda tx: lists.deliveries(tx, agent_id="291", limit=50),
    "deliveries that are open": lambda tx: lists.deliveries(tx, states=OPEN, limit=50),
    "open ones of a call": lambda tx: lists.deliveries(tx, states=OPEN, call_id="open-1", limit=50),
    "open ones of an agent": lambda tx: lists.deliveries(tx, states=OPEN, agent_id="291", limit=50),
    "deliveries that went wrong": lambda tx: lists.deliveries(tx, states=BAD, limit=50),
    "undelivered ones": lambda tx: lists.newest_deliveries(tx, states=(*OPEN, *BAD), limit=50),
    "newest of a call": lambda tx: lists.newest_deliveries(tx, call_id="open-1", limit=50),
    "counted of a call": lambda tx: lists.counted_deliveries(tx, call_id="open-1", agent_id=None),
    "a delivery": lambda tx: lists.delivery(tx, 7),
    "calls": lambda tx: lists.calls(tx, agent_id=None, ended=True, before=None, limit=50),
    "open calls": lambda tx: lists.calls(tx, agent_id=None, ended=False, before=None, limit=50),
    "open calls of an agent": lambda tx: lists.calls(
        tx, agent_id="291", ended=False, before=(NOW + 9, "open-9"), limit=50
    ),
    "calls of an agent": lambda tx: lists.calls(
        tx, agent_id="291", ended=True, before=(NOW, "call-x"), limit=50
    ),
    "calls that ring": lambda tx: lists.unassigned_calls(tx, agent_id=None, before=None, limit=50),
    "an agent's calls that ring": lambda tx: lists.unassigned_calls(
        tx, agent_id="291", before=(NOW, "call-x"), limit=50
    ),
    "calls at their agents": lambda tx: lists.reader_calls(tx, ["open-1"]),
    "requests about a call": lambda tx: lists.call_requests(tx, "open-1"),
    "latest assignment": lambda tx: lists.latest_assignment(tx, "maria-1"),
    "assignment of a call": lambda tx: lists.assignment_of_call(tx, "open-1"),
    "card": lambda tx: lists.card(tx, "open-1"),
    "turn": lambda tx: lists.turn(tx, "x"),
    "suggestions": lambda tx: lists.suggestions(tx, limit=50),
    "suggestions of a call": lambda tx: lists.suggestions(tx, call_id="open-1", limit=50),
    "suggestions of an agent": lambda tx: lists.suggestions(tx, agent_id="291", limit=50),
    "offered": lambda tx: lists.suggestions(tx, states=OFFERED, limit=50),
    "offered to an agent": lambda tx: lists.suggestions(
        tx, states=OFFERED, agent_id="291", limit=50
    ),
    "offered on a call": lambda tx: lists.suggestions(
        tx, states=OFFERED, call_id="open-1", limit=50
    ),
    "a suggestion": lambda tx: lists.suggestion(tx, "x"),
    "any expired": lambda tx: lists.any_expired(tx, now=NOW),
    "an update": lambda tx: lists.update(tx, "x"),
    "updates of a call": lambda tx: lists.updates_of_call(tx, "open-1"),
    "rasa knows": lambda tx: lists.rasa_knows(tx, "open-1"),
    "counted updates": lists.counted_updates,
    "session": lambda tx: lists.session(tx, "291"),
    "switch": lambda tx: lists.switch(tx, "x"),
    "leader": lambda tx: lists.leader(tx, "x"),
    "revocations": lambda tx: lists.revocations(tx, ["x"]),
    "figures": lists.figures,
}


@pytest.mark.parametrize("name", LISTS)
def test_what_is_shown_is_found_by_an_index(full: Store, name: str) -> None:
    with reading(full) as found:
        full.read(LISTS[name])
    assert found
    assert looks_through(found) == []


def test_the_newest_of_all_are_read_from_the_end_of_the_table(full: Store) -> None:
    with reading(full) as found:
        full.read(lambda tx: lists.newest_deliveries(tx, limit=50))
    if full.dialect == "sqlite":
        assert found == ["SCAN deliveries"]  # along its key; fifty rows of it
    else:
        assert any("Index Scan Backward" in step for step in found), found
