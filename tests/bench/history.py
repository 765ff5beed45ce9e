"""What a long history costs: ``python -m tests.bench.history``.

Two bridges run side by side: one is new; one has a million settled deliveries, a million turns and
a million ended calls of the last three weeks, of 250,000 customers and 200 agents. Measured are the
server's CPU for each handoff (64 conversations at a time, a token in each message, a gateway that
answers at once) in rounds by turns, how long the API's lists take, and how long ``cc-bridge
forget`` takes for one customer, from the command's start to its end.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from statistics import median
from typing import Any

from tests.bench.gateway import BenchGateway
from tests.bench.handoff import MOST, Contender, prepare, run
from tests.bench.programs import Bridge
from tests.bench.seeding import TABLES, Call, Database
from tests.bench.turns import TOKEN
from tests.postgres import PostgresServer

ROWS = 1_000_000  # of each table
CALLS_OF_A_CUSTOMER = 4
AGENTS = 200
FIRST_AGENT = 1000
FAILED = 100  # deliveries, the oldest: who lists them by their state has to find them
DAYS = 20  # less than words are kept for
HANDOFFS = 960  # of each bridge in each round
ROUNDS = 3
ASKED = 20  # times that each list is asked for
LISTS = (
    "/bridge/calls",
    f"/bridge/calls?agent_id={FIRST_AGENT}",  # whose calls have all ended
    "/bridge/deliveries?state=failed",
    "/bridge/metrics",
)


def measure(
    rounds: int = ROUNDS, rows: int = ROWS, postgres: PostgresServer | None = None
) -> dict[str, Any]:
    """CPU for each handoff without and with a history, milliseconds; the lists; forgetting."""
    with ExitStack() as opened:
        gateway = opened.enter_context(BenchGateway())
        bridges = {}
        for name in ("none", "long"):
            url = opened.enter_context(postgres.database()) if postgres else None
            bridges[name] = opened.enter_context(Bridge(gateway, url=url))
        begun = time.perf_counter()
        bridges["long"].seed(lambda database: _fill(database, rows))
        seeding = time.perf_counter() - begun
        found: dict[str, list[float]] = {name: [] for name in bridges}
        for number in range(rounds + 1):  # the first warms up
            for name, bridge in bridges.items() if number % 2 else reversed(bridges.items()):
                contender = Contender(TOKEN, bridge)
                prepared = prepare(contender, f"{name}{number}", HANDOFFS, MOST)
                found[name].append(run(contender, prepared).cpu)
        none, lots = (figures[1:] for figures in found.values())
        bridge = bridges["long"]
        return {
            "rows": rows,
            "seeding": round(seeding, 1),
            "cpu none": round(median(none), 3),
            "cpu long": round(median(lots), 3),
            "ratio": round(median(b / a for a, b in zip(none, lots, strict=True)), 3),
            "lists": {path: round(_asked(bridge, path), 1) for path in LISTS},
            "forget": round(_forgotten(bridge, rows), 2),
        }


def _fill(database: Database, rows: int) -> None:
    with database.in_bulk(*TABLES):
        for table, row in TABLES.items():
            database.insert(table, map(row, _calls(rows)))


def _calls(count: int) -> Iterator[Call]:
    first = time.time() - DAYS * 86400
    apart = DAYS * 86400 / (count + 1)
    for number in range(count):
        customer = number // CALLS_OF_A_CUSTOMER
        yield Call(
            sender=_sender(customer),
            call=f"history-{number:07}",
            agent=str(FIRST_AGENT + customer % AGENTS),
            at=first + number * apart,
            user=f"{customer:08}",
            ended=True,
            state="failed" if number < FAILED else "delivered",
        )


def _sender(customer: int) -> str:
    return f"customer-{customer:06}"


def _asked(bridge: Bridge, path: str) -> float:
    """Median time of an answer in milliseconds."""
    times = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        bridge.server.get(path).raise_for_status()
        times.append(time.perf_counter() - begun)
    return median(times) * 1000


def _forgotten(bridge: Bridge, rows: int) -> float:
    """Erase one customer; return the seconds that it took."""
    sender = _sender(rows // CALLS_OF_A_CUSTOMER // 2)
    known = f"SELECT count(*) FROM deliveries WHERE sender_id = '{sender}'"  # noqa: S608 - ours
    assert bridge.ask(known) == [(CALLS_OF_A_CUSTOMER,)]
    begun = time.perf_counter()
    bridge.command("forget", "--sender", sender, "--yes")
    took = time.perf_counter() - begun
    assert bridge.ask(known) == [(0,)]
    return took


def main() -> None:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--rows", type=int, default=ROWS, help="of each table")
    parser.add_argument("--postgres", action="store_true", help="on a server of its own")
    given = parser.parse_args()
    with PostgresServer() if given.postgres else nullcontext() as postgres:
        found = measure(given.rounds, given.rows, postgres)
    lists = found.pop("lists")
    print(*(f"{key} {value:g}" for key, value in found.items()))
    print(*(f"GET {path}: {took:g} ms" for path, took in lists.items()), sep="\n")


if __name__ == "__main__":
    main()
