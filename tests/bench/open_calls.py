"""What a message costs when many calls are open: ``python -m tests.bench.open_calls``.

Two bridges run side by side, one with ten open calls, one with 50,000 of 5,000 agents; each call
has its history, each agent a session. Customers write in calls that their agents have, and the
bridge answers by itself (assist, ``auto``): each turn is one message in a call taken at random,
and counts once it is delivered. The figure is the server's CPU for each message, in rounds by
turns; on PostgreSQL (``--postgres``) the database server's too.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from statistics import median
from typing import Any

from tests.bench.cpu import family_cpu_seconds
from tests.bench.gateway import BenchGateway
from tests.bench.programs import Bridge, load
from tests.bench.seeding import TABLES, Call, Database
from tests.bench.turns import names, template
from tests.postgres import PostgresServer

FEW, MANY = 10, 50_000
CALLS_OF_AN_AGENT = 10
FIRST_AGENT = 1000
LANES = 10  # at most one for each of the few calls: a call's messages go one after another
MESSAGES = 1000  # of each bridge in each round
ROUNDS = 4
HANDOFF = {
    "assist": {
        "when": [{"intent": "request_human", "reply": "utter_handoff_started"}],
        "mode": "auto",
        "auto": {
            "intents": ["request_human"],
            "min_margin": 0,
            "typing": "ignored",
            "per_minute": 1_000_000,
        },
    }
}


def measure(
    rounds: int = ROUNDS, many: int = MANY, postgres: PostgresServer | None = None
) -> dict[str, Any]:
    """CPU for each message in milliseconds, with few and with many open calls, and the ratio."""
    with ExitStack() as opened:
        gateway = opened.enter_context(BenchGateway())
        bridges = {}
        for count in (FEW, many):
            url = opened.enter_context(postgres.database()) if postgres else None
            bridge = opened.enter_context(Bridge(gateway, designer=HANDOFF, url=url))
            _open_calls(bridge, count)
            bridges[count] = bridge
        chance = random.Random(1)  # noqa: S311 - spreads turns over calls
        found: dict[int, list[float]] = {count: [] for count in bridges}
        for number in range(rounds + 1):  # the first warms up
            for count, bridge in bridges.items() if number % 2 else reversed(bridges.items()):
                senders = [f"open-{chance.randrange(count):06}" for _ in range(MESSAGES)]
                before = family_cpu_seconds(postgres.pid) if postgres else 0.0
                found[count].append(_cpu(bridge, senders))
                if postgres:
                    found[count][-1] += (
                        (family_cpu_seconds(postgres.pid) - before) / MESSAGES * 1000
                    )
        few, lots = (figures[1:] for figures in found.values())
    return {
        "few": FEW,
        "many": many,
        "cpu few": round(median(few), 3),
        "cpu many": round(median(lots), 3),
        "ratio": round(median(b / a for a, b in zip(few, lots, strict=True)), 3),
    }


def _open_calls(bridge: Bridge, count: int) -> None:
    """Give agents calls: each was handed off, with a message that was delivered."""
    now = time.time()

    def agent(number: int) -> str:
        return str(FIRST_AGENT + number // CALLS_OF_AN_AGENT)

    calls = [
        Call(sender=name, call=name, agent=agent(number), at=now)
        for number, name in enumerate(names("open", count))
    ]

    def fill(database: Database) -> None:
        with database.in_bulk(*TABLES):
            for table, row in TABLES.items():
                database.insert(table, map(row, calls))

    bridge.seed(fill)
    bridge.push(sorted({call.agent for call in calls}))


def _cpu(bridge: Bridge, senders: Sequence[str]) -> float:
    """Milliseconds of the server's CPU for each message, until all are delivered."""
    before = bridge.cpu()
    found = load(
        bridge.port,
        {
            "name": "customers",
            "template": template("action_bridge"),
            "senders": senders,
            "lanes": LANES,
        },
    )["streams"]["customers"]
    assert found["answers"] == {"200": len(senders)}, found["answers"]
    bridge.settle()
    spent = bridge.cpu() - before
    bridge.check(len(senders))
    return spent / len(senders) * 1000


def main() -> None:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--postgres", action="store_true", help="on a server of its own")
    given = parser.parse_args()
    with PostgresServer() if given.postgres else nullcontext() as postgres:
        found = measure(given.rounds, given.many, postgres)
    print(*(f"{key} {value:g}" for key, value in found.items()))


if __name__ == "__main__":
    main()
