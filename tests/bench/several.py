"""Several workers, and several servers, beside one: ``python -m tests.bench.several``.

Handoffs, 64 at a time, at a gateway that answers at once, in rounds by turns. Workers: one server
with one Sanic worker, another with two, on SQLite. Servers: one on PostgreSQL, and two that share a
database, each with half of the conversations; on the same machine, so that two can be faster only
by what one leaves of it (``idle``, a share of all cores, while one is loaded). PostgreSQL's own CPU
is not in the figures.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.gateway import BenchGateway
from tests.bench.handoff import Contender, prepare
from tests.bench.programs import Bridge, load
from tests.bench.turns import PUT
from tests.postgres import PostgresServer

LANES = 64
TURNS = 1600  # of each round
ROUNDS = 5
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Round:
    rate: float  # handoffs a second
    cpu: float  # milliseconds of the servers' CPU for each
    idle: float  # share of all cores that nobody used


def measure(rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """``workers`` and ``servers``: rates and CPU of one and of two, and two's beside one's."""
    with ExitStack() as opened:
        gateway = opened.enter_context(BenchGateway())
        one = opened.enter_context(Bridge(gateway))
        two = opened.enter_context(Bridge(gateway, environ={"ACTION_SERVER_SANIC_WORKERS": "2"}))
        workers = _beside(gateway, [one], [two], rounds)
    with ExitStack() as opened:
        gateway = opened.enter_context(BenchGateway())
        postgres = opened.enter_context(PostgresServer())
        urls = [opened.enter_context(postgres.database()) for _ in range(2)]
        single, first, second = (
            opened.enter_context(Bridge(gateway, url=urls[0 if number == 0 else 1]))
            for number in range(3)
        )
        servers = _beside(gateway, [single], [first, second], rounds)
    return {"workers": workers, "servers": servers}


def _beside(
    gateway: BenchGateway, one: Sequence[Bridge], two: Sequence[Bridge], rounds: int
) -> dict[str, float]:
    gateway.answer_after(0)
    found: dict[str, list[_Round]] = {"one": [], "two": []}
    for number in range(rounds + 1):  # the first warms up
        both = (("one", one), ("two", two))
        for name, bridges in both if number % 2 else reversed(both):
            measured = _round(bridges, f"{name}-{number}")
            if number:
                found[name].append(measured)
    figures: dict[str, float] = {}
    for name, measured_rounds in found.items():
        figures[f"rate {name}"] = round(median(each.rate for each in measured_rounds), 1)
        figures[f"cpu {name}"] = round(median(each.cpu for each in measured_rounds), 3)
    pairs = list(zip(found["one"], found["two"], strict=True))
    rates = sorted(two.rate / one.rate for one, two in pairs)
    return figures | {
        "rate": round(median(rates), 3),
        "lowest": round(rates[0], 3),
        "highest": round(rates[-1], 3),
        "cpu": round(median(two.cpu / one.cpu for one, two in pairs), 3),
        "idle": round(median(each.idle for each in found["one"]), 3),
    }


def _round(bridges: Sequence[Bridge], prefix: str) -> _Round:
    share = len(bridges)
    streams = [
        prepare(Contender(PUT, bridge), f"{prefix}-{number}", TURNS // share, LANES // share)
        for number, bridge in enumerate(bridges)
    ]
    cpu, idle, began = sum(each.cpu() for each in bridges), _idle(), time.perf_counter()
    with ThreadPoolExecutor(share) as generators:
        results = list(
            generators.map(
                lambda pair: load(pair[0].port, pair[1]), zip(bridges, streams, strict=True)
            )
        )
    wall = time.perf_counter() - began
    idle = (_idle() - idle) / wall / (os.cpu_count() or 1)
    for bridge in bridges:
        bridge.settle()
    cpu = sum(each.cpu() for each in bridges) - cpu
    found: list[Any] = [each["streams"]["handoff"] for each in results]
    assert sum(each["delivered"] for each in found) == TURNS // share * share
    bridges[0].gateway.forget()
    return _Round(
        rate=sum(TURNS // share / each["seconds"] for each in found),
        cpu=cpu / TURNS * 1000,
        idle=idle,
    )


def _idle() -> float:
    """Seconds in which a core had nothing to do, of all cores together."""
    first = Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()
    return (int(first[4]) + int(first[5])) / _TICK


def main() -> None:
    """Measure and print."""
    for what, figures in measure().items():
        print(f"{what:8}", *(f"{key} {value:g}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
