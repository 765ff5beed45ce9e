"""A durable handoff beside what one writes without the bridge: turns a second and CPU for each.

    python -m tests.bench.handoff --delay 0 --rounds 3 --only bridge,pooled

64 conversations at a time ask for a person, each turn a new customer's, while a gateway answers
after 0, 50 and 200 ms. All programs run at once and are loaded by turns, in rounds; what is told
is the median of the rounds and, for the ratios, of each round's ratio. The bridge's messages count
only where the gateway recorded each once and the store has it as delivered. CPU is the server's.
The baselines: ``pooled`` hands a ``requests.Session`` to 64 threads, ``tuned`` one that looks
for no proxies in the environment, ``plain`` calls ``requests.post`` in ``run``; none stores
anything.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.gateway import BenchGateway
from tests.bench.programs import Baseline, Bridge, Program, load
from tests.bench.turns import names, template

CONVERSATIONS = 64
DELAYS = (0, 50, 200)  # milliseconds of the gateway
ROUNDS = 5
SECONDS = 2.5  # about, of each program in each round
PROGRAMS = ("bridge", "pooled", "tuned", "plain")


@dataclass(frozen=True, slots=True)
class Measured:
    """One program's round."""

    rate: float  # turns a second
    cpu: float  # milliseconds of the server's CPU for each
    p50: float  # milliseconds of a turn
    p99: float
    load: float  # how much of a core the load generator took
    gateway: float  # ... and the gateway


def measure(
    delays: Sequence[int], rounds: int, only: Sequence[str], storage: str | None = None
) -> dict[str, Any]:
    """Every program at every delay: ``{delay: {program: figures, ...}}``, see ``_summary``."""
    with ExitStack() as opened:
        gateway = opened.enter_context(BenchGateway())
        programs = [opened.enter_context(_program(gateway, name, storage)) for name in only]
        prefixes = (f"r{number}" for number in itertools.count())
        return {str(delay): _at(delay, gateway, programs, rounds, prefixes) for delay in delays}


def _program(gateway: BenchGateway, name: str, storage: str | None) -> Program:
    return Bridge(gateway, url=storage) if name == "bridge" else Baseline(gateway, name)


def _at(
    delay: int,
    gateway: BenchGateway,
    programs: Sequence[Program],
    rounds: int,
    prefixes: Iterator[str],
) -> dict[str, Any]:
    gateway.answer_after(delay)
    turns = {}
    for program in programs:  # what is run first is slower: connections, threads, caches
        few = 8 if program.name == "plain" and delay else CONVERSATIONS * 3
        warm = _round(program, few, prefixes)
        turns[program.name] = max(few, int(warm.rate * SECONDS / few) * few)
    found: dict[str, list[Measured]] = {program.name: [] for program in programs}
    for number in range(rounds):
        for program in programs if number % 2 else reversed(programs):
            found[program.name].append(_round(program, turns[program.name], prefixes))
    return _summary(found)


def _round(program: Program, count: int, prefixes: Iterator[str]) -> Measured:
    senders = names(next(prefixes), count)
    program.assign(senders)
    cpu, others = program.cpu(), program.gateway.cpu()
    begun = time.perf_counter()
    told = load(
        program.port,
        {
            "name": "handoff",
            "template": template("action_human_handoff"),
            "senders": senders,
            "lanes": CONVERSATIONS,
        },
    )
    wall = time.perf_counter() - begun
    cpu, others = program.cpu() - cpu, program.gateway.cpu() - others
    handoffs = told["streams"]["handoff"]
    assert handoffs["answers"] == {"200": count}, (program.name, handoffs["answers"])
    if program.name == "bridge":
        assert handoffs["delivered"] == count, handoffs["delivered"]
    program.check(count)
    took = sorted(handoffs["milliseconds"])
    return Measured(
        rate=count / handoffs["seconds"],
        cpu=cpu / count * 1000,
        p50=took[len(took) // 2],
        p99=took[int(len(took) * 0.99)],
        load=told["cpu"] / told["wall"],
        gateway=others / wall,
    )


def _summary(found: dict[str, list[Measured]]) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: {
            field: round(median(getattr(each, field) for each in rounds), 3)
            for field in Measured.__slots__
        }
        for name, rounds in found.items()
    }
    for name in PROGRAMS[1:]:
        if "bridge" in found and name in found:
            pairs = list(zip(found["bridge"], found[name], strict=True))
            told[f"bridge/{name}"] = {
                "rate": round(median(ours.rate / theirs.rate for ours, theirs in pairs), 3),
                "lowest": round(min(ours.rate / theirs.rate for ours, theirs in pairs), 3),
                "highest": round(max(ours.rate / theirs.rate for ours, theirs in pairs), 3),
                "cpu": round(median(ours.cpu / theirs.cpu for ours, theirs in pairs), 3),
            }
    return told


def main() -> None:
    """Measure what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--delay", type=int, action="append", help="milliseconds of the gateway")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default=",".join(PROGRAMS), help="programs, with commas")
    parser.add_argument("--storage", help="the bridge's storage.url, an empty database")
    given = parser.parse_args()
    told = measure(given.delay or DELAYS, given.rounds, given.only.split(","), given.storage)
    for delay, figures in told.items():
        print(f"gateway at {delay} ms")
        for name, values in figures.items():
            print(f"  {name:14}", *(f"{key} {value:g}" for key, value in values.items()))


if __name__ == "__main__":
    main()
