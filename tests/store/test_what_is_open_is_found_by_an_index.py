"""However much is kept, what every message asks looks only at what is open, or at its own call."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import bridge.store
from bridge.store import Store, Tx, queue
from bridge.store.bulk import Bulk
from bridge.store.prepared import Prepared
from bridge.store.schema import deliveries
from tests.making import NOW, delivery

# Looked through on purpose: one row for each agent or open call, when somebody asks for figures.
LOOKED_THROUGH = {"figures._CALLS", "figures._SESSIONS"}
OF_POSTGRESQL = ("hashtextextended", "pg_notify", "= ANY")


def statements() -> Iterator[tuple[str, Prepared | Bulk]]:
    """Every statement of the store that is kept, by its module and name."""
    for found in pkgutil.iter_modules(bridge.store.__path__):
        if not found.ispkg:
            module = importlib.import_module(f"bridge.store.{found.name}")
            for name, value in vars(module).items():
                if isinstance(value, (Prepared, Bulk)):
                    yield f"{found.name}.{name}", value


def plan(tx: Tx, statement: Prepared | Bulk) -> list[str]:
    """What SQLite would do; nothing where the statement is PostgreSQL's."""
    made = statement._for(tx, 4) if isinstance(statement, Bulk) else statement._for(tx)
    if any(word in made.sql for word in OF_POSTGRESQL):
        return []
    cursor = tx.connection.cursor()
    values = tuple(0 for _ in range(made.sql.count("?")))
    return [str(row[3]) for row in cursor.execute("EXPLAIN QUERY PLAN " + made.sql, values)]


@pytest.fixture(scope="module", params=["made just now", "opened again"])
def plans(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, list[str]]:
    # Among indexes that cost the same SQLite takes the one that it read first.
    folder: Path = tmp_path_factory.mktemp("plans")
    url = f"sqlite:///{folder}/bridge.db"
    if request.param == "opened again":
        Store(url).close()
    store = Store(url)
    try:
        return store.write(lambda tx: {name: plan(tx, each) for name, each in statements()})
    finally:
        store.close()


def looks_through(step: str) -> bool:
    """Whether a step reads all of a table, and not only the rows that the statement brings."""
    brought = step == "SCAN given" or "CONSTANT ROW" in step
    return step.startswith("SCAN") and "USING" not in step and not brought


def test_no_statement_looks_through_what_was_ever_stored(plans: dict[str, list[str]]) -> None:
    slow = {
        name: steps
        for name, steps in plans.items()
        if name not in LOOKED_THROUGH and any(looks_through(step) for step in steps)
    }
    assert slow == {}


def test_what_comes_together_is_looked_up_row_by_row(plans: dict[str, list[str]]) -> None:
    for name in (
        "handoffs._LOOK",
        "handoffs._HAND_OFF",
        "settlements._DELIVERED",
        "turns._ANSWER_ALL",
    ):
        assert any(step.startswith("SEARCH") for step in plans[name]), name
    assert any("deliveries_open" in step for step in plans["queue._BUSY_CALLS"])


def test_the_claim_looks_at_what_waits_and_at_what_is_open_of_its_call(
    plans: dict[str, list[str]],
) -> None:
    steps = plans["queue._CLAIM"]
    assert "SEARCH deliveries USING INDEX deliveries_due (due_at<?)" in steps
    assert any("USING COVERING INDEX deliveries_open (call_id=?)" in step for step in steps), steps
    assert not any("ORDER BY" in step for step in steps), steps


@pytest.mark.parametrize("name", ["queue._NEXT_DUE", "held._STALE", "held._PROBE"])
def test_what_is_next_is_found_among_what_waits(plans: dict[str, list[str]], name: str) -> None:
    assert any("USING INDEX deliveries_due" in step for step in plans[name]), plans[name]
    assert any("USING COVERING INDEX deliveries_open" in step for step in plans[name]), plans[name]


def test_a_calls_long_history_is_not_looked_through(plans: dict[str, list[str]]) -> None:
    (step,) = plans["deliveries._ANY_OPEN"]
    assert "deliveries_open" in step


def test_after_an_outage_postgresql_sorts_nothing_to_find_the_next(postgres_url: str) -> None:
    store = Store(postgres_url)

    def backlog(tx: Tx) -> None:
        queue.add(tx, [delivery(1)])
        own = {"message_code": "n::text", "call_id": "n::text"}
        columns = [column.name for column in deliveries.c if column.name != "seq"]
        values = ", ".join(own.get(name, name) for name in columns)
        into, many = ", ".join(columns), "generate_series(1, 20000) AS n"
        tx.exec_driver_sql(
            f"INSERT INTO deliveries ({into}) SELECT {values} FROM deliveries, {many}"  # noqa: S608 - the schema's own names
        )
        tx.exec_driver_sql("ANALYZE deliveries")  # as the server does by itself

    def explain(tx: Tx) -> str:
        made = queue._LOCK_DUE._for(tx)
        cursor = tx.connection.cursor()
        cursor.execute("EXPLAIN " + made.sql, made.arguments({"b_now": NOW, "b_limit": 8}))
        return "\n".join(str(row[0]) for row in cursor.fetchall())

    store.write(backlog)
    steps = store.write(explain)
    store.close()
    assert "Index Scan using deliveries_due" in steps, steps
    assert "Sort" not in steps, steps
